//! The loop's view of the inbox.

use std::{any::Any, panic::AssertUnwindSafe, sync::Arc};

use async_trait::async_trait;
use domain::{id::WorkerId, time::Timestamp};
use futures_util::FutureExt;
use ports::{
    ErrorKind, PortError, Topic,
    bot::{ChatAction, ChatMessage, InboxUpdate},
};

use super::dispatch::{Claimed, Work};
use crate::{
    Policy, Ports,
    bot::{BotPorts, handle_update, tell_operator},
    ids,
    services::{insist::insist, sending::story},
    texts::{self, Language},
};

pub(super) struct Updates {
    ports: Ports,
    bot: BotPorts,
    policy: Arc<Policy>,
    worker: WorkerId,
}

/// Why an update was not handled.
struct Failed {
    why: String,
    /// Another try cannot help.
    is_final: bool,
}

impl Updates {
    pub(super) fn new(ports: &Ports, bot: &BotPorts, policy: &Arc<Policy>) -> Self {
        Self {
            worker: ids::worker(ports),
            ports: ports.clone(),
            bot: bot.clone(),
            policy: Arc::clone(policy),
        }
    }

    /// Tries again later or puts the update aside; when the chat goes on, if that is known.
    async fn failed(&self, update: &InboxUpdate, failed: &Failed) -> Option<Timestamp> {
        let now = self.ports.clock.now();
        let failures = update.failures.saturating_add(1);
        let delay = self.policy.sending.delay_after(failures).filter(|_| !failed.is_final);
        let id = update.update.id;
        tracing::warn!(update.id = id, failures, retry_in_s = delay.map(|d| d.as_secs()), error = %failed.why, "an update was not handled");
        let clock = &*self.ports.clock;
        let (written, follows_at) = match delay {
            Some(delay) => {
                let at = now.after(delay);
                (insist(clock, || self.bot.inbox.postpone(update, at, &failed.why)).await, at)
            }
            None => {
                self.apologise(update, now).await;
                (insist(clock, || self.bot.inbox.park(update, now, &failed.why)).await, now)
            }
        };
        match written {
            Ok(()) => Some(follows_at),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(
                    update.id = id,
                    error,
                    "an update's failure could not be stored: it is tried when its lease runs out"
                );
                None
            }
        }
    }

    /// Silence is what users complain of, and operators learn of it last.
    async fn apologise(&self, update: &InboxUpdate, now: Timestamp) {
        let (id, chat) = (update.update.id, update.update.chat);
        let known = self.bot.chats.chat(chat).await.ok().flatten();
        let language = known.and_then(|chat| Language::parse(&chat.language)).unwrap_or(self.policy.language);
        let sorry = ChatMessage { text: texts::update_failed(language), keyboard: Vec::new() };
        let key = format!("sorry:{id}");
        if let Err(error) = self.bot.replies.push(&key, chat, &[ChatAction::Send(sorry)], now).await {
            tracing::warn!(
                update.id = id,
                error = &error as &dyn std::error::Error,
                "nobody was told of an update that failed"
            );
        }
        let alert = texts::update_parked(self.policy.language, id);
        tell_operator(&self.ports, &self.bot, &self.policy, &format!("parked:{id}"), &alert).await;
    }
}

#[async_trait]
impl Work for Updates {
    type Item = InboxUpdate;
    type Lease = (i64, i64);

    const NAME: &'static str = "updates";
    const TOPIC: Topic = Topic::Inbox;
    /// The later updates of its chat.
    const HOLDS_BACK: bool = true;

    fn lease(item: &InboxUpdate) -> (i64, i64) {
        (item.update.id, item.lease)
    }

    async fn claim(&self, limit: u32, now: Timestamp) -> Result<Claimed<InboxUpdate>, PortError> {
        let until = now.after(self.policy.lease.lease);
        let claim = self.bot.inbox.claim_due(self.worker, limit, until, now).await?;
        Ok(Claimed { items: claim.updates, next_due_at: claim.next_due_at })
    }

    async fn step(&self, item: InboxUpdate) -> Option<Timestamp> {
        // Within the claim, or another worker would take the update while this one still works on it.
        let gives_up_at = self.ports.clock.now().after(self.policy.lease.lease * 2 / 3);
        let handled = handle_update(&self.ports, &self.bot, &self.policy, &item);
        // One user's update must not take the loop, and with it everybody, down.
        let handled = AssertUnwindSafe(handled).catch_unwind();
        let failed = tokio::select! {
            biased;
            handled = handled => match handled {
                Ok(Ok(_)) => return Some(self.ports.clock.now()),
                Ok(Err(error)) if error.kind() == ErrorKind::Conflict => {
                    tracing::debug!(update.id = item.update.id, error = &error as &dyn std::error::Error, "somebody else has the chat");
                    Failed { why: error.to_string(), is_final: false }
                }
                Ok(Err(error)) => Failed {
                    why: story(&error),
                    is_final: matches!(error.kind(), ErrorKind::Rejected | ErrorKind::Inconsistent),
                },
                Err(panic) => Failed { why: format!("a bug: {}", words_of(&*panic)), is_final: false },
            },
            () = self.ports.clock.sleep_until(gives_up_at) => {
                Failed { why: "it took too long".to_owned(), is_final: false }
            }
        };
        self.failed(&item, &failed).await
    }
}

fn words_of(panic: &(dyn Any + Send)) -> &str {
    let words = panic.downcast_ref::<&str>().copied();
    words.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no words")
}
