//! Submissions and the state of provider keys.

use domain::{
    id::{AccountId, JobId},
    job::AttemptChange,
    key::KeyFacts,
    time::Timestamp,
};
use ports::{AttemptRecord, KeyRoster};

use super::world::World;

/// A submission.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    job: JobId,
    account: Option<AccountId>,
    record: AttemptRecord,
}

impl World {
    /// What is known of the roster's keys.
    pub(super) fn key_facts(&self, roster: &KeyRoster, now: Timestamp) -> Vec<KeyFacts> {
        let running = |matches: &dyn Fn(&Attempt) -> bool| {
            let in_flight = self.in_flight.iter().filter_map(|id| self.attempts.get(id));
            u32::try_from(in_flight.filter(|attempt| matches(attempt)).count()).unwrap_or(u32::MAX)
        };
        let facts = roster.keys.iter().map(|key| {
            let of_account = |attempt: &Attempt| attempt.account.as_ref() == Some(&key.account);
            let in_window = |attempt: &Attempt| {
                of_account(attempt) && attempt.record.sent_at.after(roster.limits.window) > now
            };
            // Ids grow with time, so the newest attempts are at the end.
            let recent = self
                .attempts
                .values()
                .rev()
                .take_while(|a| a.record.sent_at.after(roster.limits.window) > now);
            let recent: Vec<_> = recent.filter(|attempt| in_window(attempt)).collect();
            KeyFacts {
                key: key.key.clone(),
                account: key.account.clone(),
                cooling: self.cooling.get(&key.key).copied(),
                account_running: running(&of_account),
                account_created: u32::try_from(recent.len()).unwrap_or(u32::MAX),
                window_frees_at: recent.iter().map(|a| a.record.sent_at.after(roster.limits.window)).min(),
                key_running: running(&|attempt| of_account(attempt) && attempt.record.key == key.key),
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
        self.attempts.insert(change.id, Attempt { job, account, record });
        self.in_flight.insert(change.id);
    }

    /// Records what became of a submission.
    pub(super) fn update_attempt(&mut self, change: &AttemptChange, evidence: Option<&str>, now: Timestamp) {
        let Some(Attempt { record, .. }) = self.attempts.get_mut(&change.id) else { return };
        record.status = change.status;
        record.task = change.task.clone().or_else(|| record.task.take());
        record.failure = change.failure.or(record.failure);
        record.evidence = evidence.map(str::to_owned).or_else(|| record.evidence.take());
        record.changed_at = now;
        if change.status.is_in_flight() {
            self.in_flight.insert(change.id);
        } else {
            self.in_flight.remove(&change.id);
        }
    }

    /// A job's submissions, oldest first.
    pub(super) fn attempts_of(&self, job: JobId) -> Vec<AttemptRecord> {
        let of_job = self.attempts.values().filter(|attempt| attempt.job == job);
        let mut records: Vec<_> = of_job.map(|attempt| attempt.record.clone()).collect();
        records.sort_by_key(|record| (record.sent_at, record.id));
        records
    }
}
