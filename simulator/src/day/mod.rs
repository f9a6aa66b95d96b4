//! One simulated day: users, fleet, provider and faults of a scenario, in virtual time.
//!
//! The services and worker loops are production's; what is simulated stands behind the ports. In `model` mode the stores
//! and the services lie in memory; in `wire` mode they are a real PostgreSQL and real HTTP servers, and virtual time
//! stands still during each call.

mod callbacks;
mod compose;
mod fleet;
mod run;
mod users;
mod watched;

use std::{error::Error, time::Duration};

use domain::time::Timestamp;
use secrecy::SecretString;

use crate::{scenario::CalendarError, search::Mutant, time::SimError, trace::Observer, world::Tally};

pub use run::run;
pub use watched::{Watched, WatchedOptions, report_setup, watch};

/// Over which adapters a day runs. The services, the loops and the faults are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// All in memory.
    Model,
    /// Real HTTP to the simulated provider and language model, and a real PostgreSQL.
    Wire,
}

impl Mode {
    /// The word on the command line and in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Wire => "wire",
        }
    }
}

/// How a day is run.
pub struct DayOptions {
    /// Where chance comes from.
    pub seed: u64,
    /// An empty database for wire mode; without one the day runs in memory.
    pub database: Option<SecretString>,
    /// A bug to put between the services and their ports.
    pub mutant: Option<Mutant>,
    /// Who is told of every event.
    pub observers: Vec<Box<dyn Observer>>,
}

/// What a day came to, as far as its own machinery knows; everything else is in the observers.
#[derive(Debug)]
pub struct DayOutcome {
    /// When the last order was settled, or when waiting for it ended.
    pub ended: Timestamp,
    /// Whether every order was settled in time.
    pub is_settled: bool,
    /// Orders placed and settled.
    pub tally: Tally,
    /// The ledger's own audit.
    pub audit: ports::AuditReport,
    /// What the provider charged.
    pub bill: crate::provider::kie_model::Bill,
    /// Real calls made, in wire mode.
    pub real_calls: usize,
    /// How long it took, in real time.
    pub wall: Duration,
}

/// Why a day could not be run.
#[derive(Debug, thiserror::Error)]
pub enum DayError {
    /// The scenario's day names no instants.
    #[error(transparent)]
    Calendar(#[from] CalendarError),
    /// Virtual time broke down.
    #[error(transparent)]
    Time(#[from] SimError),
    /// Something real failed.
    #[error("{what}")]
    Setup {
        /// What was tried.
        what: &'static str,
        /// Its own words.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl DayError {
    fn setup<E: Into<Box<dyn Error + Send + Sync>>>(what: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::Setup { what, source: source.into() }
    }
}
