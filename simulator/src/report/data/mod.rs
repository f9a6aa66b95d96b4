//! What a report says, as data. Everything shown anywhere is derived from these values, and they survive JSON.
//!
//! Times are UTC instants, written as RFC 3339. Durations are seconds, as every name ending in `_s` says. Ratios are
//! between 0 and 1.

mod counts;
mod facts;
mod figures;
mod series;
mod verdict;

use std::collections::BTreeMap;

use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

pub use counts::{Calls, Counts, FailureCount, FaultCount, GroupCount, Money, ProviderBill};
pub(in crate::report) use counts::{ratio, short};
pub use facts::{Facts, SCHEMA};
pub use figures::{Percentiles, Sample, SampleGroup, WorstJob};
pub use series::{AccountSeries, Outage, Series};
pub use verdict::{BrokenRow, Goal, Invariants, Judged, Verdict};

use super::instant;

/// Everything one run came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// The version of this form; see [`SCHEMA`].
    pub schema: u32,
    /// How it ended.
    pub verdict: Verdict,
    /// What was simulated.
    pub scenario: ScenarioFacts,
    /// The seed all chance came from.
    pub seed: u64,
    /// `model` or `wire`.
    pub mode: String,
    /// What was run.
    pub versions: Versions,
    /// When it was, and how long it took.
    pub time: RunTime,
    /// Calls that really left the process.
    pub real_calls: u64,
    /// What identifies the run.
    pub digests: Digests,
    /// What had to be reached.
    pub thresholds: Vec<Judged>,
    /// What has to hold in every run.
    pub invariants: Invariants,
    /// What should happen at least once.
    pub goals: Vec<Goal>,
    /// How often each thing happened.
    pub counts: Counts,
    /// How long things took.
    pub samples: Vec<Sample>,
    /// The day, bin by bin.
    pub series: Series,
    /// Credits of users.
    pub money: Money,
    /// What the provider charged.
    pub bill: ProviderBill,
    /// What the store's own audit found; empty is what it should be.
    pub audit: Vec<String>,
    /// The jobs that took longest, longest first.
    pub worst: Vec<WorstJob>,
    /// The command that repeats this run.
    pub reproduce: String,
    /// Inputs nobody has measured, by key, and where they come from.
    pub assumptions: BTreeMap<String, String>,
}

/// The scenario behind a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioFacts {
    /// Its name.
    pub name: String,
    /// What it shows.
    pub about: String,
    /// The hash of its text.
    pub hash: String,
    /// Steps worked on at once.
    pub workers: u32,
    /// Provider accounts.
    pub accounts: Vec<AccountFacts>,
    /// Windows that are reported apart.
    pub windows: Vec<Window>,
}

/// A provider account of the scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountFacts {
    /// Its name.
    pub name: String,
    /// Tasks it may run at once.
    pub running_max: u32,
}

/// A window that is reported apart, by when orders were placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Its name.
    pub name: String,
    /// From this instant on.
    #[serde(with = "instant")]
    pub from: Timestamp,
    /// Before this one.
    #[serde(with = "instant")]
    pub to: Timestamp,
}

/// What was run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// Kadr's version.
    pub kadr: String,
    /// The commit it was built from, if known.
    pub commit: Option<String>,
}

/// When a run was, and how long it took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunTime {
    /// When arrivals began.
    #[serde(with = "instant")]
    pub from: Timestamp,
    /// When they were to end.
    #[serde(with = "instant")]
    pub to: Timestamp,
    /// When the last order had been placed and every fault was over.
    #[serde(with = "instant::optional", default)]
    pub healed_at: Option<Timestamp>,
    /// When everything was settled; nothing if that never came.
    #[serde(with = "instant::optional", default)]
    pub settled_at: Option<Timestamp>,
    /// The last event.
    #[serde(with = "instant")]
    pub ended_at: Timestamp,
    /// What the scenario's local time is ahead of UTC, in seconds.
    pub utc_offset_s: i32,
    /// Real time, in seconds.
    pub wall_s: f64,
    /// Events of the run.
    pub events: u64,
}

/// What identifies a run: equal digests, equal runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digests {
    /// Of states, ledger and messages, in hexadecimal digits.
    pub outcome: String,
    /// Of every event with its time, in hexadecimal digits.
    pub timeline: String,
}

impl RunReport {
    /// The percentiles of a sample, over the whole day or one group of it.
    #[must_use]
    pub fn percentiles(&self, metric: &str, group: &SampleGroup) -> Option<&Percentiles> {
        let mut samples = self.samples.iter();
        samples.find(|s| s.metric == metric && s.group == *group).map(|s| &s.percentiles)
    }

    /// The first window of the scenario, which the short forms of a report show beside the day.
    #[must_use]
    pub fn main_window(&self) -> SampleGroup {
        let window = self.scenario.windows.first();
        window.map_or(SampleGroup::Day, |window| SampleGroup::Window(window.name.clone()))
    }

    /// Simulated time from the first arrival to the last event, in seconds.
    #[must_use]
    pub fn simulated_s(&self) -> f64 {
        self.time.ended_at.since(self.time.from).as_secs_f64()
    }
}
