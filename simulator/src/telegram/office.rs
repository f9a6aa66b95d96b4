//! The model, the clock, and whoever waits for something to change.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use domain::time::Timestamp;
use ports::Clock;
use tokio::sync::watch;

use super::model::TelegramModel;

/// What all that serve one Telegram share.
pub(super) struct Office {
    model: Mutex<TelegramModel>,
    clock: Arc<dyn Clock>,
    changed: watch::Sender<u64>,
}

impl fmt::Debug for Office {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Office").finish_non_exhaustive()
    }
}

impl Office {
    pub(super) fn new(model: TelegramModel, clock: Arc<dyn Clock>) -> Self {
        Self { model: Mutex::new(model), clock, changed: watch::Sender::new(0) }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) async fn sleep_until(&self, at: Timestamp) {
        self.clock.sleep_until(at).await;
    }

    /// Looks at the model.
    pub(super) fn look<T>(&self, look: impl FnOnce(&mut TelegramModel, Timestamp) -> T) -> T {
        let mut model = self.model.lock().unwrap_or_else(PoisonError::into_inner);
        look(&mut model, self.clock.now())
    }

    /// Changes the model, and wakes whoever waits for that.
    pub(super) fn act<T>(&self, act: impl FnOnce(&mut TelegramModel, Timestamp) -> T) -> T {
        let done = self.look(act);
        self.changed.send_modify(|changes| *changes += 1);
        done
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Waits until `look` finds something; it says until when looking again at every change is enough, if not for ever.
    pub(super) async fn wait<T>(
        &self,
        mut look: impl FnMut(&mut TelegramModel, Timestamp) -> Result<T, Option<Timestamp>>,
    ) -> T {
        let mut changes = self.changes();
        loop {
            changes.borrow_and_update();
            let until = match self.look(&mut look) {
                Ok(found) => return found,
                Err(until) => until,
            };
            let sleep = async {
                match until {
                    Some(at) => self.sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                _ = changes.changed() => {}
                () = sleep => {}
            }
        }
    }
}
