//! Being asked to stop.

use tokio_util::sync::CancellationToken;

/// How a process is asked to stop: gently first, and at once when somebody insists. Clones share the request.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    gently: CancellationToken,
    at_once: CancellationToken,
}

impl Stop {
    /// Nobody has asked yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks: gently the first time, at once from the second time on.
    pub fn ask(&self) {
        if self.gently.is_cancelled() {
            self.at_once.cancel();
        }
        self.gently.cancel();
    }

    /// Whether anybody has asked.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.gently.is_cancelled()
    }

    /// Returns when somebody has asked.
    pub async fn asked(&self) {
        self.gently.cancelled().await;
    }

    /// Returns when somebody insists.
    pub async fn insisted(&self) {
        self.at_once.cancelled().await;
    }
}
