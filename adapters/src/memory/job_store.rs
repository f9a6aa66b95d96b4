//! The queue.

use async_trait::async_trait;
use domain::{
    breaker::ProviderFacts,
    id::{AttemptId, JobId, TaskId, WorkerId},
    job::{self, Event, Job, Refusal, Rules, Step},
    time::Timestamp,
};
use ports::{
    Adoption, AfterStep, AttemptRecord, Census, Claim, ErrorKind, Hastening, JobFilter, JobRecord, JobStore,
    KeyRoster, Lease, LeaseTerms, LeasedJob, PortError, Topic,
};

use super::{
    MemStores,
    world::{JobRow, LeaseTimes},
};

impl MemStores {
    pub(super) fn ring_for(&self, step: &Step) {
        if !step.notices.is_empty() {
            self.signal.ring(Topic::Outbox);
        }
    }

    fn rescue(&self, is_lost: impl Fn(&LeaseTimes) -> bool) -> Vec<JobId> {
        let mut world = self.lock();
        let lost =
            |id: &&JobId| world.jobs.get(*id).and_then(|row| row.lease).is_some_and(|lease| is_lost(&lease));
        let mut ids: Vec<JobId> = world.leased.iter().filter(lost).copied().collect();
        ids.sort_unstable();
        ids.iter().for_each(|id| world.free_job(*id, true));
        drop(world);
        if !ids.is_empty() {
            self.signal.ring(Topic::Jobs);
        }
        ids
    }
}

fn misplaced(refusal: Refusal) -> PortError {
    PortError::with_source(ErrorKind::Conflict, "the job is not where this step expects it", refusal)
}

fn record(row: &JobRow) -> JobRecord {
    JobRecord {
        job: row.job.clone(),
        next_run_at: row.next_run_at,
        leased_until: row.lease.map(|lease| lease.until),
    }
}

#[async_trait]
impl JobStore for MemStores {
    async fn claim_due(
        &self,
        _worker: WorkerId,
        limit: u32,
        terms: LeaseTerms,
        now: Timestamp,
    ) -> Result<Claim, PortError> {
        let mut world = self.lock();
        world.notice_due(now);
        let mut claim = Claim::default();
        while claim.jobs.len() < limit as usize {
            let Some((job, lease)) = world.lease_first(terms, now) else {
                claim.next_due_at = world.due.first().map(|(at, _)| *at);
                break;
            };
            claim.jobs.push(LeasedJob { job, lease });
        }
        Ok(claim)
    }

    async fn extend_leases(
        &self,
        leases: &[Lease],
        terms: LeaseTerms,
        now: Timestamp,
    ) -> Result<Vec<Lease>, PortError> {
        let mut world = self.lock();
        let mut lost = Vec::new();
        for lease in leases {
            match world
                .jobs
                .get_mut(&lease.job)
                .filter(|row| row.holds(*lease))
                .and_then(|row| row.lease.as_mut())
            {
                Some(times) => times.until = now.after(terms.lease),
                None => lost.push(*lease),
            }
        }
        Ok(lost)
    }

