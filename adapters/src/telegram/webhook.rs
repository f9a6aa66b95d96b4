//! Being told of updates.

use std::{fmt, sync::Arc};

use hmac::digest::CtOutput;
use ports::{Clock, PortError, bot::Inbox};
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, de::IgnoredAny};
use sha2::Sha256;
use url::Url;

use super::{TelegramClient, incoming::incoming};

/// Where Telegram sends updates to.
pub const WEBHOOK_PATH: &str = "/telegram/webhook";
/// The header with the secret that we told Telegram (Bot API, setWebhook).
pub const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";

/// The kinds of updates the bot lives by, always named: a list that is left out stays what it was. Without the
/// third every payment fails.
pub(super) const ALLOWED_UPDATES: [&str; 4] =
    ["message", "callback_query", "pre_checkout_query", "my_chat_member"];
/// Connections Telegram may open at once; the server serves 64.
const CONNECTIONS_MAX: u32 = 40;

/// Not a secret Telegram takes.
#[derive(Debug, thiserror::Error)]
#[error(
    "the secret of the webhook has to be 16 to 256 letters, digits, `_` and `-`: make one with `openssl rand -hex 32`"
)]
pub struct WebhookSecretError;

/// Stores what Telegram sends.
#[derive(Clone)]
pub struct UpdateHook {
    secret: CtOutput<Sha256>,
    inbox: Arc<dyn Inbox>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for UpdateHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpdateHook").finish_non_exhaustive()
    }
}

impl UpdateHook {
    /// Believes what comes with `secret`.
    ///
    /// # Errors
    /// [`WebhookSecretError`] when Telegram would not take it, or it can be guessed.
    pub fn new(
        secret: &SecretString,
        inbox: Arc<dyn Inbox>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, WebhookSecretError> {
        let text = secret.expose_secret();
        if !(16..=256).contains(&text.len()) || !text.bytes().all(is_of_a_secret) {
            return Err(WebhookSecretError);
        }
        Ok(Self { secret: digest(text.as_bytes()), inbox, clock })
    }

    /// Whether this is the secret, in the same time whatever it is.
    pub(crate) fn knows(&self, secret: &[u8]) -> bool {
        self.secret == digest(secret)
    }

    /// Stores an update. `false` when it is none.
    ///
    /// # Errors
    /// The inbox's: it is not stored, and Telegram has to send it again.
    pub(crate) async fn receive(&self, body: &[u8]) -> Result<bool, PortError> {
        let Some(update) = std::str::from_utf8(body).ok().and_then(incoming) else { return Ok(false) };
        self.inbox.receive(std::slice::from_ref(&update), self.clock.now()).await?;
        Ok(true)
    }
}

const fn is_of_a_secret(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn digest(text: &[u8]) -> CtOutput<Sha256> {
    use sha2::Digest;
    CtOutput::new(Sha256::digest(text))
}

#[derive(Serialize)]
struct SetWebhook<'a> {
    url: &'a str,
    secret_token: &'a str,
    allowed_updates: &'static [&'static str],
    max_connections: u32,
}

#[derive(Serialize)]
struct DeleteWebhook {
    /// Among them may be a payment.
    drop_pending_updates: bool,
}

impl TelegramClient {
    /// Has updates sent to [`WEBHOOK_PATH`] below `public`, with `secret`.
    ///
    /// # Errors
    /// [`ports::ErrorKind::Rejected`] when Telegram does not take the address, which has to be `https` on port 443, 80,
    /// 88 or 8443.
    pub async fn set_webhook(&self, public: &Url, secret: &SecretString) -> Result<(), PortError> {
        let url = crate::http::join(public, WEBHOOK_PATH);
        let body = SetWebhook {
            url: url.as_str(),
            secret_token: secret.expose_secret(),
            allowed_updates: &ALLOWED_UPDATES,
            max_connections: CONNECTIONS_MAX,
        };
        self.administer::<_, IgnoredAny>("setWebhook", &body, "set the webhook").await.map(drop)
    }

    /// Has updates sent nowhere, so that they can be asked for. Those that wait stay.
    ///
    /// # Errors
    /// [`ports::ErrorKind::Transient`] when it is not known to be done; it may be repeated.
    pub async fn delete_webhook(&self) -> Result<(), PortError> {
        let body = DeleteWebhook { drop_pending_updates: false };
        self.administer::<_, IgnoredAny>("deleteWebhook", &body, "delete the webhook").await.map(drop)
    }
}
