//! Looking for trouble with many runs: campaigns and swarms find it, shrinking makes it small, replays keep it,
//! mutants show that it would be found, and sweeps ask what the fleet is enough for.
//!
//! Everything here is written against [`Runner`], which tries one scenario with one seed. What a run is made of is
//! none of its business.

pub mod campaign;
pub mod days;
pub mod meta;
pub mod modes;
pub mod mutants;
pub mod pool;
pub mod replay;
pub mod shrink;
pub mod spread;
pub mod steps;
pub mod swarm;
pub mod sweep;
pub mod what_if;

#[cfg(test)]
pub(crate) mod fake;

use std::{collections::BTreeMap, time::Duration};

use crate::{day::Mode, oracle::Broken, report::Verdict, scenario::Scenario, trace::Observer};

pub use self::mutants::Mutant;

/// Tries scenarios.
pub trait Runner: Sync {
    /// Over which adapters.
    fn mode(&self) -> Mode;

    /// Runs a scenario with one seed, with a mutant if one is asked for, while `observers` look on.
    ///
    /// # Errors
    /// Why the run could not be made or did not come to its end. A run that breaks invariants is not an error.
    fn watch(
        &self,
        scenario: &Scenario,
        seed: u64,
        mutant: Option<Mutant>,
        observers: Vec<Box<dyn Observer>>,
    ) -> Result<Tried, String>;

    /// Runs a scenario with one seed.
    ///
    /// # Errors
    /// As [`Runner::watch`].
    fn run(&self, scenario: &Scenario, seed: u64, mutant: Option<Mutant>) -> Result<Tried, String> {
        self.watch(scenario, seed, mutant, Vec::new())
    }
}

/// What came of one run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tried {
    /// Invariants that did not hold, the earliest first.
    pub broken: Vec<Broken>,
    /// How often each goal was reached.
    pub goals: BTreeMap<&'static str, u64>,
    /// What the run came to: states, ledger, messages.
    pub outcome_digest: u128,
    /// The run itself, event by event.
    pub timeline_digest: u128,
    /// Thresholds of the scenario that were missed.
    pub thresholds_missed: usize,
    /// What was measured, such as `wait_s{window=peak}.p95`, `videos_per_hour.max` or `refunded_ratio`.
    pub figures: BTreeMap<String, f64>,
    /// How long it really took.
    pub wall: Duration,
}

impl Tried {
    /// Whether no invariant broke and no threshold was missed.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.broken.is_empty() && self.thresholds_missed == 0
    }

    /// Whether an invariant broke.
    #[must_use]
    pub fn breaks(&self, invariant: &str) -> bool {
        self.broken.iter().any(|broken| broken.invariant == invariant)
    }
}

/// Some runs could not be made, so that nothing can be said of the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not every run could be made, so there is no verdict")]
pub struct NoVerdict;

/// What is found in many runs, if they could all be made. A broken invariant stands even where they could not.
fn verdict(
    is_complete: bool,
    findings: impl IntoIterator<Item = (Verdict, bool)>,
) -> Result<Verdict, NoVerdict> {
    let worst = Verdict::worst(findings);
    if is_complete || worst == Verdict::InvariantBroken { Ok(worst) } else { Err(NoVerdict) }
}

/// The share of seeds that has to meet a scenario's thresholds for them to count as met.
pub const SHARE_TO_PASS: f64 = 0.95;

/// A part of a whole; 0 of nothing.
#[expect(clippy::cast_precision_loss, reason = "counts of runs, far below what a double holds exactly")]
#[must_use]
pub(crate) fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
