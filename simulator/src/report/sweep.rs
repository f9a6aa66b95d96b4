//! Many fleets, or many days, beside each other.

use serde::{Deserialize, Serialize};

use super::data::{SCHEMA, ratio};

/// One scenario run with many numbers of workers and accounts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SweepTable {
    /// The version of this form; see [`SCHEMA`].
    pub schema: u32,
    /// The scenario's name.
    pub scenario: String,
    /// Numbers of workers, ascending.
    pub workers: Vec<u32>,
    /// Numbers of accounts, ascending.
    pub accounts: Vec<u32>,
    /// What each pair came to.
    pub cells: Vec<Cell>,
    /// The share of seeds that has to pass.
    pub required_share: f64,
    /// The fewest accounts, and with them the fewest workers, with which enough seeds pass.
    pub smallest: Option<(u32, u32)>,
    /// The command that repeats it.
    pub reproduce: String,
}

/// One pair of numbers of workers and accounts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Workers.
    pub workers: u32,
    /// Accounts.
    pub accounts: u32,
    /// Seeds that were run.
    pub seeds: u64,
    /// Seeds that passed.
    pub passed: u64,
    /// The median over the seeds of the 95th percentile of the wait in the main window, in seconds.
    pub p95_wait_s_median: Option<f64>,
    /// The largest of them, in seconds.
    pub worst: Option<f64>,
}

impl Cell {
    /// Whether enough of its seeds passed.
    #[must_use]
    pub fn is_enough(&self, required_share: f64) -> bool {
        ratio(self.passed, self.seeds).is_some_and(|share| share >= required_share)
    }
}

impl SweepTable {
    /// The table of some cells, with the smallest that is enough: accounts cost money, so the fewest accounts first, and
    /// with them the fewest workers.
    #[must_use]
    pub fn new(scenario: String, cells: Vec<Cell>, required_share: f64, reproduce: String) -> Self {
        let of = |number: fn(&Cell) -> u32| {
            let numbers: std::collections::BTreeSet<_> = cells.iter().map(number).collect();
            numbers.into_iter().collect::<Vec<_>>()
        };
        let (workers, accounts) = (of(|cell| cell.workers), of(|cell| cell.accounts));
        let enough = cells.iter().filter(|cell| cell.is_enough(required_share));
        let smallest = enough.map(|cell| (cell.accounts, cell.workers)).min();
        let smallest = smallest.map(|(accounts, workers)| (workers, accounts));
        Self { schema: SCHEMA, scenario, workers, accounts, cells, required_share, smallest, reproduce }
    }

    /// The cell of a pair.
    #[must_use]
    pub fn cell(&self, workers: u32, accounts: u32) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.workers == workers && cell.accounts == accounts)
    }
}

/// One scenario beside variants of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WhatIfTable {
    /// The scenario's name.
    pub scenario: String,
    /// The scenario itself, then its variants.
    pub rows: Vec<WhatIfRow>,
    /// The command that repeats it.
    pub reproduce: String,
}

/// A variant of a scenario. Numbers are medians over its seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WhatIfRow {
    /// What is different, in words.
    pub what: String,
    /// Seeds that were run.
    pub seeds: u64,
    /// Seeds that passed.
    pub passed: u64,
    /// The 95th percentile of the wait in the main window, in seconds.
    pub p95_wait_s: Option<f64>,
    /// The share of videos refunded.
    pub refunded_ratio: Option<f64>,
    /// The share of videos refunded because of the provider.
    pub provider_refunded_ratio: Option<f64>,
    /// Provider credits charged for each delivered video.
    pub provider_credits_per_video: Option<f64>,
    /// The most videos waiting for the provider.
    pub queue_max: Option<f64>,
}
