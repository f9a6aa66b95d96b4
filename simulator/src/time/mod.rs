//! Virtual time beside real sockets, and chance from one seed.
//!
//! The simulator runs the real adapters: reqwest talks to a mock server, sqlx to PostgreSQL. Tokio's own paused
//! clock cannot be used for that, because it jumps whenever the runtime has nothing to poll, and waiting for a
//! socket is nothing to poll: every network time-out would fire at once. Here time is the [`Clock`](ports::Clock)
//! port instead. [`SimClock`] keeps the sleepers, [`InFlight`] counts calls that wait for something real, and
//! [`SimRuntime`] moves the clock to the next deadline exactly when its thread is about to park while that count
//! is zero.

mod entropy;
mod in_flight;
mod runtime;
mod sim_clock;

pub use entropy::SeededEntropy;
pub(crate) use entropy::{bits_of, chance, chance_of, generator, luck};
pub use in_flight::{Holding, InFlight};
pub use runtime::{SimError, SimRuntime};
pub use sim_clock::SimClock;
