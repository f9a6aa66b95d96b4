//! What the Telegram bot needs from outside, beside what orders need.
//!
//! An update is stored in the [`Inbox`] before it is acknowledged. A turn of the conversation, which is the chat's new
//! dialogue and the messages that answer, is stored with the update it answers by [`ChatStore::store`], or not at all.
//! Messages wait in the [`ReplyQueue`] until the [`ChatClient`] has sent them.

mod chat_client;
mod chat_store;
mod event;
mod inbox;
mod order_messages;
mod privacy;
mod purchases;
mod reply_queue;

pub use chat_client::{ChatClient, FileRef, PreCheckout, StarCharge};
pub use chat_store::{Chat, ChatStore, Turn};
pub use event::{ChatEvent, EventKind, UpdateReader};
pub use inbox::{Inbox, InboxCensus, InboxClaim, InboxUpdate, IncomingUpdate};
pub use order_messages::{OrderMessages, SentVideo, StatusMessage};
pub use privacy::Privacy;
pub use purchases::{CHARGE_BYTES_MAX, Offer, Payment, Purchase, Purchases, Refund, TakenBack};
pub use reply_queue::{
    ChatAction, ChatButton, ChatMessage, Invoice, Keyboard, Reply, ReplyClaim, ReplyQueue,
};

#[cfg(feature = "mock")]
pub use self::{
    chat_client::MockChatClient, chat_store::MockChatStore, event::MockUpdateReader, inbox::MockInbox,
    order_messages::MockOrderMessages, privacy::MockPrivacy, purchases::MockPurchases,
    reply_queue::MockReplyQueue,
};
