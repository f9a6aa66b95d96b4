//! The use cases, one a file. Each loads facts, asks the domain, stores its answer.

pub mod account;
mod addressee;
pub mod await_order;
pub mod cancel_job;
pub mod hear_callback;
pub(crate) mod insist;
pub mod inspect_keys;
pub mod place_order;
pub mod run_step;
pub mod send_notices;
pub mod send_reply;
pub mod sending;
