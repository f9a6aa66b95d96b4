//! The video provider.

use std::{path::Path, time::Duration};

use async_trait::async_trait;
use domain::{
    failure::Failure,
    id::{AttemptId, KeyId, ModelId, TaskId},
};

use crate::Photo;

/// What came of a call to the provider. Every call has three outcomes, and none of them is an exception.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply<T> {
    /// The provider did it.
    Yes(T),
    /// The provider said no, or the call never left: nothing was done.
    No(ProviderRefusal),
    /// It may have been done or not: no answer, a broken one, or one that cannot be read. Says what was seen.
    Unknown(String),
}

impl<T> Reply<T> {
    /// The same reply, with what a yes brought turned into something else.
    pub fn map<U>(self, turn: impl FnOnce(T) -> U) -> Reply<U> {
        match self {
            Self::Yes(said) => Reply::Yes(turn(said)),
            Self::No(refusal) => Reply::No(refusal),
            Self::Unknown(seen) => Reply::Unknown(seen),
        }
    }
}

/// The provider's no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderRefusal {
    /// What kind of failure it is.
    pub failure: Failure,
    /// What was literally said, shortened; for logs and the attempt's record, never for users.
    pub evidence: String,
    /// How long the provider asked to be left alone, when it said so.
    pub retry_after: Option<Duration>,
}

/// The path under our public address at which the provider tells that a task has ended; the attempt's id follows.
pub const CALLBACK_PATH: &str = "/kie/callback/";

/// One render to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoRequest<'a> {
    /// The model.
    pub model: &'a ModelId,
    /// The finished prompt.
    pub prompt: &'a str,
    /// The photo as the provider holds it.
    pub photo_url: &'a str,
    /// Where the provider is to tell that the task has ended; nowhere when it cannot reach us.
    pub callback_url: Option<&'a str>,
}

/// How a render is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RenderStatus {
    /// Not finished.
    Running,
    /// Finished; the video lies at the URL.
    Finished {
        /// Where.
        url: String,
    },
    /// Failed.
    Failed(ProviderRefusal),
    /// The lookup does not know the task (yet).
    UnknownTask,
}

/// The video provider, one key at a time.
///
/// Laws: no call panics or hangs past its time-out, whatever the other side answers; every no carries a class;
/// `create` answers [`Reply::No`] only when no task can exist.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait VideoApi: Send + Sync {
    /// Uploads a photo under a name of its own and returns where the provider serves it.
    async fn upload(&self, key: &KeyId, name: AttemptId, photo: &Photo) -> Reply<String>;

    /// Creates a render task. There is no idempotency key: after [`Reply::Unknown`] the task may exist.
    async fn create<'a>(&self, key: &KeyId, request: VideoRequest<'a>) -> Reply<TaskId>;

    /// Looks at a task, with the key that created it.
    async fn status(&self, key: &KeyId, model: &ModelId, task: &TaskId) -> Reply<RenderStatus>;

    /// Exchanges a result's address for one that is valid for a while, when the first no longer works.
    async fn fresh_link(&self, key: &KeyId, url: &str) -> Reply<String>;

    /// Downloads a result into `file`, at most `bytes_max` of it, and returns its size in bytes. A file that is
    /// not a video is a no.
    async fn download(&self, url: &str, file: &Path, bytes_max: u64) -> Reply<u64>;

    /// What is left on the key's account, in the provider's own credits.
    async fn balance(&self, key: &KeyId) -> Reply<f64>;
}
