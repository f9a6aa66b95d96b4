//! Telegram as a pure model: users and their chats with one bot, updates, taps, files, payments, and what goes wrong.
//!
//! Nothing here reads a clock or a socket: time is an argument, chance is drawn from a seed by what it happens to, and so the same
//! calls always come to the same.

mod bot;
mod chats;
mod faults;
mod files;
mod keyboard;
mod log;
mod messages;
mod pace;
mod params;
mod people;
mod stars;
mod taps;
mod updates;
mod words;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::Duration,
};

use bytes::Bytes;
use domain::time::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use self::{
    chats::Chat,
    faults::Faults,
    files::Files,
    log::Log,
    pace::Pace,
    stars::Till,
    taps::Taps,
    updates::{Polled, Queue},
};
pub use self::{
    chats::{Change, Content, Deed, Message, User},
    faults::{Fault, Odds, Plan},
    files::{Facts, FileKind, NoPhoto, StoredFile},
    keyboard::{Button, Keyboard, Press},
    log::{CallLine, Outcome, Rule, Violation},
    pace::Rate,
    params::{Params, Upload},
    stars::{Invoice, NoInvoice, Payment, PaymentEnd},
    taps::{NoButton, TapAnswer},
    updates::Delivery,
    words::Refusal,
};

/// What the simulated Telegram is like.
#[derive(Debug, Clone)]
pub struct TelegramSettings {
    /// The bot's token.
    pub token: SecretString,
    /// Where chance comes from.
    pub seed: u64,
    /// How fast messages and edits of one chat may follow each other.
    pub chat_rate: Rate,
    /// How fast those of all chats may, if limited: Telegram limits bulk messages, and no others.
    pub bulk_rate: Option<Rate>,
    /// What goes wrong by chance.
    pub odds: Odds,
}

impl TelegramSettings {
    /// The token of the simulated bot.
    pub const TOKEN: &str = "1100000007:simulated-token-of-the-simulated-bot";

    /// Nothing goes wrong by chance; a chat takes a message a second, and five at once after a pause.
    #[must_use]
    pub fn healthy(seed: u64) -> Self {
        Self {
            token: Self::TOKEN.to_owned().into(),
            seed,
            chat_rate: Rate { every: Duration::from_secs(1), burst: 5 },
            bulk_rate: None,
            odds: Odds::default(),
        }
    }
}

/// An answer of the Bot API.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Said, with this status.
    Said(u16, Value),
    /// A gateway's page with this status.
    Page(u16),
    /// The bytes of a file.
    File(Bytes),
    /// The connection drops.
    Nothing,
    /// A poll waits: look again with [`TelegramModel::look`] when something has changed.
    Waits(u64),
}

/// Telegram.
pub struct TelegramModel {
    settings: TelegramSettings,
    chats: BTreeMap<i64, Chat>,
    queue: Queue,
    taps: Taps,
    till: Till,
    files: Files,
    faults: Faults,
    log: Log,
    pace: Option<Pace>,
    /// Calls so far, by method and chat.
    calls: BTreeMap<(String, i64), u64>,
    commands: BTreeMap<(String, String), Value>,
    queries: u64,
    /// Polls whose answers are to be lost.
    lost_polls: BTreeSet<u64>,
}

impl fmt::Debug for TelegramModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelegramModel").field("chats", &self.chats.len()).finish_non_exhaustive()
    }
}

/// What a method comes to.
enum Done {
    Result(Value),
    Waits(u64),
}

impl TelegramModel {
    /// A Telegram on which nothing has happened yet.
    #[must_use]
    pub fn new(settings: TelegramSettings) -> Self {
        let first_update = i64::from(u32::try_from(settings.seed % 1_000).unwrap_or(0)) + 700_000_000;
        let pace = settings.bulk_rate.map(Pace::new);
        Self {
            settings,
            chats: BTreeMap::new(),
            queue: Queue::new(first_update),
            taps: Taps::default(),
            till: Till::default(),
            files: Files::default(),
            faults: Faults::default(),
            log: Log::default(),
            pace,
            calls: BTreeMap::new(),
            commands: BTreeMap::new(),
            queries: 0,
            lost_polls: BTreeSet::new(),
        }
    }

