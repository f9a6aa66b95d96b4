//! Worlds to run Kadr in.
//!
//! [`Outside`] is everything beyond Kadr's own process, listening on sockets: tests point the real program at it.
//! [`Trial`] is a whole run in virtual time: one order, from the confirmation to its last message, through the
//! real services, loops, adapters and PostgreSQL.

mod checks;
pub(crate) mod faults;
mod house;
mod line;
pub(crate) mod log;
mod messenger;
mod mishap;
mod outcome;
mod outside;
pub(crate) mod services;
pub(crate) mod stores;
pub(crate) mod studio;
mod trace;
mod trial;

pub use checks::Check;
pub use log::Tally;
pub use messenger::DemoMessenger;
pub use mishap::{Expected, Mishap};
pub use outcome::{KeyUse, Outcome, RetrySeen, VideoOutcome};
pub use outside::{Outside, OutsideSettings};
pub use trace::{Moment, StepSeen, Watcher};
pub use trial::{Trial, TrialError, TrialOrder};
