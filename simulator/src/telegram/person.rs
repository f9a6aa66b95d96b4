//! A user, for tests.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use serde_json::Value;

use super::{
    model::{Change, Deed, Message, NoButton, NoInvoice, NoPhoto, PaymentEnd, TapAnswer, TelegramModel},
    office::Office,
};

/// A user with a phone. What the bot does is seen in the order in which it is done; nothing here sleeps.
#[derive(Debug)]
pub struct Person {
    office: Arc<Office>,
    id: i64,
    /// How many of the bot's deeds were looked at.
    seen: AtomicUsize,
}

impl Person {
    pub(super) fn new(office: Arc<Office>, id: i64) -> Self {
        Self { office, id, seen: AtomicUsize::new(0) }
    }

    /// The id of the user and of the chat.
    #[must_use]
    pub const fn id(&self) -> i64 {
        self.id
    }

    /// Writes a text, such as `/start`; returns the message.
    pub fn write(&self, text: &str) -> i64 {
        self.office.act(|model, now| model.write(self.id, text, now)).unwrap_or_default()
    }

    /// Sends a picture as a photo; returns the message.
    ///
    /// # Errors
    /// [`NoPhoto`]: no client would send it.
    pub fn send_photo(&self, bytes: &Bytes, caption: &str) -> Result<i64, NoPhoto> {
        let sent = self.office.act(|model, now| model.send_user_photo(self.id, bytes, caption, None, now))?;
        Ok(sent.unwrap_or_default())
    }

    /// Sends several photos at once; returns their messages.
    ///
    /// # Errors
    /// [`NoPhoto`]: no client would send one of them.
    pub fn send_album(&self, photos: &[Bytes], caption: &str) -> Result<Vec<i64>, NoPhoto> {
        self.office.act(|model, now| model.send_user_album(self.id, photos, caption, now))
    }

    /// Sends a file as it is; returns the message.
    pub fn send_file(&self, name: &str, mime: &str, bytes: Bytes, caption: &str) -> i64 {
        let send =
            |model: &mut TelegramModel, now| model.send_user_file(self.id, name, mime, bytes, caption, now);
        self.office.act(send).unwrap_or_default()
    }

    /// Sends something that is not modelled, such as a `sticker`.
    pub fn send_other(&self, kind: &str, value: Value) -> i64 {
        self.office.act(|model, now| model.send_user_other(self.id, kind, value, now)).unwrap_or_default()
    }

    /// Taps a button, named by its label or data, that hangs on a message now; returns the tap.
    ///
    /// # Errors
    /// [`NoButton`].
    pub fn tap(&self, message: i64, button: &str) -> Result<String, NoButton> {
        self.office.act(|model, now| model.tap(self.id, message, button, now))
    }

    /// Taps a button twice, quicker than anybody can answer.
    ///
    /// # Errors
    /// [`NoButton`].
    pub fn tap_twice(&self, message: i64, button: &str) -> Result<[String; 2], NoButton> {
        self.office.act(|model, now| {
            Ok([model.tap(self.id, message, button, now)?, model.tap(self.id, message, button, now)?])
        })
    }

    /// Sends a tap that no button stands for.
    pub fn forge_tap(&self, message: i64, data: &str) -> String {
        self.office.act(|model, now| model.tap_data(self.id, message, data, now))
    }

    /// Waits for the answer to a tap; nothing when it is too late for one.
    pub async fn tap_answer(&self, tap: &str) -> Option<TapAnswer> {
        self.office.wait(|model, now| model.tap_answer(tap, now).map_err(Some)).await
    }

    /// Presses the button of an invoice; returns the query the bot has to answer.
    ///
    /// # Errors
    /// [`NoInvoice`].
    pub fn pay(&self, message: i64) -> Result<String, NoInvoice> {
        self.office.act(|model, now| model.pay(self.id, message, now))
    }

    /// Waits for the end of a try to pay.
    pub async fn payment_end(&self, query: &str) -> PaymentEnd {
        self.office.wait(|model, now| model.payment_end(query, now).map_err(Some)).await
    }

    /// Stops the bot.
    pub fn block(&self) {
        self.office.act(|model, now| model.set_blocked(self.id, true, now));
    }

    /// Starts it again.
    pub fn unblock(&self) {
        self.office.act(|model, now| model.set_blocked(self.id, false, now));
    }

    /// What stands in the chat.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        self.office.look(|model, _| model.messages(self.id))
    }

    /// The message of that number, as it is now.
    #[must_use]
    pub fn message(&self, id: i64) -> Option<Message> {
        self.messages().into_iter().find(|message| message.id == id)
    }

    /// Waits for the bot's next deed that `fits`; those before it count as seen.
    pub async fn next_change(&self, fits: impl Fn(&Change) -> bool) -> Change {
        let find = |model: &mut TelegramModel, _| {
            let seen = self.seen.load(Ordering::SeqCst);
            let changes = model.changes(self.id, seen);
            let found = changes.iter().position(&fits).ok_or(None)?;
            self.seen.store(seen + found + 1, Ordering::SeqCst);
            Ok(changes[found].clone())
        };
        self.office.wait(find).await
    }

    /// Waits for the bot's next message or edit that `fits`.
    pub async fn next(&self, fits: impl Fn(&Message) -> bool) -> Message {
        self.next_change(|change| change.deed != Deed::Deleted && fits(&change.message)).await.message
    }

    /// Waits for the bot's next message or edit whose text or caption contains `words`.
    pub async fn next_with(&self, words: &str) -> Message {
        self.next(|message| message.text().contains(words)).await
    }
}
