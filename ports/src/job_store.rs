//! Jobs: the queue and the state of each.

use std::time::Duration;

use async_trait::async_trait;
use domain::{
    breaker::ProviderFacts,
    failure::Failure,
    id::{AccountId, AttemptId, JobId, KeyId, OrderId, TaskId, UserId, WorkerId},
    job::{AttemptStatus, Job, Rules, State, StateName, Step},
    key::AccountLimits,
    time::Timestamp,
};

use crate::PortError;

/// A worker's time-limited right to a job. Every write under it must match its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The job.
    pub job: JobId,
    /// Grows by one with each claim and each rescue of the job; never reused.
    pub number: i64,
}

/// How long a claim lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseTerms {
    /// How long without a heartbeat until the worker counts as dead.
    pub lease: Duration,
    /// How long a worker may keep a job at all, heartbeats or not.
    pub deadline: Duration,
}

/// A claimed job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeasedJob {
    /// The job as it stood at the claim.
    pub job: Job,
    /// The right to it.
    pub lease: Lease,
}

/// What a claim found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Claim {
    /// The claimed jobs, most urgent first.
    pub jobs: Vec<LeasedJob>,
    /// When the next unclaimed job falls due, if fewer than asked for were due. `None` when nothing is waiting
    /// or when the claim came back full; no later than now when something due had to be passed over.
    pub next_due_at: Option<Timestamp>,
}

/// What becomes of the lease after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterStep {
    /// Let go; the job waits for its next due time.
    Release,
    /// Keep it: the same worker goes on.
    Keep,
}

impl AfterStep {
    /// What becomes of the lease after [`JobStore::open_attempt`]: an attempt that was opened is sent under it.
    #[must_use]
    pub const fn of_opening(step: &Step) -> Self {
        if matches!(step.job.state, State::Submitting { open: Some(_) }) { Self::Keep } else { Self::Release }
    }
}

/// The provider keys this process may use.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyRoster {
    /// The keys.
    pub keys: Vec<RosterKey>,
    /// What each account may do.
    pub limits: AccountLimits,
}

/// One key of the roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterKey {
    /// Its fingerprint.
    pub key: KeyId,
    /// Whose limits it shares.
    pub account: AccountId,
}

/// Which jobs to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobFilter {
    /// Only this user's.
    pub user: Option<UserId>,
    /// Only this order's.
    pub order: Option<OrderId>,
    /// Only those in this state.
    pub state: Option<StateName>,
    /// At most this many, newest first.
    pub limit: u32,
}

/// A job as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRecord {
    /// The job.
    pub job: Job,
    /// When it is next due.
    pub next_run_at: Option<Timestamp>,
    /// Until when a worker holds it.
    pub leased_until: Option<Timestamp>,
}

/// One submission of a job, as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRecord {
    /// Its id.
    pub id: AttemptId,
    /// The key it was sent with.
    pub key: KeyId,
    /// How far it got.
    pub status: AttemptStatus,
    /// The provider's task, once there was one.
    pub task: Option<TaskId>,
    /// What went wrong, if anything did.
    pub failure: Option<Failure>,
    /// What the provider literally said, shortened.
    pub evidence: Option<String>,
    /// When it was recorded, just before it was sent.
    pub sent_at: Timestamp,
    /// When its status was last written.
    pub changed_at: Timestamp,
}

/// What came of adopting a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Adoption {
    /// The job renders it now; what was stored.
    Adopted(Box<Step>),
    /// The attempt has this very task already.
    Already,
    /// The attempt does not exist, waits for no answer any more, or the task belongs to another attempt.
    Refused,
}

/// What came of hastening the next look at a render.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hastening {
    /// It is due now and was to be later.
    Hastened,
    /// It was due already, or a worker has the job in hand.
    AlreadyDue,
    /// The job does not render this task.
    NotRendering,
}

/// The unfinished jobs, counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Census {
    /// How many jobs stand in each unfinished state that any stands in, in the order a job passes them.
    pub by_state: Vec<(StateName, u64)>,
    /// How many of all are due and wait for a worker.
    pub due: u64,
}

