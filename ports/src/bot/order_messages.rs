//! What was sent about orders, so that nothing is sent twice and one message can follow an order to its end.

use async_trait::async_trait;
use domain::{
    id::{JobId, OrderId, UserId},
    time::Timestamp,
};

use crate::PortError;

/// The one message that follows an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusMessage {
    /// Telegram's `message_id`.
    pub message: i64,
    /// What it says.
    pub text: String,
    /// When it was sent or edited last.
    pub changed_at: Timestamp,
}

/// A video that was handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentVideo {
    /// Telegram's `message_id`.
    pub message: i64,
    /// Telegram's `file_id`, to send it again; none when it went out as a link.
    pub file: Option<String>,
}

/// What was sent about orders.
///
/// Laws: what was kept is read back; the first kept video of a job stays; of an order's videos exactly one is told that it ended last, and
/// the same one however often it asks.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait OrderMessages: Send + Sync {
    /// The message that follows an order.
    async fn status(&self, order: OrderId) -> Result<Option<StatusMessage>, PortError>;

    /// Keeps the message that follows an order.
    async fn keep_status(
        &self,
        order: OrderId,
        chat: UserId,
        status: &StatusMessage,
    ) -> Result<(), PortError>;

    /// The video of a job, if it was handed over.
    async fn video(&self, job: JobId) -> Result<Option<SentVideo>, PortError>;

    /// Keeps the video of a job.
    async fn keep_video(&self, job: JobId, video: &SentVideo, now: Timestamp) -> Result<(), PortError>;

    /// Video `number` of the order's `of` is about to be told its end. Whether it is the last of them.
    async fn ends(&self, order: OrderId, chat: UserId, number: u8, of: u8) -> Result<bool, PortError>;
}
