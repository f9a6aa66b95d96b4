//! Updates: a queue with one reader, who polls or is called.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use domain::time::Timestamp;
use serde_json::{Value, json};

use super::{
    TelegramModel,
    chats::seconds,
    log::Rule,
    params::Params,
    words::{self, Refusal},
};

/// How long updates wait (Bot API, Getting updates).
const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest answer, and the longest poll of the Bot API's own server.
const BATCH_MAX: usize = 100;
const POLL_SECONDS_MAX: i64 = 50;
/// How long a webhook that failed is left alone: at first, and at most. Telegram publishes neither.
const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(60);
/// How many past updates can be sent once more.
const REMEMBERED_MAX: usize = 1_000;
/// What nobody gets without asking for it (Bot API, getUpdates).
const UNASKED: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];

/// An update that waits.
#[derive(Debug, Clone)]
struct Update {
    id: i64,
    kind: &'static str,
    chat: i64,
    at: Timestamp,
    content: Value,
    /// Of a webhook: failed tries, when the next one is due, and the number of the one under way.
    tries: u32,
    due: Timestamp,
    under_way: Option<u64>,
    /// Sent once more on purpose: it is given out whatever the bot has confirmed.
    is_extra: bool,
}

impl Update {
    fn json(&self) -> Value {
        let mut update = json!({ "update_id": self.id });
        update[self.kind] = self.content.clone();
        update
    }
}

/// Where updates are sent.
#[derive(Clone)]
struct Webhook {
    url: String,
    secret: Option<String>,
    connections: usize,
    failed: Option<(Timestamp, String)>,
}

/// A poll that waits.
#[derive(Debug, Clone, Copy)]
struct Poll {
    number: u64,
    limit: usize,
    until: Timestamp,
}

/// One update on its way to a webhook.
#[derive(Clone)]
pub struct Delivery {
    /// Its number.
    pub number: u64,
    /// Where to.
    pub url: String,
    /// The header `X-Telegram-Bot-Api-Secret-Token`.
    pub secret: Option<String>,
    /// The update.
    pub body: Value,
}

/// Shows neither the address, whose path is often a secret, nor the token.
impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delivery").field("number", &self.number).finish_non_exhaustive()
    }
}

/// The queue.
pub(super) struct Queue {
    last_id: i64,
    waiting: VecDeque<Update>,
    past: VecDeque<Update>,
    /// Updates with a deadline that were given out.
    pub(super) given_out: BTreeSet<i64>,
    allowed: Option<BTreeSet<String>>,
    webhook: Option<Webhook>,
    poll: Option<Poll>,
    ended_polls: BTreeMap<u64, Refusal>,
    numbers: u64,
    held: bool,
    reversed: bool,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("waiting", &self.waiting.len()).finish_non_exhaustive()
    }
}

/// What a poll comes to at once.
pub(super) enum Polled {
    Updates(Value),
    Waits(u64),
}

impl Queue {
    pub(super) fn new(first_id: i64) -> Self {
        Self {
            last_id: first_id,
            waiting: VecDeque::new(),
            past: VecDeque::new(),
            given_out: BTreeSet::new(),
            allowed: None,
            webhook: None,
            poll: None,
            ended_polls: BTreeMap::new(),
            numbers: 0,
            held: false,
            reversed: false,
        }
    }

    /// Whether the bot gets updates of this kind.
    fn is_allowed(&self, kind: &str) -> bool {
        self.allowed.as_ref().map_or_else(|| !UNASKED.contains(&kind), |kinds| kinds.contains(kind))
    }

    /// Adds an update; `None` when the bot did not ask for its kind.
    pub(super) fn push(
        &mut self,
        kind: &'static str,
        chat: i64,
        content: Value,
        now: Timestamp,
    ) -> Option<i64> {
        self.last_id += 1;
        if !self.is_allowed(kind) {
            return None;
        }
        let update = Update {
            id: self.last_id,
            kind,
            chat,
            at: now,
            content,
            tries: 0,
            due: now,
            under_way: None,
            is_extra: false,
        };
        if self.past.len() >= REMEMBERED_MAX {
            self.past.pop_front();
        }
        self.past.push_back(update.clone());
        self.waiting.push_back(update);
        Some(self.last_id)
    }

