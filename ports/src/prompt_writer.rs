//! The language model that writes prompts.

use async_trait::async_trait;
use domain::prompt::WritingTask;

use crate::{Photo, PortError};

/// Writes prompts.
///
/// A failure of any kind is survivable: the caller falls back to the template's own words.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait PromptWriter: Send + Sync {
    /// The language model's answer, as it came.
    async fn write(&self, task: &WritingTask, photo: &Photo) -> Result<String, PortError>;
}