    async fn store_step<'a>(
        &self,
        lease: Lease,
        step: &Step,
        after: AfterStep,
        evidence: Option<&'a str>,
        now: Timestamp,
    ) -> Result<(), PortError> {
        let mut world = self.lock();
        world.held(lease)?;
        world.write_step(lease.number, step, after, now)?;
        if let Some(change) = &step.attempt {
            world.update_attempt(change, evidence, now);
        }
        drop(world);
        self.ring_for(step);
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
        let mut world = self.lock();
        let job = world.held(leased.lease)?.job.clone();
        let facts = world.provider_facts(roster, now);
        let opened = job::open_attempt(&job, attempt, &facts, &roster.limits, &world.circuits, rules, now);
        let step = opened.map_err(misplaced)?;
        let after = AfterStep::of_opening(&step);
        world.write_step(leased.lease.number, &step, after, now)?;
        if let Some(change) = &step.attempt {
            world.insert_attempt(leased.job.id, change, roster, now);
        }
        drop(world);
        self.ring_for(&step);
        Ok(step)
    }

    async fn ask_breaker(
        &self,
        leased: &LeasedJob,
        roster: &KeyRoster,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<Option<Step>, PortError> {
        let mut world = self.lock();
        let job = world.held(leased.lease)?.job.clone();
        let facts = world.provider_facts(roster, now);
        let asked = job::before_upload(&job, &facts, &roster.limits, rules, now).map_err(misplaced)?;
        let Some(step) = asked else { return Ok(None) };
        let after = if step.job.is_probe { AfterStep::Keep } else { AfterStep::Release };
        world.write_step(leased.lease.number, &step, after, now)?;
        drop(world);
        self.ring_for(&step);
        Ok(Some(step))
    }

    async fn provider_facts(&self, roster: &KeyRoster, now: Timestamp) -> Result<ProviderFacts, PortError> {
        Ok(self.lock().provider_facts(roster, now))
    }

    async fn rescue_dead(&self, now: Timestamp) -> Result<Vec<JobId>, PortError> {
        Ok(self.rescue(|lease| lease.until <= now))
    }

    async fn rescue_hung(&self, now: Timestamp) -> Result<Vec<JobId>, PortError> {
        Ok(self.rescue(|lease| lease.deadline <= now))
    }

    async fn next_expiry(&self) -> Result<Option<Timestamp>, PortError> {
        let world = self.lock();
        let leases = world.leased.iter().filter_map(|id| world.jobs.get(id)?.lease);
        Ok(leases.map(|lease| lease.until.min(lease.deadline)).min())
    }

    async fn give_back(&self, leases: &[Lease], _now: Timestamp) -> Result<(), PortError> {
        let mut world = self.lock();
        for lease in leases {
            if world.held(*lease).is_ok() {
                world.free_job(lease.job, false);
            }
        }
        drop(world);
        self.signal.ring(Topic::Jobs);
        Ok(())
    }

    async fn cancel(&self, id: JobId, rules: &Rules, now: Timestamp) -> Result<Step, PortError> {
        let mut world = self.lock();
        let row = world
            .jobs
            .get(&id)
            .ok_or_else(|| PortError::new(ErrorKind::Rejected, format!("there is no job {id}")))?;
        let step = job::apply(&row.job, Event::CancelRequested, rules, now).map_err(|refusal| {
            PortError::with_source(ErrorKind::Rejected, "the job cannot be cancelled", refusal)
        })?;
        let number = row.lease_number + 1;
        world.write_step(number, &step, AfterStep::Release, now)?;
        drop(world);
        self.ring_for(&step);
        Ok(step)
    }

    async fn adopt(
        &self,
        attempt: AttemptId,
        task: &TaskId,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<Adoption, PortError> {
        self.adopt_task(attempt, task, rules, now)
    }

    async fn hasten(
        &self,
        attempt: AttemptId,
        task: &TaskId,
        now: Timestamp,
    ) -> Result<Hastening, PortError> {
        Ok(self.hasten_look(attempt, task, now))
    }

    async fn job_of_attempt(&self, attempt: AttemptId) -> Result<Option<Job>, PortError> {
        Ok(self.lock().row_of_attempt(attempt).map(|row| row.job.clone()))
    }

    async fn census(&self, now: Timestamp) -> Result<Census, PortError> {
        Ok(self.lock().census(now))
    }

    async fn job(&self, id: JobId) -> Result<Option<JobRecord>, PortError> {
        Ok(self.lock().jobs.get(&id).map(record))
    }

    async fn attempts(&self, job: JobId) -> Result<Vec<AttemptRecord>, PortError> {
        Ok(self.lock().attempts_of(job))
    }

    async fn list(&self, filter: &JobFilter) -> Result<Vec<JobRecord>, PortError> {
        let world = self.lock();
        let fits = |row: &&JobRow| {
            filter.user.is_none_or(|user| row.job.user == user)
                && filter.order.is_none_or(|order| row.job.order == order)
                && filter.state.is_none_or(|state| row.job.state.name() == state)
        };
        let mut rows: Vec<_> = world.jobs.values().filter(fits).collect();
        rows.sort_by_key(|row| std::cmp::Reverse((row.job.created_at, row.job.id)));
        Ok(rows.into_iter().take(filter.limit as usize).map(record).collect())
    }
}
