//! What had to hold, and whether it did.

use std::collections::BTreeMap;

use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::short;
use crate::{report::instant, scenario::Threshold};

/// How a run, or a search of many runs, ended, the worst last: a broken invariant outweighs a missed threshold, and that
/// a goal that was never reached. An invariant is never a threshold: it has no budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All invariants hold, all thresholds are met, all goals are reached.
    Pass,
    /// All that is wrong is that a goal was never reached: the run proves less than it should.
    GoalNotReached,
    /// A threshold is missed.
    ThresholdMissed,
    /// An invariant does not hold, or the store's audit found a difference. Also: a mutant survived, or the same seed
    /// gave two different runs.
    InvariantBroken,
}

impl Verdict {
    /// The worst verdict that applies; a pass if none does.
    #[must_use]
    pub fn worst(verdicts: impl IntoIterator<Item = (Self, bool)>) -> Self {
        let found = verdicts.into_iter().filter_map(|(verdict, applies)| applies.then_some(verdict));
        found.max().unwrap_or(Self::Pass)
    }

    /// The process's exit code.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::ThresholdMissed => 1,
            Self::InvariantBroken => 2,
            Self::GoalNotReached => 3,
        }
    }

    /// In two words.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Pass => "Passed",
            Self::GoalNotReached => "Goal not reached",
            Self::ThresholdMissed => "Threshold missed",
            Self::InvariantBroken => "Invariant broken",
        }
    }
}

/// A threshold of the scenario and what was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// The metric with its label, as `wait_s{window=peak}`.
    pub metric: String,
    /// The expression alone, as `p(95) < 60`.
    pub expression: String,
    /// Its limit.
    pub limit: f64,
    /// What was measured; nothing if there was nothing to measure.
    pub value: Option<f64>,
    /// How far it is on the right side of the limit, in the metric's unit; negative on the wrong side.
    pub margin: Option<f64>,
    /// Whether it is met.
    pub passed: bool,
}

impl Judged {
    /// The threshold beside what was measured. What could not be measured is missed: silence is no success.
    #[must_use]
    pub fn of(threshold: &Threshold, value: Option<f64>) -> Self {
        Self {
            metric: threshold.subject(),
            expression: threshold.expression.clone(),
            limit: threshold.limit,
            value: value.map(short),
            margin: value.map(|value| short(threshold.margin(value))),
            passed: value.is_some_and(|value| threshold.holds(value)),
        }
    }
}

/// What has to hold in every run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Invariants {
    /// How often each was checked.
    pub checks: BTreeMap<String, u64>,
    /// How many violations were found.
    pub broken_total: u64,
    /// The first of them, of each invariant.
    pub broken: Vec<BrokenRow>,
}

impl Invariants {
    /// The most violations of one invariant a report lists: the first ones tell what is wrong.
    pub const BROKEN_MAX: usize = 20;

    /// The names of those that were found broken.
    #[must_use]
    pub fn broken_names(&self) -> std::collections::BTreeSet<&str> {
        self.broken.iter().map(|row| row.invariant.as_str()).collect()
    }
}

/// An invariant that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokenRow {
    /// Which.
    pub invariant: String,
    /// What was found instead.
    pub what: String,
    /// When.
    #[serde(with = "instant")]
    pub at: Timestamp,
    /// The event that showed it.
    pub seq: u64,
    /// Whose job, if one job's.
    pub job: Option<u32>,
    /// Which order, if one order's.
    pub order: Option<u32>,
    /// The command that shows it again.
    pub replay: String,
}

/// Something that should happen at least once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goal {
    /// Its name.
    pub name: String,
    /// How often it was reached.
    pub reached: u64,
    /// Whether the scenario requires it.
    pub required: bool,
}