/// The job queue.
///
/// Laws, each tested on every implementation:
/// - a job is claimed by at most one worker at a time, only when due, most urgent first
///   ([`domain::priority::Priority::sort_at`]);
/// - every claim and rescue raises the lease number; a write under an older number changes nothing and fails with
///   [`crate::ErrorKind::Conflict`];
/// - a step is stored whole or not at all: job, ledger entries, notices, attempt, cool-down;
/// - a worker that stops extending its leases loses them to `rescue_dead`, one that hangs past its deadline
///   loses them to `rescue_hung` although it still extends them; either way the job is due at once and keeps its
///   urgency;
/// - a finished job is never claimed again;
/// - a task is adopted by the one open attempt that waits for it, whoever holds the lease, and by no other;
/// - a hastened look is never put off, and takes no job from its worker;
/// - a model the provider refused takes no submission until its cool-down is over, then one at a time, until one is
///   accepted; the operator is told once ([`domain::circuit`]);
/// - cool-downs only move later, and end when a submission that was sent after they began is accepted;
/// - there is one breaker for all processes, read and written in the transaction that asks it.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait JobStore: Send + Sync {
    /// Claims up to `limit` due jobs for `worker`.
    async fn claim_due(
        &self,
        worker: WorkerId,
        limit: u32,
        terms: LeaseTerms,
        now: Timestamp,
    ) -> Result<Claim, PortError>;

    /// Heartbeat: extends those of `leases` that still hold to `now + terms.lease`, and returns the ones that do
    /// not hold any more.
    async fn extend_leases(
        &self,
        leases: &[Lease],
        terms: LeaseTerms,
        now: Timestamp,
    ) -> Result<Vec<Lease>, PortError>;

    /// Stores a step under a lease. No hint is given that its job may be due again at once: whoever stores a step
    /// knows, and has a slot free. `evidence`, what the provider literally said, is kept with the attempt for
    /// whoever has to explain it later.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Conflict`] when the lease is lost; nothing is stored then.
    async fn store_step<'a>(
        &self,
        lease: Lease,
        step: &Step,
        after: AfterStep,
        evidence: Option<&'a str>,
        now: Timestamp,
    ) -> Result<(), PortError>;

    /// Chooses a model and a key for the job's next submission and stores what follows, reading the facts and writing the
    /// answer in one transaction that no other process can interleave ([`domain::job::open_attempt`]). The lease
    /// is kept when an attempt was opened and released otherwise.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Conflict`] when the lease is lost or the job is not about to be submitted.
    async fn open_attempt(
        &self,
        leased: &LeasedJob,
        attempt: AttemptId,
        roster: &KeyRoster,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<Step, PortError>;

    /// Asks the breaker whether the job's photo may be uploaded, and stores what follows
    /// ([`domain::job::before_upload`]) the way [`Self::open_attempt`] does. `None` when it may and nothing was stored. The
    /// lease is kept by a job that is to probe and released by one that has to wait.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Conflict`] when the lease is lost or the job is not about to be submitted.
    async fn ask_breaker(
        &self,
        leased: &LeasedJob,
        roster: &KeyRoster,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<Option<Step>, PortError>;

    /// What is known of the roster's keys and of the breaker. Of an empty roster nothing is.
    async fn provider_facts(&self, roster: &KeyRoster, now: Timestamp) -> Result<ProviderFacts, PortError>;

    /// Frees jobs whose lease ran out, and returns them.
    async fn rescue_dead(&self, now: Timestamp) -> Result<Vec<JobId>, PortError>;

    /// Frees jobs whose step passed its deadline, and returns them.
    async fn rescue_hung(&self, now: Timestamp) -> Result<Vec<JobId>, PortError>;

    /// When the first of all leases and deadlines runs out, or ran out; `None` while nothing is claimed.
    async fn next_expiry(&self) -> Result<Option<Timestamp>, PortError>;

    /// Gives claimed jobs back unworked, due at once: the worker is stopping. Leases that are lost are skipped.
    /// Every other process is given a hint, even when there is nothing to give back: a step that this worker has
    /// just stored may be due.
    async fn give_back(&self, leases: &[Lease], now: Timestamp) -> Result<(), PortError>;

    /// Cancels a job that is not with the provider yet, whoever holds its lease.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Rejected`] when there is no such job or it is too late.
    async fn cancel(&self, job: JobId, rules: &Rules, now: Timestamp) -> Result<Step, PortError>;

    /// Gives an attempt that still waits for its answer the task that has shown itself
    /// ([`domain::job::Event::Adopted`]), whoever holds the lease: its holder's answer comes too late then. Takes locks
    /// on the job, and on the model that the attempt tried out, if it did.
    async fn adopt(
        &self,
        attempt: AttemptId,
        task: &TaskId,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<Adoption, PortError>;

    /// Makes the next look at a render due now, if it was to be later and nobody has the job in hand. Changes nothing
    /// else: what became of the render is read by the look.
    async fn hasten(&self, attempt: AttemptId, task: &TaskId, now: Timestamp)
    -> Result<Hastening, PortError>;

    /// The job an attempt belongs to.
    async fn job_of_attempt(&self, attempt: AttemptId) -> Result<Option<Job>, PortError>;

    /// Counts the unfinished jobs.
    async fn census(&self, now: Timestamp) -> Result<Census, PortError>;

    /// One job.
    async fn job(&self, id: JobId) -> Result<Option<JobRecord>, PortError>;

    /// A job's submissions, oldest first.
    async fn attempts(&self, job: JobId) -> Result<Vec<AttemptRecord>, PortError>;

    /// Jobs, newest first.
    async fn list(&self, filter: &JobFilter) -> Result<Vec<JobRecord>, PortError>;
}
