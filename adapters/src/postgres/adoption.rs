//! What callbacks change: tasks that show themselves, looks that are hastened; and the count of what is unfinished.

use domain::{
    id::{AttemptId, TaskId},
    job::{self, Event, Job, Rules, StateName},
    time::Timestamp,
};
use ports::{Adoption, AfterStep, Census, ErrorKind, Hastening, PortError, Topic};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    PgStores,
    error::{commit_failed, failed, inconsistent},
    job_rows::JobRow,
    job_store::{let_go, take_over},
    signal::CHANNEL_JOBS,
    step_rows::{self, AttemptWrite},
    time::to_db,
};

/// Only the look that waits unclaimed is moved: a worker that has the job in hand is looking, or is about to.
const HASTEN: &str = "WITH job AS MATERIALIZED (
         SELECT jobs.id, lease_owner IS NULL AND next_run_at > $3 AS waits
         FROM attempts JOIN jobs ON jobs.id = attempts.job_id
         WHERE attempts.id = $1 AND jobs.attempt_id = $1 AND jobs.state = 'rendering' AND jobs.task_id = $2
         FOR NO KEY UPDATE OF jobs),
     hastened AS (UPDATE jobs SET next_run_at = $3 FROM job WHERE jobs.id = job.id AND job.waits)
     SELECT waits, CASE WHEN waits THEN pg_notify($4, '') END FROM job";

/// By the two indexes of unfinished jobs, whose rows are few beside the finished ones.
const CENSUS: &str = "SELECT state, count(*), count(*) FILTER (WHERE waits AND next_run_at <= $1) FROM (
         SELECT state, next_run_at, true AS waits FROM jobs WHERE lease_owner IS NULL AND next_run_at IS NOT NULL
         UNION ALL
         SELECT state, next_run_at, false FROM jobs WHERE lease_owner IS NOT NULL) AS unfinished
     GROUP BY state";

/// Reads the job of an attempt and keeps everybody else from changing it until the transaction ends.
async fn lock_job_of(tx: &mut PgConnection, attempt: AttemptId) -> Result<Option<JobRow>, PortError> {
    sqlx::query_as(
        "SELECT jobs.* FROM attempts JOIN jobs ON jobs.id = attempts.job_id WHERE attempts.id = $1
         FOR NO KEY UPDATE OF jobs",
    )
    .bind(Uuid::from_u128(attempt.value()))
    .fetch_optional(tx)
    .await
    .map_err(failed("read the job of an attempt"))
}

/// Whether any attempt has this task.
async fn is_known(tx: &mut PgConnection, task: &TaskId) -> Result<bool, PortError> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM attempts WHERE task_id = $1)")
        .bind(task.as_str())
        .fetch_one(tx)
        .await
        .map_err(failed("look for the task"))
}

impl PgStores {
    pub(super) async fn adopt_task(
        &self,
        attempt: AttemptId,
        task: &TaskId,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<Adoption, PortError> {
        const TRIED: &str = "adopt a task";
        let mut tx = self.connections.begin().await.map_err(failed(TRIED))?;
        let decided = async {
            let Some(row) = lock_job_of(&mut tx, attempt).await? else { return Ok(Err(Adoption::Refused)) };
            let job = row.job()?;
            if job.state.has_task(attempt, task) {
                return Ok(Err(Adoption::Already));
            }
            let event = Event::Adopted { attempt, task: task.clone() };
            match job::apply(&job, event, rules, now) {
                Ok(step) if !is_known(&mut tx, task).await? => Ok::<_, PortError>(Ok(step)),
                _ => Ok(Err(Adoption::Refused)),
            }
        };
        let step = match decided.await {
            Ok(Ok(step)) => step,
            Ok(Err(nothing)) => {
                // Rolled back before the answer: the caller may go on to the same row at once.
                tx.rollback().await.map_err(failed(TRIED))?;
                return Ok(nothing);
            }
            Err(error) => return Err(let_go(tx, error).await),
        };
        let lease = take_over(&mut tx, step.job.id, now).await.map_err(failed(TRIED))?;
        let nothing_said = AttemptWrite::Changed { evidence: None };
        let stored = step_rows::store(&mut *tx, lease, &step, AfterStep::Release, nothing_said, now).await;
        if !stored.map_err(failed(TRIED))? {
            let error =
                PortError::new(ErrorKind::Conflict, format!("the lease of job {} is lost", lease.job));
            return Err(let_go(tx, error).await);
        }
        sqlx::query("SELECT pg_notify($1, '')")
            .bind(CHANNEL_JOBS)
            .execute(&mut *tx)
            .await
            .map_err(failed(TRIED))?;
        tx.commit().await.map_err(commit_failed(TRIED))?;
        self.ring_for(&step);
        self.signal.ring(Topic::Jobs);
        Ok(Adoption::Adopted(Box::new(step)))
    }

    pub(super) async fn hasten_look(
        &self,
        attempt: AttemptId,
        task: &TaskId,
        now: Timestamp,
    ) -> Result<Hastening, PortError> {
        let found: Option<bool> = sqlx::query_scalar(HASTEN)
            .bind(Uuid::from_u128(attempt.value()))
            .bind(task.as_str())
            .bind(to_db(now))
            .bind(CHANNEL_JOBS)
            .fetch_optional(&self.connections)
            .await
            .map_err(commit_failed("hasten a look"))?;
        Ok(match found {
            Some(true) => {
                self.signal.ring(Topic::Jobs);
                Hastening::Hastened
            }
            Some(false) => Hastening::AlreadyDue,
            None => Hastening::NotRendering,
        })
    }

    pub(super) async fn job_with_attempt(&self, attempt: AttemptId) -> Result<Option<Job>, PortError> {
        let row: Option<JobRow> = sqlx::query_as(
            "SELECT jobs.* FROM attempts JOIN jobs ON jobs.id = attempts.job_id WHERE attempts.id = $1",
        )
        .bind(Uuid::from_u128(attempt.value()))
        .fetch_optional(&self.connections)
        .await
        .map_err(failed("read the job of an attempt"))?;
        row.as_ref().map(JobRow::job).transpose()
    }

    pub(super) async fn count_unfinished(&self, now: Timestamp) -> Result<Census, PortError> {
        let rows: Vec<(String, i64, i64)> = sqlx::query_as(CENSUS)
            .bind(to_db(now))
            .fetch_all(&self.connections)
            .await
            .map_err(failed("count the unfinished jobs"))?;
        let count = |value: i64| u64::try_from(value).unwrap_or_default();
        let mut census = Census::default();
        for (state, jobs, due) in rows {
            let name = StateName::parse(&state).ok_or_else(|| inconsistent("jobs", "state", &state))?;
            census.by_state.push((name, count(jobs)));
            census.due += count(due);
        }
        census.by_state.sort_unstable();
        Ok(census)
    }
}
