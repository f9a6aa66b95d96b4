//! What had to hold, and whether it did.

use std::collections::BTreeMap;

use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::short;
use crate::report::{Aggregate, instant};

/// How a run ended. The worst that applies: a broken invariant outweighs a missed threshold, and that a goal that was
/// never reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All invariants hold, all thresholds are met, all goals are reached.
    Pass,
    /// All that is wrong is that a goal was never reached: the run proves less than it should.
    GoalNotReached,
    /// A threshold is missed.
    ThresholdMissed,
    /// An invariant does not hold, or the store's audit found a difference.
    InvariantBroken,
}

impl Verdict {
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

/// How a value is compared with its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operator {
    /// Below the limit.
    #[serde(rename = "<")]
    Less,
    /// Not above it.
    #[serde(rename = "<=")]
    AtMost,
    /// Above it.
    #[serde(rename = ">")]
    Greater,
    /// Not below it.
    #[serde(rename = ">=")]
    AtLeast,
    /// Exactly it.
    #[serde(rename = "==")]
    Equal,
    /// Anything else.
    #[serde(rename = "!=")]
    NotEqual,
}

impl Operator {
    /// Whether `value` meets `limit`.
    #[must_use]
    #[expect(
        clippy::float_cmp,
        reason = "whoever writes == or != means exactly that; counts are whole numbers"
    )]
    pub fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::Less => value < limit,
            Self::AtMost => value <= limit,
            Self::Greater => value > limit,
            Self::AtLeast => value >= limit,
            Self::Equal => value == limit,
            Self::NotEqual => value != limit,
        }
    }

    /// How far `value` is on the right side of `limit`; negative on the wrong one.
    #[must_use]
    pub fn margin(self, value: f64, limit: f64) -> f64 {
        match self {
            Self::Less | Self::AtMost => limit - value,
            Self::Greater | Self::AtLeast => value - limit,
            Self::Equal => -(value - limit).abs(),
            Self::NotEqual => (value - limit).abs(),
        }
    }
}

/// Something that has to be reached.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// The metric.
    pub metric: String,
    /// Which part of it.
    pub labels: BTreeMap<String, String>,
    /// Which number of it.
    pub aggregate: Aggregate,
    /// How it is compared.
    pub comparison: Operator,
    /// With what.
    pub limit: f64,
    /// The expression as the scenario writes it, without the metric.
    pub text: String,
}

impl Rule {
    /// The metric with its labels, as the scenario writes it.
    #[must_use]
    pub fn subject(&self) -> String {
        if self.labels.is_empty() {
            return self.metric.clone();
        }
        let labels: Vec<_> = self.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("{}{{{}}}", self.metric, labels.join(","))
    }

    /// The rule beside what was measured. What could not be measured is missed: silence is no success.
    #[must_use]
    pub fn judge(&self, value: Option<f64>) -> Threshold {
        Threshold {
            metric: self.subject(),
            expression: self.text.clone(),
            limit: self.limit,
            value: value.map(short),
            margin: value.map(|value| short(self.comparison.margin(value, self.limit))),
            passed: value.is_some_and(|value| self.comparison.holds(value, self.limit)),
        }
    }
}

/// A [`Rule`] and what was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// The metric with its labels.
    pub metric: String,
    /// The expression.
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
