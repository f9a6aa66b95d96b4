//! What the Telegram bot keeps.
//!
//! Locks are taken in this order: line, update or reply, chat. None of them is held while one of the jobs' is taken.

mod action_rows;
mod chat_store;
mod inbox;
mod lines;
mod order_messages;
mod reply_queue;
