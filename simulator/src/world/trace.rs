//! What happened in a trial, as its stores and messengers saw it.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::{
    id::KeyId,
    job::{State, StateName, Step},
    ledger::EntryKind,
    notice::{Audience, NoticeKind, RefundCause},
    time::Timestamp,
};

use crate::trace::{AccountNo, Creation, Event, Kind, Observer};

/// One stored step of one job.
#[derive(Debug, Clone, PartialEq)]
pub struct StepSeen {
    /// When it was stored.
    pub at: Timestamp,
    /// Which video of the order: `(number, of)`.
    pub video: (u8, u8),
    /// The state afterwards.
    pub state: StateName,
    /// Why, if it ended in a refund.
    pub cause: Option<RefundCause>,
    /// A retry that was decided on: its number and the delay before it.
    pub retry: Option<(u8, Duration)>,
    /// The key of a submission that begins with this step.
    pub submits_with: Option<KeyId>,
    /// When the job is next due.
    pub next_run_at: Option<Timestamp>,
    /// Kinds of the ledger entries stored with it.
    pub entries: Vec<EntryKind>,
}

/// Something worth showing at once.
#[derive(Debug, Clone)]
pub enum Moment<'a> {
    /// The order stands: this many videos.
    Placed(u8),
    /// A step was stored.
    Step(&'a StepSeen),
    /// A text went to somebody.
    Text {
        /// When.
        at: Timestamp,
        /// To whom.
        to: Audience,
        /// The text.
        text: &'a str,
    },
}

/// Whoever watches a trial.
pub type Watcher = Arc<dyn Fn(&Moment<'_>) + Send + Sync>;

/// The record of a trial.
#[derive(Clone)]
pub(super) struct Trace {
    shared: Arc<Shared>,
}

struct Shared {
    record: Mutex<Record>,
    watcher: Watcher,
}

/// Everything recorded.
#[derive(Debug, Default, Clone)]
pub(super) struct Record {
    pub(super) steps: Vec<StepSeen>,
    /// Videos handed over: number and when.
    pub(super) handed_over: Vec<(u8, Timestamp)>,
    pub(super) texts: Vec<(Timestamp, Audience, String)>,
    /// Every createTask call: its account, and the code of a refusal.
    pub(super) creations: Vec<(Option<AccountNo>, Option<i64>)>,
    /// Messages that were given up.
    pub(super) given_up: usize,
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trace").field("record", &*self.record()).finish_non_exhaustive()
    }
}

impl Trace {
    pub(super) fn new(watcher: Watcher) -> Self {
        Self { shared: Arc::new(Shared { record: Mutex::default(), watcher }) }
    }

    pub(super) fn record(&self) -> MutexGuard<'_, Record> {
        self.shared.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, change: impl FnOnce(&mut Record)) {
        change(&mut self.record());
    }

    pub(super) fn text(&self, at: Timestamp, to: Audience, text: &str) {
        (self.shared.watcher)(&Moment::Text { at, to, text });
        self.note(|record| record.texts.push((at, to, text.to_owned())));
    }

    pub(super) fn handed_over(&self, number: u8, at: Timestamp) {
        self.note(|record| record.handed_over.push((number, at)));
    }
}

impl Observer for Trace {
    fn see(&mut self, event: &Event<'_>) {
        match event.kind {
            Kind::Placed { videos, .. } => (self.shared.watcher)(&Moment::Placed(videos)),
            Kind::Stepped { step, .. } => {
                let seen = seen(step, event.at);
                (self.shared.watcher)(&Moment::Step(&seen));
                self.note(|record| record.steps.push(seen));
            }
            Kind::NoticeClosed { given_up: true, .. } => self.note(|record| record.given_up += 1),
            Kind::Created { account, outcome, .. } => self.note(|record| match outcome {
                Creation::Task { .. } => record.creations.push((account, None)),
                Creation::Refused { code } => record.creations.push((account, Some(code))),
                Creation::NeverSeen => {}
            }),
            _ => {}
        }
    }
}

fn seen(step: &Step, at: Timestamp) -> StepSeen {
    let retry = step.notices.iter().find_map(|notice| match notice.kind {
        NoticeKind::Retrying { retry, delay, .. } => Some((retry, delay)),
        _ => None,
    });
    let submits_with = match &step.job.state {
        State::Submitting { open: Some(open) } if open.sent_at == at => Some(open.key.clone()),
        _ => None,
    };
    let cause = match step.job.state {
        State::Refunded { cause, .. } => Some(cause),
        _ => None,
    };
    StepSeen {
        at,
        video: step.job.video,
        state: step.job.state.name(),
        cause,
        retry,
        submits_with,
        next_run_at: step.next_run_at,
        entries: step.entries.iter().map(|entry| entry.kind).collect(),
    }
}
