//! What is written beside jobs in the statement that writes them: ledger entries, messages, the attempt, the key, the
//! model.
//!
//! A step is one statement, so it is one transaction and one round trip. Everything in it is driven by the job row
//! that the guarded UPDATE hands back: a lost lease writes nothing at all.

use chrono::{DateTime, Utc};
use domain::{
    job::{AttemptChange, Step},
    ledger::Entry,
    notice::{Audience, Notice},
    time::Timestamp,
};
use ports::{AfterStep, Lease};
use serde::Serialize;
use serde_json::Value;
use sqlx::{PgExecutor, types::Json};
use uuid::Uuid;

use super::{
    breaker_rows::{bind_breaker, kept_from},
    circuits::{CircuitCells, write_circuits},
    job_rows::{bind_job, update_job},
    notice_rows::to_columns,
    signal::CHANNEL_OUTBOX,
    time::to_db,
};

/// The end of a statement that posts entries and writes messages: `$from` hands out one row if they are to be
/// written, `$entries`, `$notices` and `$at` are parameters. The database moves the sums with each entry.
macro_rules! entries_and_notices {
    ($from:literal, $entries:literal, $notices:literal, $at:literal) => {
        concat!(
            " entries AS (
                 INSERT INTO ledger_entries (tg_user_id, kind, available, held, idempotency_key, order_id, job_id, at)
                 SELECT e.* FROM ", $from, ", jsonb_to_recordset(", $entries, ") AS e (tg_user_id bigint, kind text,
                     available integer, held integer, idempotency_key text, order_id uuid, job_id uuid, at timestamptz)),
             notices AS (
                 INSERT INTO outbox (order_id, audience, tg_user_id, video_number, video_count, kind, details,
                                     written_at, due_at)
                 SELECT n.order_id, n.audience, n.tg_user_id, n.video_number, n.video_count, n.kind, n.details,
                        ", $at, ", ", $at, "
                 FROM ", $from, ", ROWS FROM (jsonb_to_recordset(", $notices, ") AS (order_id uuid, audience text,
                     tg_user_id bigint, video_number smallint, video_count smallint, kind text, details jsonb))
                     WITH ORDINALITY AS n (order_id, audience, tg_user_id, video_number, video_count, kind, details,
                                           place)
                 ORDER BY n.place)"
        )
    };
}
pub(super) use entries_and_notices;

/// A ledger entry's columns.
#[derive(Debug, Serialize)]
pub(super) struct EntryCells<'a> {
    tg_user_id: i64,
    kind: &'static str,
    available: i32,
    held: i32,
    idempotency_key: &'a str,
    order_id: Option<Uuid>,
    job_id: Option<Uuid>,
    at: DateTime<Utc>,
}

impl<'a> EntryCells<'a> {
    pub(super) fn of(entry: &'a Entry) -> Self {
        Self {
            tg_user_id: entry.user.value(),
            kind: entry.kind.as_str(),
            available: i32::try_from(entry.available).unwrap_or(i32::MAX),
            held: i32::try_from(entry.held).unwrap_or(i32::MAX),
            idempotency_key: &entry.key,
            order_id: entry.order.map(|id| Uuid::from_u128(id.value())),
            job_id: entry.job.map(|id| Uuid::from_u128(id.value())),
            at: to_db(entry.at),
        }
    }
}

/// A message's columns, but for its times.
#[derive(Debug, Serialize)]
pub(super) struct NoticeCells {
    order_id: Uuid,
    audience: &'static str,
    tg_user_id: Option<i64>,
    video_number: Option<u8>,
    video_count: Option<u8>,
    kind: &'static str,
    details: Value,
}

impl NoticeCells {
    pub(super) fn of(notice: &Notice) -> Self {
        let (audience, tg_user_id) = match notice.audience {
            Audience::User(user) => ("user", Some(user.value())),
            Audience::Operator => ("operator", None),
        };
        let (kind, details) = to_columns(&notice.kind);
        Self {
            order_id: Uuid::from_u128(notice.order.value()),
            audience,
            tg_user_id,
            video_number: notice.video.map(|(number, _)| number),
            video_count: notice.video.map(|(_, of)| of),
            kind,
            details,
        }
    }
}

