//! How a port fails.

use std::{error::Error, fmt};

use domain::time::Timestamp;

/// What the caller can do about a failure. The story behind it is the error's source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorKind {
    /// Nothing happened; the same call may work later.
    Transient,
    /// The other side said no; the same call will not work later.
    Rejected,
    /// The recipient takes no messages of ours any more, until they say otherwise: the bot was stopped or the account is gone.
    Unreachable,
    /// Somebody else was first: the lease is lost, or the same key was used for something else. Nothing happened.
    Conflict,
    /// The other side holds something that cannot be: a person has to look.
    Inconsistent,
    /// The call may have happened or not; the answer did not come.
    AnswerLost,
}

/// A failure at a port.
#[derive(Debug)]
pub struct PortError {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
    retry_at: Option<Timestamp>,
}

impl PortError {
    /// A failure of our own finding.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None, retry_at: None }
    }

    /// A failure that something else reported. `message` says what was tried; the source says what came of it.
    #[must_use]
    pub fn with_source(
        kind: ErrorKind,
        message: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { kind, message: message.into(), source: Some(source.into()), retry_at: None }
    }

    /// Says when the other side takes the call again.
    #[must_use]
    pub const fn not_before(mut self, at: Timestamp) -> Self {
        self.retry_at = Some(at);
        self
    }

    /// When the other side takes the call again, where it said so.
    #[must_use]
    pub const fn retry_at(&self) -> Option<Timestamp> {
        self.retry_at
    }

    /// What the caller can do about it.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for PortError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for PortError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
