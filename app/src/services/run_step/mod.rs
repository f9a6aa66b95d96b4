//! The steps of one leased job. Each does the one thing the job's state asks for, tells the domain what happened and
//! stores its answer; while the next one is due at once, the worker goes on under the same lease. Nothing here waits
//! for a render: the last step writes down when to look again, and the lease is let go.

mod deliver;
mod look;
mod submit;
mod upload_photo;
mod write_prompt;

pub use deliver::sweep_work_dir;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use domain::{
    failure::{Failure, FailureClass},
    id::ModelId,
    job::{self, Event, Job, Rules, StateName, Step, Task},
    model::VideoModel,
    order::Order,
    time::Timestamp,
};
use ports::{AfterStep, ErrorKind, LeasedJob, PortError, ProviderRefusal};

use super::insist::insist;
use crate::{Policy, Ports};

/// How the last step under a lease ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepEnd {
    /// The job moved, and that is stored; the lease is let go.
    Stored {
        /// The job's state afterwards.
        state: StateName,
        /// When it is next due.
        next_run_at: Option<Timestamp>,
    },
    /// The lease was lost meanwhile: somebody else has the job, nothing was stored.
    LeaseLost,
}

/// What a task found out.
struct Finding {
    event: Event,
    /// What the provider literally said, for the attempt's record.
    evidence: Option<String>,
    /// How long the provider asked to be left alone.
    retry_after: Option<Duration>,
}

impl From<Event> for Finding {
    fn from(event: Event) -> Self {
        Self { event, evidence: None, retry_after: None }
    }
}

impl Finding {
    fn seen(event: Event, evidence: String) -> Self {
        Self { event, evidence: Some(evidence), retry_after: None }
    }
}

/// What follows after a step was stored.
enum Next {
    /// The next one, under the same lease, from where the job stands now.
    GoOn(Box<Job>),
    /// Nothing for now.
    End(StepEnd),
}

/// How much of a lease's deadline may be used up when another step begins under it: each has to find room for itself.
const GOES_ON_WITHIN: u32 = 10;

/// Runs the next step of a claimed job, and those that follow at once while `may_go_on` says so.
///
/// # Errors
/// A store's, when a fact could not be read or a result could not be written. Nothing is lost then: the lease
/// runs out, the job is rescued, and the state tells the next worker where to go on.
pub async fn run_steps(
    ports: &Ports,
    policy: &Policy,
    leased: LeasedJob,
    may_go_on: &(dyn Fn() -> bool + Sync),
) -> Result<StepEnd, PortError> {
    let lease = leased.lease;
    match attempt_steps(ports, policy, leased, may_go_on).await {
        Err(error) if error.kind() == ErrorKind::Conflict => {
            tracing::info!(job.id = %lease.job, lease = lease.number, "the lease is lost, somebody else has the job");
            Ok(StepEnd::LeaseLost)
        }
        ended => ended,
    }
}

async fn attempt_steps(
    ports: &Ports,
    policy: &Policy,
    leased: LeasedJob,
    may_go_on: &(dyn Fn() -> bool + Sync),
) -> Result<StepEnd, PortError> {
    let began = ports.clock.now();
    let id = leased.job.order;
    if leased.job.task(began, &policy.retry) == Some(Task::Abandon) {
        // Before anything is read: what cannot be read may be what ended the workers.
        let usual = policy.rules(&policy.models.default_model().id);
        return abandon(ports, &leased, &usual).await;
    }
    let order = ports.orders.order(id).await?.ok_or_else(|| {
        PortError::new(
            ErrorKind::Inconsistent,
            format!("job {} belongs to order {id}, which is missing", leased.lease.job),
        )
    })?;
    let mut turn = Turn {
        ports,
        policy,
        leased,
        model: policy.models.get_or_default(&order.model),
        order,
        goes_on_until: began.after(policy.lease.deadline / GOES_ON_WITHIN),
        may_go_on,
    };
    loop {
        match turn.step().await? {
            Next::GoOn(job) => turn.leased.job = *job,
            Next::End(ended) => return Ok(ended),
        }
    }
}

/// Gives up a job that every worker died of.
async fn abandon(ports: &Ports, leased: &LeasedJob, rules: &Rules) -> Result<StepEnd, PortError> {
    let (job, now) = (&leased.job, ports.clock.now());
    tracing::error!(job.id = %job.id, rescues = job.rescues, "every worker died of this job's next step, giving it up");
    let step = job::apply(job, Event::Abandoned, rules, now).map_err(|refusal| {
        PortError::with_source(ErrorKind::Inconsistent, "the job cannot be given up", refusal)
    })?;
    insist(&*ports.clock, || ports.jobs.store_step(leased.lease, &step, AfterStep::Release, None, now))
        .await?;
    Ok(StepEnd::Stored { state: step.job.state.name(), next_run_at: None })
}

/// One leased job in the hands of one worker.
struct Turn<'a> {
    ports: &'a Ports,
    policy: &'a Policy,
    leased: LeasedJob,
    order: Order,
    model: &'a VideoModel,
    /// Later than this no further step begins under the lease.
    goes_on_until: Timestamp,
    may_go_on: &'a (dyn Fn() -> bool + Sync),
}

