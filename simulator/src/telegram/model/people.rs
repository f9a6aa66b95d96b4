//! What users do.

use bytes::Bytes;
use domain::time::Timestamp;
use serde_json::{Value, json};

use super::{
    TelegramModel,
    chats::{Change, Chat, Content, Message, User, seconds},
    files::{Facts, FileKind, NoPhoto},
    keyboard::Keyboard,
    pace::Pace,
};
use crate::time::bits_of;

impl TelegramModel {
    /// A user comes into being, or takes another name. Whoever was here before keeps the chat.
    pub fn add_user(&mut self, user: User) {
        let pace = Pace::new(self.settings.chat_rate);
        if let Some(chat) = self.chats.get_mut(&user.id) {
            chat.user = user;
        } else {
            self.chats.insert(user.id, Chat::new(user, pace));
        }
    }

    /// The user writes a text; returns the message. Whoever had stopped the bot starts it again that way, as clients do.
    pub fn write(&mut self, user: i64, text: &str, now: Timestamp) -> Option<i64> {
        self.start(user, now)?;
        Some(self.say(user, Content::Text(text.to_owned()), now))
    }

    /// The user sends a picture as a photo.
    ///
    /// # Errors
    /// [`NoPhoto`]: a client would not send it.
    pub fn send_user_photo(
        &mut self,
        user: i64,
        bytes: &Bytes,
        caption: &str,
        album: Option<String>,
        now: Timestamp,
    ) -> Result<Option<i64>, NoPhoto> {
        let sizes = self.photo_of(bytes)?;
        if self.start(user, now).is_none() {
            return Ok(None);
        }
        let content = Content::Photo { sizes, caption: caption.to_owned(), album };
        Ok(Some(self.say(user, content, now)))
    }

    /// The user sends several photos at once: an album, whose photos are messages of their own. The caption stands below the first.
    ///
    /// # Errors
    /// [`NoPhoto`]: a client would not send one of them.
    pub fn send_user_album(
        &mut self,
        user: i64,
        photos: &[Bytes],
        caption: &str,
        now: Timestamp,
    ) -> Result<Vec<i64>, NoPhoto> {
        self.queries += 1;
        let album = (bits_of(self.settings.seed, &format!("album {}", self.queries)) >> 72).to_string();
        let mut sent = Vec::new();
        for (number, photo) in photos.iter().enumerate() {
            let caption = if number == 0 { caption } else { "" };
            sent.extend(self.send_user_photo(user, photo, caption, Some(album.clone()), now)?);
        }
        Ok(sent)
    }

    /// The user sends a file, untouched.
    pub fn send_user_file(
        &mut self,
        user: i64,
        name: &str,
        mime: &str,
        bytes: Bytes,
        caption: &str,
        now: Timestamp,
    ) -> Option<i64> {
        self.start(user, now)?;
        let facts = Facts { name: Some(name.to_owned()), mime: Some(mime.to_owned()), ..Facts::default() };
        let file = self.files.store(self.settings.seed, FileKind::Document, bytes, facts);
        Some(self.say(user, Content::Document { file, caption: caption.to_owned() }, now))
    }

    /// The user sends something that is not modelled, such as a `sticker`: what stands in the message under that name.
    pub fn send_user_other(&mut self, user: i64, kind: &str, value: Value, now: Timestamp) -> Option<i64> {
        self.start(user, now)?;
        Some(self.say(user, Content::Other(kind.to_owned(), value), now))
    }

    /// A message by the user, or a service message about what the user did.
    pub(super) fn say(&mut self, user: i64, content: Content, now: Timestamp) -> i64 {
        let bot = self.bot_json();
        let Some(chat) = self.chats.get_mut(&user) else { return 0 };
        let message = chat.add(false, content, Keyboard::default(), now);
        let shown = message.json(&chat.user, &bot);
        self.queue.push("message", user, shown, now);
        message.id
    }

    fn start(&mut self, user: i64, now: Timestamp) -> Option<()> {
        self.set_blocked(user, false, now);
        self.chats.get_mut(&user)?.has_started = true;
        Some(())
    }

    /// The user stops the bot, or starts it again.
    pub fn set_blocked(&mut self, user: i64, is_blocked: bool, now: Timestamp) {
        let bot = self.bot_json();
        let Some(chat) = self.chats.get_mut(&user).filter(|chat| chat.is_blocked != is_blocked) else {
            return;
        };
        chat.is_blocked = is_blocked;
        chat.is_told = false;
        let member = json!({ "user": bot, "status": "member" });
        let kicked = json!({ "user": bot, "status": "kicked", "until_date": 0 });
        let (old, new) = if is_blocked { (member, kicked) } else { (kicked, member) };
        let change = json!({
            "chat": chat.user.chat_json(),
            "from": chat.user.json(),
            "date": seconds(now),
            "old_chat_member": old,
            "new_chat_member": new,
        });
        self.queue.push("my_chat_member", user, change, now);
    }

    /// The user deletes the whole chat on their side; the bot is not told.
    pub fn forget_chat(&mut self, user: i64) {
        if let Some(chat) = self.chats.get_mut(&user) {
            chat.messages.clear();
        }
    }

    /// What stands in a chat.
    #[must_use]
    pub fn messages(&self, user: i64) -> Vec<Message> {
        self.chats.get(&user).map(|chat| chat.messages.values().cloned().collect()).unwrap_or_default()
    }

    /// What the bot did to a chat, from the `after`-th deed on.
    #[must_use]
    pub fn changes(&self, user: i64, after: usize) -> &[Change] {
        self.chats.get(&user).and_then(|chat| chat.changes.get(after..)).unwrap_or_default()
    }

    /// Who has this id.
    #[must_use]
    pub fn user(&self, id: i64) -> Option<&User> {
        self.chats.get(&id).map(|chat| &chat.user)
    }

    /// A message as the Bot API shows it.
    #[must_use]
    pub fn shown(&self, user: i64, message: &Message) -> Value {
        self.user(user).map(|user| message.json(user, &self.bot_json())).unwrap_or_default()
    }

    /// What stands in a chat, as the Bot API shows it.
    #[must_use]
    pub fn shown_messages(&self, user: i64) -> Value {
        self.messages(user).iter().map(|message| self.shown(user, message)).collect()
    }

    /// The id of a query.
    pub(super) fn query_id(&mut self, what: &str) -> String {
        self.queries += 1;
        (bits_of(self.settings.seed, &format!("{what} {}", self.queries)) >> 66).to_string()
    }
}
