//! The way to people.

use std::path::Path;

use async_trait::async_trait;
use domain::{
    id::{JobId, OrderId},
    notice::Audience,
};

use crate::PortError;

/// A finished video for a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoMessage<'a> {
    /// The order.
    pub order: OrderId,
    /// The job; the same at every try, so that an implementation can recognise a repetition.
    pub job: JobId,
    /// Which video of the order: `(number, of)`.
    pub video: (u8, u8),
    /// The file.
    pub file: &'a Path,
    /// The text below it.
    pub caption: &'a str,
}

/// Sends messages.
///
/// Laws: `Ok` only when the other side confirmed; [`crate::ErrorKind::Rejected`] when the recipient cannot be
/// reached any more (blocked the bot); [`crate::ErrorKind::AnswerLost`] when it may have arrived.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Messenger: Send + Sync {
    /// Sends a text about an order.
    async fn send_text(&self, to: Audience, order: OrderId, text: &str) -> Result<(), PortError>;

    /// Sends a video.
    async fn send_video<'a>(&self, to: Audience, video: VideoMessage<'a>) -> Result<(), PortError>;
}
