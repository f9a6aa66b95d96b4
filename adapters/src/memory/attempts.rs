//! Submissions and the state of provider keys.

use std::collections::{BTreeMap, VecDeque};

use domain::{
    id::{AccountId, AttemptId, JobId, KeyId},
    job::AttemptChange,
    key::KeyFacts,
    time::Timestamp,
};
use ports::{AttemptRecord, KeyRoster};
use rustc_hash::FxHashSet;

use super::world::World;

/// A submission.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub(super) job: JobId,
    account: Option<AccountId>,
    pub(super) record: AttemptRecord,
}

impl Attempt {
    /// When it was sent.
    pub(super) const fn sent_at(&self) -> Timestamp {
        self.record.sent_at
    }
}

/// What accounts and keys are doing, kept up to date instead of counted anew for each choice of a key.
#[derive(Debug, Default)]
pub(super) struct Load {
    in_flight: FxHashSet<AttemptId>,
    running: BTreeMap<AccountId, u32>,
    running_by_key: BTreeMap<KeyId, u32>,
    /// When each account's newest tasks were sent, oldest first.
    sent: BTreeMap<AccountId, VecDeque<Timestamp>>,
}

impl Load {
    /// How many sendings of an account are remembered: more than any account may make in a window.
    const SENT_MAX: usize = 4_096;

    fn count(&mut self, id: AttemptId, account: Option<&AccountId>, key: &KeyId, is_in_flight: bool) {
        let changed = if is_in_flight { self.in_flight.insert(id) } else { self.in_flight.remove(&id) };
        if !changed {
            return;
        }
        let step = |count: &mut u32| {
            *count = if is_in_flight { count.saturating_add(1) } else { count.saturating_sub(1) };
        };
        if let Some(account) = account {
            step(self.running.entry(account.clone()).or_default());
        }
        step(self.running_by_key.entry(key.clone()).or_default());
    }

    fn note_sending(&mut self, account: &AccountId, at: Timestamp) {
        let sent = self.sent.entry(account.clone()).or_default();
        let place = sent.partition_point(|earlier| *earlier <= at);
        sent.insert(place, at);
        if sent.len() > Self::SENT_MAX {
            sent.pop_front();
        }
    }
}

impl World {
    /// What is known of the roster's keys.
    pub(super) fn key_facts(&mut self, roster: &KeyRoster, now: Timestamp) -> Vec<KeyFacts> {
        let window = roster.limits.window;
        let (load, health) = (&self.load, &mut self.health);
        let facts = roster.keys.iter().map(|key| {
            let sent = load.sent.get(&key.account);
            let before = sent.map_or(0, |sent| sent.partition_point(|at| at.after(window) <= now));
            let created = sent.map_or(0, |sent| sent.len() - before);
            let oldest = sent.and_then(|sent| sent.get(before));
            KeyFacts {
                key: key.key.clone(),
                account: key.account.clone(),
                cooling: health.cooling(&key.key),
                account_running: load.running.get(&key.account).copied().unwrap_or_default(),
                account_created: u32::try_from(created).unwrap_or(u32::MAX),
                window_frees_at: oldest.map(|at| at.after(window)),
                key_running: load.running_by_key.get(&key.key).copied().unwrap_or_default(),
                answers: health.answers(&key.key, now),
            }
        });
        facts.collect()
    }

    /// Records a submission before it is sent.
    pub(super) fn insert_attempt(
        &mut self,
        job: JobId,
        change: &AttemptChange,
        roster: &KeyRoster,
        now: Timestamp,
    ) {
        let account = roster.keys.iter().find(|key| key.key == change.key).map(|key| key.account.clone());
        let record = AttemptRecord {
            id: change.id,
            key: change.key.clone(),
            status: change.status,
            task: None,
            failure: None,
            evidence: None,
            sent_at: now,
            changed_at: now,
        };
        if let Some(account) = &account {
            self.load.note_sending(account, now);
        }
        self.load.count(change.id, account.as_ref(), &change.key, true);
        self.attempts.insert(change.id, Attempt { job, account, record });
        self.attempts_by_job.entry(job).or_default().push(change.id);
    }

    /// Records what became of a submission.
    pub(super) fn update_attempt(&mut self, change: &AttemptChange, evidence: Option<&str>, now: Timestamp) {
        let Some(Attempt { record, account, .. }) = self.attempts.get_mut(&change.id) else { return };
        record.status = change.status;
        record.task = change.task.clone().or_else(|| record.task.take());
        record.failure = change.failure.or(record.failure);
        record.evidence = evidence.map(str::to_owned).or_else(|| record.evidence.take());
        record.changed_at = now;
        self.load.count(change.id, account.as_ref(), &record.key, change.status.is_in_flight());
    }

    /// A job's submissions, oldest first.
    pub(super) fn attempts_of(&self, job: JobId) -> Vec<AttemptRecord> {
        let ids = self.attempts_by_job.get(&job).into_iter().flatten();
        let mut records: Vec<_> =
            ids.filter_map(|id| self.attempts.get(id)).map(|attempt| attempt.record.clone()).collect();
        records.sort_by_key(|record| (record.sent_at, record.id));
        records
    }
}
