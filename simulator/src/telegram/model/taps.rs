//! Taps on buttons.

use std::{collections::BTreeMap, time::Duration};

use domain::time::Timestamp;
use serde_json::{Value, json};

use super::{
    TelegramModel,
    keyboard::Press,
    log::Rule,
    params::Params,
    words::{self, Refusal},
};
use crate::time::bits_of;

/// How long a tap may stay unanswered. Telegram publishes no figure; late answers were seen to fail from 10 to 20 s.
const ANSWERED_WITHIN: Duration = Duration::from_secs(15);
/// The longest text of an answer, in characters (Bot API, answerCallbackQuery).
const ANSWER_MAX: usize = 200;

/// What a user sees for a moment after a tap.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TapAnswer {
    /// The text, if there is one.
    pub text: Option<String>,
    /// Whether it has to be closed by hand.
    pub is_alert: bool,
}

#[derive(Debug)]
struct Tap {
    user: i64,
    update: Option<i64>,
    until: Timestamp,
    answer: Option<TapAnswer>,
}

/// All taps.
#[derive(Debug, Default)]
pub(super) struct Taps {
    taps: BTreeMap<String, Tap>,
    open: Vec<String>,
}

/// No such button on that message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("message {message} has no button {button:?} that could be tapped")]
pub struct NoButton {
    message: i64,
    button: String,
}

impl TelegramModel {
    /// The user taps a button, named by its label or its data, that hangs on the message now. Returns the tap's id.
    ///
    /// # Errors
    /// [`NoButton`].
    pub fn tap(&mut self, user: i64, message: i64, button: &str, now: Timestamp) -> Result<String, NoButton> {
        let wrong = || NoButton { message, button: button.to_owned() };
        let found = self.chats.get(&user).and_then(|chat| chat.messages.get(&message)?.keyboard.find(button));
        let Press::Data(data) = &found.ok_or_else(wrong)?.press else { return Err(wrong()) };
        let data = data.clone();
        Ok(self.tap_data(user, message, &data, now))
    }

    /// A client sends a tap that no button stands for: an old one's, one it made up, or one of a message that is gone.
    pub fn tap_data(&mut self, user: i64, message: i64, data: &str, now: Timestamp) -> String {
        let id = self.query_id("tap");
        let Some(chat) = self.chats.get(&user) else { return id };
        let shown = chat.messages.get(&message).map_or_else(
            || json!({ "chat": chat.user.chat_json(), "message_id": message, "date": 0 }),
            |found| found.json(&chat.user, &self.bot_json()),
        );
        let query = json!({
            "id": id,
            "from": chat.user.json(),
            "message": shown,
            "chat_instance": bits_of(self.settings.seed, &format!("chat {user}")).to_string(),
            "data": data,
        });
        let update = self.queue.push("callback_query", user, query, now);
        if update.is_none() {
            let what = "a tap without callback_query among the allowed_updates";
            self.log.broken(Rule::Subscribed, Some(user), now, what);
        }
        let tap = Tap { user, update, until: now.after(ANSWERED_WITHIN), answer: None };
        self.taps.taps.insert(id.clone(), tap);
        self.taps.open.push(id.clone());
        id
    }

    /// answerCallbackQuery.
    pub(super) fn answer_tap(&mut self, params: &Params) -> Result<Value, Refusal> {
        let id = params.needed("callback_query_id")?;
        let text = params.text("text").map(str::to_owned);
        let too_old = || Refusal::bad(words::TOO_OLD_QUERY);
        let is_open = self.taps.open.iter().any(|open| open == id);
        let tap = self.taps.taps.get_mut(id).filter(|_| is_open).ok_or_else(too_old)?;
        if text.as_ref().is_some_and(|text| text.chars().count() > ANSWER_MAX) {
            return Err(Refusal::bad(words::TAP_TEXT_LONG));
        }
        tap.answer = Some(TapAnswer { text, is_alert: params.flag("show_alert") });
        if let Some(update) = tap.update {
            self.queue.given_out.remove(&update);
        }
        self.taps.open.retain(|open| open != id);
        Ok(json!(true))
    }

    /// The answer to a tap, or nothing when it was not answered in time; `Err` holds until when it may be.
    ///
    /// # Errors
    /// Until when it is open.
    pub fn tap_answer(&mut self, tap: &str, now: Timestamp) -> Result<Option<TapAnswer>, Timestamp> {
        self.settle_taps(now);
        let is_open = self.taps.open.iter().any(|open| open == tap);
        match self.taps.taps.get(tap) {
            Some(tap) if is_open => Err(tap.until),
            found => Ok(found.and_then(|tap| tap.answer.clone())),
        }
    }

    /// Taps nobody answered yet, for which it is not too late.
    #[must_use]
    pub const fn open_taps(&self) -> usize {
        self.taps.open.len()
    }

    /// Ends taps that are too old.
    pub(super) fn settle_taps(&mut self, now: Timestamp) {
        let Self { taps, queue, log, .. } = self;
        taps.open.retain(|id| {
            let Some(tap) = taps.taps.get(id) else { return false };
            if now < tap.until {
                return true;
            }
            if tap.update.is_some_and(|update| queue.given_out.remove(&update)) {
                log.broken(
                    Rule::TapAnswered,
                    Some(tap.user),
                    tap.until,
                    "a tap was not answered within 15 s",
                );
            }
            false
        });
    }
}
