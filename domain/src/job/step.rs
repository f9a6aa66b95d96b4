//! What one event changes, and why an event may be refused.

use std::{sync::Arc, time::Duration};

use super::{Job, StateName};
use crate::{
    breaker::{Answer, Breaker},
    circuit::CircuitChange,
    decision::RetryPolicy,
    failure::Failure,
    id::{AttemptId, KeyId, ModelId, TaskId},
    key::{Cooling, CoolingCause},
    ledger::Entry,
    model::RenderTiming,
    notice::Notice,
    time::Timestamp,
};

/// The policy a job is run under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// When and how often to try again.
    pub retry: Arc<RetryPolicy>,
    /// The models the job may be rendered with, in the order they are tried: the ordered one first
    /// ([`crate::model::allowed`]).
    pub models: Vec<ModelId>,
    /// When to look at a render.
    pub timing: RenderTiming,
}

/// Everything one event changes. It is stored whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The job afterwards.
    pub job: Job,
    /// When it is next due; `None` once it is finished.
    pub next_run_at: Option<Timestamp>,
    /// Credits that move.
    pub entries: Vec<Entry>,
    /// Messages that go out.
    pub notices: Vec<Notice>,
    /// What becomes of the attempt.
    pub attempt: Option<AttemptChange>,
    /// The key that is taken out of use for a while.
    pub cooling: Option<(KeyId, Cooling)>,
    /// What was learned about models, in the order it is applied.
    pub circuits: Vec<CircuitChange>,
    /// What the provider's answer says about its health, and with which key it came.
    pub answer: Option<(KeyId, Answer)>,
    /// The breaker, when it is another one afterwards.
    pub breaker: Option<Breaker>,
}

/// A change of one submission's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptChange {
    /// Which one.
    pub id: AttemptId,
    /// The key it uses.
    pub key: KeyId,
    /// Its new status.
    pub status: AttemptStatus,
    /// The provider's task, once known.
    pub task: Option<TaskId>,
    /// What went wrong, if anything.
    pub failure: Option<Failure>,
}

/// How far one submission got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AttemptStatus {
    /// Recorded, about to be sent.
    Sent,
    /// No answer yet: the task may exist.
    Unanswered,
    /// Given up without an answer; a second submission may follow and be paid twice.
    Lost,
    /// The provider refused it.
    Refused,
    /// The provider works on it.
    Running,
    /// The render failed.
    Failed,
    /// The render is finished.
    Rendered,
}

impl AttemptStatus {
    /// Every status.
    pub const ALL: [Self; 7] = [
        Self::Sent,
        Self::Unanswered,
        Self::Lost,
        Self::Refused,
        Self::Running,
        Self::Failed,
        Self::Rendered,
    ];

    /// The word used in stores and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Unanswered => "unanswered",
            Self::Lost => "lost",
            Self::Refused => "refused",
            Self::Running => "running",
            Self::Failed => "failed",
            Self::Rendered => "rendered",
        }
    }

    /// The status a word stands for.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Whether it takes up one of its account's running places: the provider may be working on it.
    #[must_use]
    pub const fn is_in_flight(self) -> bool {
        matches!(self, Self::Sent | Self::Unanswered | Self::Running)
    }
}

/// The event does not apply; nothing changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The job is finished.
    #[error("the job is finished ({})", .0.as_str())]
    Finished(StateName),
    /// The event belongs to another attempt than the job's present one.
    #[error("the event belongs to an attempt that is no longer the job's")]
    StaleAttempt,
    /// The event cannot happen in this state.
    #[error("the event cannot happen to a job that is {}", .0.as_str())]
    OutOfOrder(StateName),
    /// The provider is already at work, so the credit cannot be given back by cancelling.
    #[error("the video is already with the provider and cannot be cancelled")]
    TooLateToCancel,
}

impl Step {
    /// The provider said how long to keep away: a cool-down for haste lasts as long, but no longer than `most`.
    pub fn keep_away(&mut self, asked_for: Duration, most: Duration) {
        if let Some((_, cooling)) = &mut self.cooling
            && cooling.cause == CoolingCause::RateLimited
        {
            cooling.until = cooling.until.max(cooling.since.after(asked_for.min(most)));
        }
    }

    pub(super) fn with_answer(mut self, key: &KeyId, answer: Answer) -> Self {
        self.answer = Some((key.clone(), answer));
        self
    }

    pub(super) fn with_notice(mut self, notice: Notice) -> Self {
        self.notices.push(notice);
        self
    }

    pub(super) fn with_attempt(mut self, id: AttemptId, key: &KeyId, status: AttemptStatus) -> Self {
        self.attempt = Some(AttemptChange { id, key: key.clone(), status, task: None, failure: None });
        self
    }

    pub(super) fn with_failed_attempt(
        self,
        id: AttemptId,
        key: &KeyId,
        status: AttemptStatus,
        failure: Failure,
    ) -> Self {
        let mut step = self.with_attempt(id, key, status);
        if let Some(attempt) = &mut step.attempt {
            attempt.failure = Some(failure);
        }
        step
    }

    pub(super) fn set_task(&mut self, task: TaskId) {
        if let Some(attempt) = &mut self.attempt {
            attempt.task = Some(task);
        }
    }
}
