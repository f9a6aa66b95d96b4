//! Kadr's laws, contracts and flows.
//!
//! One binary, so that it links once and one PostgreSQL serves every test in it.

mod architecture;
mod contract;
mod make;
mod stores;
