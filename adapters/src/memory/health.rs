//! How the provider and its keys are doing.

use std::collections::{BTreeMap, VecDeque};

use domain::{
    breaker::{self, Answer, Answers, Breaker, ProviderFacts},
    id::{AttemptId, JobId, KeyId},
    job::Step,
    key::Cooling,
    time::Timestamp,
};
use ports::KeyRoster;

use super::world::World;

/// A cool-down, and when the key was proved to work again.
#[derive(Debug, Clone, Copy)]
struct Cooled {
    cooling: Cooling,
    proved_at: Option<Timestamp>,
}

impl Cooled {
    fn is_over(&self) -> bool {
        self.proved_at.is_some_and(|at| at >= self.cooling.since)
    }
}

/// The breaker, what it judges by, and the keys that are out of use.
#[derive(Debug, Default)]
pub(super) struct Health {
    breaker: Breaker,
    /// Oldest first, by when they were stored.
    answers: VecDeque<(Timestamp, JobId, KeyId, Answer)>,
    cooling: BTreeMap<KeyId, Cooled>,
}

impl Health {
    /// More answers than any account may bring within the window.
    const ANSWERS_MAX: usize = 4_096;

    /// The cool-down of a key, unless it is over.
    pub(super) fn cooling(&self, key: &KeyId) -> Option<Cooling> {
        self.cooling.get(key).filter(|cooled| !cooled.is_over()).map(|cooled| cooled.cooling)
    }

    /// What the provider answered of late to submissions with a key.
    pub(super) fn answers(&self, key: &KeyId, now: Timestamp) -> Answers {
        let counts_from = self.breaker.counts_from();
        let proved_at = self.cooling.get(key).and_then(|cooled| cooled.proved_at);
        let mut answers = Answers::default();
        // Those of one instant may be stored in any order, but none is older than its neighbours by much.
        for (at, _, of, answer) in self.answers.iter().rev() {
            let is_counted = at.after(breaker::WINDOW) > now
                && counts_from.is_none_or(|from| *at > from)
                && proved_at.is_none_or(|proved| *at > proved);
            if of == key && is_counted {
                answers.accepted += u32::from(*answer == Answer::Accepted);
                answers.faults += u32::from(*answer == Answer::Fault);
            }
        }
        answers
    }

    fn probe_answer(&self) -> Option<Answer> {
        let probe = self.breaker.probe()?;
        let its = self.answers.iter().filter(|(at, job, ..)| *job == probe.job && *at > probe.since);
        its.max_by_key(|(at, ..)| *at).map(|(.., answer)| *answer)
    }

    /// Follows a step that was stored; `sent_at` is when its attempt was sent, if it is about one.
    pub(super) fn follow(&mut self, step: &Step, sent_at: Option<Timestamp>, now: Timestamp) {
        if let Some((key, cooling)) = &step.cooling {
            // A cool-down only ever moves later: a shorter one does not end a longer one.
            let present = self.cooling.get(key).copied();
            let is_longer = present.is_some_and(|c| !c.is_over() && c.cooling.until >= cooling.until);
            if !is_longer {
                let proved_at = present.and_then(|cooled| cooled.proved_at);
                self.cooling.insert(key.clone(), Cooled { cooling: *cooling, proved_at });
            }
        }
        if let Some((key, answer)) = &step.answer {
            self.answers.push_back((now, step.job.id, key.clone(), *answer));
            let is_old = |at: Timestamp| at.after(breaker::WINDOW * 15) < now;
            while self.answers.len() > Self::ANSWERS_MAX
                || self.answers.front().is_some_and(|(at, ..)| is_old(*at))
            {
                self.answers.pop_front();
            }
            if let (Answer::Accepted, Some(cooled), Some(sent_at)) =
                (answer, self.cooling.get_mut(key), sent_at)
                && cooled.cooling.since <= sent_at
                && !cooled.is_over()
            {
                cooled.proved_at = Some(now);
            }
        }
        if let Some(breaker) = step.breaker {
            self.breaker = breaker;
        }
    }
}

impl World {
    /// What is known of the roster's keys and of the breaker.
    pub(super) fn provider_facts(&self, roster: &KeyRoster, now: Timestamp) -> ProviderFacts {
        if roster.keys.is_empty() {
            return ProviderFacts::default();
        }
        ProviderFacts {
            keys: self.key_facts(roster, now),
            breaker: self.health.breaker,
            probe_answer: self.health.probe_answer(),
        }
    }

    /// When an attempt was sent.
    pub(super) fn sent_at(&self, attempt: AttemptId) -> Option<Timestamp> {
        self.attempts.get(&attempt).map(|attempt| attempt.sent_at())
    }
}
