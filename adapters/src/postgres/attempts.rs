//! Submissions and the state of provider keys.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::{
    failure::{Failure, Reason},
    id::{AttemptId, JobId, KeyId, TaskId},
    job::AttemptStatus,
    key::{Cooling, CoolingCause, KeyFacts},
    time::Timestamp,
};
use ports::{AttemptRecord, KeyRoster, PortError};
use sqlx::{FromRow, PgConnection, PgExecutor, Postgres, Row, postgres::PgArguments, query::Query};
use uuid::Uuid;

use super::{
    PgStores,
    connections::Transaction,
    error::{failed, inconsistent},
    job_rows::JobRow,
    time::{from_db, to_db},
};

impl PgStores {
    /// Begins a transaction that keeps every other process from choosing a key of these accounts. They are locked
    /// always in the same order, so that two processes cannot wait for each other.
    pub(super) async fn begin_on_accounts(&self, roster: &KeyRoster) -> Result<Transaction, PortError> {
        let tried = || failed("lock the provider accounts");
        let accounts: BTreeSet<&str> = roster.keys.iter().map(|key| key.account.as_str()).collect();
        let accounts: Vec<&str> = accounts.into_iter().collect();
        let lock = async || {
            let mut tx = self.connections.begin().await?;
            let locked = sqlx::query(
                "SELECT account FROM provider_accounts WHERE account = ANY ($1) ORDER BY account FOR UPDATE",
            )
            .bind(&accounts)
            .execute(&mut *tx)
            .await?;
            Ok((tx, locked.rows_affected() == accounts.len() as u64))
        };
        let (tx, all_are_known) = lock().await.map_err(tried())?;
        if all_are_known {
            return Ok(tx);
        }
        // The first submission on an account. It is written down without any lock in hand, or the order would differ.
        tx.rollback().await.map_err(tried())?;
        sqlx::query(
            "INSERT INTO provider_accounts (account)
             SELECT a FROM unnest($1::text[]) AS a ORDER BY 1 ON CONFLICT DO NOTHING",
        )
        .bind(&accounts)
        .execute(&self.connections)
        .await
        .map_err(tried())?;
        let (tx, _) = lock().await.map_err(tried())?;
        Ok(tx)
    }
}

#[derive(FromRow)]
struct FactsRow {
    key: String,
    cooled_until: Option<DateTime<Utc>>,
    cause: Option<String>,
    account_running: i64,
    account_created: i64,
    oldest_created: Option<DateTime<Utc>>,
    key_running: i64,
}

/// What is known of the keys `$1` of the accounts `$2`; an account's window for creations began at `$3`. Attempts are
/// read once for all keys, not once a key: by the number of keys, which a general plan does not know, the server would
/// judge a plan of its own worth making for every execution, and that takes longer than the execution.
macro_rules! key_facts {
    () => {
        "SELECT r.key, k.cooled_until, k.cause, r.place,
                coalesce((SELECT sum(n) FROM running WHERE account = r.account), 0)::bigint AS account_running,
                coalesce((SELECT n FROM created WHERE account = r.account), 0) AS account_created,
                (SELECT oldest FROM created WHERE account = r.account) AS oldest_created,
                coalesce((SELECT n FROM running WHERE account = r.account AND key = r.key), 0) AS key_running
         FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS r (key, account, place)
         LEFT JOIN provider_keys k ON k.key = r.key"
    };
}

/// The attempts that [`key_facts`] counts.
macro_rules! counted_attempts {
    () => {
        "running AS MATERIALIZED (
             SELECT account, key, count(*) AS n FROM attempts
             WHERE account = ANY ($2) AND status IN ('sent', 'unanswered', 'running') GROUP BY account, key),
         created AS MATERIALIZED (
             SELECT account, count(*) AS n, min(sent_at) AS oldest FROM attempts
             WHERE account = ANY ($2) AND sent_at > $3 GROUP BY account)"
    };
}

fn bind_roster<'q>(
    statement: Query<'q, Postgres, PgArguments>,
    roster: &'q KeyRoster,
    now: Timestamp,
) -> Query<'q, Postgres, PgArguments> {
    let window_ms = i64::try_from(roster.limits.window.as_millis()).unwrap_or(i64::MAX);
    let window_start = Timestamp::from_millis(now.as_millis().saturating_sub(window_ms));
    let (keys, accounts): (Vec<&str>, Vec<&str>) =
        roster.keys.iter().map(|key| (key.key.as_str(), key.account.as_str())).unzip();
    statement.bind(keys).bind(accounts).bind(to_db(window_start))
}

/// What is known of the roster's keys.
pub(super) async fn key_facts(
    executor: impl PgExecutor<'_>,
    roster: &KeyRoster,
    now: Timestamp,
) -> Result<Vec<KeyFacts>, PortError> {
    let tried = failed("read the state of the keys");
    let statement =
        sqlx::query(concat!("WITH ", counted_attempts!(), " ", key_facts!(), " ORDER BY r.place"));
    let rows = bind_roster(statement, roster, now).fetch_all(executor).await.map_err(&tried)?;
    facts(&rows.iter().map(FactsRow::from_row).collect::<Result<Vec<_>, _>>().map_err(&tried)?, roster)
}

/// Reads a job, keeping everybody else from changing it until the transaction ends, and what is known of the roster's
/// keys, and whether any model's circuit is open. `None` when there is no such job.
pub(super) async fn job_and_key_facts(
    tx: &mut PgConnection,
    job: JobId,
    roster: &KeyRoster,
    now: Timestamp,
) -> Result<Option<(JobRow, Vec<KeyFacts>, bool)>, PortError> {
    let tried = failed("read the job and the state of the keys");
    let statement = sqlx::query(concat!(
        "WITH job AS MATERIALIZED (SELECT * FROM jobs WHERE id = $4 FOR NO KEY UPDATE), ",
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
    // A roster without keys has no facts, and the one row is the job's alone.
    let of_keys = rows.iter().take(roster.keys.len()).map(FactsRow::from_row);
    let rows = of_keys.collect::<Result<Vec<_>, _>>().map_err(&tried)?;
    Ok(Some((job, facts(&rows, roster)?, is_model_out)))
}

fn facts(rows: &[FactsRow], roster: &KeyRoster) -> Result<Vec<KeyFacts>, PortError> {
    rows.iter()
        .zip(&roster.keys)
        .map(|(row, key)| {
            let cooling = match (row.cooled_until, row.cause.as_deref()) {
                (Some(until), Some(cause)) => Some(Cooling {
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
            })
        })
        .collect()
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
