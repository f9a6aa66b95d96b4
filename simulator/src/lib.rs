//! Runs Kadr against a simulated KIE.AI: the real services, the real adapters, the real PostgreSQL, in virtual time.

pub mod cli;
pub mod day;
pub mod flood;
pub mod oracle;
pub mod provider;
pub mod queueing;
pub mod report;
pub mod sample;
pub mod scenario;
pub mod search;
pub mod telegram;
pub mod time;
pub mod trace;
pub mod world;
