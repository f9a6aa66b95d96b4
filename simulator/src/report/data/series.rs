//! The day, bin by bin.

use std::collections::BTreeMap;

use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::report::instant;

/// What happened when. Every list has one value a bin and starts at [`Series::from`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Series {
    /// Where the first bin begins.
    #[serde(with = "instant")]
    pub from: Timestamp,
    /// How long a bin is, in seconds.
    pub bin_s: u32,
    /// Orders placed.
    pub orders: Vec<u32>,
    /// Videos ordered.
    pub videos: Vec<u32>,
    /// Videos waiting for the provider at the end of the bin: ordered, not ended, not taken by the provider.
    pub queue_last: Vec<u32>,
    /// The most of them within the bin.
    pub queue_max: Vec<u32>,
    /// Tasks running, by account.
    pub accounts: Vec<AccountSeries>,
    /// The median wait of the videos ordered in the bin, in seconds; nothing where none was rendered.
    pub wait_p50_s: Vec<Option<f64>>,
    /// The 95th percentile of the same.
    pub wait_p95_s: Vec<Option<f64>>,
    /// Failures by class. Classes that never came up are left out.
    pub failures: BTreeMap<String, Vec<u32>>,
    /// Credits held since the beginning, at the end of the bin.
    pub held: Vec<i64>,
    /// Those of them captured.
    pub captured: Vec<i64>,
    /// Those of them released.
    pub released: Vec<i64>,
    /// Worker processes killed.
    pub kills: Vec<u32>,
    /// Where the first clock hour begins, in the scenario's local time.
    #[serde(with = "instant")]
    pub hours_from: Timestamp,
    /// Videos delivered in each clock hour.
    pub delivered_per_hour: Vec<u32>,
    /// Outages of the scenario.
    pub outages: Vec<Outage>,
}

/// The tasks one account runs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AccountSeries {
    /// Its name.
    pub name: String,
    /// Tasks it may run at once.
    pub running_max: u32,
    /// The most it ran within the bin.
    pub running: Vec<u32>,
}

/// A time in which something was wrong at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    /// The how many-th of the scenario, from 0.
    pub number: usize,
    /// When it began.
    #[serde(with = "instant")]
    pub from: Timestamp,
    /// When it ended; nothing if it did not.
    #[serde(with = "instant::optional", default)]
    pub to: Option<Timestamp>,
}

impl Series {
    /// The number of bins.
    #[must_use]
    pub const fn bins(&self) -> usize {
        self.orders.len()
    }

    /// Where a bin begins.
    #[must_use]
    pub fn bin_start(&self, bin: usize) -> Timestamp {
        let seconds = u64::try_from(bin).unwrap_or(0).saturating_mul(u64::from(self.bin_s));
        self.from.after(std::time::Duration::from_secs(seconds))
    }
}
