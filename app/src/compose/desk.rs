//! What the house does about requests.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use adapters::{kie::CallbackFault, web::Desk};
use async_trait::async_trait;
use domain::{
    id::{AttemptId, TaskId},
    time::Timestamp,
};
use ports::PortError;

use crate::{
    Policy, Ports,
    metrics::Metrics,
    services::hear_callback::{Heard, hear_callback},
};

/// What the house does about requests.
pub(super) struct HouseDesk {
    ports: Ports,
    policy: Arc<Policy>,
    metrics: Arc<Metrics>,
    shows_metrics: bool,
    /// Until when callbacks that changed nothing are only counted, and how many were.
    quiet_until: Mutex<(Timestamp, u64)>,
}

impl HouseDesk {
    pub(super) fn new(ports: Ports, policy: Arc<Policy>, metrics: Arc<Metrics>, shows_metrics: bool) -> Self {
        let quiet_until = Mutex::new((Timestamp::from_millis(0), 0));
        Self { ports, policy, metrics, shows_metrics, quiet_until }
    }

    /// How long one line about useless callbacks stands for all: strangers must not be able to fill the log.
    const QUIET: Duration = Duration::from_secs(60);

    /// How many useless callbacks came since the last line, if it is time for another.
    fn useless(&self) -> Option<u64> {
        let now = self.ports.clock.now();
        let mut state = self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, kept_quiet) = &mut *state;
        if now < *until {
            *kept_quiet += 1;
            return None;
        }
        *until = now.after(Self::QUIET);
        Some(std::mem::take(kept_quiet))
    }
}

#[async_trait]
impl Desk for HouseDesk {
    async fn callback(&self, attempt: AttemptId, task: &TaskId) -> Result<(), PortError> {
        let heard = hear_callback(&self.ports, &self.policy, attempt, task).await?;
        self.metrics.heard(heard);
        if heard == Heard::Unmatched
            && let Some(unsaid) = self.useless()
        {
            tracing::warn!(attempt.id = %attempt, task = %task, unsaid, "a callback is about nothing under way");
        }
        Ok(())
    }

    fn refused(&self, fault: CallbackFault) {
        self.metrics.callback(fault.as_str());
        if let Some(unsaid) = self.useless() {
            tracing::warn!(%fault, unsaid, "a callback is not believed");
        }
    }

    async fn metrics(&self) -> Option<String> {
        if !self.shows_metrics {
            return None;
        }
        // The counters are this process's own and worth showing when the database is away.
        let census = self.ports.jobs.census(self.ports.clock.now()).await;
        let census =
            census.inspect_err(|error| tracing::debug!(%error, "the jobs could not be counted")).ok();
        Some(self.metrics.page(census.as_ref()))
    }
}
