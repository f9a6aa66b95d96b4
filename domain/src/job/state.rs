//! Where a job can stand.

use crate::{
    id::{AttemptId, KeyId, TaskId},
    notice::RefundCause,
    time::Timestamp,
};

/// The photo as the provider holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadedPhoto {
    /// Where the provider serves it.
    pub url: String,
    /// When it was uploaded.
    pub at: Timestamp,
}

/// A submission that was recorded before the call and has no answer yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenAttempt {
    /// Its id.
    pub id: AttemptId,
    /// The key it was sent with.
    pub key: KeyId,
    /// When it was recorded.
    pub sent_at: Timestamp,
}

/// Where a job stands, with what that stage needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Ordered and paid for.
    Queued,
    /// Its prompt is being written.
    Prompting,
    /// It is on its way to the provider.
    Submitting {
        /// The recorded submission whose answer is awaited, if one is.
        open: Option<OpenAttempt>,
    },
    /// The provider works on it.
    Rendering {
        /// The attempt.
        attempt: AttemptId,
        /// The key that created the task; looks use the same.
        key: KeyId,
        /// The provider's task.
        task: TaskId,
        /// When the provider accepted it.
        since: Timestamp,
    },
    /// The video exists and has to be handed over.
    Delivering {
        /// The attempt that made it.
        attempt: AttemptId,
        /// Its key, for fresh links.
        key: KeyId,
        /// The provider's task.
        task: TaskId,
        /// Where the video lies.
        url: String,
    },
    /// Handed over; its credit is captured.
    Done {
        /// When.
        at: Timestamp,
    },
    /// Not made; its credit is released.
    Refunded {
        /// Why.
        cause: RefundCause,
        /// When.
        at: Timestamp,
    },
    /// Cancelled by the user or operator; its credit is released.
    Cancelled {
        /// When.
        at: Timestamp,
    },
}

/// A state without its data, for stores, reports and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StateName {
    /// [`State::Queued`].
    Queued,
    /// [`State::Prompting`].
    Prompting,
    /// [`State::Submitting`].
    Submitting,
    /// [`State::Rendering`].
    Rendering,
    /// [`State::Delivering`].
    Delivering,
    /// [`State::Done`].
    Done,
    /// [`State::Refunded`].
    Refunded,
    /// [`State::Cancelled`].
    Cancelled,
}

impl StateName {
    /// Every state, in the order a job passes them.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Prompting,
        Self::Submitting,
        Self::Rendering,
        Self::Delivering,
        Self::Done,
        Self::Refunded,
        Self::Cancelled,
    ];

    /// The word used in stores and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Prompting => "prompting",
            Self::Submitting => "submitting",
            Self::Rendering => "rendering",
            Self::Delivering => "delivering",
            Self::Done => "done",
            Self::Refunded => "refunded",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state a word stands for.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.as_str() == word)
    }

    /// Whether a job in it is finished for good.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Done | Self::Refunded | Self::Cancelled)
    }
}

impl State {
    /// Its name.
    #[must_use]
    pub const fn name(&self) -> StateName {
        match self {
            Self::Queued => StateName::Queued,
            Self::Prompting => StateName::Prompting,
            Self::Submitting { .. } => StateName::Submitting,
            Self::Rendering { .. } => StateName::Rendering,
            Self::Delivering { .. } => StateName::Delivering,
            Self::Done { .. } => StateName::Done,
            Self::Refunded { .. } => StateName::Refunded,
            Self::Cancelled { .. } => StateName::Cancelled,
        }
    }

    /// Whether the job renders, or has rendered, this task of this attempt.
    #[must_use]
    pub fn has_task(&self, id: AttemptId, name: &TaskId) -> bool {
        match self {
            Self::Rendering { attempt, task, .. } | Self::Delivering { attempt, task, .. } => {
                *attempt == id && task == name
            }
            Self::Queued
            | Self::Prompting
            | Self::Submitting { .. }
            | Self::Done { .. }
            | Self::Refunded { .. }
            | Self::Cancelled { .. } => false,
        }
    }

    /// Whether the job is finished for good.
    #[must_use]
    pub const fn is_terminal(&self) -> bool {
        self.name().is_terminal()
    }
}
