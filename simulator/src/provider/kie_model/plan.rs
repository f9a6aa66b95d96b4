//! What goes wrong, and when.

use std::time::Duration;

use super::words::No;
use crate::time::chance;

/// A kind of call the provider answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Call {
    /// createTask.
    Create,
    /// recordInfo.
    Look,
    /// Uploading a file.
    Upload,
    /// Downloading a result.
    Download,
    /// Exchanging a result's address for a fresh one.
    FreshLink,
    /// Reading the balance.
    Balance,
}

/// Which of the calls (or tasks) of one kind a plan means.
#[derive(Debug, Clone, PartialEq)]
pub enum When {
    /// All of them.
    Always,
    /// The first so many.
    First(u64),
    /// Only this one, counted from 1.
    Nth(u64),
    /// Each so many-th: the second, fourth, sixth… for 2.
    Every(u64),
    /// Each with this probability, drawn by its number, so that another order of calls changes nothing.
    Chance(f64),
    /// Those whose body holds this text. Calls without a body are never meant.
    Holding(String),
}

/// What the provider does instead of answering as it should.
#[derive(Debug, Clone, PartialEq)]
pub enum Trouble {
    /// Refuses with these words and does nothing.
    Refuse(No),
    /// Does nothing; the gateway in front of it answers with a page of HTML.
    GatewayPage,
    /// Does its work and drops the connection without an answer.
    AnswerLost,
    /// Does its work and sends the first half of the answer.
    AnswerCut,
}

/// What becomes of a task that was accepted.
#[derive(Debug, Clone, PartialEq)]
pub enum Fate {
    /// Fails so long after its creation; with `None`, when it would have been finished.
    Fails {
        /// How long after.
        after: Option<Duration>,
        /// The `failCode`.
        code: String,
        /// The `failMsg`.
        msg: String,
    },
    /// Stays unfinished for ever: seen to happen for hours, and there is no cancel.
    NeverEnds,
    /// Succeeds without the address of a result.
    NoResult,
    /// Succeeds, and the first address of the result is dead; one got by exchange works.
    DeadLink,
    /// Succeeds, and the lookup does not know the task for so long after its creation.
    UnseenFor(Duration),
    /// Succeeds, and is in a state nobody has documented meanwhile.
    StrangeState(String),
}

/// Everything that goes wrong in one run. The first match of each list counts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FailPlan {
    /// Troubles with calls, counted per kind of call.
    pub troubles: Vec<(Call, When, Trouble)>,
    /// Fates of tasks, counted over accepted tasks.
    pub fates: Vec<(When, Fate)>,
}

impl FailPlan {
    /// A plan with one more trouble.
    #[must_use]
    pub fn with(mut self, call: Call, when: When, trouble: Trouble) -> Self {
        self.troubles.push((call, when, trouble));
        self
    }

    /// A plan with one more fate.
    #[must_use]
    pub fn with_fate(mut self, when: When, fate: Fate) -> Self {
        self.fates.push((when, fate));
        self
    }

    /// Whether any part of the plan looks at what a request says.
    pub(super) fn reads_bodies(&self) -> bool {
        let reads = |when: &When| matches!(when, When::Holding(_));
        self.troubles.iter().any(|(_, when, _)| reads(when)) || self.fates.iter().any(|(when, _)| reads(when))
    }

    pub(super) fn trouble(&self, call: Call, number: u64, body: &str, seed: u64) -> Option<&Trouble> {
        let meant = |(of, when, _): &&(Call, When, Trouble)| *of == call && when.means(number, body, seed);
        self.troubles.iter().find(meant).map(|(_, _, trouble)| trouble)
    }

    pub(super) fn fate(&self, number: u64, body: &str, seed: u64) -> Option<&Fate> {
        self.fates.iter().find(|(when, _)| when.means(number, body, seed)).map(|(_, fate)| fate)
    }
}

impl When {
    fn means(&self, number: u64, body: &str, seed: u64) -> bool {
        match self {
            Self::Always => true,
            Self::First(count) => number <= *count,
            Self::Nth(nth) => number == *nth,
            Self::Every(each) => *each > 0 && number.is_multiple_of(*each),
            Self::Chance(probability) => chance(seed, &format!("plan {number}")) < *probability,
            Self::Holding(text) => !body.is_empty() && body.contains(text),
        }
    }
}
