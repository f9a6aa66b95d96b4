//! How many bad requests are looked into.

use std::sync::{Mutex, PoisonError};

use domain::time::Timestamp;

/// Bad requests that are looked into at once.
const BURST: i64 = 60;
/// How long it takes until another one is, in milliseconds.
const REFILL_MS: i64 = 500;

/// A bucket of patience: each request that turns out bad after it was looked into takes from it, time fills it up.
/// Good requests cost nothing, however many there are. While it is empty nothing is looked into, good or bad; what is
/// missed then the usual looks at renders find.
#[derive(Debug)]
pub(super) struct Patience {
    left: Mutex<(i64, Timestamp)>,
}

impl Patience {
    pub(super) const fn new(now: Timestamp) -> Self {
        Self { left: Mutex::new((BURST, now)) }
    }

    /// Whether another request may be looked into.
    pub(super) fn is_left(&self, now: Timestamp) -> bool {
        self.with(now, |left| *left > 0)
    }

    /// A request was looked into in vain.
    pub(super) fn spend(&self, now: Timestamp) {
        self.with(now, |left| *left -= 1);
    }

    fn with<T>(&self, now: Timestamp, act: impl FnOnce(&mut i64) -> T) -> T {
        let mut state = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, since) = &mut *state;
        let gained = i64::try_from(now.since(*since).as_millis()).unwrap_or(i64::MAX) / REFILL_MS;
        if gained > 0 {
            *left = left.saturating_add(gained).min(BURST);
            *since = now;
        }
        act(left)
    }
}
