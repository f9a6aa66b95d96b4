//! Updates that were received and still have to be handled.

use async_trait::async_trait;
use domain::{
    id::{UserId, WorkerId},
    time::Timestamp,
};

use crate::PortError;

/// An update as Telegram sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomingUpdate {
    /// Telegram's `update_id`, unique for a bot (Bot API, Update).
    pub id: i64,
    /// Whose it is. In private chats, the only ones served, the chat's id is the user's.
    pub chat: UserId,
    /// The update's JSON.
    pub body: String,
}

/// A claimed update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxUpdate {
    /// What was received.
    pub update: IncomingUpdate,
    /// When it was received.
    pub received_at: Timestamp,
    /// Tries that failed.
    pub failures: u32,
    /// Must match at every later write.
    pub lease: i64,
}

/// What a claim found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InboxClaim {
    /// The claimed updates, at most one of a chat.
    pub updates: Vec<InboxUpdate>,
    /// When the next one falls due, if fewer than asked for were due; no later than now when something due had to be
    /// passed over.
    pub next_due_at: Option<Timestamp>,
}

/// How many updates lie in the inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InboxCensus {
    /// Waiting to be handled.
    pub waiting: u64,
    /// Put aside after too many failures.
    pub parked: u64,
    /// When the oldest waiting one was received.
    pub oldest: Option<Timestamp>,
}

/// The inbox.
///
/// Laws: an update is stored once, however often it is received, also after it was handled; updates of a chat are claimed one at a time in
/// the order of their ids, across hosts, and a later one never before the earlier is done or parked; a claim that is not
/// answered by `lease_until` is claimable again; writes under an older lease change nothing and answer
/// [`crate::ErrorKind::Conflict`].
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Stores updates, all of them or none; returns how many were new.
    async fn receive(&self, updates: &[IncomingUpdate], now: Timestamp) -> Result<usize, PortError>;

    /// The highest id ever stored: long polling goes on after it.
    async fn newest(&self) -> Result<Option<i64>, PortError>;

    /// Claims up to `limit` due updates until `lease_until`.
    async fn claim_due(
        &self,
        worker: WorkerId,
        limit: u32,
        lease_until: Timestamp,
        now: Timestamp,
    ) -> Result<InboxClaim, PortError>;

    /// Try again at `at`.
    async fn postpone(&self, update: &InboxUpdate, at: Timestamp, why: &str) -> Result<(), PortError>;

    /// Put aside for the operator: it will not be tried again, and later updates of its chat go on.
    async fn park(&self, update: &InboxUpdate, now: Timestamp, why: &str) -> Result<(), PortError>;

    /// Counts what lies in the inbox.
    async fn census(&self) -> Result<InboxCensus, PortError>;

    /// Forgets handled updates received before `before`, at most `limit` of them; returns how many. Telegram repeats none that is older than
    /// 24 h (Bot API, Getting updates).
    async fn forget(&self, before: Timestamp, limit: u32) -> Result<usize, PortError>;
}
