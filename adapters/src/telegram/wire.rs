//! What comes back, and what follows from it.

use std::time::Duration;

use domain::time::Timestamp;
use ports::{ErrorKind, PortError};
use serde::{Deserialize, de::DeserializeOwned};
use teloxide_core::ApiError;

use crate::http::{Answer, ExchangeError};

/// How long a chat is left alone when Telegram does not say.
const PAUSE_WITHOUT_A_WORD: Duration = Duration::from_secs(5);
/// The longest pause that is believed. Some minutes are usual after a flood of edits; a number beyond all sense would
/// silence a chat for ever.
const PAUSE_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// How much of a refusal is kept, in characters.
const REFUSAL_CHARS_MAX: usize = 300;

/// A call that did not work.
#[derive(Debug)]
pub(super) enum CallError {
    /// Telegram said no.
    Refused(Refusal),
    /// What answered was not Telegram: a gateway or a proxy, with this HTTP status.
    NotTelegram(u16),
    /// It worked, and the answer is not what the Bot API says it is.
    Unreadable(serde_json::Error),
    /// There is no whole answer.
    NoAnswer(ExchangeError),
}

/// A no of Telegram's.
#[derive(Debug)]
pub(super) struct Refusal {
    /// `error_code`.
    pub(super) code: u16,
    /// What it means, as far as teloxide knows it.
    pub(super) error: ApiError,
    /// `retry_after`.
    pub(super) retry_after: Option<Duration>,
}

/// The envelope of every answer (Bot API, Making requests).
#[derive(Deserialize)]
#[serde(bound = "")]
struct Envelope<T: DeserializeOwned> {
    ok: bool,
    #[serde(default = "none")]
    result: Option<T>,
    #[serde(default)]
    error_code: u16,
    #[serde(default)]
    description: String,
    parameters: Option<Parameters>,
}

fn none<T>() -> Option<T> {
    None
}

/// `ResponseParameters` of the Bot API.
#[derive(Deserialize)]
struct Parameters {
    retry_after: Option<u64>,
}

/// Only what a refusal has: read first, so that a result of an unknown form is not taken for one.
#[derive(Deserialize)]
struct Head {
    ok: bool,
}

/// Reads an answer.
pub(super) fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, CallError> {
    let Ok(Head { ok }) = serde_json::from_slice(&answer.body) else {
        return Err(CallError::NotTelegram(answer.status));
    };
    if !ok {
        let refusal = serde_json::from_slice::<Envelope<serde::de::IgnoredAny>>(&answer.body)
            .map_err(|_| CallError::NotTelegram(answer.status))?;
        return Err(CallError::Refused(Refusal::from(refusal)));
    }
    let envelope = serde_json::from_slice::<Envelope<T>>(&answer.body).map_err(CallError::Unreadable)?;
    envelope
        .result
        .filter(|_| envelope.ok)
        .ok_or_else(|| CallError::Unreadable(serde::de::Error::missing_field("result")))
}

impl<T: DeserializeOwned> From<Envelope<T>> for Refusal {
    fn from(envelope: Envelope<T>) -> Self {
        let description: String = envelope.description.chars().take(REFUSAL_CHARS_MAX).collect();
        let error = serde_json::from_value(serde_json::Value::String(description.clone()));
        Self {
            code: envelope.error_code,
            error: error.unwrap_or(ApiError::Unknown(description)),
            retry_after: envelope.parameters.and_then(|p| p.retry_after).map(Duration::from_secs),
        }
    }
}

impl From<ExchangeError> for CallError {
    fn from(error: ExchangeError) -> Self {
        Self::NoAnswer(error)
    }
}

/// Whether a call may be made twice without anybody noticing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// It only asks, or says once more what is so already: nothing is unknown when its answer is lost.
    Harmless,
    /// The user would see it twice.
    Seen,
}

impl CallError {
    /// Whether an edit is done all the same: the message says this already, or is gone.
    pub(super) fn is_done_edit(&self) -> bool {
        matches!(
            self,
            Self::Refused(Refusal {
                code: 400,
                error: ApiError::MessageNotModified | ApiError::MessageToEditNotFound,
                ..
            })
        )
    }

    /// How long this recipient is to be left alone.
    pub(super) fn pause(&self) -> Option<Duration> {
        match self {
            Self::Refused(Refusal { code: 429, retry_after, .. }) => {
                Some(retry_after.unwrap_or(PAUSE_WITHOUT_A_WORD).min(PAUSE_MAX))
            }
            _ => None,
        }
    }

    /// What it is to the caller. `what` was tried.
    pub(super) fn into_port(self, what: &str, repeat: Repeat, now: Timestamp) -> PortError {
        let lost = match repeat {
            Repeat::Harmless => ErrorKind::Transient,
            Repeat::Seen => ErrorKind::AnswerLost,
        };
        let pause = self.pause();
        let (kind, message) = match self {
            Self::Refused(Refusal { code, error, .. }) => {
                let kind = match code {
                    403 => ErrorKind::Unreachable,
                    // Of the bot and not of the message: the operator mends it, and then it works.
                    401 | 404 | 409 | 429 | 500.. => ErrorKind::Transient,
                    _ => ErrorKind::Rejected,
                };
                let advice = match code {
                    401 | 404 => " (is the bot's token right?)",
                    _ => "",
                };
                (kind, format!("Telegram refused to {what}: {code} {}{advice}", words(&error)))
            }
            Self::NotTelegram(status) => {
                let kind = match status {
                    200..300 => lost,
                    413 => ErrorKind::Rejected,
                    _ => ErrorKind::Transient,
                };
                (kind, format!("could not {what}: something on the way to Telegram answered with {status}"))
            }
            Self::Unreadable(error) => (lost, format!("could not read whether Telegram did {what}: {error}")),
            Self::NoAnswer(error) => {
                let kind = match &error {
                    ExchangeError::NeverLeft(_) => ErrorKind::Transient,
                    ExchangeError::TooLarge { .. } if repeat == Repeat::Harmless => ErrorKind::Rejected,
                    ExchangeError::TimedOut(_)
                    | ExchangeError::CutOff(_)
                    | ExchangeError::TooLarge { .. } => lost,
                };
                return PortError::with_source(kind, format!("could not {what}"), error);
            }
        };
        let error = PortError::new(kind, message);
        match pause {
            Some(pause) => error.not_before(now.after(pause)),
            None => error,
        }
    }
}

/// Telegram's words. An unknown refusal is told as it came, without teloxide's wrapping.
pub(super) fn words(error: &ApiError) -> String {
    match error {
        ApiError::Unknown(description) => description.clone(),
        known => known.to_string(),
    }
}
