//! The job store with somebody counting.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    breaker::ProviderFacts,
    id::{AttemptId, JobId, TaskId, WorkerId},
    job::{Job, Rules, Step},
    time::Timestamp,
};
use ports::{
    Adoption, AfterStep, AttemptRecord, Census, Claim, Hastening, JobFilter, JobRecord, JobStore, KeyRoster,
    Lease, LeaseTerms, LeasedJob, PortError,
};

use super::Metrics;

/// Passes everything on and counts the steps that were stored.
pub struct CountedJobs {
    real: Arc<dyn JobStore>,
    metrics: Arc<Metrics>,
}

impl std::fmt::Debug for CountedJobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CountedJobs").finish_non_exhaustive()
    }
}

impl CountedJobs {
    /// Counts what `real` stores.
    #[must_use]
    pub fn new(real: Arc<dyn JobStore>, metrics: Arc<Metrics>) -> Self {
        Self { real, metrics }
    }
}

#[async_trait]
impl JobStore for CountedJobs {
    async fn claim_due(
        &self,
        worker: WorkerId,
        limit: u32,
        terms: LeaseTerms,
        now: Timestamp,
    ) -> Result<Claim, PortError> {
        self.real.claim_due(worker, limit, terms, now).await
    }

    async fn extend_leases(
        &self,
        leases: &[Lease],
        terms: LeaseTerms,
        now: Timestamp,
    ) -> Result<Vec<Lease>, PortError> {
        self.real.extend_leases(leases, terms, now).await
    }

    async fn store_step<'a>(
        &self,
        lease: Lease,
        step: &Step,
        after: AfterStep,
        evidence: Option<&'a str>,
        now: Timestamp,
    ) -> Result<(), PortError> {
        self.real.store_step(lease, step, after, evidence, now).await?;
        self.metrics.stored(step);
        Ok(())
    }

    async fn open_attempt(
        &self,
        leased: &LeasedJob,
        attempt: AttemptId,
        roster: &KeyRoster,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<Step, PortError> {
        let step = self.real.open_attempt(leased, attempt, roster, rules, now).await?;
        self.metrics.stored(&step);
        Ok(step)
    }

    async fn ask_breaker(
        &self,
        leased: &LeasedJob,
        roster: &KeyRoster,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<Option<Step>, PortError> {
        let step = self.real.ask_breaker(leased, roster, rules, now).await?;
        if let Some(step) = &step {
            self.metrics.stored(step);
        }
        Ok(step)
    }

    async fn provider_facts(&self, roster: &KeyRoster, now: Timestamp) -> Result<ProviderFacts, PortError> {
        self.real.provider_facts(roster, now).await
    }

    async fn rescue_dead(&self, now: Timestamp) -> Result<Vec<JobId>, PortError> {
        self.real.rescue_dead(now).await
    }

    async fn rescue_hung(&self, now: Timestamp) -> Result<Vec<JobId>, PortError> {
        self.real.rescue_hung(now).await
    }

    async fn next_expiry(&self) -> Result<Option<Timestamp>, PortError> {
        self.real.next_expiry().await
    }

    async fn give_back(&self, leases: &[Lease], now: Timestamp) -> Result<(), PortError> {
        self.real.give_back(leases, now).await
    }

    async fn cancel(&self, job: JobId, rules: &Rules, now: Timestamp) -> Result<Step, PortError> {
        let step = self.real.cancel(job, rules, now).await?;
        self.metrics.stored(&step);
        Ok(step)
    }

    async fn adopt(
        &self,
        attempt: AttemptId,
        task: &TaskId,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<Adoption, PortError> {
        let adoption = self.real.adopt(attempt, task, rules, now).await?;
        if let Adoption::Adopted(step) = &adoption {
            self.metrics.adopted(step);
        }
        Ok(adoption)
    }

    async fn hasten(
        &self,
        attempt: AttemptId,
        task: &TaskId,
        now: Timestamp,
    ) -> Result<Hastening, PortError> {
        self.real.hasten(attempt, task, now).await
    }

    async fn job_of_attempt(&self, attempt: AttemptId) -> Result<Option<Job>, PortError> {
        self.real.job_of_attempt(attempt).await
    }

    async fn census(&self, now: Timestamp) -> Result<Census, PortError> {
        self.real.census(now).await
    }

    async fn job(&self, id: JobId) -> Result<Option<JobRecord>, PortError> {
        self.real.job(id).await
    }

    async fn attempts(&self, job: JobId) -> Result<Vec<AttemptRecord>, PortError> {
        self.real.attempts(job).await
    }

    async fn list(&self, filter: &JobFilter) -> Result<Vec<JobRecord>, PortError> {
        self.real.list(filter).await
    }
}
