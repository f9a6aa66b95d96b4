//! Submissions and the state of provider keys.

use chrono::{DateTime, Utc};
use domain::{
    breaker::{Answers, ProviderFacts},
    failure::{Failure, Reason},
    id::{AttemptId, JobId, KeyId, TaskId},
    job::AttemptStatus,
    key::{Cooling, CoolingCause, KeyFacts},
    time::Timestamp,
};
use ports::{AttemptRecord, KeyRoster, PortError};
use sqlx::{
    FromRow, PgConnection, PgExecutor, Postgres, Row,
    postgres::{PgArguments, PgRow},
    query::Query,
};
use uuid::Uuid;

use super::{
    breaker_rows::{BreakerRow, before, counted_from},
    error::{failed, inconsistent},
    job_rows::JobRow,
    time::{from_db, to_db},
};

#[derive(FromRow)]
struct FactsRow {
    key: String,
    cooled_until: Option<DateTime<Utc>>,
    cause: Option<String>,
    cooled_since: Option<DateTime<Utc>>,
    proved_at: Option<DateTime<Utc>>,
    accepted: i64,
    faults: i64,
    account_running: i64,
    account_created: i64,
    oldest_created: Option<DateTime<Utc>>,
    key_running: i64,
}

/// What is known of the keys `$1` of the accounts `$2`; an account's window for creations began at `$3`, the one for answers at `$4`. Attempts are
/// read once for all keys, not once a key: by the number of keys, which a general plan does not know, the server would
/// judge a plan of its own worth making for every execution, and that takes longer than the execution.
macro_rules! key_facts {
    () => {
        "SELECT r.key, k.cooled_until, k.cause, k.cooled_since, k.proved_at, r.place,
                coalesce(answered.accepted, 0) AS accepted, coalesce(answered.faults, 0) AS faults,
                breaker.is_open AS breaker_open, breaker.since AS breaker_since, breaker.probe_at, breaker.probes,
                breaker.probe_job, breaker.probe_since, breaker.waiting AS breaker_waiting,
                (SELECT answer FROM provider_answers
                 WHERE at > breaker.probe_since AND job_id = breaker.probe_job
                 ORDER BY at DESC, id DESC LIMIT 1) AS probe_answer,
                coalesce((SELECT sum(n) FROM running WHERE account = r.account), 0)::bigint AS account_running,
                coalesce((SELECT n FROM created WHERE account = r.account), 0) AS account_created,
                (SELECT oldest FROM created WHERE account = r.account) AS oldest_created,
                coalesce((SELECT n FROM running WHERE account = r.account AND key = r.key), 0) AS key_running
         FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS r (key, account, place)
         CROSS JOIN provider_breaker breaker
         LEFT JOIN provider_keys k ON k.key = r.key
         LEFT JOIN answered ON answered.key = r.key"
    };
}

/// The attempts and answers that [`key_facts`] counts. What was answered before the last outage ended, or before a key
/// was proved to work again, says nothing about now; while the breaker is open nothing counts.
macro_rules! counted_attempts {
    () => {
        "running AS MATERIALIZED (
             SELECT account, key, count(*) AS n FROM attempts
             WHERE account = ANY ($2) AND status IN ('sent', 'unanswered', 'running') GROUP BY account, key),
         created AS MATERIALIZED (
             SELECT account, count(*) AS n, min(sent_at) AS oldest FROM attempts
             WHERE account = ANY ($2) AND sent_at > $3 GROUP BY account),
         answered AS MATERIALIZED (
             SELECT key, count(*) FILTER (WHERE answer = 'accepted') AS accepted,
                    count(*) FILTER (WHERE answer = 'fault') AS faults
             FROM provider_answers a CROSS JOIN provider_breaker b LEFT JOIN provider_keys k USING (key)
             WHERE a.at > $4 AND NOT b.is_open AND (b.since IS NULL OR a.at > b.since)
               AND (k.proved_at IS NULL OR a.at > k.proved_at)
             GROUP BY key)"
    };
}

fn bind_roster<'q>(
    statement: Query<'q, Postgres, PgArguments>,
    roster: &'q KeyRoster,
    now: Timestamp,
) -> Query<'q, Postgres, PgArguments> {
    let window_start = before(now, roster.limits.window);
    let (keys, accounts): (Vec<&str>, Vec<&str>) =
        roster.keys.iter().map(|key| (key.key.as_str(), key.account.as_str())).unzip();
    statement.bind(keys).bind(accounts).bind(to_db(window_start)).bind(to_db(counted_from(now)))
}

/// What is known of the roster's keys and of the breaker.
pub(super) async fn provider_facts(
    executor: impl PgExecutor<'_>,
    roster: &KeyRoster,
    now: Timestamp,
) -> Result<ProviderFacts, PortError> {
    let tried = failed("read the state of the keys");
    let statement =
        sqlx::query(concat!("WITH ", counted_attempts!(), " ", key_facts!(), " ORDER BY r.place"));
    let rows = bind_roster(statement, roster, now).fetch_all(executor).await.map_err(&tried)?;
    facts(&rows, roster)
}

