//! Everything the stores hold.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    circuit::{self, Circuits},
    id::{AttemptId, ConfirmationId, JobId, OrderId, PhotoId, UserId},
    job::{Job, Step},
    ledger::{Balance, Entry, EntryKind, LedgerError},
    notice::Notice,
    order::Order,
    time::Timestamp,
};
use ports::{AfterStep, ErrorKind, Lease, LeaseTerms, Photo, PortError};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    attempts::{Attempt, Load},
    bot::BotTables,
    health::Health,
    outbox::OutboxRow,
};

/// The tables. What is only ever looked up is hashed; what has an order is a tree.
#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) balances: FxHashMap<UserId, Balance>,
    /// By their number, in the order they were posted.
    pub(super) entries: BTreeMap<u64, Entry>,
    entries_posted: u64,
    /// The numbers of each order's entries.
    entries_by_order: FxHashMap<OrderId, Vec<u64>>,
    pub(super) entry_by_key: FxHashMap<String, u64>,
    pub(super) ended_jobs: FxHashSet<JobId>,
    /// What the entries of forgotten orders added up to.
    pub(super) forgotten: FxHashMap<UserId, Forgotten>,
    pub(super) photos: BTreeMap<PhotoId, Photo>,
    pub(super) orders: FxHashMap<OrderId, Order>,
    pub(super) confirmed: FxHashMap<(UserId, ConfirmationId), OrderId>,
    pub(super) jobs: FxHashMap<JobId, JobRow>,
    /// Unclaimed jobs known to be due, in the order of the claim.
    pub(super) ready: BTreeSet<(Timestamp, JobId)>,
    /// The other unclaimed jobs, by due time. A claim moves those that fell due to the ready ones.
    pub(super) due: BTreeSet<(Timestamp, JobId)>,
    pub(super) leased: FxHashSet<JobId>,
    pub(super) attempts: FxHashMap<AttemptId, Attempt>,
    pub(super) attempts_by_job: FxHashMap<JobId, Vec<AttemptId>>,
    pub(super) load: Load,
    pub(super) health: Health,
    /// Those that are open.
    pub(super) circuits: Circuits,
    pub(super) outbox: BTreeMap<u64, OutboxRow>,
    pub(super) outbox_waiting: BTreeSet<u64>,
    /// The newest message's id; never given twice, or a late answer to an old message would meet a new one.
    pub(super) outbox_newest: u64,
    pub(super) bot: BotTables,
}

/// A job with what the queue knows about it.
#[derive(Debug, Clone)]
pub(super) struct JobRow {
    pub(super) job: Job,
    pub(super) next_run_at: Option<Timestamp>,
    pub(super) lease_number: i64,
    pub(super) lease: Option<LeaseTimes>,
}

/// Until when a worker holds a job.
#[derive(Debug, Clone, Copy)]
pub(super) struct LeaseTimes {
    pub(super) until: Timestamp,
    pub(super) deadline: Timestamp,
}

/// What the entries of a user's forgotten orders added up to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Forgotten {
    pub(super) entries: u64,
    pub(super) available: i64,
    pub(super) held: i64,
    pub(super) held_ever: i64,
    pub(super) captured: i64,
    pub(super) released: i64,
}

impl JobRow {
    pub(super) const fn holds(&self, lease: Lease) -> bool {
        self.lease.is_some() && self.lease_number == lease.number
    }

    fn sort_at(&self) -> Option<Timestamp> {
        self.next_run_at.map(|_| self.job.sort_at())
    }
}

impl World {
    /// Puts a row back, keeping the indexes true.
    pub(super) fn put_job(&mut self, row: JobRow) {
        let id = row.job.id;
        if let Some(old) = self.jobs.get(&id) {
            if old.lease.is_some() {
                self.leased.remove(&id);
            } else if let (Some(sort_at), Some(due_at)) = (old.sort_at(), old.next_run_at)
                && !self.due.remove(&(due_at, id))
            {
                self.ready.remove(&(sort_at, id));
            }
        }
        if row.lease.is_some() {
            self.leased.insert(id);
        } else if let Some(due_at) = row.next_run_at {
            self.due.insert((due_at, id));
        }
        self.jobs.insert(id, row);
    }

    /// Moves what has fallen due to the ready jobs.
    pub(super) fn notice_due(&mut self, now: Timestamp) {
        while let Some((due_at, id)) = self.due.first().copied().filter(|(due_at, _)| *due_at <= now) {
            self.due.remove(&(due_at, id));
            if let Some(sort_at) = self.jobs.get(&id).and_then(JobRow::sort_at) {
                self.ready.insert((sort_at, id));
            }
        }
    }

    /// Hands the most urgent of the ready jobs to a worker.
    pub(super) fn lease_first(&mut self, terms: LeaseTerms, now: Timestamp) -> Option<(Job, Lease)> {
        let (_, id) = self.ready.pop_first()?;
        let row = self.jobs.get_mut(&id)?;
        row.lease_number += 1;
        row.lease = Some(LeaseTimes { until: now.after(terms.lease), deadline: now.after(terms.deadline) });
        self.leased.insert(id);
        Some((row.job.clone(), Lease { job: id, number: row.lease_number }))
    }

