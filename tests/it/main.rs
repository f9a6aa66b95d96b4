//! Kadr's laws, contracts and flows.
//!
//! One binary, so that it links once and one PostgreSQL serves every test in it.

mod contract;
mod make;
mod stores;
