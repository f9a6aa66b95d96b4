//! The way to people, and what can be wrong with it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use domain::{id::OrderId, notice::Audience};
use ports::{Clock, ErrorKind, Messenger, PortError, VideoMessage};

use super::trace::Trace;
use crate::time::InFlight;

/// What stands between Kadr and the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Line {
    #[default]
    Free,
    /// The first two sendings of every message fail.
    FailsTwice,
    /// The user blocked the bot.
    Blocked,
}

/// The way to people, recorded.
pub(super) struct SimMessenger {
    pub(super) real: Arc<dyn Messenger>,
    pub(super) in_flight: InFlight,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) trace: Trace,
    pub(super) line: Line,
    pub(super) failed: Mutex<BTreeMap<String, u8>>,
}

impl SimMessenger {
    /// Whether the line lets a message through; `name` tells messages apart.
    fn pass(&self, to: Audience, name: &str) -> Result<(), PortError> {
        match (self.line, to) {
            (Line::Blocked, Audience::User(_)) => {
                Err(PortError::new(ErrorKind::Rejected, "the user blocked the bot"))
            }
            (Line::FailsTwice, _) => {
                let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
                let count = failed.entry(name.to_owned()).or_default();
                if *count >= 2 {
                    return Ok(());
                }
                *count += 1;
                Err(PortError::new(ErrorKind::Transient, "the messenger does not answer"))
            }
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Messenger for SimMessenger {
    async fn send_text(&self, to: Audience, order: OrderId, text: &str) -> Result<(), PortError> {
        self.pass(to, text)?;
        self.in_flight.during(self.real.send_text(to, order, text)).await?;
        self.trace.text(self.clock.now(), to, text);
        Ok(())
    }

    async fn send_video<'a>(&self, to: Audience, video: VideoMessage<'a>) -> Result<(), PortError> {
        self.pass(to, video.caption)?;
        self.in_flight.during(self.real.send_video(to, video)).await?;
        self.trace.handed_over(video.video.0, self.clock.now());
        self.trace.text(self.clock.now(), to, video.caption);
        Ok(())
    }
}
