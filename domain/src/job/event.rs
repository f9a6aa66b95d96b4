//! What can happen to a job.

use crate::{
    failure::Failure,
    id::{AttemptId, KeyId, ModelId, TaskId},
    prompt::Prompt,
    time::Timestamp,
};

/// What happened. Events about the provider name the attempt they belong to, so that the answer to an older
/// attempt cannot move a newer one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A worker took the job into work.
    Started,
    /// The prompt is finished.
    PromptReady {
        /// The prompt.
        prompt: Prompt,
    },
    /// The provider holds the photo.
    PhotoUploaded {
        /// Where it serves it.
        url: String,
    },
    /// The provider did not take the photo.
    UploadFailed {
        /// The key it was tried with.
        key: KeyId,
        /// What kind of failure.
        failure: Failure,
    },
    /// A key was chosen; the submission is recorded and about to be sent.
    AttemptOpened {
        /// The attempt.
        attempt: AttemptId,
        /// Its key.
        key: KeyId,
        /// The model it asks for.
        model: ModelId,
    },
    /// Every usable key is at a limit.
    KeysBusy {
        /// When to ask again.
        until: Timestamp,
    },
    /// No key can pay or is accepted.
    NoKeyLeft,
    /// The provider offers none of the models the job may be rendered with.
    NoModelLeft,
    /// The provider is down, and somebody else finds out when it is back.
    ProviderDown {
        /// When to ask again.
        until: Timestamp,
    },
    /// The provider is down, and this job finds out whether it is back.
    ProbeTaken,
    /// The provider accepted the task.
    Accepted {
        /// Which attempt.
        attempt: AttemptId,
        /// The provider's name for it.
        task: TaskId,
    },
    /// The task of a submission whose answer was lost has shown itself after all, from outside the lease: it exists and
    /// may be finished by now.
    Adopted {
        /// Which attempt.
        attempt: AttemptId,
        /// The provider's name for it.
        task: TaskId,
    },
    /// The provider refused the task.
    Refused {
        /// Which attempt.
        attempt: AttemptId,
        /// What kind of failure.
        failure: Failure,
    },
    /// No answer came, or the worker died before it could be written down: the task may exist or not.
    AnswerMissing {
        /// Which attempt.
        attempt: AttemptId,
    },
    /// The render is not finished, or the look itself failed: look again later.
    NotReady {
        /// Which attempt.
        attempt: AttemptId,
    },
    /// The provider's lookup does not know the task.
    TaskUnknown {
        /// Which attempt.
        attempt: AttemptId,
    },
    /// The render failed.
    RenderFailed {
        /// Which attempt.
        attempt: AttemptId,
        /// What kind of failure.
        failure: Failure,
    },
    /// The render is finished.
    Rendered {
        /// Which attempt.
        attempt: AttemptId,
        /// Where the video lies.
        url: String,
    },
    /// The user has the video.
    Delivered {
        /// Which attempt.
        attempt: AttemptId,
    },
    /// The video could not be handed over.
    DeliveryFailed {
        /// Which attempt.
        attempt: AttemptId,
        /// How.
        failure: DeliveryFailure,
    },
    /// Every worker that tried the next step died of it.
    Abandoned,
    /// The user or operator does not want the video any more.
    CancelRequested,
}

/// How handing over failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeliveryFailure {
    /// The download or the sending failed and may work later. An unanswered sending belongs here too: a second
    /// copy of a video harms nobody, a missing one does.
    Passing,
    /// The recipient cannot be reached any more.
    RecipientGone,
    /// The messenger or the provider refuses this video for good.
    Refused,
}
