//! What the oracle remembers of a live job and a live order.

use std::collections::VecDeque;

use domain::{
    failure::Failure,
    id::{AttemptId, JobId, UserId},
    job::{AttemptStatus, State, Step},
    notice::{Audience, NoticeKind},
    priority::Priority,
    time::Timestamp,
};

use super::print;
use crate::trace::{JobNo, OrderNo, ProcessNo};

/// Where a job stands. Submitting is two stages: before the call and after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Queued,
    Prompting,
    /// Submitting, nothing sent.
    Ready,
    /// Submitting, the answer awaited.
    Awaiting,
    Rendering,
    Delivering,
    Done,
    Refunded,
    Cancelled,
}

impl Stage {
    pub(super) const fn of(state: &State) -> Self {
        match state {
            State::Queued => Self::Queued,
            State::Prompting => Self::Prompting,
            State::Submitting { open: None } => Self::Ready,
            State::Submitting { open: Some(_) } => Self::Awaiting,
            State::Rendering { .. } => Self::Rendering,
            State::Delivering { .. } => Self::Delivering,
            State::Done { .. } => Self::Done,
            State::Refunded { .. } => Self::Refunded,
            State::Cancelled { .. } => Self::Cancelled,
        }
    }

    pub(super) const fn is_end(self) -> bool {
        matches!(self, Self::Done | Self::Refunded | Self::Cancelled)
    }
}

/// How a job ended, in what is left of it.
pub(super) mod mark {
    /// Delivered.
    pub(in crate::oracle) const DONE: u8 = 0;
    /// Refunded, and its video existed.
    pub(in crate::oracle) const REFUNDED_LATE: u8 = 1;
    /// Refunded before there was a video.
    pub(in crate::oracle) const REFUNDED: u8 = 2;
    /// Cancelled.
    pub(in crate::oracle) const CANCELLED: u8 = 3;
}

/// Who holds a job.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hold {
    pub(super) process: ProcessNo,
    pub(super) lease: i64,
    pub(super) since: Timestamp,
    /// When the worker last heard from outside about this job: its step was decided no earlier.
    pub(super) heard_at: Timestamp,
}

/// A live job.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) order: OrderNo,
    pub(super) user: UserId,
    pub(super) video: (u8, u8),
    /// Its id and birth, once a step has told them.
    pub(super) born: Option<(JobId, Timestamp)>,
    pub(super) stage: Stage,
    pub(super) attempt: Option<AttemptId>,
    /// When the present attempt was recorded.
    pub(super) sent_at: Timestamp,
    pub(super) retries: u8,
    pub(super) lost_answers: u8,
    pub(super) delivery_failures: u8,
    /// Rescues since the last step.
    pub(super) rescues: u8,
    pub(super) prompt: Option<u64>,
    pub(super) photo: Option<u64>,
    /// Whether it finds out for all others whether the provider works again.
    pub(super) is_probe: bool,
    /// Whether its user was told of an outage that holds it.
    pub(super) is_held: bool,

    /// The newest lease number there is.
    pub(super) newest: i64,
    pub(super) hold: Option<Hold>,
    /// The hold that was superseded last, and when: a step under it may be told within the same instant.
    pub(super) superseded: Option<(Hold, Timestamp)>,
    /// Whether it was ever rescued: what is heard of it may then be for a former holder.
    pub(super) was_rescued: bool,

    pub(super) due_at: Option<Timestamp>,
    /// Its place among those that are due.
    pub(super) sort_at: Timestamp,
    /// When it was last let go of.
    pub(super) free_since: Timestamp,
    /// Grows whenever its place in the queue changes.
    pub(super) ticket: u32,
    /// Since when less urgent jobs are taken although it is the most urgent one.
    pub(super) passed_over_since: Option<Timestamp>,

    /// Whether the messenger confirmed its video under the present lease.
    pub(super) confirmed_in_hold: bool,
    /// Whether the user has its video, whatever anybody was told.
    pub(super) arrived: bool,
    /// Whether it changed hands while its video was handed over: a confirmation may then be the former holder's.
    pub(super) changed_hands: bool,

    /// Attempts recorded.
    pub(super) recorded: u32,
    /// createTask calls the provider worked on.
    pub(super) calls: u32,
    /// Attempts written off without an answer.
    pub(super) lost: u32,
    /// The task that exists for the present attempt.
    pub(super) task: Option<u64>,
    /// When it was made.
    pub(super) made_at: Timestamp,
    /// Whether the provider saw the present attempt.
    pub(super) seen_call: bool,
    /// The code with which the provider refused the present attempt, if it did.
    pub(super) refused_with: Option<i64>,
    /// Whether an earlier attempt was never seen by the provider, and may still arrive there.
    pub(super) unseen_earlier: bool,
}

