//! How fast messages may follow each other.

use std::time::Duration;

use domain::time::Timestamp;

/// A rate with a burst. Telegram publishes neither: "avoid more than one a second in a chat; short bursts pass".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// One each so often, in the long run.
    pub every: Duration,
    /// So many at once after a pause.
    pub burst: u32,
}

/// What a rate was used for so far.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    rate: Rate,
    /// When all that was sent would have been sent at the even rate.
    even: Timestamp,
}

impl Pace {
    pub(super) const fn new(rate: Rate) -> Self {
        Self { rate, even: Timestamp::from_millis(0) }
    }

    /// Takes one place; or says when there will be one.
    pub(super) fn take(&mut self, now: Timestamp) -> Result<(), Timestamp> {
        let ahead = self.rate.every * self.rate.burst.saturating_sub(1);
        let behind = self.even.since(now);
        if behind > ahead {
            return Err(now.after(behind.saturating_sub(ahead)));
        }
        self.even = self.even.max(now).after(self.rate.every);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + millis)
    }

    #[test]
    fn a_burst_passes_and_then_one_at_a_time() {
        let mut pace = Pace::new(Rate { every: Duration::from_secs(1), burst: 3 });
        for _ in 0..3 {
            assert_eq!(pace.take(at(0)), Ok(()));
        }
        assert_eq!(pace.take(at(0)), Err(at(1_000)));
        assert_eq!(pace.take(at(999)), Err(at(1_000)));
        assert_eq!(pace.take(at(1_000)), Ok(()));
        assert_eq!(pace.take(at(1_000)), Err(at(2_000)));
        assert_eq!([pace.take(at(9_000)), pace.take(at(9_000)), pace.take(at(9_000))], [Ok(()); 3]);
        assert_eq!(pace.take(at(9_000)), Err(at(10_000)));
    }
}
