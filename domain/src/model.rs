//! What the rules need to know about a video model. Request shapes are the adapter's business.

use std::time::Duration;

use crate::{id::ModelId, photo::PhotoFormat};

/// A model of the catalogue, as far as orders and jobs care.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoModel {
    /// Our name for it, stored with the order.
    pub id: ModelId,
    /// Whether new orders may choose it.
    pub enabled: bool,
    /// Why not, when not.
    pub off_reason: Option<String>,
    /// Shortest and longest prompt it takes, in characters.
    pub prompt_chars: (usize, usize),
    /// Photo formats it takes.
    pub photo_formats: Vec<PhotoFormat>,
    /// Largest photo it takes, in bytes.
    pub photo_bytes_max: u64,
    /// Length of the clip, in seconds.
    pub clip_seconds: u32,
    /// When to look at a render and when to give it up.
    pub timing: RenderTiming,
}

/// When a render is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenderTiming {
    /// First look after the task was accepted.
    pub first_poll: Duration,
    /// Between later looks.
    pub poll_every: Duration,
    /// What users are told to expect.
    pub typical: Duration,
    /// A task still unfinished after this long counts as a temporary failure: the provider has no cancel and
    /// some tasks hang for hours.
    pub give_up: Duration,
}

impl RenderTiming {
    /// How long to wait before the next look at a render that has run for `running`: seldom while it cannot be
    /// ready, often around the expected time, seldom again once it is late.
    #[must_use]
    pub fn next_poll_in(&self, running: Duration) -> Duration {
        if running < self.first_poll {
            self.first_poll.saturating_sub(running).max(Duration::from_secs(1))
        } else if running > self.typical * 3 {
            self.poll_every * 3
        } else {
            self.poll_every
        }
    }
}
