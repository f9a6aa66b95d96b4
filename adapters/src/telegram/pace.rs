//! How fast we may write.
//!
//! Telegram takes about one message a second in a chat, with short bursts, and some thirty a second of what nobody
//! asked for (Bots FAQ, "My bot is hitting limits"). Edits count (tdlib/telegram-bot-api, issue 736). What it really
//! allows is not published, so a 429 has the last word, for its chat alone.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use domain::{id::UserId, time::Timestamp};
use rustc_hash::FxHashMap;

/// The time a message costs its chat, in milliseconds.
const CHAT_MS: i64 = 1_000;
/// So many may go at once to a chat that was left alone.
const CHAT_BURST: i64 = 3;
/// The time a bulk message costs all of them, in milliseconds: 25 a second, some room below thirty.
const BULK_MS: i64 = 40;
/// So many bulk messages may go at once.
const BULK_BURST: i64 = 5;
/// A chat nothing was sent to for so long is forgotten, in milliseconds.
const FORGET_MS: i64 = 60_000;

/// Why a message goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The chat's own user did something, or ordered something.
    Theirs,
    /// It goes to many who did not ask.
    Bulk,
    /// Its turn was reserved, and has come.
    Reserved,
}

/// Who may be written to now. In memory and of this process: a wrong guess costs a 429.
#[derive(Debug, Default)]
pub(super) struct Pace {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    chats: FxHashMap<UserId, Line>,
    bulk: Bucket,
    swept_at: i64,
}

/// One chat's.
#[derive(Debug, Clone, Copy, Default)]
struct Line {
    bucket: Bucket,
    closed_until: i64,
}

/// Room for messages, as the time at which all of it is there again (the generic cell rate algorithm).
#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    full_at: i64,
}

impl Bucket {
    /// When the next message may go.
    const fn opens_at(self, cost: i64, burst: i64) -> i64 {
        self.full_at - (burst - 1) * cost
    }

    fn take(&mut self, cost: i64, now: i64) {
        self.full_at = self.full_at.max(now) + cost;
    }
}

impl Pace {
    /// Takes the room for one message, or says when there is some.
    pub(super) fn take(&self, chat: UserId, cause: Cause, now: Timestamp) -> Result<(), Timestamp> {
        if cause == Cause::Reserved {
            return Ok(());
        }
        let now = now.as_millis();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.sweep(now);
        let line = state.chats.get(&chat).copied().unwrap_or_default();
        let mut opens_at = line.closed_until.max(line.bucket.opens_at(CHAT_MS, CHAT_BURST));
        if cause == Cause::Bulk {
            opens_at = opens_at.max(state.bulk.opens_at(BULK_MS, BULK_BURST));
        }
        if opens_at > now {
            return Err(Timestamp::from_millis(opens_at));
        }
        if cause == Cause::Bulk {
            state.bulk.take(BULK_MS, now);
        }
        state.chats.entry(chat).or_default().bucket.take(CHAT_MS, now);
        Ok(())
    }

    /// Takes the room for a video, and says when it may go: what was downloaded to be sent is better kept for some seconds
    /// than downloaded again. When it would have to be kept for longer than `patience`, nothing is taken.
    pub(super) fn reserve(
        &self,
        chat: UserId,
        patience: Duration,
        now: Timestamp,
    ) -> Result<Timestamp, Timestamp> {
        let latest = now.after(patience).as_millis();
        let now = now.as_millis();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.sweep(now);
        let line = state.chats.entry(chat).or_default();
        let opens_at = line.closed_until.max(line.bucket.opens_at(CHAT_MS, CHAT_BURST)).max(now);
        if opens_at > latest {
            return Err(Timestamp::from_millis(opens_at));
        }
        line.bucket.take(CHAT_MS, now);
        Ok(Timestamp::from_millis(opens_at))
    }

    /// Telegram wants this chat left alone.
    pub(super) fn close(&self, chat: UserId, pause: Duration, now: Timestamp) {
        let until = now.after(pause).as_millis();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let line = state.chats.entry(chat).or_default();
        line.closed_until = line.closed_until.max(until);
    }

    /// How many chats are remembered.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).chats.len()
    }
}

impl State {
    /// Forgets, once a minute, those nothing is known of any more. What is remembered is bounded by what was sent in two.
    fn sweep(&mut self, now: i64) {
        if now - self.swept_at < FORGET_MS {
            return;
        }
        self.swept_at = now;
        self.chats.retain(|_, line| line.closed_until > now || line.bucket.full_at > now - FORGET_MS);
    }
}
