//! Telegram's Bot API.
//!
//! Requests and updates have teloxide's types; the exchange itself is our own, for what teloxide's does not do (its
//! version 0.13): tell a request that never left from one whose answer is lost, keep an upload apart from a short call's
//! time-out of 17 s, and return at once after a 5xx, where it sleeps for 10 s. Its dispatcher is not used at all: an
//! update is stored before it is acknowledged, by [`poll`] or by the webhook of [`crate::web`], and handled by whoever
//! claims it.
//!
//! Nothing here waits for a chat's turn. A call that may not go now is refused at once with the time when it may
//! ([`ports::PortError::retry_at`]), so that no chat waits on another's.

mod chat;
mod client;
mod incoming;
mod messenger;
mod pace;
mod polling;
mod profile;
mod reader;
mod video;
mod webhook;
mod wire;

#[cfg(test)]
mod tests;

pub use chat::BulkClient;
pub use client::{TelegramClient, TelegramConfig, TelegramError};
pub use messenger::TelegramMessenger;
pub use polling::{PollTally, poll};
pub use profile::BotCommand;
pub use reader::TelegramReader;
pub use webhook::{SECRET_HEADER, UpdateHook, WEBHOOK_PATH, WebhookSecretError};
