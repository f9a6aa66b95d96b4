//! The way to Telegram.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use ports::Clock;
use reqwest::{Client, RequestBuilder, multipart::Form};
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use teloxide_core::requests::Payload;
use url::Url;

use super::{
    pace::Pace,
    wire::{self, CallError},
};
use crate::http::{self, HttpError, HttpOptions};

/// Where Telegram's own Bot API lies.
const API: &str = "https://api.telegram.org";
/// The largest answer that is read: 100 updates of some kilobytes each, with room.
const ANSWER_BYTES_MAX: u64 = 8 << 20;

/// How to talk to Telegram.
#[derive(Debug, Clone)]
pub struct TelegramConfig {
    /// The bot's token, as `@BotFather` gave it.
    pub token: SecretString,
    /// Where the Bot API lies: Telegram's own, or a server beside us.
    pub base_url: Url,
    /// Time-outs of short calls, the proxy for all of them, and the User-Agent.
    pub http: HttpOptions,
    /// The longest upload or download of a file, from beginning to end.
    pub transfer_timeout: Duration,
}

impl TelegramConfig {
    /// A configuration with everything else at its default: 30 s for a short call, 200 s for a file.
    #[must_use]
    pub fn new(token: SecretString) -> Self {
        let limit = Duration::from_secs(30);
        Self {
            token,
            base_url: default_base(),
            http: HttpOptions {
                connect_timeout: Duration::from_secs(5),
                read_timeout: limit,
                total_timeout: Some(limit),
                redirects_max: 0,
                ..HttpOptions::default()
            },
            transfer_timeout: Duration::from_secs(200),
        }
    }
}

#[expect(clippy::expect_used, reason = "a constant that a test reads")]
fn default_base() -> Url {
    API.parse().expect("the address of the Bot API is one")
}

/// A client cannot be made as configured. Each text names the fix and none shows the token.
#[derive(Debug, thiserror::Error)]
pub enum TelegramError {
    /// Not the form of a token.
    #[error(
        "this is not a bot's token: copy the whole line from @BotFather, such as 123456:ABC-DEF, and nothing else"
    )]
    Token,
    /// Anything about the way there.
    #[error(transparent)]
    Http(#[from] HttpError),
}

/// Talks to the Bot API.
///
/// Nothing it shows or returns has the token in it: not its `Debug`, and not its errors, which carry no addresses.
pub struct TelegramClient {
    token: SecretString,
    base: Url,
    /// For short calls.
    calls: Client,
    /// For files: the read time-out counts while a body is still being sent, so that it is as long as the whole.
    transfers: Client,
    pub(super) pace: Pace,
    pub(super) clock: Arc<dyn Clock>,
}

impl fmt::Debug for TelegramClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelegramClient").field("base", &http::address(&self.base)).finish_non_exhaustive()
    }
}

impl TelegramClient {
    /// A client for one bot.
    ///
    /// # Errors
    /// [`TelegramError`] when the configuration cannot work.
    pub fn new(config: TelegramConfig, clock: Arc<dyn Clock>) -> Result<Self, TelegramError> {
        let TelegramConfig { token, base_url, http: options, transfer_timeout } = config;
        if !is_token(token.expose_secret()) {
            return Err(TelegramError::Token);
        }
        http::check_base(&base_url, "Telegram")?;
        let calls = http::client(&options)?;
        let transfers = http::client(&HttpOptions {
            read_timeout: transfer_timeout,
            total_timeout: Some(transfer_timeout),
            ..options
        })?;
        Ok(Self { token, base: base_url, calls, transfers, pace: Pace::default(), clock })
    }

    /// A short call.
    pub(super) async fn call<P, T>(&self, payload: &P) -> Result<T, CallError>
    where
        P: Payload + Serialize + Sync,
        T: DeserializeOwned,
    {
        self.read(self.calls.post(self.method(P::NAME)).json(payload)).await
    }

    /// A call of `method` that Telegram answers within `within`, which may be longer than other calls take.
    pub(super) async fn ask<B, T>(&self, method: &str, body: &B, within: Duration) -> Result<T, CallError>
    where
        B: Serialize + Sync,
        T: DeserializeOwned,
    {
        self.read(self.transfers.post(self.method(method)).timeout(within).json(body)).await
    }

    /// A call of `method` that carries a file.
    pub(super) async fn upload<T: DeserializeOwned>(&self, method: &str, form: Form) -> Result<T, CallError> {
        self.read(self.transfers.post(self.method(method)).multipart(form)).await
    }

    /// The bytes of a file of Telegram's, up to `bytes_max`.
    pub(super) async fn fetch(&self, path: &str, bytes_max: u64) -> Result<Bytes, CallError> {
        let url = http::join(&self.base, &format!("file/bot{}/{path}", self.token.expose_secret()));
        let answer = http::exchange(self.transfers.get(url), bytes_max).await?;
        match answer.status {
            200 => Ok(answer.body),
            _ => Err(wire::read::<serde::de::IgnoredAny>(&answer)
                .err()
                .unwrap_or(CallError::NotTelegram(answer.status))),
        }
    }

    async fn read<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, CallError> {
        wire::read(&http::exchange(request, ANSWER_BYTES_MAX).await?)
    }

    fn method(&self, name: &str) -> Url {
        http::join(&self.base, &format!("bot{}/{name}", self.token.expose_secret()))
    }
}

/// Whether a text has the form of a token: the bot's id, a colon, and the secret. Anything else in it could change the
/// address it becomes part of.
fn is_token(text: &str) -> bool {
    text.split_once(':').is_some_and(|(id, secret)| {
        !id.is_empty()
            && id.bytes().all(|byte| byte.is_ascii_digit())
            && !secret.is_empty()
            && secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    })
}