    /// A call of the Bot API.
    pub fn call(&mut self, token: &str, method: &str, params: &Params, now: Timestamp) -> Answer {
        self.settle(now);
        if token != self.settings.token.expose_secret() {
            return self.refuse(method, None, &Refusal::new(401, words::UNAUTHORIZED), now);
        }
        let chat = params.integer("chat_id").or_else(|| params.integer("user_id"));
        let fault = self.fault(method, chat);
        if let Some(answer) = self.struck(fault, method, chat, now) {
            return answer;
        }
        let done = self.act(&method.to_ascii_lowercase(), params, now);
        match done {
            Ok(Done::Waits(poll)) => {
                if fault == Some(Fault::AnswerLost) {
                    self.lost_polls.insert(poll);
                }
                Answer::Waits(poll)
            }
            Ok(Done::Result(result)) => {
                self.done(method, chat, &result, fault == Some(Fault::AnswerLost), now)
            }
            Err(refusal) => self.refuse(method, chat, &refusal, now),
        }
    }

    fn done(
        &mut self,
        method: &str,
        chat: Option<i64>,
        result: &Value,
        is_lost: bool,
        now: Timestamp,
    ) -> Answer {
        if !is_lost {
            self.note(method, chat, Outcome::Done, now);
            return Answer::Said(200, json!({ "ok": true, "result": result }));
        }
        self.note(method, chat, Outcome::AnswerLost, now);
        self.queue.not_heard(result);
        Answer::Nothing
    }

    /// A download of the address that getFile named.
    pub fn download(&mut self, token: &str, path: &str, now: Timestamp) -> Answer {
        self.settle(now);
        let fault = self.fault("download", None);
        if let Some(answer) = self.struck(fault, "download", None, now) {
            return answer;
        }
        let is_ours = token == self.settings.token.expose_secret();
        let Some(bytes) = self.files.linked(path, now).filter(|_| is_ours) else {
            return self.refuse("download", None, &Refusal::new(404, words::NOT_FOUND), now);
        };
        let is_lost = fault == Some(Fault::AnswerLost);
        self.note("download", None, if is_lost { Outcome::AnswerLost } else { Outcome::Done }, now);
        if is_lost { Answer::Nothing } else { Answer::File(bytes) }
    }

    /// What a poll that waits comes to; `Err` holds until when it waits on.
    ///
    /// # Errors
    /// Until when it waits on.
    pub fn look(&mut self, poll: u64, now: Timestamp) -> Result<Answer, Timestamp> {
        let answer = match self.look_at_poll(poll, now)? {
            Ok(updates) => {
                let is_lost = self.lost_polls.remove(&poll);
                self.done("getUpdates", None, &updates, is_lost, now)
            }
            Err(refusal) => self.refuse("getUpdates", None, &refusal, now),
        };
        Ok(answer)
    }

    fn fault(&mut self, method: &str, chat: Option<i64>) -> Option<Fault> {
        let name = method.to_ascii_lowercase();
        let nth = self.calls.entry((name.clone(), chat.unwrap_or(0))).or_default();
        *nth += 1;
        let drawn = self.settings.odds.draw(self.settings.seed, &name, chat.unwrap_or(0), *nth);
        self.faults.planned(method, chat).or(drawn)
    }

