//! Runs Kadr against a simulated KIE.AI: the real services, the real adapters, the real PostgreSQL, in virtual time.

pub mod cli;
pub mod provider;
pub mod sample;
pub mod time;
pub mod world;
