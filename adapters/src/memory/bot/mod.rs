//! What the Telegram bot keeps.

mod chat_store;
mod inbox;
mod lines;
mod order_messages;
mod privacy;
mod purchases;
mod reply_queue;

use std::collections::BTreeMap;

use domain::{
    id::{JobId, OrderId, PhotoId, UserId},
    time::Timestamp,
};
use ports::bot::{Chat, ChatAction, Purchase, SentVideo};
use rustc_hash::{FxHashMap, FxHashSet};

pub(crate) use self::purchases::{check_offer, is_new_payment, paid_another, unaccounted};
use self::{inbox::Received, lines::LineUp, order_messages::OrderRow};

/// The bot's tables.
#[derive(Debug, Default)]
pub(super) struct BotTables {
    inbox: LineUp<Received>,
    /// Handled updates: when they were received.
    handled: BTreeMap<i64, Timestamp>,
    /// Those that were put aside.
    parked: BTreeMap<i64, Received>,
    chats: BTreeMap<UserId, Chat>,
    replies: LineUp<ChatAction>,
    /// The newest message's id; never given twice.
    replies_newest: i64,
    /// Keys of what was put into the queue without answering an update.
    pushed: FxHashSet<String>,
    orders: FxHashMap<OrderId, OrderRow>,
    videos: FxHashMap<JobId, SentVideo>,
    /// By their payloads.
    pub(super) purchases: BTreeMap<String, Purchase>,
    /// The payload each charge paid for.
    pub(super) charges: FxHashMap<String, String>,
    /// Orders whose briefs and prompts are gone.
    forgotten: FxHashSet<OrderId>,
    /// When each photo was stored last.
    pub(super) photos_stored_at: FxHashMap<PhotoId, Timestamp>,
}

impl BotTables {
    /// Forgets what was sent about an order.
    pub(super) fn forget_order(&mut self, order: OrderId, jobs: &[JobId]) {
        self.orders.remove(&order);
        self.forgotten.remove(&order);
        for job in jobs {
            self.videos.remove(job);
        }
    }
}
