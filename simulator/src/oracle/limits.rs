//! The limits the product keeps for itself, a little below the provider's: counted again from what it records, for the
//! provider notices only what is over its own.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use domain::{
    id::{AttemptId, KeyId},
    job::{AttemptStatus, State},
    time::Timestamp,
};
use ports::KeyRoster;
use rustc_hash::FxHashMap;

use super::{
    doubts::Doubt,
    jobs::Told,
    tally::{Law, Scene},
    watch::Oracle,
};

/// How long a sending is remembered: well beyond the window, because a slow store records some that were decided a
/// while ago.
const REMEMBERED_FOR: Duration = Duration::from_secs(60);

/// What the product has recorded for each account, by the account's first key in the roster.
#[derive(Debug, Default)]
pub(super) struct Load {
    /// Attempts that may be running at the provider.
    open: FxHashMap<AttemptId, usize>,
    running: BTreeMap<usize, u32>,
    /// When attempts were sent, by their own word, in the order in which they were stored.
    sent: BTreeMap<usize, VecDeque<Timestamp>>,
}

/// The account of a key, as the place of its first key.
fn account_of(roster: &KeyRoster, key: &KeyId) -> Option<usize> {
    let account = &roster.keys.iter().find(|known| known.key == *key)?.account;
    roster.keys.iter().position(|known| known.account == *account)
}

impl Oracle {
    /// Counts what a step says about an attempt, and holds it against the product's own limits.
    pub(super) fn count_load(&mut self, scene: Scene, told: &Told<'_>) {
        let Some(change) = &told.step.attempt else { return };
        match change.status {
            AttemptStatus::Sent => {}
            AttemptStatus::Unanswered | AttemptStatus::Running => return,
            AttemptStatus::Refused
            | AttemptStatus::Failed
            | AttemptStatus::Rendered
            | AttemptStatus::Lost => {
                if let Some(account) = self.load.open.remove(&change.id)
                    && let Some(running) = self.load.running.get_mut(&account)
                {
                    *running = running.saturating_sub(1);
                }
                return;
            }
        }
        let limits = self.setup.roster.limits;
        let Some(account) = account_of(&self.setup.roster, &change.key) else {
            self.tally.hold(scene, Law::ProviderLimits, false, || {
                format!("an attempt was recorded with key {}, which is none of ours", change.key)
            });
            return;
        };
        self.load.open.insert(change.id, account);
        let running = self.load.running.entry(account).or_default();
        *running += 1;
        if *running > limits.running_max {
            // What makes room may be told a moment later.
            self.doubts.push((scene, Doubt::Crowded { account }));
        }
        let sent_at = match &told.step.job.state {
            State::Submitting { open: Some(open) } => open.sent_at,
            _ => told.at,
        };
        let sent = self.load.sent.entry(account).or_default();
        sent.push_back(sent_at);
        let remembered_for = REMEMBERED_FOR.max(limits.window);
        while sent.front().is_some_and(|at| told.at.since(*at) > remembered_for) {
            sent.pop_front();
        }
        // One that was decided later than this one does not count, whichever of them is told first.
        let is_within = |at: &&Timestamp| **at <= sent_at && at.after(limits.window) > sent_at;
        let within = sent.iter().filter(is_within).count();
        self.tally.hold(scene, Law::ProviderLimits, within <= limits.creates_max as usize, || {
            format!(
                "{within} attempts were recorded within {} s for the account of key {}; {} are what we allow ourselves",
                limits.window.as_secs(),
                change.key,
                limits.creates_max
            )
        });
    }

    /// Judges a crowd when the instant is over.
    pub(super) fn judge_crowd(&mut self, scene: Scene, account: usize) {
        let running = self.load.running.get(&account).copied().unwrap_or_default();
        let max = self.setup.roster.limits.running_max;
        self.tally.hold(scene, Law::ProviderLimits, running <= max, || {
            format!("{running} attempts are open for one account; {max} are what we allow ourselves")
        });
    }
}
