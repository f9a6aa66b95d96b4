//! Asking for updates.

use std::{pin::pin, time::Duration};

use ports::{Clock, ErrorKind, PortError, bot::Inbox};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    TelegramClient,
    incoming::incoming,
    webhook::ALLOWED_UPDATES,
    wire::{CallError, Refusal, Repeat, words},
};

/// How long Telegram waits for something to tell, in seconds.
const LONG_POLL_S: u32 = 25;
/// How long we wait for Telegram.
const ANSWER_WITHIN: Duration = Duration::from_secs(40);
/// The wait after the first failure; it doubles with each that follows.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait after failures.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What a loop did until it was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PollTally {
    /// Updates that were stored and had not been there.
    pub new: usize,
    /// Times that Telegram would not tell because somebody else asks too, or a webhook is set.
    pub conflicts: u64,
    /// Times that anything failed, conflicts among them.
    pub failures: u64,
}

#[derive(Serialize)]
struct GetUpdates {
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<i64>,
    timeout: u32,
    allowed_updates: &'static [&'static str],
}

/// Asks Telegram for updates and stores them, until `stop` returns.
///
/// An update is confirmed, by asking for what comes after it, when it is stored and not before. Only that needs its
/// number: after a week of silence Telegram goes on with any number (Bot API, Update), perhaps a smaller one, and
/// whoever then asked for what comes after the highest ever seen would throw unseen updates away. So a loop that has
/// nothing to confirm asks for whatever there is; what it gets twice is stored once.
pub async fn poll(
    client: &TelegramClient,
    inbox: &dyn Inbox,
    clock: &dyn Clock,
    stop: impl Future<Output = ()> + Send,
) -> PollTally {
    let mut stop = pin!(stop);
    let mut tally = PollTally::default();
    let mut troubles = Troubles::default();
    let mut stored_up_to = None;
    loop {
        let round = async {
            let batch = ask(client, stored_up_to).await?;
            store(inbox, clock, &batch).await
        };
        let round = tokio::select! {
            biased;
            () = &mut stop => return tally,
            round = round => round,
        };
        match round {
            Ok(stored) => {
                troubles.are_over();
                tally.new += stored.new;
                stored_up_to = stored.up_to;
            }
            Err(trouble) => {
                tally.failures += 1;
                tally.conflicts += u64::from(trouble.is_conflict);
                let now = clock.now();
                let guess = now.after(troubles.wait(&trouble));
                let until = trouble.error.retry_at().map_or(guess, |at| at.max(guess));
                tokio::select! {
                    biased;
                    () = &mut stop => return tally,
                    () = clock.sleep_until(until) => {}
                }
            }
        }
    }
}

/// What came of a batch.
struct Stored {
    new: usize,
    up_to: Option<i64>,
}

struct Trouble {
    error: PortError,
    is_conflict: bool,
    /// What whoever runs the bot has to do, where that is known.
    advice: &'static str,
}

impl From<PortError> for Trouble {
    fn from(error: PortError) -> Self {
        Self { error, is_conflict: false, advice: "trying again" }
    }
}

async fn ask(client: &TelegramClient, stored_up_to: Option<i64>) -> Result<Vec<Box<RawValue>>, Trouble> {
    let offset = stored_up_to.map(|id| id.saturating_add(1));
    let body = GetUpdates { offset, timeout: LONG_POLL_S, allowed_updates: &ALLOWED_UPDATES };
    client.ask("getUpdates", &body, ANSWER_WITHIN).await.map_err(|error| {
        let (is_conflict, advice) = match &error {
            CallError::Refused(Refusal { code: 409, error, .. }) if words(error).contains("webhook") => {
                (true, "a webhook is set, and Telegram tells one or the other: delete it, or stop polling")
            }
            CallError::Refused(Refusal { code: 409, .. }) => {
                (true, "another process asks for the same bot's updates: stop one of the two")
            }
            CallError::Refused(Refusal { code: 401 | 404, .. }) => {
                (false, "the token is wrong or was revoked: take it from @BotFather again")
            }
            CallError::NoAnswer(_) => (false, "is there a way to Telegram from here? a proxy may be needed"),
            _ => (false, "trying again"),
        };
        let error = error.into_port("ask for updates", Repeat::Harmless, client.clock.now());
        Trouble { error, is_conflict, advice }
    })
}

async fn store(inbox: &dyn Inbox, clock: &dyn Clock, batch: &[Box<RawValue>]) -> Result<Stored, Trouble> {
    let updates: Vec<_> = batch.iter().filter_map(|update| incoming(update.get())).collect();
    if updates.len() < batch.len() {
        tracing::error!(count = batch.len() - updates.len(), "updates without a number were left out");
        if updates.is_empty() {
            let say = "Telegram tells nothing but updates without a number";
            return Err(PortError::new(ErrorKind::Inconsistent, say).into());
        }
    }
    let up_to = updates.iter().map(|update| update.id).max();
    let new = if updates.is_empty() { 0 } else { inbox.receive(&updates, clock.now()).await? };
    Ok(Stored { new, up_to })
}

/// Failures in a row: each kind is told once, and that it is over.
#[derive(Default)]
struct Troubles {
    count: u32,
    told: Option<String>,
}

impl Troubles {
    fn wait(&mut self, trouble: &Trouble) -> Duration {
        let wait = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(self.count)).min(LONGEST_WAIT);
        self.count += 1;
        let error = &trouble.error as &dyn std::error::Error;
        let text = trouble.error.to_string();
        if self.told.as_ref() == Some(&text) {
            tracing::debug!(failures = self.count, error, "still no updates");
        } else {
            tracing::warn!(
                failures = self.count,
                error,
                advice = trouble.advice,
                "no updates of the bot come in"
            );
            self.told = Some(text);
        }
        wait
    }

    fn are_over(&mut self) {
        if self.count > 0 {
            tracing::info!(failures = self.count, "updates of the bot come in again");
            *self = Self::default();
        }
    }
}
