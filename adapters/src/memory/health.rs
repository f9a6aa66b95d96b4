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

/// What the provider answered of late to submissions with one key, counted as it comes in.
#[derive(Debug, Default)]
struct Recent {
    /// Whether each was a fault, oldest first.
    answers: VecDeque<(Timestamp, bool)>,
    counts: Answers,
}

impl Recent {
    fn note(&mut self, at: Timestamp, is_fault: bool) {
        let place = self.answers.partition_point(|(earlier, _)| *earlier <= at);
        self.answers.insert(place, (at, is_fault));
        *self.count(is_fault) += 1;
    }

    /// Forgets the oldest ones while `is_over` says so.
    fn forget(&mut self, is_over: impl Fn(Timestamp) -> bool) {
        while let Some((_, is_fault)) = self.answers.front().copied().filter(|(at, _)| is_over(*at)) {
            self.answers.pop_front();
            *self.count(is_fault) -= 1;
        }
    }

    const fn count(&mut self, is_fault: bool) -> &mut u32 {
        if is_fault { &mut self.counts.faults } else { &mut self.counts.accepted }
    }
}

/// The breaker, what it judges by, and the keys that are out of use.
#[derive(Debug, Default)]
pub(super) struct Health {
    breaker: Breaker,
    probe_answer: Option<Answer>,
    recent: BTreeMap<KeyId, Recent>,
    cooling: BTreeMap<KeyId, Cooled>,
}

impl Health {
    /// The cool-down of a key, unless it is over.
    pub(super) fn cooling(&self, key: &KeyId) -> Option<Cooling> {
        self.cooling.get(key).filter(|cooled| !cooled.is_over()).map(|cooled| cooled.cooling)
    }

    /// What the provider answered of late to submissions with a key; nothing counts while the breaker is open.
    pub(super) fn answers(&mut self, key: &KeyId, now: Timestamp) -> Answers {
        let Some(recent) = self.recent.get_mut(key) else { return Answers::default() };
        recent.forget(|at| at.after(breaker::WINDOW) <= now);
        if self.breaker.is_open() { Answers::default() } else { recent.counts }
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
            self.hear(step.job.id, key, *answer, sent_at, now);
        }
        if let Some(breaker) = step.breaker {
            if breaker.probe() != self.breaker.probe() {
                self.probe_answer = None;
            }
            if let Some(from) = breaker.counts_from().filter(|_| self.breaker.is_open()) {
                self.recent.values_mut().for_each(|recent| recent.forget(|at| at <= from));
            }
            self.breaker = breaker;
        }
    }

    fn hear(&mut self, job: JobId, key: &KeyId, answer: Answer, sent_at: Option<Timestamp>, now: Timestamp) {
        if answer != Answer::Refused {
            self.recent.entry(key.clone()).or_default().note(now, answer == Answer::Fault);
        }
        if self.breaker.probe().is_some_and(|probe| probe.job == job && now > probe.since) {
            self.probe_answer = Some(answer);
        }
        if let (Answer::Accepted, Some(cooled), Some(sent_at)) = (answer, self.cooling.get_mut(key), sent_at)
            && cooled.cooling.since <= sent_at
            && !cooled.is_over()
        {
            cooled.proved_at = Some(now);
            if let Some(recent) = self.recent.get_mut(key) {
                recent.forget(|at| at <= now);
            }
        }
    }
}

impl World {
    /// What is known of the roster's keys and of the breaker.
    pub(super) fn provider_facts(&mut self, roster: &KeyRoster, now: Timestamp) -> ProviderFacts {
        if roster.keys.is_empty() {
            return ProviderFacts::default();
        }
        ProviderFacts {
            keys: self.key_facts(roster, now),
            breaker: self.health.breaker,
            probe_answer: self.health.probe_answer,
        }
    }

    /// When an attempt was sent.
    pub(super) fn sent_at(&self, attempt: AttemptId) -> Option<Timestamp> {
        self.attempts.get(&attempt).map(|attempt| attempt.sent_at())
    }
}
