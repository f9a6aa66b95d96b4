//! What happened in a trial, as its stores and messengers saw it.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::{
    id::{JobId, KeyId},
    job::{State, StateName, Step},
    ledger::EntryKind,
    notice::{Audience, NoticeKind, RefundCause},
    time::Timestamp,
};
use tokio::sync::Notify;

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
    changed: Notify,
    watcher: Watcher,
}

/// Everything recorded.
#[derive(Debug, Default, Clone)]
pub(super) struct Record {
    pub(super) steps: Vec<StepSeen>,
    pub(super) states: BTreeMap<JobId, StateName>,
    /// Videos handed over: number and when.
    pub(super) handed_over: Vec<(u8, Timestamp)>,
    pub(super) texts: Vec<(Timestamp, Audience, String)>,
    notices_written: usize,
    notices_closed: usize,
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
        Self { shared: Arc::new(Shared { record: Mutex::default(), changed: Notify::new(), watcher }) }
    }

    pub(super) fn record(&self) -> MutexGuard<'_, Record> {
        self.shared.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, change: impl FnOnce(&mut Record)) {
        change(&mut self.record());
        self.shared.changed.notify_one();
    }

    pub(super) fn placed(&self, jobs: &[JobId], notices: usize) {
        self.note(|record| {
            record.states.extend(jobs.iter().map(|job| (*job, StateName::Queued)));
            record.notices_written += notices;
        });
        (self.shared.watcher)(&Moment::Placed(u8::try_from(jobs.len()).unwrap_or(u8::MAX)));
    }

    pub(super) fn step(&self, step: &Step, at: Timestamp) {
        let seen = seen(step, at);
        (self.shared.watcher)(&Moment::Step(&seen));
        self.note(|record| {
            record.states.insert(step.job.id, seen.state);
            record.notices_written += step.notices.len();
            record.steps.push(seen);
        });
    }

    pub(super) fn notice_closed(&self, given_up: bool) {
        self.note(|record| {
            record.notices_closed += 1;
            record.given_up += usize::from(given_up);
        });
    }

    pub(super) fn text(&self, at: Timestamp, to: Audience, text: &str) {
        (self.shared.watcher)(&Moment::Text { at, to, text });
        self.note(|record| record.texts.push((at, to, text.to_owned())));
    }

    pub(super) fn handed_over(&self, number: u8, at: Timestamp) {
        self.note(|record| record.handed_over.push((number, at)));
    }

    /// Returns when every job is finished and every message is out or given up.
    pub(super) async fn settled(&self) {
        loop {
            {
                let record = self.record();
                let jobs_done = !record.states.is_empty() && record.states.values().all(|s| s.is_terminal());
                if jobs_done && record.notices_closed >= record.notices_written {
                    return;
                }
            }
            self.shared.changed.notified().await;
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
