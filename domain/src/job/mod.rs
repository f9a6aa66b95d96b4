//! A job: one video of an order, from the queue to a captured or released credit.
//!
//! [`apply`] is the whole state machine: a pure function from a job and an event to a [`Step`]. Whoever runs it
//! stores the step in one transaction, guarded by the lease under which the job was read.

mod event;
mod opening;
mod state;
mod step;
mod transition;

pub use event::{DeliveryFailure, Event};
pub use opening::{before_upload, open_attempt};
pub use state::{OpenAttempt, State, StateName, UploadedPhoto};
pub use step::{AttemptChange, AttemptStatus, Refusal, Rules, Step};
pub use transition::apply;

use crate::{
    decision::RetryPolicy,
    id::{JobId, KeyId, ModelId, OrderId, UserId},
    priority::Priority,
    prompt::Prompt,
    time::Timestamp,
};

/// One video of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// The order that pays for it.
    pub order: OrderId,
    /// Who gets it.
    pub user: UserId,
    /// Its place in the order, from 1, and the order's number of videos.
    pub video: (u8, u8),
    /// When it was ordered.
    pub created_at: Timestamp,
    /// Where it stands.
    pub state: State,
    /// Retries used up.
    pub retries: u8,
    /// createTask answers that never came.
    pub lost_answers: u8,
    /// Attempts to hand the video over that failed.
    pub delivery_failures: u8,
    /// Rescues from dead or hung workers since the last step that was stored.
    pub rescues: u8,
    /// The finished prompt; kept over retries, so that a retried job is the same job.
    pub prompt: Option<Prompt>,
    /// The photo at the provider; kept over retries while it lasts.
    pub photo: Option<UploadedPhoto>,
    /// The key that failed last; another is preferred.
    pub avoid_key: Option<KeyId>,
    /// The model of the newest submission; before the first one there is none. The ordered model is the order's.
    pub model: Option<ModelId>,
    /// Since when an outage of the provider holds it; its user has been told.
    pub held_since: Option<Timestamp>,
    /// Whether it tries for all others whether the provider works again.
    pub is_probe: bool,
}

/// What a worker does next for a job. One of these is one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Task {
    /// Take the job into work.
    Start,
    /// Have the prompt written.
    WritePrompt,
    /// Hand the photo to the provider.
    UploadPhoto,
    /// Choose a key, record the attempt, create the task.
    Submit,
    /// A submission was recorded and its answer is not known.
    AwaitAnswer,
    /// Look at the render.
    Look,
    /// Fetch the video and hand it over.
    Deliver,
    /// Give the job up: every worker that tried its next step died of it.
    Abandon,
}

impl Job {
    /// A job as its order creates it.
    #[must_use]
    pub const fn queued(id: JobId, order: OrderId, user: UserId, video: (u8, u8), at: Timestamp) -> Self {
        Self {
            id,
            order,
            user,
            video,
            created_at: at,
            state: State::Queued,
            retries: 0,
            lost_answers: 0,
            delivery_failures: 0,
            rescues: 0,
            prompt: None,
            photo: None,
            avoid_key: None,
            model: None,
            held_since: None,
            is_probe: false,
        }
    }

    /// The next step, or nothing for a finished job.
    #[must_use]
    pub fn task(&self, now: Timestamp, retry: &RetryPolicy) -> Option<Task> {
        match &self.state {
            State::Done { .. } | State::Refunded { .. } | State::Cancelled { .. } => None,
            _ if self.rescues >= retry.rescues_max => Some(Task::Abandon),
            State::Queued => Some(Task::Start),
            State::Prompting => Some(Task::WritePrompt),
            State::Submitting { open: Some(_) } => Some(Task::AwaitAnswer),
            State::Submitting { open: None } => {
                let fresh = |p: &UploadedPhoto| now.since(p.at) < retry.upload_valid_for;
                Some(if self.photo.as_ref().is_some_and(fresh) { Task::Submit } else { Task::UploadPhoto })
            }
            State::Rendering { .. } => Some(Task::Look),
            State::Delivering { .. } => Some(Task::Deliver),
        }
    }

    /// The key by which its next step is taken among those that are due: when it was ordered, and the delay of its
    /// priority. A job keeps the place it got when it was ordered, however often it is put off, and what is under way at
    /// the provider goes before a backlog, because it was ordered before it.
    #[must_use]
    pub fn sort_at(&self) -> Timestamp {
        self.priority().sort_at(self.created_at)
    }

    /// How urgent its next step is.
    #[must_use]
    pub const fn priority(&self) -> Priority {
        match (&self.state, self.video.0) {
            (State::Rendering { .. } | State::Delivering { .. }, _) => Priority::InFlight,
            (_, 1) => Priority::First,
            _ => Priority::Further,
        }
    }
}
