//! A strict simulated Telegram: the Bot API for one bot, and the users on the other side of it.
//!
//! What it refuses, it refuses in Telegram's own words; what a bot should not have done, it tells afterwards
//! ([`model::TelegramModel::violations`]).

pub mod model;
