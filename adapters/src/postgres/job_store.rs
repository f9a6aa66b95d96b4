//! The queue.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    id::{AttemptId, JobId, WorkerId},
    job::{self, Event, Refusal, Rules, State, Step},
    key::KeyFacts,
    priority::Priority,
    time::Timestamp,
};
use ports::{
    AfterStep, AttemptRecord, Claim, ErrorKind, JobFilter, JobRecord, JobStore, KeyRoster, Lease, LeaseTerms,
    LeasedJob, PortError, Topic,
};
use sqlx::{PgConnection, Postgres, Transaction};
use uuid::Uuid;

use super::{
    PgStores, attempts,
    error::{commit_failed, failed, readable},
    job_rows::{JobRow, update_leased},
    ledger_store::insert_entry,
    notice_rows::insert_notice,
    signal::notify,
    time::{from_db, to_db},
};

impl PgStores {
    /// Writes everything a step changes beside the job itself, and commits.
    async fn finish_step(
        &self,
        mut tx: Transaction<'_, Postgres>,
        step: &Step,
        now: Timestamp,
    ) -> Result<(), PortError> {
        for entry in &step.entries {
            insert_entry(&mut tx, entry).await?;
        }
        for notice in &step.notices {
            insert_notice(&mut tx, notice, now).await?;
        }
        if let Some((key, cooling)) = &step.cooling {
            attempts::cool_key(&mut tx, key, *cooling).await?;
        }
        let due_now = step.next_run_at.is_some_and(|at| at <= now);
        let topics = [(due_now, Topic::Jobs), (!step.notices.is_empty(), Topic::Outbox)]
            .map(|(is, topic)| is.then_some(topic));
        for topic in topics.iter().flatten() {
            notify(&mut tx, *topic).await?;
        }
        tx.commit().await.map_err(commit_failed("store a step"))?;
        topics.into_iter().flatten().for_each(|topic| self.signal.ring(topic));
        Ok(())
    }

    /// Frees the leases a rescue found; the number grows, so that their holders can write nothing more.
    async fn rescue(&self, statement: &'static str, now: Timestamp) -> Result<Vec<JobId>, PortError> {
        let ids: Vec<Uuid> = sqlx::query_scalar(statement)
            .bind(to_db(now))
            .fetch_all(&self.pool)
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

/// Ends a transaction that changes nothing. A transaction that is merely dropped keeps its locks until its
/// connection is used again, and a claim passes over locked jobs meanwhile.
async fn let_go(tx: Transaction<'_, Postgres>, error: PortError) -> PortError {
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
        // Nothing due sorts later than the longest delay from now, so the scan ends there. The CTE is
        // materialised because a LIMITed subquery may be run again for each row and then update more than LIMIT.
        let mut rows: Vec<JobRow> = sqlx::query_as(
            "WITH due AS MATERIALIZED (
                 SELECT id FROM jobs
                 WHERE lease_owner IS NULL AND next_run_at IS NOT NULL AND next_run_at <= $2 AND sort_at <= $3
                 ORDER BY sort_at, id LIMIT $4 FOR UPDATE SKIP LOCKED)
             UPDATE jobs SET lease_no = lease_no + 1, lease_owner = $1, lease_until = $5, lease_deadline = $6
             FROM due WHERE jobs.id = due.id RETURNING jobs.*",
        )
        .bind(Uuid::from_u128(worker.value()))
        .bind(to_db(now))
        .bind(to_db(now.after(Priority::DELAY_MAX)))
        .bind(i64::from(limit))
        .bind(to_db(now.after(terms.lease)))
        .bind(to_db(now.after(terms.deadline)))
        .fetch_all(&self.pool)
        .await
        .map_err(failed(TRIED))?;
        rows.sort_by_key(|row| (row.sort_at, row.id));
        let is_full = rows.len() == limit as usize;
        let leased = |row: &JobRow| {
            let job = row.job()?;
            let lease = Lease { job: job.id, number: row.lease_no };
            Ok::<_, PortError>(LeasedJob { job, lease })
        };
        let jobs = rows.iter().filter_map(|row| readable("a job", leased(row))).collect();
        let mut next_due_at = None;
        if !is_full {
            let next: Option<DateTime<Utc>> = sqlx::query_scalar(
                "SELECT min(next_run_at) FROM jobs
                 WHERE lease_owner IS NULL AND next_run_at IS NOT NULL AND next_run_at > $1",
            )
            .bind(to_db(now))
            .fetch_one(&self.pool)
            .await
            .map_err(failed(TRIED))?;
            next_due_at = next.map(from_db);
        }
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
        .execute(&self.pool)
        .await
        .map_err(failed(TRIED))?;
        let held: Vec<(Uuid, i64)> = sqlx::query_as(
            "SELECT jobs.id, lease_no FROM jobs
             JOIN unnest($1::uuid[], $2::bigint[]) AS ours (id, lease_no) USING (id, lease_no)
             WHERE lease_owner IS NOT NULL",
        )
        .bind(ids)
        .bind(numbers)
        .fetch_all(&self.pool)
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
        let mut tx = self.pool.begin().await.map_err(failed("store a step"))?;
        if !update_leased(&mut tx, lease, &step.job, step.next_run_at, after).await? {
            return Err(lease_lost(lease.job));
        }
        if let Some(change) = &step.attempt {
            attempts::update(&mut tx, change, evidence, now).await?;
        }
        self.finish_step(tx, step, now).await
    }

