//! Bugs between the steps and the queue.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use app::{
    Policy, Ports,
    services::send_notices,
    texts::{self, Language},
};
use async_trait::async_trait;
use domain::{
    breaker::{Answer, ProviderFacts},
    id::{AttemptId, JobId, TaskId, WorkerId},
    job::{Job, Rules, Step},
    time::Timestamp,
};
use ports::{
    Adoption, AfterStep, AttemptRecord, Census, Claim, ErrorKind, Hastening, JobFilter, JobRecord, JobStore,
    KeyRoster, Lease, LeaseTerms, LeasedJob, LedgerStore, Messenger, PortError,
};

use super::{
    Mutant,
    steps::{self, Aside},
};

/// How many lease numbers beyond its own a late writer tries: claims and rescues that may have come between.
const LEASES_TRIED: i64 = 4;

/// A job queue with a bug.
pub(super) struct WrongJobs {
    real: Arc<dyn JobStore>,
    ledger: Arc<dyn LedgerStore>,
    messenger: Arc<dyn Messenger>,
    language: Language,
    mutant: Mutant,
    rescued: Mutex<BTreeSet<JobId>>,
    probing: Mutex<BTreeSet<JobId>>,
}

impl WrongJobs {
    pub(super) fn new(ports: &Ports, mutant: Mutant, policy: &Policy) -> Self {
        Self {
            real: Arc::clone(&ports.jobs),
            ledger: Arc::clone(&ports.ledger),
            messenger: Arc::clone(&ports.messenger),
            language: policy.language,
            mutant,
            rescued: Mutex::default(),
            probing: Mutex::default(),
        }
    }

    fn probing(&self) -> MutexGuard<'_, BTreeSet<JobId>> {
        self.probing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rescued(&self) -> MutexGuard<'_, BTreeSet<JobId>> {
        self.rescued.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes under the lease of whoever has the job now.
    async fn force(
        &self,
        lease: Lease,
        step: &Step,
        after: AfterStep,
        evidence: Option<&str>,
        now: Timestamp,
    ) -> bool {
        for number in lease.number + 1..=lease.number + LEASES_TRIED {
            let newer = Lease { number, ..lease };
            if self.real.store_step(newer, step, after, evidence, now).await.is_ok() {
                return true;
            }
        }
        false
    }

    /// The second half of a step that should have been one. Nobody hears of what fails here: that is the bug.
    async fn do_aside(&self, aside: &Aside) {
        for entry in &aside.entries {
            self.ledger.post(entry).await.ok();
        }
        for notice in &aside.notices {
            let text = texts::notice(self.language, notice);
            let text = send_notices::order_text(notice, &text, false, &[]);
            self.messenger.send_text(notice.audience, text).await.ok();
        }
    }
}

#[async_trait]
impl JobStore for WrongJobs {
    async fn claim_due(
        &self,
        worker: WorkerId,
        limit: u32,
        terms: LeaseTerms,
        now: Timestamp,
    ) -> Result<Claim, PortError> {
        let claim = self.real.claim_due(worker, limit, terms, now).await?;
        let rescued = claim.jobs.iter().filter(|leased| leased.job.rescues > 0);
        self.rescued().extend(rescued.map(|leased| leased.job.id));
        Ok(claim)
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
        let mut bent = step.clone();
        let was_rescued = self.rescued().contains(&lease.job);
        let aside = steps::bend(self.mutant, &mut bent, was_rescued, now);
        if self.probing().remove(&lease.job) && self.mutant == Mutant::BreakerNeverCloses {
            bent.answer = bent.answer.filter(|(_, answer)| *answer == Answer::Fault);
        }
        match self.real.store_step(lease, &bent, after, evidence, now).await {
            Err(error) => {
                let is_late = error.kind() == ErrorKind::Conflict && self.mutant == Mutant::LeaseNotCompared;
                if is_late && self.force(lease, &bent, after, evidence, now).await {
                    Ok(())
                } else {
                    Err(error)
                }
            }
            Ok(()) => {
                self.do_aside(&aside).await;
                Ok(())
            }
        }
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
        if step.job.is_probe {
            self.probing().insert(step.job.id);
        }
        Ok(step)
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
        if self.mutant == Mutant::ReaperOff { Ok(Vec::new()) } else { self.real.rescue_dead(now).await }
    }

    async fn rescue_hung(&self, now: Timestamp) -> Result<Vec<JobId>, PortError> {
        if self.mutant == Mutant::ReaperOff { Ok(Vec::new()) } else { self.real.rescue_hung(now).await }
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
