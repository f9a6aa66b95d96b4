//! How long things took.

use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::report::instant;

/// One metric over one group of jobs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// `wait_s`, `render_s`, `delivery_s`, `total_s` or `settle_s`.
    pub metric: String,
    /// Whose.
    pub group: SampleGroup,
    /// What they come to.
    pub percentiles: Percentiles,
}

/// Which jobs a sample is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SampleGroup {
    /// All of them.
    Day,
    /// Those of orders placed within a window.
    Window(String),
    /// Those of orders with so many videos.
    Size(u8),
}

impl SampleGroup {
    /// In words.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Day => "whole day".to_owned(),
            Self::Window(name) => name.clone(),
            Self::Size(1) => "orders of 1".to_owned(),
            Self::Size(videos) => format!("orders of {videos}"),
        }
    }
}

/// A distribution in eight numbers, in seconds. Percentiles are exact to three digits, the others exactly.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Percentiles {
    /// How many there are.
    pub count: u64,
    /// The shortest.
    pub min_s: f64,
    /// Their mean.
    pub mean_s: f64,
    /// Half are at most this.
    pub p50_s: f64,
    /// 90 of 100 are.
    pub p90_s: f64,
    /// 95 of 100 are.
    pub p95_s: f64,
    /// 99 of 100 are.
    pub p99_s: f64,
    /// The longest.
    pub max_s: f64,
}

/// One of the jobs that took longest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorstJob {
    /// Its number.
    pub job: u32,
    /// Its order's number.
    pub order: u32,
    /// Videos of that order.
    pub size: u8,
    /// Which of them it is, from 1.
    pub video: u8,
    /// When it was ordered.
    #[serde(with = "instant")]
    pub placed_at: Timestamp,
    /// When it ended; nothing if it had not when the run did.
    #[serde(with = "instant::optional", default)]
    pub ended_at: Option<Timestamp>,
    /// How long it waited until the provider took it, if it ever did.
    pub wait_s: Option<f64>,
    /// From the order to its end, or to the run's.
    pub settle_s: f64,
    /// How it ended: `done`, `refunded`, `cancelled`, or the state it was left in.
    pub state: String,
    /// Why it was refunded, if it was.
    pub cause: Option<String>,
    /// Retries used up.
    pub retries: u8,
    /// Submissions.
    pub attempts: u32,
    /// What happened to it, line by line; empty until somebody looks it up.
    pub timeline: Vec<String>,
}
