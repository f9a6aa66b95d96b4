//! What KIE tells us by itself: that a task has ended.
//!
//! A callback is signed, but only its task and time are: `X-Webhook-Signature` is the base64 of
//! HMAC-SHA256(key, task id + "." + `X-Webhook-Timestamp`), the time in Unix seconds (KIE docs,
//! common-api/webhook-verification). Whoever has seen one may send any body with it for a while, so nothing of the body
//! is believed but the task's name: a callback is a hint to look, and the truth is read from the provider.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{id::TaskId, time::Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use sha2::Sha256;

use super::wire::text;

/// The header with the time of signing.
pub const TIMESTAMP_HEADER: &str = "x-webhook-timestamp";
/// The header with the signature.
pub const SIGNATURE_HEADER: &str = "x-webhook-signature";

/// How far a callback's time may be from ours, either way. KIE documents no tolerance.
const WINDOW: Duration = Duration::from_secs(5 * 60);
/// A SHA-256 in bytes.
const TAG_BYTES: usize = 32;

/// Why a callback is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum CallbackFault {
    /// It carries no signature of the expected form.
    #[error("it is not signed")]
    Unsigned,
    /// It was signed too long ago, or in the future.
    #[error("its time is more than five minutes from ours")]
    Stale,
    /// The body is larger than any callback.
    #[error("its body is too large")]
    TooLarge,
    /// The body names no task.
    #[error("its body names no task")]
    Unreadable,
    /// No key of ours signed this task at this time.
    #[error("the signature is not by a key of ours")]
    Forged,
    /// Too many before it were not believed.
    #[error("too many were not believed lately")]
    Flood,
}

impl CallbackFault {
    /// The word of metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unsigned => "unsigned",
            Self::Stale => "stale",
            Self::TooLarge => "too_large",
            Self::Unreadable => "unreadable",
            Self::Forged => "forged",
            Self::Flood => "flood",
        }
    }
}

/// What the two headers of a callback said. Good for nothing until the body is checked against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    timestamp: String,
    tag: [u8; TAG_BYTES],
}

impl Seal {
    /// Reads the two headers, before anything is read of the body.
    ///
    /// # Errors
    /// [`CallbackFault::Unsigned`] or [`CallbackFault::Stale`].
    pub fn read(
        timestamp: Option<&str>,
        signature: Option<&str>,
        now: Timestamp,
    ) -> Result<Self, CallbackFault> {
        let (Some(timestamp), Some(signature)) = (timestamp, signature) else {
            return Err(CallbackFault::Unsigned);
        };
        let is_number = (1..=12).contains(&timestamp.len()) && timestamp.bytes().all(|b| b.is_ascii_digit());
        let seconds: i64 =
            is_number.then(|| timestamp.parse().ok()).flatten().ok_or(CallbackFault::Unsigned)?;
        let tag = (signature.len() <= 2 * TAG_BYTES).then(|| STANDARD.decode(signature).ok()).flatten();
        let tag = tag.and_then(|tag| tag.try_into().ok()).ok_or(CallbackFault::Unsigned)?;
        let signed_at = Timestamp::from_millis(seconds.saturating_mul(1_000));
        if now.since(signed_at).max(signed_at.since(now)) > WINDOW {
            return Err(CallbackFault::Stale);
        }
        Ok(Self { timestamp: timestamp.to_owned(), tag })
    }
}

/// Knows the callbacks of our accounts from others.
#[derive(Debug, Clone)]
pub struct CallbackVerifier {
    keys: Vec<SecretString>,
}

impl CallbackVerifier {
    /// The webhook keys of our accounts, each made at kie.ai/settings. Without any, nothing is believed.
    #[must_use]
    pub const fn new(keys: Vec<SecretString>) -> Self {
        Self { keys }
    }

    /// The task that a callback is about, if one of our keys signed it. Compares in constant time.
    ///
    /// # Errors
    /// [`CallbackFault::Unreadable`] or [`CallbackFault::Forged`].
    pub fn verify(&self, seal: &Seal, body: &[u8]) -> Result<TaskId, CallbackFault> {
        let body: Value = serde_json::from_slice(body).map_err(|_| CallbackFault::Unreadable)?;
        let mut named = false;
        for task in named_tasks(&body) {
            named = true;
            if self.keys.iter().any(|key| is_signed(key, task.as_str(), seal)) {
                return Ok(task);
            }
        }
        Err(if named { CallbackFault::Forged } else { CallbackFault::Unreadable })
    }
}

/// Every task a body names: the jobs API writes `taskId`, KIE's own example of a check reads `task_id`.
fn named_tasks(body: &Value) -> impl Iterator<Item = TaskId> {
    let places = [body.get("data"), Some(body)].into_iter().flatten();
    places
        .flat_map(|place| ["taskId", "task_id"].map(|name| place.get(name)))
        .filter_map(|value| TaskId::new(text(value?)?).ok())
}

fn mac(key: &SecretString, task: &str, timestamp: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose_secret().as_bytes()).ok()?;
    mac.update(task.as_bytes());
    mac.update(b".");
    mac.update(timestamp.as_bytes());
    Some(mac)
}

fn is_signed(key: &SecretString, task: &str, seal: &Seal) -> bool {
    mac(key, task, &seal.timestamp).is_some_and(|mac| mac.verify_slice(&seal.tag).is_ok())
}

/// The signature KIE would send with a callback about `task` at a time in Unix seconds; for simulated providers.
#[must_use]
pub fn signature(key: &SecretString, task: &str, unix_seconds: i64) -> String {
    let mac = mac(key, task, &unix_seconds.to_string());
    mac.map(|mac| STANDARD.encode(mac.finalize().into_bytes())).unwrap_or_default()
}
