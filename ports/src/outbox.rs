//! Messages that were committed with a step and still have to be sent.

use async_trait::async_trait;
use domain::{
    id::{NoticeId, WorkerId},
    notice::Notice,
    time::Timestamp,
};

use crate::PortError;

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxMessage {
    /// Its id, the same at every try.
    pub id: NoticeId,
    /// What to say.
    pub notice: Notice,
    /// Tries that failed.
    pub failures: u32,
    /// Must match at every later write.
    pub lease: i64,
    /// Whether a later message of its line had to wait behind it when it was claimed.
    pub is_followed: bool,
}

/// What a claim found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OutboxClaim {
    /// The claimed messages, oldest first.
    pub messages: Vec<OutboxMessage>,
    /// When the next one falls due, if fewer than asked for were due: a claimed one does at the end of its lease. No
    /// later than now when something due had to be passed over.
    pub next_due_at: Option<Timestamp>,
}

/// The outbox.
///
/// Laws: messages of one order to one audience are claimed in the order they were written, and a later one never
/// before the earlier is sent or given up; a message is sent at least once; a claim that is not answered by
/// `lease_until` is claimable again; writes under an older lease change nothing.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Claims up to `limit` due messages until `lease_until`.
    async fn claim_due(
        &self,
        worker: WorkerId,
        limit: u32,
        lease_until: Timestamp,
        now: Timestamp,
    ) -> Result<OutboxClaim, PortError>;

    /// The message is out.
    async fn sent(&self, message: &OutboxMessage, now: Timestamp) -> Result<(), PortError>;

    /// Try again at `at`.
    async fn postpone(&self, message: &OutboxMessage, at: Timestamp, why: &str) -> Result<(), PortError>;

    /// It will never be sent.
    async fn give_up(&self, message: &OutboxMessage, now: Timestamp, why: &str) -> Result<(), PortError>;
}
