//! Hints that there may be work.

use async_trait::async_trait;

/// What kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Jobs.
    Jobs,
    /// Messages.
    Outbox,
    /// Updates of chats.
    Inbox,
    /// Messages of conversations.
    Replies,
}

impl Topic {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Jobs, Self::Outbox, Self::Inbox, Self::Replies];
}

/// Wakes a waiting loop before its next due time.
///
/// A hint, never the truth: one may be missing or needless. Law: a hint given after a loop last looked is not
/// lost; the next `notified` returns at once.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait WorkSignal: Send + Sync {
    /// Returns when there may be work on `topic`.
    async fn notified(&self, topic: Topic);
}
