//! What a run came to, for people and for programs.
//!
//! [`Collector`] watches the event stream and draws up a [`RunReport`]; [`Campaign`] sums up many seeds. Both
//! survive JSON, and every page, table and file here is derived from them alone.

mod campaign;
mod collector;
mod compare;
mod data;
mod events_jsonl;
#[cfg(test)]
mod fixture;
mod format;
mod html;
mod instant;
mod jobs_csv;
mod json;
mod junit;
mod key_metrics;
mod progress;
mod sweep;
mod terminal;
#[cfg(test)]
mod tests;
mod write;

pub use campaign::{BrokenSeed, Campaign, CampaignReport, GoalShare, SeedRow, Spread, ThresholdShare};
pub use collector::{Collector, Setup, Unit};
pub use compare::{Comparison, Moved, compare, compare_campaigns};
pub use data::*;
pub use events_jsonl::{EventsJsonl, notice_word};
pub use html::{campaign_page, comparison_page, run_page, sweep_page, what_if_page};
pub use jobs_csv::JobsCsv;
pub use json::{ReadError, from_json, to_json};
pub use junit::{campaign_to_junit, to_junit};
pub use key_metrics::{Better, KeyMetric, key_metrics};
pub use progress::Progress;
pub use sweep::{Cell, SweepTable, WhatIfRow, WhatIfTable};
pub use terminal::{campaign_summary, headline, summary};
pub use write::{
    write_all, write_campaign, write_comparison, write_sweep, write_what_if, write_with_baseline,
};