/// Reads a job, keeping everybody else from changing it until the transaction ends, and what is known of the provider,
/// and whether any model's circuit is open. `None` when there is no such job.
pub(super) async fn job_and_facts(
    tx: &mut PgConnection,
    job: JobId,
    roster: &KeyRoster,
    now: Timestamp,
) -> Result<Option<(JobRow, ProviderFacts, bool)>, PortError> {
    let tried = failed("read the job and the state of the keys");
    let statement = sqlx::query(concat!(
        "WITH job AS MATERIALIZED (SELECT * FROM jobs WHERE id = $5 FOR NO KEY UPDATE), ",
        counted_attempts!(),
        ", facts AS (",
        key_facts!(),
        ") SELECT *, EXISTS (SELECT FROM provider_models WHERE open_until IS NOT NULL) AS is_model_out
           FROM job LEFT JOIN facts ON true ORDER BY place"
    ));
    let statement = bind_roster(statement, roster, now).bind(Uuid::from_u128(job.value()));
    let rows = statement.fetch_all(tx).await.map_err(&tried)?;
    let Some(first) = rows.first() else { return Ok(None) };
    let job = JobRow::from_row(first).map_err(&tried)?;
    let is_model_out: bool = first.try_get("is_model_out").map_err(&tried)?;
    Ok(Some((job, facts(&rows, roster)?, is_model_out)))
}

/// Reads a row for each key of the roster. One without keys has no facts, and what rows there are, are the job's alone.
fn facts(rows: &[PgRow], roster: &KeyRoster) -> Result<ProviderFacts, PortError> {
    let tried = failed("read the state of the keys");
    let Some(first) = rows.first().filter(|_| !roster.keys.is_empty()) else {
        return Ok(ProviderFacts::default());
    };
    let read = rows.iter().zip(&roster.keys).map(|(row, key)| {
        let row = FactsRow::from_row(row).map_err(&tried)?;
        let is_over = row.proved_at.is_some_and(|at| Some(at) >= row.cooled_since);
        let cooling = match (row.cooled_until, row.cooled_since, row.cause.as_deref()) {
            (Some(until), Some(since), Some(cause)) if !is_over => Some(Cooling {
                since: from_db(since),
                until: from_db(until),
                cause: CoolingCause::parse(cause)
                    .ok_or_else(|| inconsistent("provider_keys", "cause", &row.key))?,
            }),
            _ => None,
        };
        let count = |value: i64| u32::try_from(value).unwrap_or(u32::MAX);
        Ok(KeyFacts {
            key: key.key.clone(),
            account: key.account.clone(),
            cooling,
            account_running: count(row.account_running),
            account_created: count(row.account_created),
            window_frees_at: row.oldest_created.map(|at| from_db(at).after(roster.limits.window)),
            key_running: count(row.key_running),
            answers: Answers { accepted: count(row.accepted), faults: count(row.faults) },
        })
    });
    let keys = read.collect::<Result<Vec<_>, PortError>>()?;
    BreakerRow::from_row(first).map_err(&tried)?.facts(keys)
}

#[derive(FromRow)]
struct AttemptRow {
    id: Uuid,
    key: String,
    status: String,
    task_id: Option<String>,
    failure_reason: Option<String>,
    evidence: Option<String>,
    sent_at: DateTime<Utc>,
    changed_at: DateTime<Utc>,
}

impl AttemptRow {
    fn into_record(self) -> Result<AttemptRecord, PortError> {
        let wrong = |column| inconsistent("attempts", column, self.id);
        let failure = |code: &str| Reason::from_code(code).map(Failure::from);
        Ok(AttemptRecord {
            id: AttemptId::new(self.id.as_u128()),
            key: KeyId::new(self.key).map_err(|_| wrong("key"))?,
            status: AttemptStatus::parse(&self.status).ok_or_else(|| wrong("status"))?,
            task: self.task_id.map(TaskId::new).transpose().map_err(|_| wrong("task_id"))?,
            failure: match self.failure_reason.as_deref() {
                Some(code) => Some(failure(code).ok_or_else(|| wrong("failure_reason"))?),
                None => None,
            },
            evidence: self.evidence,
            sent_at: from_db(self.sent_at),
            changed_at: from_db(self.changed_at),
        })
    }
}

/// A job's submissions, oldest first.
pub(super) async fn of_job(
    executor: impl PgExecutor<'_>,
    job: JobId,
) -> Result<Vec<AttemptRecord>, PortError> {
    let rows: Vec<AttemptRow> = sqlx::query_as(
        "SELECT id, key, status, task_id, failure_reason, evidence, sent_at, changed_at
         FROM attempts WHERE job_id = $1 ORDER BY sent_at, id",
    )
    .bind(Uuid::from_u128(job.value()))
    .fetch_all(executor)
    .await
    .map_err(failed("read a job's submissions"))?;
    rows.into_iter().map(AttemptRow::into_record).collect()
}
