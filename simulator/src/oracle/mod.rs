//! What must hold in every run, whatever goes wrong in it.
//!
//! The [`Oracle`] sees the event stream and nothing else: it keeps its own account of money, leases, messages and the
//! provider, by its own rules, and compares. It never asks the stores, and it does not run the job machine again, for
//! a mistake shared with the machine would be no mistake.
//!
//! # What it expects of the stream
//!
//! Everything a store committed is told, in the order in which it was committed, lost answers included; an order is told
//! before anything about its jobs. Where several connections answer in one instant, a claim may be told before the step
//! that made it possible: whatever only another order of one instant's events can settle is judged when the instant is
//! over.

mod context;
mod doubts;
mod fairness;
pub mod goals;
mod holders;
mod jobs;
mod limits;
mod liveness;
mod messages;
mod models;
mod money;
mod outage;
mod print;
mod provider;
mod retries;
mod roll;
mod tally;
#[cfg(test)]
mod tests;
mod transitions;
mod watch;
mod words;

pub use tally::{Broken, INVARIANTS};
pub use watch::{AccountLimits, End, Oracle, ProviderBill, Setup};