impl Turn<'_> {
    async fn step(&self) -> Result<Next, PortError> {
        let job = &self.leased.job;
        let Some(task) = job.task(self.ports.clock.now(), &self.policy.retry) else {
            let what = format!("job {} is finished and was claimed", job.id);
            return Err(PortError::new(ErrorKind::Inconsistent, what));
        };
        let finding = match task {
            Task::Start => Event::Started.into(),
            Task::WritePrompt => self.write_prompt().await?,
            Task::UploadPhoto => return self.upload_photo().await,
            Task::Submit => return self.submit().await,
            Task::AwaitAnswer => self.await_answer()?,
            Task::Look => self.look().await?,
            Task::Deliver => self.deliver().await?,
            Task::Abandon => return abandon(self.ports, &self.leased, &self.rules(job)).await.map(Next::End),
        };
        self.record(job, finding).await
    }

    /// The rules for a job as it stands: its model may have changed with its last submission.
    fn rules(&self, job: &Job) -> Rules {
        self.policy.rules_of(&self.order, job)
    }

    /// The model a job is rendered with: the one of its newest submission. A row of an older version names none.
    fn rendered_with<'a>(&'a self, job: &'a Job) -> &'a ModelId {
        job.model.as_ref().unwrap_or(&self.order.model)
    }

    /// Applies what was found to the job and stores the step.
    async fn record(&self, job: &Job, finding: Finding) -> Result<Next, PortError> {
        let now = self.ports.clock.now();
        let rules = self.rules(job);
        let mut step = job::apply(job, finding.event, &rules, now).map_err(|refusal| {
            PortError::with_source(
                ErrorKind::Inconsistent,
                format!("job {} cannot take this step", job.id),
                refusal,
            )
        })?;
        if let Some(asked_for) = finding.retry_after {
            step.keep_away(asked_for, rules.retry.cooling.rate_limited_max);
        }
        let after = if self.goes_on(&step, now) { AfterStep::Keep } else { AfterStep::Release };
        let evidence = finding.evidence.as_deref();
        let lease = self.leased.lease;
        let jobs = &self.ports.jobs;
        if after == AfterStep::Release {
            insist(&*self.ports.clock, || jobs.store_step(lease, &step, after, evidence, now)).await?;
            return Ok(Next::End(self.moved(job, &step)));
        }
        // The lease does not tell a second write from the first, so whoever missed the answer looks before repeating it.
        let in_doubt = AtomicBool::new(false);
        insist(&*self.ports.clock, || async {
            if !in_doubt.load(Ordering::Relaxed) {
                match jobs.store_step(lease, &step, after, evidence, now).await {
                    Err(error) if error.kind() == ErrorKind::AnswerLost => {
                        in_doubt.store(true, Ordering::Relaxed);
                    }
                    ended => return ended,
                }
            }
            if jobs.job(lease.job).await?.is_some_and(|record| record.job == step.job) {
                return Ok(());
            }
            in_doubt.store(false, Ordering::Relaxed);
            Err(PortError::new(ErrorKind::AnswerLost, "a step was not found where it was to be stored"))
        })
        .await?;
        self.moved(job, &step);
        Ok(Next::GoOn(Box::new(step.job)))
    }

    /// Whether the worker keeps the lease for the next step. Only after a step that may be written twice: when the answer
    /// to a write is lost, a lease that was let go guards against a second message or entry, and one that is kept does
    /// not, should the first write arrive after all.
    fn goes_on(&self, step: &Step, now: Timestamp) -> bool {
        step.next_run_at.is_some_and(|due_at| due_at <= now)
            && step.notices.is_empty()
            && step.entries.is_empty()
            && now <= self.goes_on_until
            && (self.may_go_on)()
    }

    /// Tells the log and the caller that a step is stored.
    fn moved(&self, from: &Job, step: &Step) -> StepEnd {
        let (before, after) = (from.state.name(), step.job.state.name());
        let next_run_in_ms = step.next_run_at.map(|at| at.since(self.ports.clock.now()).as_millis());
        let (order, job) = (from.order, from.id);
        if before == after {
            tracing::debug!(order.id = %order, job.id = %job, state = after.as_str(), next_run_in_ms, "job waits");
        } else {
            tracing::info!(order.id = %order, job.id = %job, from = before.as_str(), to = after.as_str(), next_run_in_ms, "job moved");
        }
        StepEnd::Stored { state: after, next_run_at: step.next_run_at }
    }

    /// The state does not hold what its task needs. Cannot happen; said instead of panicking.
    fn out_of_place(&self, task: &str) -> PortError {
        let (job, state) = (self.leased.lease.job, self.leased.job.state.name().as_str());
        PortError::new(ErrorKind::Inconsistent, format!("job {job} is {state} and was asked to {task}"))
    }

    /// Logs a provider's no where it is met; what nobody recognises is logged loudly, with its raw words.
    fn log_refusal(&self, doing: &'static str, refusal: &ProviderRefusal) {
        let (job, Failure { class, reason }) = (self.leased.lease.job, refusal.failure);
        let evidence = &refusal.evidence;
        if class == FailureClass::Unknown {
            tracing::error!(job.id = %job, doing, %class, %reason, %evidence, "the provider said something unknown");
        } else {
            tracing::warn!(job.id = %job, doing, %class, %reason, %evidence, "the provider said no");
        }
    }
}

#[cfg(test)]
mod tests;