    /// Takes a job from whoever holds it; the number grows, so that the holder can write nothing more.
    pub(super) fn free_job(&mut self, id: JobId, is_rescue: bool) {
        if let Some(mut row) = self.jobs.get(&id).cloned() {
            row.lease_number += 1;
            if is_rescue {
                row.job.rescues = row.job.rescues.saturating_add(1).min(100);
            }
            row.lease = None;
            self.put_job(row);
        }
    }

    /// The row held under `lease`.
    pub(super) fn held(&self, lease: Lease) -> Result<&JobRow, PortError> {
        self.jobs.get(&lease.job).filter(|row| row.holds(lease)).ok_or_else(|| {
            PortError::new(ErrorKind::Conflict, format!("the lease of job {} is lost", lease.job))
        })
    }

    /// Whether the ledger takes these entries; nothing is changed.
    pub(super) fn check_entries(&self, entries: &[Entry]) -> Result<(), PortError> {
        for entry in entries {
            let ends_twice = entry.job.is_some_and(|job| self.ended_jobs.contains(&job));
            if self.entry_by_key.contains_key(&entry.key) || ends_twice {
                let say = format!("ledger entry `{}` is already there", entry.key);
                return Err(PortError::new(ErrorKind::Inconsistent, say));
            }
            let balance = self.balances.get(&entry.user).copied().unwrap_or_default();
            balance.apply(entry).map_err(|error| {
                PortError::with_source(ErrorKind::Inconsistent, "the balance cannot take this entry", error)
            })?;
        }
        Ok(())
    }

    /// Posts an entry that was checked.
    pub(super) fn post_entry(&mut self, entry: &Entry) -> Result<Balance, LedgerError> {
        let after = self.balances.get(&entry.user).copied().unwrap_or_default().apply(entry)?;
        self.balances.insert(entry.user, after);
        self.entry_by_key.insert(entry.key.clone(), self.entries_posted);
        if let Some(order) = entry.order {
            self.entries_by_order.entry(order).or_default().push(self.entries_posted);
        }
        self.entries.insert(self.entries_posted, entry.clone());
        self.entries_posted += 1;
        self.ended_jobs.extend(entry.job);
        Ok(after)
    }

    /// Forgets an order whose jobs are finished, with everything that hangs on it, except what its entries add up to.
    /// Returns whether it was there and finished.
    pub(super) fn forget_order(&mut self, id: OrderId, jobs: &[JobId]) -> bool {
        let finished = |job: &JobId| self.jobs.get(job).is_some_and(|row| row.job.state.is_terminal());
        if !jobs.iter().all(finished) {
            return false;
        }
        let Some(order) = self.orders.remove(&id) else { return false };
        self.confirmed.remove(&(order.request.user, order.request.confirmation));
        for number in self.entries_by_order.remove(&id).unwrap_or_default() {
            let Some(entry) = self.entries.remove(&number) else { continue };
            self.entry_by_key.remove(&entry.key);
            let sum = self.forgotten.entry(entry.user).or_default();
            sum.entries += 1;
            sum.available += entry.available;
            sum.held += entry.held;
            match entry.kind {
                EntryKind::Hold => sum.held_ever += entry.held,
                EntryKind::Capture => sum.captured += 1,
                EntryKind::Release => sum.released += 1,
                EntryKind::Grant
                | EntryKind::Purchase
                | EntryKind::PurchaseRefund
                | EntryKind::Adjustment => {}
            }
        }
        self.bot.forget_order(id, jobs);
        for job in jobs {
            self.jobs.remove(job);
            self.ended_jobs.remove(job);
            for attempt in self.attempts_by_job.remove(job).unwrap_or_default() {
                self.attempts.remove(&attempt);
            }
        }
        true
    }

    /// Writes a message into the outbox.
    pub(super) fn write_notice(&mut self, notice: &Notice, at: Timestamp) {
        self.outbox_newest += 1;
        let id = self.outbox_newest;
        self.outbox.insert(id, OutboxRow { notice: notice.clone(), due_at: at, failures: 0, lease: 0 });
        self.outbox_waiting.insert(id);
    }

    /// Writes a step's job and everything beside it. The caller has checked the lease.
    pub(super) fn write_step(
        &mut self,
        number: i64,
        step: &Step,
        after: AfterStep,
        now: Timestamp,
    ) -> Result<(), PortError> {
        self.check_entries(&step.entries)?;
        let lease = match after {
            AfterStep::Keep => self.jobs.get(&step.job.id).and_then(|row| row.lease),
            AfterStep::Release => None,
        };
        self.put_job(JobRow {
            job: step.job.clone(),
            next_run_at: step.next_run_at,
            lease_number: number,
            lease,
        });
        for entry in &step.entries {
            self.post_entry(entry).map_err(|error| {
                PortError::with_source(ErrorKind::Inconsistent, "the balance cannot take this entry", error)
            })?;
        }
        for notice in &step.notices {
            self.write_notice(notice, now);
        }
        for change in &step.circuits {
            circuit::apply(&mut self.circuits, change, now);
        }
        let sent_at = step.attempt.as_ref().and_then(|change| self.sent_at(change.id));
        self.health.follow(step, sent_at, now);
        Ok(())
    }
}
