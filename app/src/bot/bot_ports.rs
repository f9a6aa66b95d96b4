//! What the bot needs from outside beside [`crate::Ports`].

use std::sync::Arc;

use ports::bot::{ChatClient, ChatStore, Inbox, OrderMessages, Privacy, Purchases, ReplyQueue, UpdateReader};

/// The bot's ports, filled.
#[derive(Clone)]
pub struct BotPorts {
    /// Updates that were received.
    pub inbox: Arc<dyn Inbox>,
    /// Where conversations stand.
    pub chats: Arc<dyn ChatStore>,
    /// Messages on their way.
    pub replies: Arc<dyn ReplyQueue>,
    /// What was sent about orders.
    pub order_messages: Arc<dyn OrderMessages>,
    /// Credits bought with Stars.
    pub purchases: Arc<dyn Purchases>,
    /// Forgets what users sent.
    pub privacy: Arc<dyn Privacy>,
    /// Telegram.
    pub client: Arc<dyn ChatClient>,
    /// Reads updates.
    pub reader: Arc<dyn UpdateReader>,
}

impl std::fmt::Debug for BotPorts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BotPorts").finish_non_exhaustive()
    }
}
