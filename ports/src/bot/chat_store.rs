//! Chats: where a conversation stands, and what is known of who is in it.

use async_trait::async_trait;
use domain::{id::UserId, time::Timestamp};

use super::{ChatAction, InboxUpdate};
use crate::PortError;

/// One private chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chat {
    /// Whose.
    pub user: UserId,
    /// Grows with every stored turn; 0 for a chat that is not stored yet.
    pub version: i64,
    /// Where the conversation stands, in the application's own words.
    pub dialogue: String,
    /// The chosen or guessed language, as a code.
    pub language: String,
    /// When the terms were accepted.
    pub terms_accepted_at: Option<Timestamp>,
    /// Who invited this user. Written once, with the first turn.
    pub referrer: Option<UserId>,
    /// When the first turn was stored.
    pub since: Timestamp,
    /// Since when the user has stopped the bot, as far as it is known.
    pub blocked_since: Option<Timestamp>,
    /// Since when the operator bars this user.
    pub banned_since: Option<Timestamp>,
}

/// What answers an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// The update that is answered.
    pub update: InboxUpdate,
    /// The chat as it is afterwards, with the version it was read with; nothing when the update changes none. A turn writes the
    /// dialogue, the language, when the terms were accepted and, when it is the first, the referrer; it leaves alone whether the user
    /// is reachable or barred, which may have changed since the chat was read.
    pub chat: Option<Chat>,
    /// What is sent, in this order.
    pub replies: Vec<ChatAction>,
}

/// The chats.
///
/// Laws: a turn is stored whole or not at all: chat, replies, and the update as done; a turn whose chat was changed since
/// it was read, or whose update's lease is lost, changes nothing and answers [`crate::ErrorKind::Conflict`]; a
/// referrer is never changed.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait ChatStore: Send + Sync {
    /// The chat of a user.
    async fn chat(&self, user: UserId) -> Result<Option<Chat>, PortError>;

    /// Stores a turn.
    async fn store(&self, turn: &Turn, now: Timestamp) -> Result<(), PortError>;

    /// Whether messages reach the user: `Some(since)` when they do not. Leaves the version alone, since Telegram tells it at any time.
    async fn set_blocked(&self, user: UserId, since: Option<Timestamp>) -> Result<(), PortError>;

    /// Bars a user or lets them in again. `false` when the user has no chat.
    async fn set_banned(&self, user: UserId, since: Option<Timestamp>) -> Result<bool, PortError>;

    /// Users with a reachable chat who are not barred and have an id above `after`, in order of their ids, at most `limit`: one page of a broadcast.
    async fn reachable(&self, after: Option<UserId>, limit: u32) -> Result<Vec<UserId>, PortError>;
}
