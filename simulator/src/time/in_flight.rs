//! How many calls wait for something real.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::Waker,
};

/// A counter of calls in flight to the real world. While it is not zero, virtual time stands still.
#[derive(Clone, Default)]
pub struct InFlight {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    calls: AtomicUsize,
    total: AtomicUsize,
    driver: Mutex<Option<Waker>>,
    /// Real calls take turns, in the order of asking: which of two answers comes first is then no accident, and a
    /// run repeats itself.
    turn: tokio::sync::Mutex<()>,
}

impl InFlight {
    /// Holds time still until the returned guard is dropped.
    #[must_use]
    pub fn hold(&self) -> Holding {
        self.shared.calls.fetch_add(1, Ordering::SeqCst);
        self.shared.total.fetch_add(1, Ordering::Relaxed);
        Holding { shared: Arc::clone(&self.shared) }
    }

    /// Runs a call to the real world with time standing still, after the calls that asked before it.
    pub async fn during<T>(&self, call: impl Future<Output = T>) -> T {
        let _holding = self.hold();
        let _turn = self.shared.turn.lock().await;
        call.await
    }

    /// Calls in flight now.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.shared.calls.load(Ordering::SeqCst)
    }

    /// Calls ever made.
    #[must_use]
    pub fn total(&self) -> usize {
        self.shared.total.load(Ordering::Relaxed)
    }

    /// Whom to wake when the last call ends: it may end on a thread other than the runtime's.
    pub(super) fn set_driver(&self, waker: &Waker) {
        let mut driver = self.shared.driver.lock().unwrap_or_else(PoisonError::into_inner);
        if !driver.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *driver = Some(waker.clone());
        }
    }

    pub(super) fn wake_driver(&self) {
        self.shared.wake_driver();
    }
}

impl Shared {
    fn wake_driver(&self) {
        let driver = self.driver.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(driver) = driver {
            driver.wake();
        }
    }
}

impl fmt::Debug for InFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InFlight").field("calls", &self.calls()).finish()
    }
}

/// One call in flight; dropping it ends the call, however it ends.
pub struct Holding {
    shared: Arc<Shared>,
}

impl Drop for Holding {
    fn drop(&mut self) {
        if self.shared.calls.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.shared.wake_driver();
        }
    }
}
