//! Everything the stores hold.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    id::{AttemptId, ConfirmationId, JobId, KeyId, OrderId, PhotoId, UserId},
    job::{Job, Step},
    key::Cooling,
    ledger::{Balance, Entry, LedgerError},
    notice::Notice,
    order::Order,
    time::Timestamp,
};
use ports::{AfterStep, ErrorKind, Lease, LeaseTerms, Photo, PortError};

use super::{attempts::Attempt, outbox::OutboxRow};

/// The tables.
#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) balances: BTreeMap<UserId, Balance>,
    pub(super) entries: Vec<Entry>,
    pub(super) entry_by_key: BTreeMap<String, usize>,
    pub(super) ended_jobs: BTreeSet<JobId>,
    pub(super) photos: BTreeMap<PhotoId, Photo>,
    pub(super) orders: BTreeMap<OrderId, Order>,
    pub(super) confirmed: BTreeMap<(UserId, ConfirmationId), OrderId>,
    pub(super) jobs: BTreeMap<JobId, JobRow>,
    /// Unclaimed jobs in the order of the claim.
    pub(super) ready: BTreeSet<(Timestamp, JobId)>,
    /// Unclaimed jobs by due time.
    pub(super) due: BTreeSet<(Timestamp, JobId)>,
    pub(super) leased: BTreeSet<JobId>,
    pub(super) attempts: BTreeMap<AttemptId, Attempt>,
    pub(super) in_flight: BTreeSet<AttemptId>,
    pub(super) cooling: BTreeMap<KeyId, Cooling>,
    pub(super) outbox: BTreeMap<u64, OutboxRow>,
    pub(super) outbox_waiting: BTreeSet<u64>,
    /// The newest message's id; never given twice, or a late answer to an old message would meet a new one.
    pub(super) outbox_newest: u64,
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

impl JobRow {
    pub(super) const fn holds(&self, lease: Lease) -> bool {
        self.lease.is_some() && self.lease_number == lease.number
    }

    fn sort_at(&self) -> Option<Timestamp> {
        self.next_run_at.map(|at| self.job.sort_at(at))
    }
}

impl World {
    /// Puts a row back, keeping the indexes true.
    pub(super) fn put_job(&mut self, row: JobRow) {
        let id = row.job.id;
        if let Some(old) = self.jobs.get(&id) {
            if let (Some(sort_at), Some(due_at)) = (old.sort_at(), old.next_run_at) {
                self.ready.remove(&(sort_at, id));
                self.due.remove(&(due_at, id));
            }
            self.leased.remove(&id);
        }
        if row.lease.is_some() {
            self.leased.insert(id);
        } else if let (Some(sort_at), Some(due_at)) = (row.sort_at(), row.next_run_at) {
            self.ready.insert((sort_at, id));
            self.due.insert((due_at, id));
        }
        self.jobs.insert(id, row);
    }

    /// Hands a job to a worker.
    pub(super) fn lease_job(&mut self, id: JobId, terms: LeaseTerms, now: Timestamp) -> Option<(Job, Lease)> {
        let mut row = self.jobs.get(&id)?.clone();
        row.lease_number += 1;
        row.lease = Some(LeaseTimes { until: now.after(terms.lease), deadline: now.after(terms.deadline) });
        let taken = (row.job.clone(), Lease { job: id, number: row.lease_number });
        self.put_job(row);
        Some(taken)
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
        self.entry_by_key.insert(entry.key.clone(), self.entries.len());
        self.entries.push(entry.clone());
        self.ended_jobs.extend(entry.job);
        Ok(after)
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
        if let Some((key, cooling)) = &step.cooling {
            // A cool-down only ever moves later: a shorter one does not end a longer one.
            let longer = self.cooling.get(key).is_some_and(|present| present.until >= cooling.until);
            if !longer {
                self.cooling.insert(key.clone(), *cooling);
            }
        }
        Ok(())
    }
}
