//! Lines: what waits in a chat's line is claimed one at a time, head first.

use std::collections::BTreeMap;

use domain::{id::UserId, time::Timestamp};
use ports::{ErrorKind, PortError};
use rustc_hash::{FxHashMap, FxHashSet};

/// What waits, a line a chat.
#[derive(Debug)]
pub(super) struct LineUp<T> {
    /// What is not done.
    pub(super) waiting: BTreeMap<i64, Waiting<T>>,
    lines: FxHashMap<UserId, Line>,
}

impl<T> Default for LineUp<T> {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), lines: FxHashMap::default() }
    }
}

/// One that waits.
#[derive(Debug, Clone)]
pub(super) struct Waiting<T> {
    pub(super) chat: UserId,
    pub(super) what: T,
    due_at: Timestamp,
    failures: u32,
}

#[derive(Debug, Default)]
struct Line {
    lease: i64,
    lease_until: Option<Timestamp>,
}

/// A claimed one.
#[derive(Debug)]
pub(super) struct Head<T> {
    pub(super) id: i64,
    pub(super) chat: UserId,
    pub(super) what: T,
    pub(super) failures: u32,
    pub(super) lease: i64,
}

impl<T: Clone> LineUp<T> {
    /// Puts one into its chat's line.
    pub(super) fn put(&mut self, id: i64, chat: UserId, what: T, now: Timestamp) {
        self.waiting.insert(id, Waiting { chat, what, due_at: now, failures: 0 });
    }

    /// Claims up to `limit` heads of lines, and tells when the next one falls due.
    pub(super) fn claim(
        &mut self,
        limit: u32,
        lease_until: Timestamp,
        now: Timestamp,
    ) -> (Vec<Head<T>>, Option<Timestamp>) {
        let mut seen: FxHashSet<UserId> = FxHashSet::default();
        let is_free = |chat: &UserId| {
            self.lines.get(chat).and_then(|line| line.lease_until).is_none_or(|until| until <= now)
        };
        let mut due: Vec<(Timestamp, i64)> = Vec::new();
        let mut next_due_at: Option<Timestamp> = None;
        for (id, row) in &self.waiting {
            let heads_line = seen.insert(row.chat);
            if row.due_at > now {
                next_due_at = Some(next_due_at.map_or(row.due_at, |at| at.min(row.due_at)));
            } else if heads_line && is_free(&row.chat) {
                due.push((row.due_at, *id));
            }
        }
        due.sort_unstable();
        due.truncate(limit as usize);
        let mut claimed = Vec::new();
        for (_, id) in &due {
            let Some(row) = self.waiting.get_mut(id) else { continue };
            let line = self.lines.entry(row.chat).or_default();
            line.lease += 1;
            line.lease_until = Some(lease_until);
            row.due_at = lease_until;
            let (chat, what, failures) = (row.chat, row.what.clone(), row.failures);
            claimed.push(Head { id: *id, chat, what, failures, lease: line.lease });
        }
        claimed.sort_unstable_by_key(|head| head.id);
        if claimed.len() == limit as usize {
            next_due_at = None;
        } else if !claimed.is_empty() {
            next_due_at = Some(next_due_at.map_or(lease_until, |at| at.min(lease_until)));
        }
        (claimed, next_due_at)
    }

    /// Whether a claim still holds; nothing is changed.
    pub(super) fn is_held(&self, id: i64, chat: UserId, lease: i64) -> bool {
        let line = self.lines.get(&chat);
        line.is_some_and(|line| line.lease == lease && line.lease_until.is_some())
            && self.waiting.contains_key(&id)
    }

    /// Takes a claimed one out of its line.
    pub(super) fn done(&mut self, id: i64, chat: UserId, lease: i64) -> Result<T, PortError> {
        self.let_go(chat, lease)?;
        self.waiting.remove(&id).map(|row| row.what).ok_or_else(lost)
    }

    /// Leaves a claimed one at the head of its line until `at`.
    pub(super) fn postpone(
        &mut self,
        id: i64,
        chat: UserId,
        lease: i64,
        at: Timestamp,
    ) -> Result<(), PortError> {
        self.let_go(chat, lease)?;
        let row = self.waiting.get_mut(&id).ok_or_else(lost)?;
        row.due_at = at;
        row.failures += 1;
        Ok(())
    }

    /// Whether another one waits in a chat's line.
    pub(super) fn is_followed(&self, id: i64, chat: UserId) -> bool {
        self.waiting.iter().any(|(other, row)| row.chat == chat && *other != id)
    }

    /// Frees a line whose claim still holds, also when what was claimed is gone.
    fn let_go(&mut self, chat: UserId, lease: i64) -> Result<(), PortError> {
        let line = self.lines.get_mut(&chat).filter(|line| line.lease == lease && line.lease_until.is_some());
        line.ok_or_else(lost)?.lease_until = None;
        Ok(())
    }
}

/// Somebody else has it.
pub(super) fn lost() -> PortError {
    PortError::new(ErrorKind::Conflict, "it was claimed by somebody else meanwhile")
}
