//! The way to people, and what can be wrong with it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use domain::notice::Audience;
use ports::{ErrorKind, Messenger, OrderText, PortError, VideoMessage};

use super::{faults::Surroundings, trace::Trace};

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
pub(super) struct TrialMessenger {
    pub(super) real: Arc<dyn Messenger>,
    pub(super) around: Arc<Surroundings>,
    pub(super) trace: Trace,
    pub(super) line: Line,
    pub(super) failed: Mutex<BTreeMap<String, u8>>,
}

impl TrialMessenger {
    /// Whether the line lets a message through; `name` tells messages apart.
    fn pass(&self, to: Audience, name: &str) -> Result<(), PortError> {
        match (self.line, to) {
            (Line::Blocked, Audience::User(_)) => {
                Err(PortError::new(ErrorKind::Unreachable, "the user blocked the bot"))
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
impl Messenger for TrialMessenger {
    async fn send_text<'a>(&self, to: Audience, text: OrderText<'a>) -> Result<(), PortError> {
        self.pass(to, text.text)?;
        self.around.passage.through(self.real.send_text(to, text)).await?;
        self.trace.text(self.around.clock.now(), to, text.text);
        Ok(())
    }

    async fn send_video<'a>(&self, to: Audience, video: VideoMessage<'a>) -> Result<(), PortError> {
        self.pass(to, video.caption)?;
        self.around.passage.through(self.real.send_video(to, video)).await?;
        let now = self.around.clock.now();
        self.trace.handed_over(video.video.0, now);
        self.trace.text(now, to, video.caption);
        Ok(())
    }
}
