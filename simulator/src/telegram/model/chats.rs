//! Users, their chats with the bot, and what stands in them.

use std::{collections::BTreeMap, sync::Arc};

use domain::time::Timestamp;
use serde_json::{Value, json};

use super::{
    files::StoredFile,
    keyboard::Keyboard,
    pace::Pace,
    stars::{Invoice, Payment},
};

/// Who a user is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The id, which is the id of the private chat too.
    pub id: i64,
    /// The name.
    pub first_name: String,
    /// The name behind an `@`.
    pub username: Option<String>,
    /// The language of the user's client, as an IETF tag.
    pub language: Option<String>,
}

impl User {
    pub(super) fn json(&self) -> Value {
        let mut user = json!({ "id": self.id, "is_bot": false, "first_name": self.first_name });
        if let Some(name) = &self.username {
            user["username"] = json!(name);
        }
        if let Some(language) = &self.language {
            user["language_code"] = json!(language);
        }
        user
    }

    pub(super) fn chat_json(&self) -> Value {
        let mut chat = json!({ "id": self.id, "type": "private", "first_name": self.first_name });
        if let Some(name) = &self.username {
            chat["username"] = json!(name);
        }
        chat
    }
}

/// What a message holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A text.
    Text(String),
    /// A photo in several sizes, the smallest first.
    Photo {
        /// The sizes.
        sizes: Vec<Arc<StoredFile>>,
        /// The text below it.
        caption: String,
        /// The album it belongs to.
        album: Option<String>,
    },
    /// A file.
    Document {
        /// The file.
        file: Arc<StoredFile>,
        /// The text below it.
        caption: String,
    },
    /// A video.
    Video {
        /// The file.
        file: Arc<StoredFile>,
        /// The text below it.
        caption: String,
    },
    /// A bill.
    Invoice(Invoice),
    /// A user paid.
    Paid(Payment),
    /// A user was paid back.
    PaidBack(Payment),
    /// A message of a kind that is not modelled: its name, such as `sticker`, and what stands there.
    Other(String, Value),
}

impl Content {
    /// The text or the caption.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Photo { caption, .. } | Self::Document { caption, .. } | Self::Video { caption, .. } => {
                caption
            }
            Self::Invoice(_) | Self::Paid(_) | Self::PaidBack(_) | Self::Other(..) => "",
        }
    }

    /// Where the caption stands, if there may be one.
    pub(super) const fn caption_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::Photo { caption, .. } | Self::Document { caption, .. } | Self::Video { caption, .. } => {
                Some(caption)
            }
            _ => None,
        }
    }

    fn write(&self, message: &mut Value) {
        match self {
            Self::Text(text) => {
                message["text"] = json!(text);
                let command = text.split_whitespace().next().filter(|word| word.starts_with('/'));
                if let Some(command) = command {
                    let length = command.encode_utf16().count();
                    message["entities"] = json!([{ "type": "bot_command", "offset": 0, "length": length }]);
                }
            }
            Self::Photo { sizes, album, .. } => {
                message["photo"] = sizes.iter().map(|size| size.json()).collect();
                if let Some(album) = album {
                    message["media_group_id"] = json!(album);
                }
            }
            Self::Document { file, .. } => message["document"] = file.json(),
            Self::Video { file, .. } => message["video"] = file.json(),
            Self::Invoice(invoice) => message["invoice"] = invoice.json(),
            Self::Paid(payment) => message["successful_payment"] = payment.json(),
            Self::PaidBack(payment) => message["refunded_payment"] = payment.json(),
            Self::Other(kind, value) => message[kind.as_str()] = value.clone(),
        }
        if !matches!(self, Self::Text(_)) && !self.text().is_empty() {
            message["caption"] = json!(self.text());
        }
    }
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// `message_id`, counted a chat.
    pub id: i64,
    /// Whether the bot wrote it.
    pub by_bot: bool,
    /// When it was sent.
    pub at: Timestamp,
    /// When it was edited last.
    pub edited_at: Option<Timestamp>,
    /// What it holds.
    pub content: Content,
    /// The buttons below it.
    pub keyboard: Keyboard,
}

impl Message {
    /// The text or the caption.
    #[must_use]
    pub fn text(&self) -> &str {
        self.content.text()
    }

    /// As the Bot API shows it.
    pub(super) fn json(&self, user: &User, bot: &Value) -> Value {
        let from = if self.by_bot { bot.clone() } else { user.json() };
        let mut message = json!({
            "message_id": self.id,
            "from": from,
            "chat": user.chat_json(),
            "date": seconds(self.at),
        });
        if let Some(at) = self.edited_at {
            message["edit_date"] = json!(seconds(at));
        }
        self.content.write(&mut message);
        if !self.keyboard.is_empty() {
            message["reply_markup"] = self.keyboard.json();
        }
        message
    }
}

/// A time as the Bot API writes it.
pub(super) const fn seconds(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(1_000)
}

/// What the bot did to a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Sent a message.
    Sent,
    /// Edited one, or its buttons.
    Edited,
    /// Deleted one.
    Deleted,
}

/// Something the bot did to a chat, and the message as it was then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What was done.
    pub deed: Deed,
    /// The message, afterwards; of a deleted one, before.
    pub message: Message,
}

/// A private chat.
#[derive(Debug)]
pub(super) struct Chat {
    pub(super) user: User,
    /// Whether the user has ever written to the bot: before that, the bot may not.
    pub(super) has_started: bool,
    pub(super) is_blocked: bool,
    /// Whether the bot was told that it is blocked, since it is.
    pub(super) is_told: bool,
    pub(super) messages: BTreeMap<i64, Message>,
    pub(super) changes: Vec<Change>,
    pub(super) pace: Pace,
    /// Until when the chat is closed by a 429.
    pub(super) closed_until: Option<Timestamp>,
    last_message: i64,
}

impl Chat {
    pub(super) fn new(user: User, pace: Pace) -> Self {
        Self {
            user,
            has_started: false,
            is_blocked: false,
            is_told: false,
            messages: BTreeMap::new(),
            changes: Vec::new(),
            pace,
            closed_until: None,
            last_message: 0,
        }
    }

    /// Adds a message.
    pub(super) fn add(
        &mut self,
        by_bot: bool,
        content: Content,
        keyboard: Keyboard,
        at: Timestamp,
    ) -> Message {
        self.last_message += 1;
        let message = Message { id: self.last_message, by_bot, at, edited_at: None, content, keyboard };
        self.messages.insert(message.id, message.clone());
        if by_bot {
            self.changes.push(Change { deed: Deed::Sent, message: message.clone() });
        }
        message
    }
}
