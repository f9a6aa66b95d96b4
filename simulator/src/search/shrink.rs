//! Making a failure small: the fewest orders, faults and machines with which the same invariant still breaks.

mod reductions;

use super::{Runner, pool};
use crate::scenario::Scenario;

/// What a shrinking came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Shrunk {
    /// The smallest scenario found that still breaks the invariant.
    pub scenario: Scenario,
    /// The invariant.
    pub invariant: String,
    /// What was found in the smallest run.
    pub what: String,
    /// The digest of the smallest run.
    pub timeline_digest: u128,
    /// Runs made.
    pub runs: u32,
    /// What was taken away, in order.
    pub taken: Vec<String>,
    /// Whether the runs were used up before nothing more could be taken away.
    pub is_cut_short: bool,
}

/// There is nothing to make small.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShrinkError {
    /// The run breaks nothing, or not what it should.
    #[error("seed {seed} breaks {}: there is nothing to shrink", invariant.as_deref().map_or_else(|| "no invariant".to_owned(), |name| format!("other things than `{name}`, or nothing")))]
    NothingBroken {
        /// With which seed.
        seed: u64,
        /// What should have broken, if that was said.
        invariant: Option<String>,
    },
    /// The run could not be made.
    #[error("the run could not be made: {0}")]
    Run(String),
}

/// Takes away whatever the failure does not need, in the order orders, horizon, faults, outages and kills, machines,
/// sizes, over and over until nothing more can go or `runs_max` runs are made. A step is taken only when the same
/// invariant still breaks: another failure would be another story. The first invariant that breaks is taken when none
/// is named.
///
/// # Errors
/// [`ShrinkError`] when there is nothing to shrink.
pub fn shrink(
    runner: &dyn Runner,
    scenario: &Scenario,
    seed: u64,
    invariant: Option<&str>,
    runs_max: u32,
    on_run: &dyn Fn(u32, &str),
) -> Result<Shrunk, ShrinkError> {
    let tried = pool::caught(|| runner.run(scenario, seed, None)).map_err(ShrinkError::Run)?;
    let first = match invariant {
        Some(name) => tried.broken.iter().find(|broken| broken.invariant == name),
        None => tried.broken.first(),
    };
    let first =
        first.ok_or_else(|| ShrinkError::NothingBroken { seed, invariant: invariant.map(str::to_owned) })?;
    let mut shrinking = Shrinking {
        runner,
        seed,
        runs_max,
        on_run,
        found: Shrunk {
            scenario: scenario.clone(),
            invariant: first.invariant.to_owned(),
            what: first.what.clone(),
            timeline_digest: tried.timeline_digest,
            runs: 1,
            taken: Vec::new(),
            is_cut_short: false,
        },
    };
    while shrinking.round() {}
    Ok(shrinking.found)
}

struct Shrinking<'a> {
    runner: &'a dyn Runner,
    seed: u64,
    runs_max: u32,
    on_run: &'a dyn Fn(u32, &str),
    found: Shrunk,
}

impl Shrinking<'_> {
    /// Goes once through everything that can be taken away; whether something was.
    fn round(&mut self) -> bool {
        let before = self.found.taken.len();
        for candidates in reductions::PASSES {
            // What was taken once may often be taken again: half of the orders, and half of those.
            while self.first_of(candidates(&self.found.scenario)) {}
        }
        self.found.taken.len() > before && !self.found.is_cut_short
    }

    /// Takes the first candidate that still breaks the invariant.
    fn first_of(&mut self, candidates: Vec<(String, Scenario)>) -> bool {
        candidates.into_iter().any(|(label, smaller)| {
            if smaller == self.found.scenario {
                return false;
            }
            if self.found.runs >= self.runs_max {
                self.found.is_cut_short = true;
                return false;
            }
            self.found.runs += 1;
            (self.on_run)(self.found.runs, &label);
            self.takes(label, smaller)
        })
    }

    fn takes(&mut self, label: String, smaller: Scenario) -> bool {
        // A scenario that cannot be run is no smaller failure, only another one.
        let tried = pool::caught(|| self.runner.run(&smaller, self.seed, None));
        let Ok(tried) = tried else { return false };
        let Some(broken) = tried.broken.iter().find(|broken| broken.invariant == self.found.invariant) else {
            return false;
        };
        self.found.what.clone_from(&broken.what);
        self.found.timeline_digest = tried.timeline_digest;
        self.found.scenario = smaller;
        self.found.taken.push(label);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        scenario::Errors,
        search::{
            Tried,
            fake::{self, Fake, broken},
        },
    };

    fn breaks_when(needed: impl Fn(&Scenario) -> bool + Sync + 'static) -> Fake {
        Fake::new(move |scenario, _, _| {
            let mut tried = Tried { broken: vec![broken("another")], ..Tried::default() };
            if needed(scenario) {
                tried.broken.push(broken("holds"));
                tried.timeline_digest = 5;
            }
            Ok(tried)
        })
    }

    fn shrunk(runner: &Fake, runs_max: u32) -> Shrunk {
        shrink(runner, &fake::scenario(), 1, Some("holds"), runs_max, &|_, _| {}).unwrap()
    }

    #[test]
    fn everything_the_failure_does_not_need_is_taken_away() {
        let runner = breaks_when(|scenario| {
            scenario.arrivals.orders_per_day >= 37.0
                && scenario.errors.answer_lost > 0.0
                && scenario.fleet.processes >= 2
                && scenario.kills.iter().any(|kill| kill.at.to_string() == "13:00")
        });
        let found = shrunk(&runner, 1_000);
        let small = &found.scenario;
        assert!((small.arrivals.orders_per_day - 37.0).abs() < f64::EPSILON, "{small:?}");
        assert_eq!(small.errors, Errors { answer_lost: 0.01, ..Errors::default() });
        assert_eq!((small.fleet.processes, small.fleet.workers, small.accounts.len()), (2, 2, 1));
        assert_eq!((small.kills.len(), small.outages.len()), (1, 0));
        assert!(small.day.from.seconds() <= 13 * 3_600 && small.day.to.seconds() > 13 * 3_600);
        assert!(small.day.to.seconds() - small.day.from.seconds() < 2 * 3_600, "{:?}", small.day);
        assert_eq!((found.timeline_digest, found.is_cut_short), (5, false));
        assert_eq!(u64::from(found.runs), runner.runs());
        assert!(found.runs < 200, "{}", found.runs);
    }

    #[test]
    fn shrinking_ends_when_its_runs_are_used_up() {
        let found = shrunk(&breaks_when(|_| true), 4);
        assert_eq!((found.runs, found.is_cut_short), (4, true));
        assert_eq!(found.taken.len(), 3);
    }

    #[test]
    fn another_failure_is_another_story() {
        let runner = breaks_when(|_| false);
        let error = shrink(&runner, &fake::scenario(), 1, Some("holds"), 10, &|_, _| {}).unwrap_err();
        assert_eq!(
            error.to_string(),
            "seed 1 breaks other things than `holds`, or nothing: there is nothing to shrink"
        );
        let found = shrink(&runner, &fake::scenario(), 1, None, 5, &|_, _| {}).unwrap();
        assert_eq!(found.invariant, "another");
    }
}
