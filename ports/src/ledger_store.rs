//! The ledger.

use async_trait::async_trait;
use domain::{
    id::UserId,
    ledger::{Balance, Entry},
};

use crate::PortError;

/// What posting an entry came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Posting {
    /// It is in the ledger now.
    Posted(Balance),
    /// It was there already; nothing changed.
    Duplicate(Balance),
}

/// Something that does not add up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditFinding {
    /// Whose credits, if one user's.
    pub user: Option<UserId>,
    /// What does not add up, in words and figures.
    pub what: String,
}

/// The result of an audit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditReport {
    /// Users looked at.
    pub users: u64,
    /// Entries summed.
    pub entries: u64,
    /// Credits users may spend.
    pub available: i64,
    /// Credits set aside for open jobs.
    pub held: i64,
    /// Credits ever held.
    pub held_ever: i64,
    /// Credits captured.
    pub captured: i64,
    /// Credits released.
    pub released: i64,
    /// Everything that does not add up; empty is what it should be.
    pub findings: Vec<AuditFinding>,
}

/// Where credits are kept.
///
/// Laws: entries never change; an idempotency key is posted once; a balance is the sum of its entries and never
/// negative; each held credit ends in exactly one capture or release.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait LedgerStore: Send + Sync {
    /// Posts a grant or purchase, creating the user if need be.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Conflict`] when the key was used for a different entry, [`crate::ErrorKind::Rejected`]
    /// when the balance would leave its range.
    async fn post(&self, entry: &Entry) -> Result<Posting, PortError>;

    /// A user's balance; zero for somebody unknown.
    async fn balance(&self, user: UserId) -> Result<Balance, PortError>;

    /// A user's entries, newest first.
    async fn history(&self, user: UserId, limit: u32) -> Result<Vec<Entry>, PortError>;

    /// Compares balances, entries, orders and jobs with each other.
    async fn audit(&self) -> Result<AuditReport, PortError>;
}
