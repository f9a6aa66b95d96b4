//! Observers that are read when the run is over.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Event, Observer};

/// An observer in two hands: the run's, which tells it, and whoever's wants to know in the end.
#[derive(Debug)]
pub struct Shared<T>(Arc<Mutex<T>>);

impl<T> Shared<T> {
    /// Shares an observer.
    #[must_use]
    pub fn new(observer: T) -> Self {
        Self(Arc::new(Mutex::new(observer)))
    }

    /// The other hand.
    #[must_use]
    pub fn clone_hand(&self) -> Self {
        Self(Arc::clone(&self.0))
    }

    /// The observer, once the run has let go of it; `None` while it has not.
    #[must_use]
    pub fn into_inner(self) -> Option<T> {
        Arc::into_inner(self.0).map(|inner| inner.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T: Observer> Observer for Shared<T> {
    fn see(&mut self, event: &Event<'_>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).see(event);
    }
}
