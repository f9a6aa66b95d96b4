//! What a run came to, for people and for programs.
//!
//! [`Collector`] watches the event stream and draws up a [`RunReport`]; [`CampaignReport`] sums up many seeds. Both
//! survive JSON, and every page, table and file here is derived from them alone.

mod collector;
mod data;
#[cfg(test)]
mod fixture;
mod instant;

pub use collector::{Aggregate, Collector, METRICS, Setup, Unit};
pub use data::*;
