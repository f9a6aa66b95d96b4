//! Kadr's use cases, the loops that run them, and the ways in: texts, configuration, command line.
//!
//! Everything here depends on `domain` and `ports` alone, except [`compose`], the composition root, which is the
//! only place that names concrete adapters. The simulator fills the same [`Ports`], sets the same [`Policy`] and
//! runs the same services and loops.
//!
//! Where to look:
//! - [`services`]: one use case a file, [`services::place_order`] and [`services::run_step`] first;
//! - [`bot`]: what the Telegram bot says and does, [`bot::handle_update`] first;
//! - [`workers`]: the loops, their heartbeats and their stop;
//! - [`texts`]: what people read, in Russian and English;
//! - [`config`], [`cli`], [`compose`]: what an operator sets and types, and how the parts are put together.

pub mod bot;
pub mod cli;
pub mod compose;
pub mod config;
#[cfg(test)]
mod fixtures;
mod ids;
pub mod metrics;
mod no_provider;
pub mod policy;
mod ports_set;
pub mod services;
pub mod texts;
pub mod workers;

pub use bot::BotPorts;
pub use policy::Policy;
pub use ports_set::Ports;