    fn subscribe(&mut self, params: &Params) -> Result<(), Refusal> {
        let Some(kinds) = params.json("allowed_updates") else { return Ok(()) };
        let wrong = || Refusal::bad(words::ALLOWED_UPDATES);
        let kinds: Vec<String> = kinds.and_then(serde_json::from_value).map_err(|_| wrong())?;
        self.allowed = if kinds.is_empty() { None } else { Some(kinds.into_iter().collect()) };
        Ok(())
    }

    fn forget_old(&mut self, now: Timestamp) {
        self.waiting.retain(|update| now.since(update.at) < KEPT_FOR);
    }

    fn batch(&mut self, limit: usize) -> Vec<Value> {
        if self.held {
            return Vec::new();
        }
        let mut batch: Vec<_> = self.waiting.iter().take(limit).cloned().collect();
        if self.reversed && batch.len() > 1 {
            batch.reverse();
            self.reversed = false;
        }
        self.waiting.retain(|update| !update.is_extra || !batch.iter().any(|given| given.id == update.id));
        for update in &batch {
            self.give_out(update.id, update.kind);
        }
        batch.iter().map(Update::json).collect()
    }

    fn give_out(&mut self, id: i64, kind: &'static str) {
        if matches!(kind, "callback_query" | "pre_checkout_query") {
            self.given_out.insert(id);
        }
    }

    /// These updates were given out and did not arrive.
    pub(super) fn not_heard(&mut self, updates: &Value) {
        for update in updates.as_array().into_iter().flatten() {
            if let Some(id) = update["update_id"].as_i64() {
                self.given_out.remove(&id);
            }
        }
    }

    fn end_poll(&mut self, why: &str) -> bool {
        let Some(poll) = self.poll.take() else { return false };
        self.ended_polls.insert(poll.number, Refusal::new(409, why));
        true
    }

    /// Those that are due to be sent to the webhook: of a chat one at a time, in order.
    fn due(&mut self, now: Timestamp) -> Vec<Delivery> {
        self.forget_old(now);
        let Some(webhook) = self.webhook.clone().filter(|_| !self.held) else { return Vec::new() };
        let under_way = self.waiting.iter().filter(|update| update.under_way.is_some());
        let mut busy: BTreeSet<i64> = under_way.map(|update| update.chat).collect();
        let mut places = webhook.connections.saturating_sub(busy.len());
        let mut order: Vec<usize> = (0..self.waiting.len()).collect();
        if self.reversed {
            order.reverse();
        }
        let mut due = Vec::new();
        for index in order {
            let update = &mut self.waiting[index];
            if places == 0 || !busy.insert(update.chat) || now < update.due {
                continue;
            }
            places -= 1;
            self.numbers += 1;
            update.under_way = Some(self.numbers);
            let delivery = Delivery {
                number: self.numbers,
                url: webhook.url.clone(),
                secret: webhook.secret.clone(),
                body: update.json(),
            };
            due.push(delivery);
            let (id, kind) = (update.id, update.kind);
            self.give_out(id, kind);
        }
        due
    }
}

