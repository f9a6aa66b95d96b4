//! Kadr's rules.
//!
//! This crate owns what must be true about money, orders, jobs, retries, failures and prompts. It must never
//! know about async, I/O, clocks, randomness, serialisation or the text a user reads: time, ids and facts come
//! in as arguments, decisions go out as values.
//!
//! Where to look:
//! - [`ledger`]: credits are entries; a balance is their sum;
//! - [`order`]: what a user buys in one confirmation, all or nothing;
//! - [`job`]: the state machine of one video, [`job::apply`];
//! - [`failure`]: what kind of wrong an answer is; [`decision`]: what to do about it;
//! - [`breaker`]: when nobody submits because the provider is down;
//! - [`key`]: which provider key takes the next submission; [`circuit`]: which video model;
//! - [`dialogue`]: the conversation of the bot, [`dialogue::advance`];
//! - [`prompt`]: what the language model is asked and what the video model is told.

pub mod breaker;
pub mod circuit;
pub mod decision;
pub mod dialogue;
pub mod failure;
pub mod id;
pub mod job;
pub mod key;
pub mod ledger;
pub mod model;
pub mod money;
pub mod notice;
pub mod order;
pub mod photo;
pub mod priority;
pub mod prompt;
pub mod time;
