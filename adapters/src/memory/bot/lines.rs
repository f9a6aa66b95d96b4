//! Lines: what waits in a chat's line is claimed one at a time, head first.

use std::collections::{BTreeMap, BTreeSet};

use domain::{id::UserId, time::Timestamp};
use ports::{ErrorKind, PortError};
use rustc_hash::FxHashMap;

/// What waits, a line a chat.
#[derive(Debug)]
pub(super) struct LineUp<T> {
    /// What is not done.
    pub(super) waiting: BTreeMap<i64, Waiting<T>>,
    lines: FxHashMap<UserId, Line>,
    /// The lines in which something waits, in the order of the claim.
    due: BTreeSet<(Timestamp, UserId)>,
}

impl<T> Default for LineUp<T> {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), lines: FxHashMap::default(), due: BTreeSet::new() }
    }
}

/// One that waits.
#[derive(Debug, Clone)]
pub(super) struct Waiting<T> {
    pub(super) what: T,
    failures: u32,
}

#[derive(Debug, Default)]
struct Line {
    waiting: BTreeSet<i64>,
    /// When its head may be claimed.
    due_at: Option<Timestamp>,
    lease: i64,
    is_leased: bool,
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
        self.waiting.insert(id, Waiting { what, failures: 0 });
        let line = self.lines.entry(chat).or_default();
        line.waiting.insert(id);
        let due_at = *line.due_at.get_or_insert(now);
        self.due.insert((due_at, chat));
    }

    /// Claims up to `limit` heads of lines, and tells when the next one falls due.
    pub(super) fn claim(
        &mut self,
        limit: u32,
        lease_until: Timestamp,
        now: Timestamp,
    ) -> (Vec<Head<T>>, Option<Timestamp>) {
        let due = self.due.iter().take_while(|(at, _)| *at <= now).take(limit as usize);
        let chats: Vec<UserId> = due.map(|(_, chat)| *chat).collect();
        let mut claimed = Vec::new();
        for chat in chats {
            let Some(line) = self.lines.get_mut(&chat) else { continue };
            let Some((id, row)) = line.waiting.first().and_then(|id| Some((*id, self.waiting.get(id)?)))
            else {
                continue;
            };
            line.lease += 1;
            line.is_leased = true;
            let (what, failures, lease) = (row.what.clone(), row.failures, line.lease);
            claimed.push(Head { id, chat, what, failures, lease });
            self.set_due(chat, Some(lease_until));
        }
        claimed.sort_unstable_by_key(|head| head.id);
        if claimed.len() == limit as usize {
            return (claimed, None);
        }
        let later = self.due.iter().map(|(at, _)| *at).find(|at| *at > now);
        let own = (!claimed.is_empty()).then_some(lease_until);
        (claimed, [later, own].into_iter().flatten().min())
    }

    /// Whether a claim still holds; nothing is changed.
    pub(super) fn is_held(&self, id: i64, chat: UserId, lease: i64) -> bool {
        let holds = |line: &Line| line.lease == lease && line.is_leased && line.waiting.contains(&id);
        self.lines.get(&chat).is_some_and(holds)
    }

    /// Takes a claimed one out of its line; whether the next one of the line may go now.
    pub(super) fn done(
        &mut self,
        id: i64,
        chat: UserId,
        lease: i64,
        now: Timestamp,
    ) -> Result<(T, bool), PortError> {
        self.let_go(id, chat, lease)?;
        let line = self.lines.entry(chat).or_default();
        line.waiting.remove(&id);
        let is_followed = !line.waiting.is_empty();
        self.set_due(chat, is_followed.then_some(now));
        let row = self.waiting.remove(&id).ok_or_else(lost)?;
        Ok((row.what, is_followed))
    }

    /// Leaves a claimed one in its line, which is due again at `at`.
    pub(super) fn postpone(
        &mut self,
        id: i64,
        chat: UserId,
        lease: i64,
        at: Timestamp,
    ) -> Result<(), PortError> {
        self.let_go(id, chat, lease)?;
        self.set_due(chat, Some(at));
        self.waiting.get_mut(&id).ok_or_else(lost)?.failures += 1;
        Ok(())
    }

    /// Drops what waits in a chat's line, and the claim of its head.
    pub(super) fn clear(&mut self, chat: UserId) {
        let Some(line) = self.lines.get_mut(&chat) else { return };
        line.lease += 1;
        line.is_leased = false;
        for id in std::mem::take(&mut line.waiting) {
            self.waiting.remove(&id);
        }
        self.set_due(chat, None);
    }

    fn set_due(&mut self, chat: UserId, at: Option<Timestamp>) {
        let line = self.lines.entry(chat).or_default();
        if let Some(before) = std::mem::replace(&mut line.due_at, at) {
            self.due.remove(&(before, chat));
        }
        if let Some(at) = at {
            self.due.insert((at, chat));
        }
    }

    fn let_go(&mut self, id: i64, chat: UserId, lease: i64) -> Result<(), PortError> {
        if !self.is_held(id, chat, lease) {
            return Err(lost());
        }
        self.lines.entry(chat).or_default().is_leased = false;
        Ok(())
    }
}

/// Somebody else has it.
pub(super) fn lost() -> PortError {
    PortError::new(ErrorKind::Conflict, "it was claimed by somebody else meanwhile")
}