    /// What becomes of a call that a fault keeps from being done, or that comes to a closed chat.
    fn struck(
        &mut self,
        fault: Option<Fault>,
        method: &str,
        chat: Option<i64>,
        now: Timestamp,
    ) -> Option<Answer> {
        match fault {
            Some(Fault::TooMany(seconds)) => {
                if let Some(chat) = chat.and_then(|id| self.chats.get_mut(&id)) {
                    chat.closed_until = Some(now.after(Duration::from_secs(seconds)));
                }
                return Some(self.refuse(method, chat, &Refusal::too_many(seconds), now));
            }
            Some(Fault::Blocked) => {
                return Some(self.refuse(method, chat, &Refusal::new(403, words::BLOCKED), now));
            }
            Some(Fault::Server(status)) => {
                self.note(method, chat, Outcome::Refused(status, "a gateway's page".to_owned()), now);
                return Some(Answer::Page(status));
            }
            Some(Fault::RequestLost) => {
                self.note(method, chat, Outcome::RequestLost, now);
                return Some(Answer::Nothing);
            }
            Some(Fault::AnswerLost) | None => {}
        }
        let until = self.chats.get(&chat?)?.closed_until.filter(|until| now < *until)?;
        self.log.broken(Rule::RetryAfter, chat, now, format!("{method} before the time of a 429 has come"));
        Some(self.refuse(method, chat, &Refusal::closed_until(until, now), now))
    }

    fn act(&mut self, method: &str, params: &Params, now: Timestamp) -> Result<Done, Refusal> {
        let result = match method {
            "getupdates" => {
                return self.get_updates(params, now).map(|polled| match polled {
                    Polled::Updates(updates) => Done::Result(updates),
                    Polled::Waits(poll) => Done::Waits(poll),
                });
            }
            "getme" => self.me(),
            "setwebhook" => self.set_webhook(params, now)?,
            "deletewebhook" => self.delete_webhook(params, now),
            "getwebhookinfo" => self.webhook_info(),
            "sendmessage" => self.send_message(params, now)?,
            "sendphoto" => self.send_photo(params, now)?,
            "sendvideo" => self.send_video(params, now)?,
            "sendinvoice" => self.send_invoice(params, now)?,
            "sendchataction" => self.chat_action(params, now)?,
            "editmessagetext" => self.edit_text(params, now)?,
            "editmessagecaption" => self.edit_caption(params, now)?,
            "editmessagereplymarkup" => self.edit_buttons(params, now)?,
            "deletemessage" => self.delete_message(params, now)?,
            "answercallbackquery" => self.answer_tap(params)?,
            "answerprecheckoutquery" => self.answer_pre_checkout(params, now)?,
            "refundstarpayment" => self.refund(params, now)?,
            "getstartransactions" => self.star_transactions(params),
            "getfile" => self.get_file(params, now)?,
            "setmycommands" => self.set_commands(params)?,
            "getmycommands" => self.commands(params),
            _ => return Err(Refusal::new(404, words::NO_METHOD)),
        };
        Ok(Done::Result(result))
    }

    fn refuse(&mut self, method: &str, chat: Option<i64>, refusal: &Refusal, now: Timestamp) -> Answer {
        if !refusal.is_life() {
            self.log.broken(Rule::WellFormed, chat, now, format!("{method}: {}", refusal.text));
        }
        self.note(method, chat, Outcome::Refused(refusal.code, refusal.text.clone()), now);
        Answer::Said(refusal.code, refusal.body())
    }

    fn note(&mut self, method: &str, chat: Option<i64>, outcome: Outcome, now: Timestamp) {
        // What stands for a method is the caller's and may be anything.
        let method = method.chars().take(64).collect();
        self.log.call(CallLine { at: now, method, chat, outcome });
    }

    fn settle(&mut self, now: Timestamp) {
        self.settle_taps(now);
        self.settle_payments(now);
    }

    /// Plans a fault.
    pub fn plan(&mut self, plan: Plan) {
        self.faults.plan(plan);
    }

    /// Changes what goes wrong by chance from now on.
    pub const fn set_odds(&mut self, odds: Odds) {
        self.settings.odds = odds;
    }

    /// All calls so far, the oldest first.
    #[must_use]
    pub fn calls(&self) -> &[CallLine] {
        &self.log.calls
    }

    /// What the bot should not have done, or left undone, up to now.
    pub fn violations(&mut self, now: Timestamp) -> Vec<Violation> {
        self.settle(now);
        self.log.violations.clone()
    }
}