impl Live {
    pub(super) fn placed(order: OrderNo, user: UserId, video: (u8, u8), at: Timestamp) -> Self {
        Self {
            order,
            user,
            video,
            born: None,
            stage: Stage::Queued,
            attempt: None,
            sent_at: at,
            retries: 0,
            lost_answers: 0,
            delivery_failures: 0,
            rescues: 0,
            prompt: None,
            photo: None,
            is_probe: false,
            is_held: false,
            newest: 0,
            hold: None,
            superseded: None,
            was_rescued: false,
            due_at: Some(at),
            sort_at: if video.0 == 1 { Priority::First } else { Priority::Further }.sort_at(at),
            free_since: at,
            ticket: 0,
            passed_over_since: None,
            confirmed_in_hold: false,
            arrived: false,
            changed_hands: false,
            recorded: 0,
            calls: 0,
            lost: 0,
            task: None,
            made_at: at,
            seen_call: false,
            refused_with: None,
            unseen_earlier: false,
        }
    }

    /// Its holder heard something from outside.
    pub(super) fn hears(&mut self, at: Timestamp) {
        if let Some(hold) = self.hold.as_mut().filter(|_| !self.was_rescued) {
            hold.heard_at = at;
        }
    }

    /// Follows a step that was stored. What it was checked for is checked before.
    pub(super) fn follow(&mut self, told: &Told<'_>) {
        let job = &told.step.job;
        if told.status() == Some(AttemptStatus::Sent) {
            self.attempt = told.step.attempt.as_ref().map(|change| change.id);
            self.sent_at = match &job.state {
                State::Submitting { open: Some(open) } => open.sent_at,
                _ => told.at,
            };
            self.unseen_earlier |= self.recorded > 0 && !self.seen_call;
            self.recorded += 1;
            self.task = None;
            self.seen_call = false;
            self.refused_with = None;
        }
        if told.status() == Some(AttemptStatus::Lost) {
            self.lost += 1;
        }
        self.born = Some((job.id, job.created_at));
        self.stage = told.to;
        self.retries = job.retries;
        self.lost_answers = job.lost_answers;
        self.delivery_failures = job.delivery_failures;
        self.rescues = 0;
        self.prompt = told.prompt;
        self.photo = told.photo;
        self.is_probe = job.is_probe;
        self.is_held = job.held_since.is_some();
        self.due_at = told.step.next_run_at;
        self.sort_at = job.sort_at();
    }
}

/// A stored step as it was told, with what every check wants to know of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told<'a> {
    pub(super) at: Timestamp,
    pub(super) process: Option<ProcessNo>,
    pub(super) lease: Option<i64>,
    pub(super) step: &'a Step,
    pub(super) to: Stage,
    /// The step was decided no earlier than this.
    pub(super) decided_from: Timestamp,
    pub(super) prompt: Option<u64>,
    pub(super) photo: Option<u64>,
}

impl<'a> Told<'a> {
    pub(super) fn new(
        live: &Live,
        at: Timestamp,
        by: (Option<ProcessNo>, Option<i64>),
        step: &'a Step,
    ) -> Self {
        let (process, lease) = by;
        let former = live.superseded.map(|(hold, _)| hold);
        let hold = live.hold.into_iter().chain(former).find(|hold| Some(hold.lease) == lease);
        Self {
            at,
            process,
            lease,
            step,
            to: Stage::of(&step.job.state),
            decided_from: hold.map_or(at, |hold| hold.heard_at),
            prompt: step.job.prompt.as_ref().map(|prompt| print::of_text(prompt.as_str())),
            photo: step.job.photo.as_ref().map(|photo| print::of_text(&photo.url)),
        }
    }

    pub(super) fn status(&self) -> Option<AttemptStatus> {
        self.step.attempt.as_ref().map(|change| change.status)
    }

    pub(super) fn failure(&self) -> Option<Failure> {
        self.step.attempt.as_ref().and_then(|change| change.failure)
    }

    /// Whether the job was given up because its workers died of it.
    pub(super) fn is_abandoned(&self) -> bool {
        self.step.notices.iter().any(|notice| notice.kind == NoticeKind::JobAbandoned)
    }
}

/// A message that was written: about which job, and what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) job: Option<JobNo>,
    pub(super) print: u64,
}

/// The messages of one order to one audience.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Written and not closed, in order.
    pub(super) open: VecDeque<Said>,
    /// When the first of them was confirmed, if it was.
    pub(super) confirmed_at: Option<Timestamp>,
}

/// An order of which a job or a message is open.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) user: UserId,
    pub(super) first_job: JobNo,
    pub(super) open_jobs: u8,
    /// To the user, and to the operator.
    pub(super) lines: [Line; 2],
}

impl Order {
    pub(super) fn line(&mut self, audience: Audience) -> &mut Line {
        let [user, operator] = &mut self.lines;
        if audience == Audience::Operator { operator } else { user }
    }

    pub(super) fn is_over(&self) -> bool {
        self.open_jobs == 0 && self.lines.iter().all(|line| line.open.is_empty())
    }
}