    async fn open_attempt(
        &self,
        leased: &LeasedJob,
        attempt: AttemptId,
        roster: &KeyRoster,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<Step, PortError> {
        let mut tx = self.pool.begin().await.map_err(failed("open an attempt"))?;
        attempts::lock_accounts(&mut tx, roster).await?;
        let row = lock_job(&mut tx, leased.job.id).await?.ok_or_else(|| lease_lost(leased.job.id))?;
        if row.lease_no != leased.lease.number {
            return Err(let_go(tx, lease_lost(leased.job.id)).await);
        }
        let facts = attempts::key_facts(&mut tx, roster, now).await?;
        let step =
            job::open_attempt(&row.job()?, attempt, &facts, &roster.limits, rules, now).map_err(refused)?;
        let opened = matches!(step.job.state, State::Submitting { open: Some(_) });
        let after = if opened { AfterStep::Keep } else { AfterStep::Release };
        if !update_leased(&mut tx, leased.lease, &step.job, step.next_run_at, after).await? {
            return Err(lease_lost(leased.job.id));
        }
        if let Some(change) = &step.attempt {
            attempts::insert(&mut tx, leased.job.id, change, roster, now).await?;
        }
        self.finish_step(tx, &step, now).await?;
        Ok(step)
    }

    async fn key_facts(&self, roster: &KeyRoster, now: Timestamp) -> Result<Vec<KeyFacts>, PortError> {
        let mut connection = self.pool.acquire().await.map_err(failed("read the state of the keys"))?;
        attempts::key_facts(&mut connection, roster, now).await
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

    async fn give_back(&self, leases: &[Lease], _now: Timestamp) -> Result<(), PortError> {
        let (ids, numbers) = lease_columns(leases);
        sqlx::query(
            "UPDATE jobs SET lease_no = jobs.lease_no + 1, lease_owner = NULL, lease_until = NULL,
                    lease_deadline = NULL
             FROM unnest($1::uuid[], $2::bigint[]) AS held (id, lease_no)
             WHERE jobs.id = held.id AND jobs.lease_no = held.lease_no AND lease_owner IS NOT NULL",
        )
        .bind(ids)
        .bind(numbers)
        .execute(&self.pool)
        .await
        .map_err(failed("give jobs back"))?;
        self.signal.ring(Topic::Jobs);
        Ok(())
    }

    async fn cancel(&self, id: JobId, rules: &Rules, now: Timestamp) -> Result<Step, PortError> {
        let mut tx = self.pool.begin().await.map_err(failed("cancel the job"))?;
        let Some(row) = lock_job(&mut tx, id).await? else {
            return Err(PortError::new(ErrorKind::Rejected, format!("there is no job {id}")));
        };
        let step = match job::apply(&row.job()?, Event::CancelRequested, rules, now) {
            Ok(step) => step,
            Err(refusal) => {
                let error =
                    PortError::with_source(ErrorKind::Rejected, "the job cannot be cancelled", refusal);
                return Err(let_go(tx, error).await);
            }
        };
        // Whoever holds the job loses it: the number grows before the step is written under it.
        let number: i64 = sqlx::query_scalar(
            "UPDATE jobs SET lease_no = lease_no + 1, lease_owner = $1, lease_until = $2, lease_deadline = $2
             WHERE id = $1 RETURNING lease_no",
        )
        .bind(Uuid::from_u128(id.value()))
        .bind(to_db(now))
        .fetch_one(&mut *tx)
        .await
        .map_err(failed("cancel the job"))?;
        let lease = Lease { job: id, number };
        if !update_leased(&mut tx, lease, &step.job, step.next_run_at, AfterStep::Release).await? {
            return Err(lease_lost(id));
        }
        self.finish_step(tx, &step, now).await?;
        Ok(step)
    }

    async fn job(&self, id: JobId) -> Result<Option<JobRecord>, PortError> {
        let row: Option<JobRow> = sqlx::query_as("SELECT * FROM jobs WHERE id = $1")
            .bind(Uuid::from_u128(id.value()))
            .fetch_optional(&self.pool)
            .await
            .map_err(failed("read the job"))?;
        row.as_ref().map(JobRow::record).transpose()
    }

    async fn attempts(&self, job: JobId) -> Result<Vec<AttemptRecord>, PortError> {
        let mut connection = self.pool.acquire().await.map_err(failed("read a job's submissions"))?;
        attempts::of_job(&mut connection, job).await
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
        .fetch_all(&self.pool)
        .await
        .map_err(failed("list jobs"))?;
        rows.iter().map(JobRow::record).collect()
    }
}
