//! The machine's clock.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use domain::time::Timestamp;
use ports::Clock;

/// No sleep is longer at a stretch, so that a wall clock that was put forward is noticed.
const NAP_MAX: Duration = Duration::from_secs(30);

/// The machine's wall clock, made monotonic: while the machine's clock is put back, time stands still.
#[derive(Debug, Default)]
pub struct SystemClock {
    latest: AtomicI64,
}

impl SystemClock {
    /// A clock.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The latest of `wall` and everything seen before.
    fn never_back(&self, wall: i64) -> i64 {
        self.latest.fetch_max(wall, Ordering::AcqRel).max(wall)
    }
}

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the port's real clock")]
    fn now(&self) -> Timestamp {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(self.never_back(i64::try_from(wall.as_millis()).unwrap_or(i64::MAX)))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the port's real sleep")]
    async fn sleep_until(&self, at: Timestamp) {
        loop {
            let left = at.since(self.now());
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(NAP_MAX)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stands_still_while_the_wall_clock_is_behind() {
        let clock = SystemClock::new();
        assert_eq!(clock.never_back(2_000), 2_000);
        assert_eq!(clock.never_back(1_000), 2_000);
        assert_eq!(clock.never_back(2_001), 2_001);
    }

    #[tokio::test]
    async fn after_a_sleep_its_instant_has_come() {
        let clock = SystemClock::new();
        let at = clock.now().after(Duration::from_millis(15));
        clock.sleep_until(at).await;
        assert!(clock.now() >= at);
    }

    #[tokio::test]
    async fn an_instant_that_has_passed_is_not_waited_for() {
        SystemClock::new().sleep_until(Timestamp::from_millis(0)).await;
    }
}
