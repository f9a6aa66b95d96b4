//! One step of one leased job: do the one thing the job's state asks for, tell the domain what happened, store its
//! answer. Nothing here waits for a render; a step ends by writing down when to look again.

mod deliver;
mod look;
mod submit;
mod upload_photo;
mod write_prompt;

pub use deliver::sweep_work_dir;

use domain::{
    failure::{Failure, FailureClass},
    job::{self, Event, Job, Rules, StateName, Step, Task},
    model::VideoModel,
    order::Order,
    time::Timestamp,
};
use ports::{AfterStep, ErrorKind, LeasedJob, PortError, ProviderRefusal};

use super::insist::insist;
use crate::{Policy, Ports};

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepEnd {
    /// The job moved, and that is stored.
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
}

impl From<Event> for Finding {
    fn from(event: Event) -> Self {
        Self { event, evidence: None }
    }
}

impl Finding {
    fn seen(event: Event, evidence: String) -> Self {
        Self { event, evidence: Some(evidence) }
    }
}

/// Runs the next step of a claimed job.
///
/// # Errors
/// A store's, when a fact could not be read or a result could not be written. Nothing is lost then: the lease
/// runs out, the job is rescued, and the state tells the next worker where to go on.
pub async fn run_step(ports: &Ports, policy: &Policy, leased: &LeasedJob) -> Result<StepEnd, PortError> {
    match attempt_step(ports, policy, leased).await {
        Err(error) if error.kind() == ErrorKind::Conflict => {
            tracing::info!(job.id = %leased.lease.job, lease = leased.lease.number, "the lease is lost, somebody else has the job");
            Ok(StepEnd::LeaseLost)
        }
        ended => ended,
    }
}

async fn attempt_step(ports: &Ports, policy: &Policy, leased: &LeasedJob) -> Result<StepEnd, PortError> {
    let (id, usual) = (leased.job.order, policy.rules(&policy.models.default_model().id));
    if leased.job.task(ports.clock.now(), &usual) == Some(Task::Abandon) {
        // Before anything is read: what cannot be read may be what ended the workers.
        return abandon(ports, leased, &usual).await;
    }
    let order = ports.orders.order(id).await?.ok_or_else(|| {
        PortError::new(
            ErrorKind::Inconsistent,
            format!("job {} belongs to order {id}, which is missing", leased.lease.job),
        )
    })?;
    let turn = Turn {
        ports,
        policy,
        leased,
        model: policy.models.get_or_default(&order.model),
        rules: policy.rules(&order.model),
        order,
    };
    let Some(task) = leased.job.task(ports.clock.now(), &turn.rules) else {
        let what = format!("job {} is finished and was claimed", leased.lease.job);
        return Err(PortError::new(ErrorKind::Inconsistent, what));
    };
    let finding = match task {
        Task::Start => Event::Started.into(),
        Task::WritePrompt => turn.write_prompt().await?,
        Task::UploadPhoto => turn.upload_photo().await?,
        Task::Submit => return turn.submit().await,
        Task::AwaitAnswer => turn.await_answer()?,
        Task::Look => turn.look().await?,
        Task::Deliver => turn.deliver().await?,
        Task::Abandon => return abandon(ports, leased, &turn.rules).await,
    };
    turn.record(&leased.job, finding).await
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
    leased: &'a LeasedJob,
    order: Order,
    model: &'a VideoModel,
    rules: Rules,
}

impl Turn<'_> {
    /// Applies what was found to the job and stores the step.
    async fn record(&self, job: &Job, finding: Finding) -> Result<StepEnd, PortError> {
        let now = self.ports.clock.now();
        let step = job::apply(job, finding.event, &self.rules, now).map_err(|refusal| {
            PortError::with_source(
                ErrorKind::Inconsistent,
                format!("job {} cannot take this step", job.id),
                refusal,
            )
        })?;
        let evidence = finding.evidence.as_deref();
        let lease = self.leased.lease;
        insist(&*self.ports.clock, || {
            self.ports.jobs.store_step(lease, &step, AfterStep::Release, evidence, now)
        })
        .await?;
        Ok(self.moved(job, &step))
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
