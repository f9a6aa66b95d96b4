//! What an update tells, in our own words.

use domain::id::UserId;

use super::FileRef;
use crate::PortError;

/// What happened in a private chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatEvent {
    /// Whose chat.
    pub user: UserId,
    /// The language of the user's client, as an IETF tag, where Telegram told it.
    pub client_language: Option<String>,
    /// What happened.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// A text, commands included.
    Text(String),
    /// A picture, as a photo or as a file. Of a photo's sizes, the largest.
    Picture {
        /// The file.
        file: FileRef,
        /// What its sender says it is, for files: a hint and no proof.
        mime: Option<String>,
        /// The text below it.
        caption: Option<String>,
        /// The album it belongs to; the pictures of an album come as messages of their own.
        album: Option<String>,
    },
    /// A message of a kind the conversation has no use for, such as `sticker` or `video`.
    Other(&'static str),
    /// A button was tapped.
    Tap {
        /// Its id, to be answered within seconds.
        tap: String,
        /// The button's data. Anything at all may stand here: it is no proof that we showed such a button.
        data: String,
        /// The message it hangs on, while Telegram knows it.
        message: Option<i64>,
    },
    /// Telegram's last question before it takes the money.
    PreCheckout {
        /// Its id, to be answered within 10 s.
        query: String,
        /// Our invoice's payload.
        payload: String,
        /// Of which currency; `XTR` for Stars.
        currency: String,
        /// The amount, in the currency's smallest unit.
        amount: u32,
    },
    /// The money was taken.
    Paid {
        /// `telegram_payment_charge_id`, unique.
        charge: String,
        /// Our invoice's payload.
        payload: String,
        /// Of which currency; `XTR` for Stars.
        currency: String,
        /// The amount, in the currency's smallest unit.
        amount: u32,
    },
    /// The money was given back.
    PaidBack {
        /// `telegram_payment_charge_id` of the payment.
        charge: String,
    },
    /// The user stopped the bot, or started it again.
    Reachable(bool),
}

/// Reads updates.
///
/// Laws: `None` for everything outside private chats, and for kinds the bot has no use for; never a panic, whatever the text is;
/// [`crate::ErrorKind::Rejected`] for what is no update at all.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait UpdateReader: Send + Sync {
    /// What an update's JSON tells.
    fn read(&self, body: &str) -> Result<Option<ChatEvent>, PortError>;
}
