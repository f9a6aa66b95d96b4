//! Messages of the conversation that were committed and still have to be sent.

use async_trait::async_trait;
use domain::{
    id::{UserId, WorkerId},
    time::Timestamp,
};

use crate::PortError;

/// A button below a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatButton {
    /// What it says.
    pub label: String,
    /// What comes back when it is tapped, at most 64 bytes (Bot API, InlineKeyboardButton).
    pub data: String,
}

/// Rows of buttons.
pub type Keyboard = Vec<Vec<ChatButton>>;

/// A text with buttons, as plain text: nothing in it is markup.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChatMessage {
    /// At most 4096 characters (Bot API, sendMessage); a client cuts what is longer.
    pub text: String,
    /// Its buttons.
    pub keyboard: Keyboard,
}

/// An invoice in Telegram Stars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    /// At most 32 characters.
    pub title: String,
    /// At most 255 characters.
    pub description: String,
    /// Comes back with the payment, 1 to 128 bytes. Not shown to the user.
    pub payload: String,
    /// The price in Telegram Stars.
    pub stars: u32,
}

/// What is done to a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChatAction {
    /// A new message.
    Send(ChatMessage),
    /// Another text and other buttons for a message of ours.
    Edit {
        /// Telegram's `message_id`.
        message: i64,
        /// What it is to be.
        to: ChatMessage,
    },
    /// Takes the buttons off a message of ours.
    RemoveButtons {
        /// Telegram's `message_id`.
        message: i64,
    },
    /// A bill in Stars.
    Invoice(Invoice),
}

/// A claimed message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Its number, the same at every try.
    pub id: i64,
    /// To whom.
    pub chat: UserId,
    /// What.
    pub action: ChatAction,
    /// Tries that failed.
    pub failures: u32,
    /// Must match at every later write.
    pub lease: i64,
}

/// What a claim found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReplyClaim {
    /// The claimed messages, at most one of a chat.
    pub replies: Vec<Reply>,
    /// As of [`super::InboxClaim::next_due_at`].
    pub next_due_at: Option<Timestamp>,
}

/// Messages on their way.
///
/// Laws: messages of a chat are claimed one at a time in the order they were written, across hosts, and a later one never before
/// the earlier is sent or given up; a message that waits holds up no other chat's; a claim that is not answered by
/// `lease_until` is claimable again; writes under an older lease change nothing and answer [`crate::ErrorKind::Conflict`].
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait ReplyQueue: Send + Sync {
    /// Puts messages behind a chat's others. For what answers no update: bulk messages, and what the operator sends. A
    /// repeated `key` adds nothing and answers `false`.
    async fn push(
        &self,
        key: &str,
        chat: UserId,
        actions: &[ChatAction],
        now: Timestamp,
    ) -> Result<bool, PortError>;

    /// Claims up to `limit` due messages until `lease_until`.
    async fn claim_due(
        &self,
        worker: WorkerId,
        limit: u32,
        lease_until: Timestamp,
        now: Timestamp,
    ) -> Result<ReplyClaim, PortError>;

    /// The message is out.
    async fn sent(&self, reply: &Reply, now: Timestamp) -> Result<(), PortError>;

    /// Try again at `at`.
    async fn postpone(&self, reply: &Reply, at: Timestamp, why: &str) -> Result<(), PortError>;

    /// It will never be sent.
    async fn give_up(&self, reply: &Reply, now: Timestamp, why: &str) -> Result<(), PortError>;
}
