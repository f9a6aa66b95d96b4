//! What a report needs to know and no event tells.

use std::{collections::BTreeMap, time::Duration};

use ports::AuditReport;

use super::ProviderBill;
use crate::{day::Mode, oracle::Broken, scenario::Threshold};

/// The version of the reports' form. It grows when a reader of the old form would misunderstand the new one.
pub const SCHEMA: u32 = 1;

/// What a report needs to know and no event tells.
#[derive(Debug, Clone)]
pub struct Facts {
    /// What the scenario shows.
    pub about: String,
    /// The hash of its text.
    pub scenario_hash: String,
    /// The seed.
    pub seed: u64,
    /// Over which adapters it ran.
    pub mode: Mode,
    /// The commit Kadr was built from, if known.
    pub commit: Option<String>,
    /// How long it really took.
    pub wall: Duration,
    /// Calls that really left the process.
    pub real_calls: u64,
    /// The digest of states, ledger and messages, in hexadecimal digits.
    pub outcome_digest: String,
    /// The digest of every event with its time, in hexadecimal digits.
    pub timeline_digest: String,
    /// Invariants that do not hold.
    pub broken: Vec<Broken>,
    /// How often each invariant was checked.
    pub checks: BTreeMap<&'static str, u64>,
    /// How often each goal was reached.
    pub goals: BTreeMap<&'static str, u64>,
    /// Goals that must be reached.
    pub required_goals: Vec<String>,
    /// The store's own audit.
    pub audit: AuditReport,
    /// What the provider did and charged.
    pub bill: ProviderBill,
    /// What has to be reached.
    pub thresholds: Vec<Threshold>,
    /// The command that repeats this run.
    pub reproduce: String,
    /// Inputs nobody has measured, by key, and where they come from.
    pub assumptions: BTreeMap<String, String>,
}
