//! The queue.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    breaker::ProviderFacts,
    circuit::Circuits,
    id::{AttemptId, JobId, TaskId, WorkerId},
    job::{self, Event, Job, Refusal, Rules, Step},
    priority::Priority,
    time::Timestamp,
};
use ports::{
    Adoption, AfterStep, AttemptRecord, Census, Claim, ErrorKind, Hastening, JobFilter, JobRecord, JobStore,
    KeyRoster, Lease, LeaseTerms, LeasedJob, PortError, Topic,
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    PgStores, attempts, circuits,
    claim_rows::claimed,
    connections::Transaction,
    error::{commit_failed, failed, readable},
    job_rows::JobRow,
    signal::CHANNEL_JOBS,
    step_rows::{self, AttemptWrite},
    time::{from_db, to_db},
};

/// A claim and, unless it is full, the due time of the job that comes next. Nothing due sorts later than the longest
/// delay from now, so the scan ends there. `due` is materialised because a LIMITed subquery may be run again for each
/// row and then update more than LIMIT.
const CLAIM: &str = "WITH due AS MATERIALIZED (
         SELECT id FROM jobs
         WHERE lease_owner IS NULL AND next_run_at IS NOT NULL AND next_run_at <= $2 AND sort_at <= $3
         ORDER BY sort_at, id LIMIT $4 FOR UPDATE SKIP LOCKED),
     claimed AS (
         UPDATE jobs SET lease_no = lease_no + 1, lease_owner = $1, lease_until = $5, lease_deadline = $6
         FROM due WHERE jobs.id = due.id RETURNING jobs.*),
     next AS (
         SELECT CASE WHEN (SELECT count(*) FROM due) < $4 THEN (
             SELECT min(next_run_at) FROM jobs
             WHERE lease_owner IS NULL AND next_run_at IS NOT NULL AND next_run_at > $2) END AS next_due_at)
     SELECT * FROM next LEFT JOIN claimed ON true ORDER BY sort_at, id";

impl PgStores {
    /// Rings for the messages of a step that was stored.
    pub(super) fn ring_for(&self, step: &Step) {
        if !step.notices.is_empty() {
            self.signal.ring(Topic::Outbox);
        }
    }

    /// Frees the leases a rescue found; the number grows, so that their holders can write nothing more.
    async fn rescue(&self, statement: &'static str, now: Timestamp) -> Result<Vec<JobId>, PortError> {
        let ids: Vec<Uuid> = sqlx::query_scalar(statement)
            .bind(to_db(now))
            .fetch_all(&self.connections)
            .await
            .map_err(failed("rescue jobs"))?;
        if !ids.is_empty() {
            self.signal.ring(Topic::Jobs);
        }
        Ok(ids.into_iter().map(|id| JobId::new(id.as_u128())).collect())
    }
}

/// Reads a job and keeps everybody else from changing it until the transaction ends.
async fn lock_job(tx: &mut PgConnection, id: JobId) -> Result<Option<JobRow>, PortError> {
    sqlx::query_as("SELECT * FROM jobs WHERE id = $1 FOR NO KEY UPDATE")
        .bind(Uuid::from_u128(id.value()))
        .fetch_optional(tx)
        .await
        .map_err(failed("read the job"))
}

/// Takes a locked job from whoever holds it: the number grows before a step is written under it.
pub(super) async fn take_over(
    tx: &mut PgConnection,
    job: JobId,
    now: Timestamp,
) -> Result<Lease, sqlx::Error> {
    let number: i64 = sqlx::query_scalar(
        "UPDATE jobs SET lease_no = lease_no + 1, lease_owner = $1, lease_until = $2, lease_deadline = $2
         WHERE id = $1 RETURNING lease_no",
    )
    .bind(Uuid::from_u128(job.value()))
    .bind(to_db(now))
    .fetch_one(tx)
    .await?;
    Ok(Lease { job, number })
}

/// Ends a transaction that changes nothing. One that is merely dropped is rolled back beside whatever the caller does
/// next, and a claim passes over locked jobs meanwhile.
pub(super) async fn let_go(tx: Transaction, error: PortError) -> PortError {
    if let Err(failure) = tx.rollback().await {
        tracing::debug!(error = %failure, "a transaction without changes could not be rolled back");
    }
    error
}

fn lease_lost(job: JobId) -> PortError {
    PortError::new(ErrorKind::Conflict, format!("the lease of job {job} is lost"))
}

