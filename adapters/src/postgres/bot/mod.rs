//! What the Telegram bot keeps.
//!
//! Locks are taken in this order: line, update or reply, chat; and purchase, user. Forgetting locks updates, replies,
//! chat, finished orders' jobs, orders and photos, and never a user.

mod action_rows;
mod chat_store;
mod inbox;
mod lines;
mod order_messages;
mod privacy;
mod purchases;
mod reply_queue;