impl TelegramModel {
    /// getUpdates.
    pub(super) fn get_updates(&mut self, params: &Params, now: Timestamp) -> Result<Polled, Refusal> {
        let queue = &mut self.queue;
        if queue.webhook.is_some() {
            return Err(Refusal::new(409, words::WEBHOOK_ACTIVE));
        }
        queue.subscribe(params)?;
        if queue.end_poll(words::OTHER_POLL) {
            self.log.broken(Rule::OnePoller, None, now, "a second getUpdates while another one waits");
        }
        queue.forget_old(now);
        let offset = params.integer("offset").unwrap_or(0);
        if offset > 0 {
            queue.waiting.retain(|update| update.is_extra || update.id >= offset);
        } else if offset < 0 {
            let kept = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
            let dropped = queue.waiting.len().saturating_sub(kept);
            queue.waiting.drain(..dropped);
        }
        let limit = params.integer("limit").and_then(|limit| usize::try_from(limit).ok());
        let limit = limit.filter(|limit| (1..=BATCH_MAX).contains(limit)).unwrap_or(BATCH_MAX);
        let batch = queue.batch(limit);
        let timeout = params.integer("timeout").unwrap_or(0).clamp(0, POLL_SECONDS_MAX);
        if !batch.is_empty() || timeout == 0 {
            return Ok(Polled::Updates(batch.into()));
        }
        queue.numbers += 1;
        let until = now.after(Duration::from_secs(timeout.unsigned_abs()));
        queue.poll = Some(Poll { number: queue.numbers, limit, until });
        Ok(Polled::Waits(queue.numbers))
    }

    /// What a poll that waits comes to by now; `Err` holds until when it goes on waiting.
    pub(super) fn look_at_poll(
        &mut self,
        number: u64,
        now: Timestamp,
    ) -> Result<Result<Value, Refusal>, Timestamp> {
        let queue = &mut self.queue;
        if let Some(refusal) = queue.ended_polls.remove(&number) {
            return Ok(Err(refusal));
        }
        let Some(poll) = queue.poll.filter(|poll| poll.number == number) else {
            return Ok(Ok(json!([])));
        };
        queue.forget_old(now);
        let batch = queue.batch(poll.limit);
        if batch.is_empty() && now < poll.until {
            return Err(poll.until);
        }
        queue.poll = None;
        Ok(Ok(batch.into()))
    }

    /// Whoever polled has gone.
    pub fn leave_poll(&mut self, number: u64) {
        self.queue.ended_polls.remove(&number);
        if self.queue.poll.is_some_and(|poll| poll.number == number) {
            self.queue.poll = None;
        }
    }

    /// setWebhook.
    pub(super) fn set_webhook(&mut self, params: &Params, now: Timestamp) -> Result<Value, Refusal> {
        let Some(url) = params.text("url") else { return Ok(self.delete_webhook(params, now)) };
        let parsed = url::Url::parse(url).map_err(|_| Refusal::bad(words::WEBHOOK_URL))?;
        // As the Bot API's server does where one runs it oneself: http is enough on the same machine.
        let is_local = matches!(parsed.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        if !is_local && parsed.scheme() != "https" {
            return Err(Refusal::bad(words::WEBHOOK_HTTPS));
        }
        if !is_local && !matches!(parsed.port_or_known_default(), Some(80 | 88 | 443 | 8443)) {
            return Err(Refusal::bad(words::WEBHOOK_PORT));
        }
        let secret = params.text("secret_token");
        if secret.is_some_and(|secret| secret.len() > 256) {
            return Err(Refusal::bad(words::WEBHOOK_SECRET_LONG));
        }
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if secret.is_some_and(|secret| !secret.bytes().all(is_plain)) {
            return Err(Refusal::bad(words::WEBHOOK_SECRET));
        }
        self.queue.subscribe(params)?;
        self.drop_waiting(params, now);
        self.queue.end_poll(words::POLL_ENDED);
        let connections = params.integer("max_connections").unwrap_or(40).clamp(1, 100);
        self.queue.webhook = Some(Webhook {
            url: url.to_owned(),
            secret: secret.map(str::to_owned),
            connections: usize::try_from(connections).unwrap_or(1),
            failed: None,
        });
        Ok(json!(true))
    }

    /// deleteWebhook.
    pub(super) fn delete_webhook(&mut self, params: &Params, now: Timestamp) -> Value {
        self.drop_waiting(params, now);
        self.queue.webhook = None;
        for update in &mut self.queue.waiting {
            update.under_way = None;
        }
        json!(true)
    }

    fn drop_waiting(&mut self, params: &Params, now: Timestamp) {
        if params.flag("drop_pending_updates") {
            if !self.queue.waiting.is_empty() {
                self.log.broken(Rule::NothingDropped, None, now, "drop_pending_updates while updates wait");
            }
            self.queue.waiting.clear();
        }
    }

    /// getWebhookInfo.
    pub(super) fn webhook_info(&self) -> Value {
        let webhook = self.queue.webhook.as_ref();
        let mut info = json!({
            "url": webhook.map_or("", |webhook| webhook.url.as_str()),
            "has_custom_certificate": false,
            "pending_update_count": self.queue.waiting.len(),
        });
        if let Some(webhook) = webhook {
            info["max_connections"] = json!(webhook.connections);
            if let Some((at, what)) = &webhook.failed {
                info["last_error_date"] = json!(seconds(*at));
                info["last_error_message"] = json!(what);
            }
        }
        if let Some(kinds) = &self.queue.allowed {
            info["allowed_updates"] = json!(kinds);
        }
        info
    }

    /// Updates that are to be sent to the webhook now. Each has to be answered for with [`Self::delivered`].
    pub fn deliveries(&mut self, now: Timestamp) -> Vec<Delivery> {
        self.queue.due(now)
    }

    /// When the next delivery that failed is due again.
    #[must_use]
    pub fn next_delivery_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.queue.webhook.as_ref()?;
        let idle = self.queue.waiting.iter().filter(|update| update.under_way.is_none());
        idle.map(|update| update.due).filter(|due| now < *due).min()
    }