fn refused(refusal: Refusal) -> PortError {
    PortError::with_source(ErrorKind::Conflict, "the job is not where this step expects it", refusal)
}

/// The account of the key that a step submits with.
fn account_of<'a>(roster: &'a KeyRoster, step: &Step) -> &'a str {
    let key = step.attempt.as_ref().map(|change| &change.key);
    roster.keys.iter().find(|known| Some(&known.key) == key).map_or("", |known| known.account.as_str())
}

fn lease_columns(leases: &[Lease]) -> (Vec<Uuid>, Vec<i64>) {
    leases.iter().map(|lease| (Uuid::from_u128(lease.job.value()), lease.number)).unzip()
}

#[async_trait]
impl JobStore for PgStores {
    async fn claim_due(
        &self,
        worker: WorkerId,
        limit: u32,
        terms: LeaseTerms,
        now: Timestamp,
    ) -> Result<Claim, PortError> {
        const TRIED: &str = "claim jobs";
        let rows = sqlx::query(CLAIM)
            .bind(Uuid::from_u128(worker.value()))
            .bind(to_db(now))
            .bind(to_db(now.after(Priority::DELAY_MAX)))
            .bind(i64::from(limit))
            .bind(to_db(now.after(terms.lease)))
            .bind(to_db(now.after(terms.deadline)))
            .fetch_all(&self.connections)
            .await
            .map_err(failed(TRIED))?;
        let (rows, next_due_at) = claimed::<JobRow>(&rows).map_err(failed(TRIED))?;
        let leased = |row: &JobRow| {
            let job = row.job()?;
            let lease = Lease { job: job.id, number: row.lease_no };
            Ok::<_, PortError>(LeasedJob { job, lease })
        };
        let jobs: Vec<_> = rows.iter().filter_map(|row| readable("a job", leased(row))).collect();
        // What was passed over is claimed all the same; readable ones may be due behind it.
        let next_due_at = if jobs.len() < rows.len() { Some(now) } else { next_due_at };
        Ok(Claim { jobs, next_due_at })
    }

