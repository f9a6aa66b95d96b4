//! A store that does not answer: said once, waited for ever longer.

use std::time::Duration;

use ports::{Clock, ErrorKind, PortError};

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

/// Waits for a store for so long and no longer: a connection that went silent answers never, and its loop still has
/// to beat, to look around and to hear a stop.
pub(super) async fn within<T>(
    clock: &dyn Clock,
    limit: Duration,
    asked: impl Future<Output = Result<T, PortError>>,
) -> Result<T, PortError> {
    let ends_at = clock.now().after(limit);
    tokio::select! {
        biased;
        answer = asked => answer,
        () = clock.sleep_until(ends_at) => {
            let say = format!("the store was silent for {} s", limit.as_secs());
            Err(PortError::new(ErrorKind::Transient, say))
        }
    }
}

/// What a loop knows about its store's trouble.
#[derive(Debug)]
pub(super) struct Trouble {
    who: &'static str,
    said: Option<String>,
    pause: Duration,
}

impl Trouble {
    pub(super) const fn none(who: &'static str) -> Self {
        Self { who, said: None, pause: SHORTEST }
    }

    pub(super) const fn is_present(&self) -> bool {
        self.said.is_some()
    }

    /// Notes a failure, logs it unless it is the same as before, and says how long to wait.
    pub(super) fn met(&mut self, error: &PortError) -> Duration {
        let now = format!("{:?}: {error}", error.kind());
        if self.said.as_ref() != Some(&now) {
            let error = error as &dyn std::error::Error;
            tracing::error!(who = self.who, error, "the store does not answer, waiting for it");
            self.said = Some(now);
        }
        let pause = self.pause;
        self.pause = (pause * 2).min(LONGEST);
        pause
    }

    /// Notes that the store works.
    pub(super) fn over(&mut self) {
        if self.said.take().is_some() {
            tracing::info!(who = self.who, "the store answers again");
        }
        self.pause = SHORTEST;
    }
}

#[cfg(test)]
mod tests {
    use ports::ErrorKind;

    use super::*;

    #[test]
    fn pauses_grow_to_half_a_minute_and_start_anew_after_success() {
        let error = PortError::new(ErrorKind::Transient, "no connection");
        let mut trouble = Trouble::none("jobs");
        let pauses: Vec<_> = (0..7).map(|_| trouble.met(&error).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
        trouble.over();
        assert_eq!(trouble.met(&error).as_secs(), 1);
    }
}
