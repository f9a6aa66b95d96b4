//! What the bot asked for, and what it should not have.

use domain::time::Timestamp;

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// As it was asked for.
    Done,
    /// Refused: the status and the text.
    Refused(u16, String),
    /// Done, and nobody heard of it.
    AnswerLost,
    /// Not done, and nobody heard of it.
    RequestLost,
}

/// A call. Never the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallLine {
    /// When it was answered.
    pub at: Timestamp,
    /// The method, as the bot spelled it.
    pub method: String,
    /// The chat it was about.
    pub chat: Option<i64>,
    /// How it ended.
    pub outcome: Outcome,
}

/// A rule of Telegram that bots are to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Messages and edits of a chat come at its pace.
    Pace,
    /// After a 429 a chat is left alone until its time has come.
    RetryAfter,
    /// After a 403 a chat is left alone until the user is back.
    Blocked,
    /// Every tap is answered in time.
    TapAnswered,
    /// Every pre-checkout query is answered within 10 s.
    PreCheckoutAnswered,
    /// Updates are asked for by one poll at a time.
    OnePoller,
    /// No request is malformed.
    WellFormed,
    /// No waiting update is thrown away, for it may be a payment.
    NothingDropped,
    /// What is needed is subscribed to.
    Subscribed,
}

/// A rule that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// When.
    pub at: Timestamp,
    /// In which chat.
    pub chat: Option<i64>,
    /// Which rule.
    pub rule: Rule,
    /// How.
    pub what: String,
}

/// How many calls and violations are remembered: a server runs for long.
const REMEMBERED_MAX: usize = 200_000;

/// The log.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) calls: Vec<CallLine>,
    pub(super) violations: Vec<Violation>,
}

impl Log {
    pub(super) fn call(&mut self, line: CallLine) {
        if self.calls.len() >= REMEMBERED_MAX {
            self.calls.drain(..REMEMBERED_MAX / 2);
        }
        self.calls.push(line);
    }

    pub(super) fn broken(&mut self, rule: Rule, chat: Option<i64>, at: Timestamp, what: impl Into<String>) {
        if self.violations.len() < REMEMBERED_MAX {
            self.violations.push(Violation { at, chat, rule, what: what.into() });
        }
    }
}