/// What a step writes about its attempt.
#[derive(Debug, Clone, Copy)]
pub(super) enum AttemptWrite<'a> {
    /// It is recorded before it is sent, on an account; if a key was free.
    Opened { account: &'a str },
    /// What became of it, with what the provider literally said.
    Changed { evidence: Option<&'a str> },
}

const STORE_JOB: &str = update_job!();

/// Stores everything of a step, with `$submission` at the end of what is written.
macro_rules! store_step {
    ($($submission:tt)*) => { concat!(
    "WITH stored AS (",
    update_job!(),
    " RETURNING id),
     opened AS (
         INSERT INTO attempts (id, job_id, account, key, status, sent_at, changed_at)
         SELECT $25, stored.id, $26, $27, $28, $33, $33 FROM stored WHERE $26 IS NOT NULL),
     changed AS (
         UPDATE attempts SET status = $28, task_id = coalesce($29, task_id),
                failure_class = coalesce($30, failure_class), failure_reason = coalesce($31, failure_reason),
                evidence = coalesce($32, evidence), changed_at = $33
         FROM stored WHERE attempts.id = $25 AND $26 IS NULL),
     cooled AS (
         INSERT INTO provider_keys (key, cooled_until, cause, cooled_since)
         SELECT $36, $37, $38, $39 FROM stored WHERE $36 IS NOT NULL
         ON CONFLICT (key) DO UPDATE SET cooled_until = excluded.cooled_until, cause = excluded.cause,
                                         cooled_since = excluded.cooled_since
         WHERE provider_keys.cooled_until < excluded.cooled_until
            OR provider_keys.proved_at >= provider_keys.cooled_since),",
    entries_and_notices!("stored", "$34", "$35", "$33"),
    // The last to be written here is the first to be run: models are locked before users.
    $($submission)*
    " SELECT CASE WHEN jsonb_array_length($35) > 0 THEN pg_notify($40, '') END FROM stored"
) };
}

const STORE_STEP: &str = store_step!();
/// For the opening of a submission and the answer to it, which alone say something about models, keys on trial and the
/// breaker: nobody else pays for their updates.
const STORE_SUBMISSION: &str = store_step!(
    " , heard AS (
         INSERT INTO provider_answers (at, job_id, key, answer)
         SELECT $33, stored.id, $41, $42 FROM stored WHERE $41 IS NOT NULL),
     proved AS (
         UPDATE provider_keys SET proved_at = $33 FROM stored
         WHERE $42 = 'accepted' AND provider_keys.key = $41
           AND cooled_since <= (SELECT sent_at FROM attempts WHERE id = $25)
           AND (proved_at IS NULL OR proved_at < cooled_since)),
     pruned AS (
         DELETE FROM provider_answers USING stored WHERE $26 IS NOT NULL AND provider_answers.at < $43),
     broken AS (
         UPDATE provider_breaker SET is_open = $44, since = $45, probe_at = $46, probes = $47, probe_job = $48,
                probe_since = $49, waiting = $50
         FROM stored WHERE $44 IS NOT NULL)",
    write_circuits!(),
);

/// Stores a step under its lease, whole or not at all; `false` when the lease is lost.
///
/// Other processes are told of its messages, and not that the job may be due again at once: whoever stores a step
/// has just freed the slot for the next one.
pub(super) async fn store<'e>(
    executor: impl PgExecutor<'e>,
    lease: Lease,
    step: &Step,
    after: AfterStep,
    attempt: AttemptWrite<'_>,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let moves_job_alone = step.entries.is_empty()
        && step.notices.is_empty()
        && step.attempt.is_none()
        && step.cooling.is_none()
        && step.circuits.is_empty()
        && step.answer.is_none()
        && step.breaker.is_none();
    if moves_job_alone {
        // Most steps: the provider is not ready, a prompt is written. A third of the work for the database.
        let statement = bind_job(sqlx::query(STORE_JOB), lease, &step.job, step.next_run_at, after);
        return Ok(statement.execute(executor).await?.rows_affected() == 1);
    }
    let change = step.attempt.as_ref();
    let (account, evidence) = match attempt {
        AttemptWrite::Opened { account } => (change.map(|_| account), None),
        AttemptWrite::Changed { evidence } => (None, evidence),
    };
    let failure = change.and_then(|change| change.failure);
    let text = |of: fn(&AttemptChange) -> &str| change.map(|change| of(change).to_owned());
    let entries: Vec<_> = step.entries.iter().map(EntryCells::of).collect();
    let notices: Vec<_> = step.notices.iter().map(NoticeCells::of).collect();
    let cooling = step.cooling.as_ref();
    let is_submission =
        account.is_some() || step.answer.is_some() || step.breaker.is_some() || !step.circuits.is_empty();
    let text_of = if is_submission { STORE_SUBMISSION } else { STORE_STEP };
    let statement = bind_job(sqlx::query(text_of), lease, &step.job, step.next_run_at, after)
        .bind(change.map(|change| Uuid::from_u128(change.id.value())))
        .bind(account)
        .bind(text(|change| change.key.as_str()))
        .bind(text(|change| change.status.as_str()))
        .bind(change.and_then(|change| change.task.as_ref()).map(|task| task.as_str().to_owned()))
        .bind(failure.map(|failure| failure.class.as_str()))
        .bind(failure.map(|failure| failure.reason.code()))
        .bind(evidence)
        .bind(to_db(now))
        .bind(Json(entries))
        .bind(Json(notices))
        .bind(cooling.map(|(key, _)| key.as_str().to_owned()))
        .bind(cooling.map(|(_, cooling)| to_db(cooling.until)))
        .bind(cooling.map(|(_, cooling)| cooling.cause.as_str()))
        .bind(cooling.map(|(_, cooling)| to_db(cooling.since)))
        .bind(CHANNEL_OUTBOX);
    let statement = if is_submission {
        let circuits = CircuitCells::of(&step.circuits);
        let (refused, refused_until) = circuits.refused.unzip();
        let statement = statement
            .bind(step.answer.as_ref().map(|(key, _)| key.as_str().to_owned()))
            .bind(step.answer.as_ref().map(|(_, answer)| answer.as_str()))
            .bind(to_db(kept_from(now)));
        bind_breaker(statement, step.breaker.as_ref())
            .bind(refused)
            .bind(refused_until)
            .bind(circuits.answered)
            .bind(circuits.unclear)
    } else {
        statement
    };
    Ok(statement.execute(executor).await?.rows_affected() == 1)
}
