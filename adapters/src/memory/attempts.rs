//! Submissions and the state of provider keys.

use domain::{
    id::{AccountId, KeyId},
    job::AttemptChange,
    key::KeyFacts,
    time::Timestamp,
};
use ports::KeyRoster;

use super::world::World;

/// A submission.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    account: Option<AccountId>,
    key: KeyId,
    sent_at: Timestamp,
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
            let in_window =
                |attempt: &Attempt| of_account(attempt) && attempt.sent_at.after(roster.limits.window) > now;
            // Ids grow with time, so the newest attempts are at the end.
            let recent =
                self.attempts.values().rev().take_while(|a| a.sent_at.after(roster.limits.window) > now);
            let recent: Vec<_> = recent.filter(|attempt| in_window(attempt)).collect();
            KeyFacts {
                key: key.key.clone(),
                account: key.account.clone(),
                cooling: self.cooling.get(&key.key).copied(),
                account_running: running(&of_account),
                account_created: u32::try_from(recent.len()).unwrap_or(u32::MAX),
                window_frees_at: recent.iter().map(|a| a.sent_at.after(roster.limits.window)).min(),
                key_running: running(&|attempt| of_account(attempt) && attempt.key == key.key),
            }
        });
        facts.collect()
    }

    /// Records a submission before it is sent.
    pub(super) fn insert_attempt(&mut self, change: &AttemptChange, roster: &KeyRoster, now: Timestamp) {
        let account = roster.keys.iter().find(|key| key.key == change.key).map(|key| key.account.clone());
        self.attempts.insert(change.id, Attempt { account, key: change.key.clone(), sent_at: now });
        self.in_flight.insert(change.id);
    }

    /// Records what became of a submission.
    pub(super) fn update_attempt(&mut self, change: &AttemptChange) {
        if change.status.is_in_flight() {
            self.in_flight.insert(change.id);
        } else {
            self.in_flight.remove(&change.id);
        }
    }
}
