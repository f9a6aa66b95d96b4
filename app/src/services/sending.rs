//! What becomes of a message that was to be sent, whatever queue it came from.

use std::time::Duration;

use domain::time::Timestamp;
use ports::{ErrorKind, PortError};

use crate::{Policy, Ports};

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sending {
    /// It is out.
    Sent,
    /// It will be tried again.
    Postponed {
        /// When.
        until: Timestamp,
    },
    /// It will never be sent.
    GivenUp,
    /// Somebody else has it now.
    LeaseLost,
}

impl Sending {
    /// What became of it, once that was to be written down.
    pub(super) fn written(self, written: Result<(), PortError>) -> Result<Self, PortError> {
        match written {
            Ok(()) => Ok(self),
            Err(error) if error.kind() == ErrorKind::Conflict => Ok(Self::LeaseLost),
            Err(error) => Err(error),
        }
    }
}

/// Sends within the claim, or the message would be claimed again while this try still holds its slot.
pub(super) async fn within_claim(
    ports: &Ports,
    policy: &Policy,
    sent: impl Future<Output = Result<(), PortError>>,
) -> Result<(), PortError> {
    let gives_up_at = ports.clock.now().after(policy.lease.lease * 2 / 3);
    tokio::select! {
        biased;
        sent = sent => sent,
        () = ports.clock.sleep_until(gives_up_at) => {
            Err(PortError::new(ErrorKind::AnswerLost, "the messenger did not answer in time"))
        }
    }
}

/// How long to wait before a message that failed for the `failures`-th time is tried again; `None` when it is to be given
/// up.
pub(super) fn wait_after(
    policy: &Policy,
    error: &PortError,
    failures: u32,
    now: Timestamp,
) -> Option<Duration> {
    if matches!(error.kind(), ErrorKind::Rejected | ErrorKind::Unreachable) {
        return None;
    }
    // Whoever says when has not failed, and knows better than a guess.
    let told = error.retry_at().map(|at| at.since(now));
    told.or_else(|| policy.sending.delay_after(failures))
}

/// An error with everything behind it, in one line.
pub(crate) fn story(error: &PortError) -> String {
    let mut line = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        line.push_str(": ");
        line.push_str(&cause.to_string());
        source = cause.source();
    }
    line
}
