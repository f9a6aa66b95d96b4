//! Time.

use async_trait::async_trait;
use domain::time::Timestamp;

/// The only source of time and of sleeping.
///
/// Laws: `now` never goes back; after `sleep_until(t)` returns, `now() >= t`.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;

    /// Returns at `at`, at once when it has passed. Dropping the future cancels the sleep.
    async fn sleep_until(&self, at: Timestamp);
}
