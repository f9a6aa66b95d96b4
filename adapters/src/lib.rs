//! Implementations of Kadr's ports.
//!
//! Wire formats, SQL and HTTP live here and nowhere else. Only the composition root names what this crate offers.

pub mod bells;
pub mod folder;
pub mod http;
pub mod kie;
pub mod llm;
pub mod memory;
pub mod photo;
pub mod postgres;
pub mod system;
pub mod telegram;
pub mod web;