    /// How a delivery went: `Ok` with the status of the answer, or why there was none.
    pub fn delivered(&mut self, number: u64, answer: &Result<u16, String>, now: Timestamp) {
        let queue = &mut self.queue;
        let Some(index) = queue.waiting.iter().position(|update| update.under_way == Some(number)) else {
            return;
        };
        let failed = match answer {
            Ok(status) if (200..300).contains(status) => None,
            Ok(status) => Some(format!("Wrong response from the webhook: {status}")),
            Err(what) => Some(what.clone()),
        };
        let Some(failed) = failed else {
            queue.waiting.remove(index);
            queue.reversed &= queue.waiting.len() > 1;
            return;
        };
        let update = &mut queue.waiting[index];
        queue.given_out.remove(&update.id);
        update.under_way = None;
        update.due = now.after((RETRY_FIRST * 2_u32.saturating_pow(update.tries.min(16))).min(RETRY_MAX));
        update.tries += 1;
        if let Some(webhook) = &mut queue.webhook {
            webhook.failed = Some((now, failed));
        }
    }

    /// Keeps updates back, so that several gather.
    pub fn hold_updates(&mut self) {
        self.queue.held = true;
    }

    /// Lets them go again.
    pub fn release_updates(&mut self) {
        self.queue.held = false;
    }

    /// The next answer with several updates has them in the wrong order; so does a webhook, until it has caught up.
    pub fn reverse_updates(&mut self) {
        self.queue.reversed = true;
    }

    /// Sends the last `count` updates once more, confirmed or not.
    pub fn repeat_updates(&mut self, count: usize, now: Timestamp) {
        let skipped = self.queue.past.len().saturating_sub(count);
        let again = self.queue.past.iter().skip(skipped).map(|update| Update {
            is_extra: true,
            tries: 0,
            due: now,
            at: now,
            under_way: None,
            ..update.clone()
        });
        let again: Vec<_> = again.collect();
        self.queue.waiting.extend(again);
    }

    /// Whether a poll waits.
    #[must_use]
    pub const fn has_open_poll(&self) -> bool {
        self.queue.poll.is_some()
    }

    /// How many updates wait for the bot to confirm them.
    #[must_use]
    pub fn waiting_updates(&self) -> usize {
        self.queue.waiting.len()
    }
}
