//! A strict simulated Telegram: the Bot API for one bot, and the users on the other side of it.
//!
//! What it refuses, it refuses in Telegram's own words; what a bot should not have done, it tells afterwards
//! ([`TelegramServer::violations`]). The pure [`model`] knows no clock and no socket; [`TelegramServer`] puts it behind real
//! sockets, where polls wait and connections drop; a [`Person`] is one of its users, for tests. Over HTTP the users are
//! below `/control/`.
//!
//! Not modelled: groups, channels, inline queries, markup (`parse_mode` is refused), media by address, replies, albums of the bot's.

mod body;
mod control;
mod http;
pub mod model;
mod office;
mod person;
#[cfg(test)]
mod tests;
mod webhook;

pub use self::{control::HELP as CONTROL_HELP, http::TelegramServer, person::Person};
