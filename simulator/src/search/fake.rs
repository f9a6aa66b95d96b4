//! A runner whose runs are a function of the scenario, for tests.

use std::sync::atomic::{AtomicU64, Ordering};

use domain::time::Timestamp;

use super::{Mutant, Runner, Tried};
use crate::{
    day::Mode,
    oracle::Broken,
    scenario::Scenario,
    trace::{Event, Kind, Observer},
};

type Answer = dyn Fn(&Scenario, u64, Option<Mutant>) -> Result<Tried, String> + Sync;

pub(crate) struct Fake {
    answer: Box<Answer>,
    mode: Mode,
    runs: AtomicU64,
}

impl Fake {
    pub(crate) fn new(
        answer: impl Fn(&Scenario, u64, Option<Mutant>) -> Result<Tried, String> + Sync + 'static,
    ) -> Self {
        Self { answer: Box::new(answer), mode: Mode::Model, runs: AtomicU64::new(0) }
    }

    pub(crate) fn in_mode(self, mode: Mode) -> Self {
        Self { mode, ..self }
    }

    pub(crate) fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }
}

impl Runner for Fake {
    fn mode(&self) -> Mode {
        self.mode
    }

    fn watch(
        &self,
        scenario: &Scenario,
        seed: u64,
        mutant: Option<Mutant>,
        observers: Vec<Box<dyn Observer>>,
    ) -> Result<Tried, String> {
        self.runs.fetch_add(1, Ordering::Relaxed);
        let tried = (self.answer)(scenario, seed, mutant)?;
        for mut observer in observers {
            // Three events, the second of which is what the outcome says.
            let outcome = i64::try_from(tried.outcome_digest).unwrap_or(0);
            for (seq, kind) in [
                Kind::Healed,
                Kind::Granted { user: domain::id::UserId::new(1), credits: outcome },
                Kind::Settled,
            ]
            .into_iter()
            .enumerate()
            {
                observer.see(&Event { at: Timestamp::from_millis(0), seq: seq as u64, kind });
            }
        }
        Ok(tried)
    }
}

pub(crate) fn broken(invariant: &'static str) -> Broken {
    Broken {
        invariant,
        what: "what was found".to_owned(),
        at: Timestamp::from_millis(0),
        seq: 0,
        job: None,
        order: None,
    }
}

/// A small scenario with some of everything.
pub(crate) fn scenario() -> Scenario {
    toml::from_str(
        r#"
        name = "fake"
        about = "For tests."
        goals = ["a", "b"]
        [arrivals]
        orders_per_day = 1000
        [[account]]
        name = "first"
        [[account]]
        name = "second"
        [fleet]
        workers = 20
        processes = 4
        [errors]
        temporary = 0.08
        unknown = 0.02
        answer_lost = 0.01
        [crashes]
        per_hour = 2.0
        [[outage]]
        at = "20:30"
        minutes = 20
        what = "maintenance"
        [[kill]]
        at = "12:00"
        [[kill]]
        at = "13:00"
        [thresholds]
        "wait_s{window=peak}" = ["p(95) < 60"]
        "#,
    )
    .unwrap()
}
