//! The messenger's API, as far as conversations use it.

use async_trait::async_trait;
use bytes::Bytes;
use domain::id::UserId;

use super::ChatAction;
use crate::PortError;

/// A file a user sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRef {
    /// Telegram's `file_id`: of this bot alone, and lasting (Bot API, Sending files).
    pub id: String,
    /// Its size in bytes, where Telegram told it.
    pub size: Option<u64>,
}

/// The answer to Telegram's last question before a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PreCheckout {
    /// Take the money.
    Accept,
    /// Do not; the user reads why.
    Refuse(String),
}

/// A payment in Stars, as Telegram keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StarCharge {
    /// `telegram_payment_charge_id`.
    pub charge: String,
    /// Who paid, or was paid back; 0 for what was nobody's payment, such as a withdrawal, which is listed all the same so that
    /// offsets count alike.
    pub user: UserId,
    /// Stars, negative when they went back to the user.
    pub stars: i64,
    /// The invoice's payload, where there is one.
    pub payload: Option<String>,
}

/// Talks to the messenger.
///
/// Laws: `Ok` only when the other side confirmed; [`crate::ErrorKind::Rejected`] when it never will (the message is malformed);
/// [`crate::ErrorKind::Unreachable`] when the user stopped the bot; [`crate::ErrorKind::AnswerLost`] when it may have been done; an edit to what a message already is, and of
/// a message that is gone, is done. One chat that has to wait holds up no other: [`PortError::retry_at`] says when it may be tried again.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait ChatClient: Send + Sync {
    /// Does something to a chat.
    async fn act(&self, chat: UserId, action: &ChatAction) -> Result<(), PortError>;

    /// Answers a tap on a button, at most once and within seconds; `text` is shown for a moment (200 characters at most).
    async fn answer_tap(&self, tap: &str, text: Option<String>) -> Result<(), PortError>;

    /// The bytes of a file of at most 20 MB (Bot API, getFile).
    async fn download(&self, file: &FileRef) -> Result<Bytes, PortError>;

    /// Answers a pre-checkout query, within 10 s (Bot API, PreCheckoutQuery).
    async fn answer_pre_checkout(&self, query: &str, answer: &PreCheckout) -> Result<(), PortError>;

    /// Gives a whole payment back; one that was given back before counts as done.
    async fn refund_stars(&self, user: UserId, charge: &str) -> Result<(), PortError>;

    /// Up to 100 payments, oldest first, from the `offset`-th on (Bot API, getStarTransactions).
    async fn star_charges(&self, offset: u32) -> Result<Vec<StarCharge>, PortError>;
}
