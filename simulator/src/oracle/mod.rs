//! What must hold in every run, whatever goes wrong in it.

use domain::time::Timestamp;

use crate::trace::{JobNo, OrderNo};

/// An invariant that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Which, by the name in [`INVARIANTS`].
    pub invariant: &'static str,
    /// What was found instead.
    pub what: String,
    /// When it was noticed.
    pub at: Timestamp,
    /// The event that showed it.
    pub seq: u64,
    /// Whose job, if one job's.
    pub job: Option<JobNo>,
    /// Which order, if one order's.
    pub order: Option<OrderNo>,
}
