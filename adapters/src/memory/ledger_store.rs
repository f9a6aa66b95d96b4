//! The ledger.

use async_trait::async_trait;
use domain::{
    id::UserId,
    ledger::{Balance, Entry},
};
use ports::{AuditReport, ErrorKind, LedgerStore, PortError, Posting};

use super::{MemStores, audit};

/// Whether two entries with one key are the same entry. When it was said does not matter: the repetition comes
/// later by nature.
pub(crate) fn says_the_same(posted: &Entry, again: &Entry) -> bool {
    posted.user == again.user
        && posted.kind == again.kind
        && posted.available == again.available
        && posted.held == again.held
}

#[async_trait]
impl LedgerStore for MemStores {
    async fn post(&self, entry: &Entry) -> Result<Posting, PortError> {
        let mut world = self.lock();
        if let Some(posted) = world.entry_by_key.get(&entry.key).and_then(|at| world.entries.get(at)) {
            return if says_the_same(posted, entry) {
                Ok(Posting::Duplicate(world.balances.get(&entry.user).copied().unwrap_or_default()))
            } else {
                let say = format!("`{}` was already posted with another amount or user", entry.key);
                Err(PortError::new(ErrorKind::Conflict, say))
            };
        }
        let after = world.post_entry(entry).map_err(|error| {
            PortError::with_source(ErrorKind::Rejected, "the balance cannot take this entry", error)
        })?;
        Ok(Posting::Posted(after))
    }

    async fn balance(&self, user: UserId) -> Result<Balance, PortError> {
        Ok(self.lock().balances.get(&user).copied().unwrap_or_default())
    }

    async fn history(&self, user: UserId, limit: u32) -> Result<Vec<Entry>, PortError> {
        let world = self.lock();
        let entries = world.entries.values().rev().filter(|entry| entry.user == user);
        Ok(entries.take(limit as usize).cloned().collect())
    }

    async fn audit(&self) -> Result<AuditReport, PortError> {
        Ok(audit::report(&self.lock()))
    }
}
