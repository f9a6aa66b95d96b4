//! The loop's view of jobs.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{id::WorkerId, time::Timestamp};
use ports::{Lease, LeasedJob, PortError, Topic};

use super::{
    Stop,
    dispatch::{Claimed, Work},
};
use crate::{
    Policy, Ports, ids,
    services::run_step::{StepEnd, run_steps},
};

pub(super) struct Jobs {
    ports: Ports,
    policy: Arc<Policy>,
    worker: WorkerId,
    stop: Stop,
}

impl Jobs {
    pub(super) fn new(ports: &Ports, policy: &Arc<Policy>, stop: &Stop) -> Self {
        Self {
            worker: ids::worker(ports),
            ports: ports.clone(),
            policy: Arc::clone(policy),
            stop: stop.clone(),
        }
    }
}

#[async_trait]
impl Work for Jobs {
    type Item = LeasedJob;
    type Lease = Lease;

    const NAME: &'static str = "jobs";
    const TOPIC: Topic = Topic::Jobs;
    const HOLDS_BACK: bool = false;

    fn lease(item: &LeasedJob) -> Lease {
        item.lease
    }

    async fn claim(&self, limit: u32, now: Timestamp) -> Result<Claimed<LeasedJob>, PortError> {
        let claim = self.ports.jobs.claim_due(self.worker, limit, self.policy.lease, now).await?;
        Ok(Claimed { items: claim.jobs, next_due_at: claim.next_due_at })
    }

    async fn step(&self, item: LeasedJob) -> Option<Timestamp> {
        let lease = item.lease;
        match run_steps(&self.ports, &self.policy, item, &|| !self.stop.is_asked()).await {
            Ok(StepEnd::Stored { next_run_at, .. }) => next_run_at,
            Ok(StepEnd::LeaseLost) => None,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(job.id = %lease.job, error, "a step failed, its job is rescued when the lease runs out");
                None
            }
        }
    }

    async fn extend(&self, leases: &[Lease], now: Timestamp) -> Result<Vec<Lease>, PortError> {
        self.ports.jobs.extend_leases(leases, self.policy.lease, now).await
    }

    async fn give_back(&self, leases: &[Lease], now: Timestamp) -> Result<(), PortError> {
        self.ports.jobs.give_back(leases, now).await
    }
}
