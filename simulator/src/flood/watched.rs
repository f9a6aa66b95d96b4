//! The job store with a stopwatch, and with somebody counting what only callbacks ask of it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use domain::{
    breaker::ProviderFacts,
    id::{AttemptId, JobId, TaskId, WorkerId},
    job::{Job, Rules, StateName, Step},
    time::Timestamp,
};
use ports::{
    Adoption, AfterStep, AttemptRecord, Census, Claim, Clock, Hastening, JobFilter, JobRecord, JobStore,
    KeyRoster, Lease, LeaseTerms, LeasedJob, PortError,
};
use tokio::sync::watch;

/// What was seen of steps and jobs.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// How long each step took, from its claim or the step before it until it was stored.
    pub(super) steps: Vec<Duration>,
    /// How long each finished job took, from its order on, and how it ended.
    pub(super) jobs: Vec<(Duration, StateName)>,
    begun: BTreeMap<JobId, Timestamp>,
}

/// Passes everything on.
pub(super) struct WatchedJobs {
    real: Arc<dyn JobStore>,
    clock: Arc<dyn Clock>,
    seen: Mutex<Seen>,
    ended: watch::Sender<usize>,
    asked: AtomicU64,
}

impl WatchedJobs {
    pub(super) fn new(real: Arc<dyn JobStore>, clock: Arc<dyn Clock>) -> Self {
        let (ended, _) = watch::channel(0);
        Self { real, clock, seen: Mutex::default(), ended, asked: AtomicU64::new(0) }
    }

    /// Returns when so many jobs are finished.
    pub(super) async fn wait_for(&self, jobs: usize) {
        self.ended.subscribe().wait_for(|ended| *ended >= jobs).await.ok();
    }

    /// What was seen since the last time.
    pub(super) fn take(&self) -> Seen {
        self.ended.send_replace(0);
        self.with(std::mem::take)
    }

    /// How often anything was asked on behalf of a callback since the last time: nobody else asks whose an attempt is,
    /// and a callback asks that first.
    pub(super) fn take_asked(&self) -> u64 {
        self.asked.swap(0, Ordering::SeqCst)
    }

    fn with<T>(&self, act: impl FnOnce(&mut Seen) -> T) -> T {
        act(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn begin(&self, jobs: impl Iterator<Item = JobId>) {
        let now = self.clock.now();
        self.with(|seen| seen.begun.extend(jobs.map(|job| (job, now))));
    }

    fn stored(&self, step: &Step, after: AfterStep) {
        let now = self.clock.now();
        let job = &step.job;
        let is_over = job.state.is_terminal();
        self.with(|seen| {
            if let Some(begun) = seen.begun.remove(&job.id) {
                seen.steps.push(now.since(begun));
            }
            if after == AfterStep::Keep {
                seen.begun.insert(job.id, now);
            }
            if is_over {
                seen.jobs.push((now.since(job.created_at), job.state.name()));
            }
        });
        if is_over {
            self.ended.send_modify(|ended| *ended += 1);
        }
    }
}

#[async_trait]
impl JobStore for WatchedJobs {
    async fn claim_due(
        &self,
        worker: WorkerId,
        limit: u32,
        terms: LeaseTerms,
        now: Timestamp,
    ) -> Result<Claim, PortError> {
        let claim = self.real.claim_due(worker, limit, terms, now).await?;
        self.begin(claim.jobs.iter().map(|leased| leased.job.id));
        Ok(claim)
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
        self.stored(step, after);
        Ok(())
    }

    async fn job_of_attempt(&self, attempt: AttemptId) -> Result<Option<Job>, PortError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.real.job_of_attempt(attempt).await
    }

    async fn extend_leases(
        &self,
        leases: &[Lease],
        terms: LeaseTerms,
        now: Timestamp,
    ) -> Result<Vec<Lease>, PortError> {
        self.real.extend_leases(leases, terms, now).await
    }

    async fn open_attempt(
        &self,
        leased: &LeasedJob,
        attempt: AttemptId,
        roster: &KeyRoster,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<Step, PortError> {
        self.real.open_attempt(leased, attempt, roster, rules, now).await
    }

    async fn ask_breaker(
        &self,
        leased: &LeasedJob,
        roster: &KeyRoster,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<Option<Step>, PortError> {
        self.real.ask_breaker(leased, roster, rules, now).await
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
        self.real.cancel(job, rules, now).await
    }

    async fn adopt(
        &self,
        attempt: AttemptId,
        task: &TaskId,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<Adoption, PortError> {
        self.real.adopt(attempt, task, rules, now).await
    }

    async fn hasten(
        &self,
        attempt: AttemptId,
        task: &TaskId,
        now: Timestamp,
    ) -> Result<Hastening, PortError> {
        self.real.hasten(attempt, task, now).await
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