    async fn extend_leases(
        &self,
        leases: &[Lease],
        terms: LeaseTerms,
        now: Timestamp,
    ) -> Result<Vec<Lease>, PortError> {
        const TRIED: &str = "extend leases";
        let (ids, numbers) = lease_columns(leases);
        // A row that somebody has locked is passed over, or one open transaction would hold up every heartbeat; its
        // lease is extended at the next one.
        sqlx::query(
            "WITH held AS MATERIALIZED (
                 SELECT jobs.id FROM jobs
                 JOIN unnest($1::uuid[], $2::bigint[]) AS ours (id, lease_no) USING (id, lease_no)
                 WHERE lease_owner IS NOT NULL FOR NO KEY UPDATE OF jobs SKIP LOCKED)
             UPDATE jobs SET lease_until = $3 FROM held WHERE jobs.id = held.id",
        )
        .bind(&ids)
        .bind(&numbers)
        .bind(to_db(now.after(terms.lease)))
        .execute(&self.connections)
        .await
        .map_err(failed(TRIED))?;
        let held: Vec<(Uuid, i64)> = sqlx::query_as(
            "SELECT jobs.id, lease_no FROM jobs
             JOIN unnest($1::uuid[], $2::bigint[]) AS ours (id, lease_no) USING (id, lease_no)
             WHERE lease_owner IS NOT NULL",
        )
        .bind(ids)
        .bind(numbers)
        .fetch_all(&self.connections)
        .await
        .map_err(failed(TRIED))?;
        // By number too: the same worker may hold an old and a new lease of one job.
        let holds = |lease: &Lease| held.contains(&(Uuid::from_u128(lease.job.value()), lease.number));
        Ok(leases.iter().copied().filter(|lease| !holds(lease)).collect())
    }

    async fn store_step<'a>(
        &self,
        lease: Lease,
        step: &Step,
        after: AfterStep,
        evidence: Option<&'a str>,
        now: Timestamp,
    ) -> Result<(), PortError> {
        let attempt = AttemptWrite::Changed { evidence };
        let stored = step_rows::store(&self.connections, lease, step, after, attempt, now).await;
        if !stored.map_err(commit_failed("store a step"))? {
            return Err(lease_lost(lease.job));
        }
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
        const TRIED: &str = "open an attempt";
        let lost = || lease_lost(leased.job.id);
        let mut tx = self.begin_on_accounts(roster).await?;
        // Only now, in a statement that begins under the locks: what it sees nobody else is about to change.
        let (row, facts, is_model_out) =
            attempts::job_and_facts(&mut tx, leased.job.id, roster, now).await?.ok_or_else(lost)?;
        if row.lease_no != leased.lease.number {
            return Err(let_go(tx, lost()).await);
        }
        let open = if is_model_out { circuits::lock_open(&mut tx).await? } else { Circuits::new() };
        let opened = row.job().and_then(|job| {
            job::open_attempt(&job, attempt, &facts, &roster.limits, &open, rules, now).map_err(refused)
        });
        let step = match opened {
            Ok(step) => step,
            Err(error) => return Err(let_go(tx, error).await),
        };
        circuits::write_choice(&mut tx, &step.circuits).await?;
        let after = AfterStep::of_opening(&step);
        let write = AttemptWrite::Opened { account: account_of(roster, &step) };
        let stored = step_rows::store(&mut *tx, leased.lease, &step, after, write, now).await;
        if !stored.map_err(failed("record a submission"))? {
            return Err(let_go(tx, lost()).await);
        }
        tx.commit().await.map_err(commit_failed(TRIED))?;
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
        const TRIED: &str = "ask the breaker";
        let lost = || lease_lost(leased.job.id);
        let mut tx = self.begin_on_accounts(roster).await?;
        let (row, facts, _) =
            attempts::job_and_facts(&mut tx, leased.job.id, roster, now).await?.ok_or_else(lost)?;
        if !row.is_held_under(leased.lease) {
            return Err(let_go(tx, lost()).await);
        }
        let asked = row
            .job()
            .and_then(|job| job::before_upload(&job, &facts, &roster.limits, rules, now).map_err(refused));
        let step = match asked {
            Ok(Some(step)) => step,
            Ok(None) => {
                tx.rollback().await.map_err(failed(TRIED))?;
                return Ok(None);
            }
            Err(error) => return Err(let_go(tx, error).await),
        };
        let after = if step.job.is_probe { AfterStep::Keep } else { AfterStep::Release };
        let nothing_said = AttemptWrite::Changed { evidence: None };
        let stored = step_rows::store(&mut *tx, leased.lease, &step, after, nothing_said, now).await;
        if !stored.map_err(failed(TRIED))? {
            return Err(let_go(tx, lost()).await);
        }
        tx.commit().await.map_err(commit_failed(TRIED))?;
        self.ring_for(&step);
        Ok(Some(step))
    }

    async fn provider_facts(&self, roster: &KeyRoster, now: Timestamp) -> Result<ProviderFacts, PortError> {
        attempts::provider_facts(&self.connections, roster, now).await
    }

    async fn rescue_dead(&self, now: Timestamp) -> Result<Vec<JobId>, PortError> {
        self.rescue(
            "WITH lost AS MATERIALIZED (
                 SELECT id FROM jobs WHERE lease_owner IS NOT NULL AND lease_until <= $1
                 ORDER BY lease_until FOR NO KEY UPDATE SKIP LOCKED)
             UPDATE jobs SET lease_no = lease_no + 1, lease_owner = NULL, lease_until = NULL, lease_deadline = NULL,
                    rescues = least(rescues + 1, 100)
             FROM lost WHERE jobs.id = lost.id RETURNING jobs.id",
            now,
        )
        .await
    }

    async fn rescue_hung(&self, now: Timestamp) -> Result<Vec<JobId>, PortError> {
        self.rescue(
            "WITH lost AS MATERIALIZED (
                 SELECT id FROM jobs WHERE lease_owner IS NOT NULL AND lease_deadline <= $1
                 ORDER BY lease_deadline FOR NO KEY UPDATE SKIP LOCKED)
             UPDATE jobs SET lease_no = lease_no + 1, lease_owner = NULL, lease_until = NULL, lease_deadline = NULL,
                    rescues = least(rescues + 1, 100)
             FROM lost WHERE jobs.id = lost.id RETURNING jobs.id",
            now,
        )
        .await
    }

    async fn next_expiry(&self) -> Result<Option<Timestamp>, PortError> {
        let next: Option<DateTime<Utc>> = sqlx::query_scalar(
            "SELECT least((SELECT min(lease_until) FROM jobs WHERE lease_owner IS NOT NULL),
                          (SELECT min(lease_deadline) FROM jobs WHERE lease_owner IS NOT NULL))",
        )
        .fetch_one(&self.connections)
        .await
        .map_err(failed("look for the lease that runs out first"))?;
        Ok(next.map(from_db))
    }

    async fn give_back(&self, leases: &[Lease], _now: Timestamp) -> Result<(), PortError> {
        let (ids, numbers) = lease_columns(leases);
        sqlx::query(
            "WITH given AS (
                 UPDATE jobs SET lease_no = jobs.lease_no + 1, lease_owner = NULL, lease_until = NULL,
                        lease_deadline = NULL
                 FROM unnest($1::uuid[], $2::bigint[]) AS held (id, lease_no)
                 WHERE jobs.id = held.id AND jobs.lease_no = held.lease_no AND lease_owner IS NOT NULL)
             SELECT pg_notify($3, '')",
        )
        .bind(ids)
        .bind(numbers)
        .bind(CHANNEL_JOBS)
        .execute(&self.connections)
        .await
        .map_err(failed("give jobs back"))?;
        self.signal.ring(Topic::Jobs);
        Ok(())
    }

    async fn cancel(&self, id: JobId, rules: &Rules, now: Timestamp) -> Result<Step, PortError> {
        const TRIED: &str = "cancel the job";
        let mut tx = self.connections.begin().await.map_err(failed(TRIED))?;
        let Some(row) = lock_job(&mut tx, id).await? else {
            return Err(PortError::new(ErrorKind::Rejected, format!("there is no job {id}")));
        };
        let cannot =
            |refusal| PortError::with_source(ErrorKind::Rejected, "the job cannot be cancelled", refusal);
        let cancelled =
            row.job().and_then(|job| job::apply(&job, Event::CancelRequested, rules, now).map_err(cannot));
        let step = match cancelled {
            Ok(step) => step,
            Err(error) => return Err(let_go(tx, error).await),
        };
        let lease = take_over(&mut tx, id, now).await.map_err(failed(TRIED))?;
        let nothing_said = AttemptWrite::Changed { evidence: None };
        let stored = step_rows::store(&mut *tx, lease, &step, AfterStep::Release, nothing_said, now).await;
        if !stored.map_err(failed(TRIED))? {
            return Err(let_go(tx, lease_lost(id)).await);
        }
        tx.commit().await.map_err(commit_failed(TRIED))?;
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
        self.adopt_task(attempt, task, rules, now).await
    }

    async fn hasten(
        &self,
        attempt: AttemptId,
        task: &TaskId,
        now: Timestamp,
    ) -> Result<Hastening, PortError> {
        self.hasten_look(attempt, task, now).await
    }

    async fn job_of_attempt(&self, attempt: AttemptId) -> Result<Option<Job>, PortError> {
        self.job_with_attempt(attempt).await
    }

    async fn census(&self, now: Timestamp) -> Result<Census, PortError> {
        self.count_unfinished(now).await
    }

    async fn job(&self, id: JobId) -> Result<Option<JobRecord>, PortError> {
        let row: Option<JobRow> = sqlx::query_as("SELECT * FROM jobs WHERE id = $1")
            .bind(Uuid::from_u128(id.value()))
            .fetch_optional(&self.connections)
            .await
            .map_err(failed("read the job"))?;
        row.as_ref().map(JobRow::record).transpose()
    }

    async fn attempts(&self, job: JobId) -> Result<Vec<AttemptRecord>, PortError> {
        attempts::of_job(&self.connections, job).await
    }

    async fn list(&self, filter: &JobFilter) -> Result<Vec<JobRecord>, PortError> {
        let rows: Vec<JobRow> = sqlx::query_as(
            "SELECT * FROM jobs
             WHERE ($1::bigint IS NULL OR tg_user_id = $1) AND ($2::uuid IS NULL OR order_id = $2)
               AND ($3::text IS NULL OR state = $3)
             ORDER BY created_at DESC, id DESC LIMIT $4",
        )
        .bind(filter.user.map(domain::id::UserId::value))
        .bind(filter.order.map(|id| Uuid::from_u128(id.value())))
        .bind(filter.state.map(domain::job::StateName::as_str))
        .bind(i64::from(filter.limit))
        .fetch_all(&self.connections)
        .await
        .map_err(failed("list jobs"))?;
        rows.iter().map(JobRow::record).collect()
    }
}
