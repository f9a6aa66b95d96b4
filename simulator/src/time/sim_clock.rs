//! The virtual clock and its sleepers.

use std::{
    collections::BTreeMap,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use async_trait::async_trait;
use domain::time::Timestamp;
use ports::Clock;

/// A clock that stands still until somebody moves it to the next deadline.
///
/// Sleepers are woken one at a time, in the order of their deadlines and, at one instant, in the order in which
/// they fell asleep. That makes a run repeatable: between two wakings nothing else becomes due.
#[derive(Clone)]
pub struct SimClock {
    inner: Arc<Inner>,
}

struct Inner {
    state: Mutex<State>,
}

struct State {
    now: Timestamp,
    /// Tie-break: who slept first wakes first.
    slept: u64,
    jumps: u64,
    sleepers: BTreeMap<(Timestamp, u64), Waker>,
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SimClock {
    /// A clock that shows `start`.
    #[must_use]
    pub fn starting_at(start: Timestamp) -> Self {
        let state = State { now: start, slept: 0, jumps: 0, sleepers: BTreeMap::new() };
        Self { inner: Arc::new(Inner { state: Mutex::new(state) }) }
    }

    /// Moves to the earliest deadline and wakes that one sleeper. `false` when nobody sleeps.
    pub(super) fn jump(&self) -> bool {
        let first = {
            let mut state = self.inner.state();
            let first = state.sleepers.pop_first();
            if let Some(((at, _), _)) = &first {
                state.now = state.now.max(*at);
                state.jumps += 1;
            }
            first
        };
        first.map(|(_, sleeper)| sleeper.wake()).is_some()
    }

    /// How many sleepers were woken so far.
    #[must_use]
    pub fn jumps(&self) -> u64 {
        self.inner.state().jumps
    }

    /// How many sleep now.
    #[must_use]
    pub fn sleepers(&self) -> usize {
        self.inner.state().sleepers.len()
    }
}

impl fmt::Debug for SimClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.inner.state();
        f.debug_struct("SimClock").field("now", &state.now).field("sleepers", &state.sleepers.len()).finish()
    }
}

#[async_trait]
impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        self.inner.state().now
    }

    async fn sleep_until(&self, at: Timestamp) {
        Sleep { clock: Arc::clone(&self.inner), at, place: None }.await;
    }
}

/// One sleep. Dropping it takes it out of the clock.
struct Sleep {
    clock: Arc<Inner>,
    at: Timestamp,
    place: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let at = self.at;
        let clock = Arc::clone(&self.clock);
        let mut state = clock.state();
        if state.now >= at {
            if let Some(place) = self.place.take() {
                state.sleepers.remove(&(at, place));
            }
            return Poll::Ready(());
        }
        let place = *self.place.get_or_insert_with(|| {
            state.slept += 1;
            state.slept
        });
        state.sleepers.insert((at, place), cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(place) = self.place.take() {
            self.clock.state().sleepers.remove(&(self.at, place));
        }
    }
}
