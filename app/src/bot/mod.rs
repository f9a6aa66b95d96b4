//! The Telegram bot: what it says and does in private chats.
//!
//! [`handle_update`] is its use case: it reads an update, takes the conversation ([`domain::dialogue`]) one turn further,
//! carries out what the turn commands with the services everybody uses, and stores what came of it with the update it
//! answers. The loops around it claim updates and send replies.
//!
//! - [`buttons`]: what buttons carry, and what their data means when it comes back;
//! - [`screens`]: screens as texts and keyboards;
//! - `payments`: Telegram Stars;
//! - `stored`: a dialogue as JSON;
//! - `reading`: what happened in a chat as an input of the conversation.

mod bot_ports;
pub mod buttons;
mod carry_out;
mod handle_update;
mod operator;
mod payments;
mod reading;
pub mod screens;
mod stored;
#[cfg(test)]
mod tests;

pub use bot_ports::BotPorts;
pub use handle_update::{Handled, handle_update};
pub use operator::tell_operator;
