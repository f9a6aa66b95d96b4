//! Submissions and the state of provider keys.

use chrono::{DateTime, Utc};
use domain::{
    failure::{Failure, Reason},
    id::{AttemptId, JobId, KeyId, TaskId},
    job::{AttemptChange, AttemptStatus},
    key::{Cooling, CoolingCause, KeyFacts},
    time::Timestamp,
};
use ports::{AttemptRecord, KeyRoster, PortError};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::{
    error::{failed, inconsistent},
    time::{from_db, to_db},
};

/// Keeps every other process from choosing a key of these accounts until the transaction ends. Always in the same
/// order, so that two processes cannot wait for each other.
pub(super) async fn lock_accounts(tx: &mut PgConnection, roster: &KeyRoster) -> Result<(), PortError> {
    const TRIED: &str = "lock the provider accounts";
    let accounts: Vec<&str> = roster.keys.iter().map(|key| key.account.as_str()).collect();
    sqlx::query(
        "INSERT INTO provider_accounts (account)
         SELECT DISTINCT a FROM unnest($1::text[]) AS a
         WHERE NOT EXISTS (SELECT 1 FROM provider_accounts WHERE account = a) ORDER BY 1 ON CONFLICT DO NOTHING",
    )
    .bind(&accounts)
    .execute(&mut *tx)
    .await
    .map_err(failed(TRIED))?;
    sqlx::query("SELECT account FROM provider_accounts WHERE account = ANY ($1) ORDER BY account FOR UPDATE")
        .bind(&accounts)
        .execute(tx)
        .await
        .map_err(failed(TRIED))?;
    Ok(())
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

/// What is known of the roster's keys.
pub(super) async fn key_facts(
    connection: &mut PgConnection,
    roster: &KeyRoster,
    now: Timestamp,
) -> Result<Vec<KeyFacts>, PortError> {
    let window_ms = i64::try_from(roster.limits.window.as_millis()).unwrap_or(i64::MAX);
    let window_start = Timestamp::from_millis(now.as_millis().saturating_sub(window_ms));
    let (keys, accounts): (Vec<&str>, Vec<&str>) =
        roster.keys.iter().map(|key| (key.key.as_str(), key.account.as_str())).unzip();
    let rows: Vec<FactsRow> = sqlx::query_as(
        "SELECT r.key, k.cooled_until, k.cause,
                (SELECT count(*) FROM attempts a WHERE a.account = r.account
                 AND a.status IN ('sent', 'unanswered', 'running')) AS account_running,
                (SELECT count(*) FROM attempts a WHERE a.account = r.account AND a.sent_at > $3) AS account_created,
                (SELECT min(sent_at) FROM attempts a WHERE a.account = r.account AND a.sent_at > $3) AS oldest_created,
                (SELECT count(*) FROM attempts a WHERE a.account = r.account AND a.key = r.key
                 AND a.status IN ('sent', 'unanswered', 'running')) AS key_running
         FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS r (key, account, place)
         LEFT JOIN provider_keys k ON k.key = r.key ORDER BY r.place",
    )
    .bind(keys)
    .bind(accounts)
    .bind(to_db(window_start))
    .fetch_all(connection)
    .await
    .map_err(failed("read the state of the keys"))?;
    rows.into_iter()
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

/// Records a submission before it is sent.
pub(super) async fn insert(
    tx: &mut PgConnection,
    job: JobId,
    change: &AttemptChange,
    roster: &KeyRoster,
    now: Timestamp,
) -> Result<(), PortError> {
    let account = roster.keys.iter().find(|key| key.key == change.key).map_or("", |key| key.account.as_str());
    sqlx::query(
        "INSERT INTO attempts (id, job_id, account, key, status, sent_at, changed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6)",
    )
    .bind(Uuid::from_u128(change.id.value()))
    .bind(Uuid::from_u128(job.value()))
    .bind(account)
    .bind(change.key.as_str())
    .bind(change.status.as_str())
    .bind(to_db(now))
    .execute(tx)
    .await
    .map_err(failed("record a submission"))?;
    Ok(())
}

/// Records what became of a submission.
pub(super) async fn update(
    tx: &mut PgConnection,
    change: &AttemptChange,
    evidence: Option<&str>,
    now: Timestamp,
) -> Result<(), PortError> {
    sqlx::query(
        "UPDATE attempts SET status = $2, task_id = coalesce($3, task_id), failure_class = coalesce($4, failure_class),
                failure_reason = coalesce($5, failure_reason), evidence = coalesce($6, evidence), changed_at = $7
         WHERE id = $1",
    )
    .bind(Uuid::from_u128(change.id.value()))
    .bind(change.status.as_str())
    .bind(change.task.as_ref().map(domain::id::TaskId::as_str))
    .bind(change.failure.map(|failure| failure.class.as_str()))
    .bind(change.failure.map(|failure| failure.reason.code()))
    .bind(evidence)
    .bind(to_db(now))
    .execute(tx)
    .await
    .map_err(failed("record what became of a submission"))?;
    Ok(())
}

/// Takes a key out of use. A cool-down only ever moves later: a shorter one does not end a longer one.
pub(super) async fn cool_key(tx: &mut PgConnection, key: &KeyId, cooling: Cooling) -> Result<(), PortError> {
    sqlx::query(
        "INSERT INTO provider_keys (key, cooled_until, cause) VALUES ($1, $2, $3)
         ON CONFLICT (key) DO UPDATE SET cooled_until = excluded.cooled_until, cause = excluded.cause
         WHERE provider_keys.cooled_until < excluded.cooled_until",
    )
    .bind(key.as_str())
    .bind(to_db(cooling.until))
    .bind(cooling.cause.as_str())
    .execute(tx)
    .await
    .map_err(failed("take a key out of use"))?;
    Ok(())
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
    connection: &mut PgConnection,
    job: JobId,
) -> Result<Vec<AttemptRecord>, PortError> {
    let rows: Vec<AttemptRow> = sqlx::query_as(
        "SELECT id, key, status, task_id, failure_reason, evidence, sent_at, changed_at
         FROM attempts WHERE job_id = $1 ORDER BY sent_at, id",
    )
    .bind(Uuid::from_u128(job.value()))
    .fetch_all(connection)
    .await
    .map_err(failed("read a job's submissions"))?;
    rows.into_iter().map(AttemptRow::into_record).collect()
}
