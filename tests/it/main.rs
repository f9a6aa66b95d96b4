//! Kadr's laws, contracts and flows.
//!
//! One binary, so that it links once and one PostgreSQL serves every test in it.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod architecture;
mod bot;
mod contract;
mod flows;
mod make;
mod simulation;
mod stores;
