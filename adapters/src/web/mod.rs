//! The way in over HTTP: callbacks of the provider, updates of Telegram, metrics, and a sign of life.
//!
//! Everything that arrives here was written by strangers until its signature is checked, so a request is refused at the
//! cheapest place that can tell: by its path, its headers, its size, its signature. Each connection carries one request,
//! within limits of bytes and time; so many are served at once, and the rest wait in the system's queue. The house is
//! asked for nothing before a callback is verified, and then by few at a time and once each: a flood of garbage, or of
//! copies, costs some arithmetic and no connection of the database.

mod flood;
mod heard;
mod requests;
mod server;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use domain::id::{AttemptId, TaskId};
use ports::PortError;

use crate::kie::CallbackFault;

pub use requests::WebPages;
pub use server::serve;

/// What the house does about requests.
#[async_trait]
pub trait Desk: Send + Sync {
    /// A verified callback about a task, sent to the address that an attempt was given.
    ///
    /// # Errors
    /// When it could not be acted on; whoever sent it may send it again.
    async fn callback(&self, attempt: AttemptId, task: &TaskId) -> Result<(), PortError>;

    /// A callback that was not believed.
    fn refused(&self, fault: CallbackFault);

    /// The text of the metrics page; `None` when there is none.
    async fn metrics(&self) -> Option<String>;
}
