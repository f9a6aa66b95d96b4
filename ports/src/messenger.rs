//! The way to people, as far as orders use it.

use std::path::Path;

use async_trait::async_trait;
use domain::{
    id::{JobId, OrderId},
    notice::Audience,
};

use crate::{PortError, bot::ChatButton};

/// What a text is to the order it speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TextRole {
    /// Where the order stands: whatever is said later takes its place.
    Progress,
    /// A video's end without a video: it was refunded or cancelled.
    Ended {
        /// Which video of the order: `(number, of)`.
        video: (u8, u8),
    },
    /// The operator is needed.
    Alert,
}

/// A text about an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderText<'a> {
    /// The order.
    pub order: OrderId,
    /// What it says, as plain text.
    pub text: &'a str,
    /// What it is to the order.
    pub role: TextRole,
    /// Whether a later text about the order waits behind it, so that one that would have to wait may be left out.
    pub is_followed: bool,
    /// The buttons below it, if it turns out to be the order's last end.
    pub keyboard: &'a [Vec<ChatButton>],
}

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
    /// Where a file that is too large for a message can be fetched from, if it may be told.
    pub link: Option<&'a str>,
    /// The buttons below it, if it turns out to be the order's last end.
    pub keyboard: &'a [Vec<ChatButton>],
}

/// Sends messages.
///
/// Laws: `Ok` only when the other side confirmed, or when a later text makes this one pointless;
/// [`crate::ErrorKind::Unreachable`] when the recipient cannot be reached any more (blocked the bot);
/// [`crate::ErrorKind::Rejected`] when this message will never be taken; [`crate::ErrorKind::AnswerLost`] when it may have
/// arrived. One recipient who has to wait holds up no other: [`PortError::retry_at`] says when it may be tried again.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Messenger: Send + Sync {
    /// Sends a text about an order.
    async fn send_text<'a>(&self, to: Audience, text: OrderText<'a>) -> Result<(), PortError>;

    /// Sends a video.
    async fn send_video<'a>(&self, to: Audience, video: VideoMessage<'a>) -> Result<(), PortError>;
}
