//! The inbox.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    id::{UserId, WorkerId},
    time::Timestamp,
};
use ports::{
    ErrorKind, PortError, Topic,
    bot::{Inbox, InboxCensus, InboxClaim, InboxUpdate, IncomingUpdate},
};
use sqlx::{FromRow, PgExecutor};

use super::lines::{answered_line, claim_heads, lengthen_lines, of_line, shortened};
use crate::postgres::{
    PgStores,
    error::{commit_failed, failed},
    signal::CHANNEL_INBOX,
    time::{from_db, to_db},
};

/// Updates, then lines, both in the order of their keys: two receivers of the same updates wait for each other and not both
/// at once.
const RECEIVE: &str = concat!(
    "WITH received AS (
         INSERT INTO inbox (update_id, chat_id, body, received_at)
         SELECT id, chat, body, $4 FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS u (id, chat, body)
         ORDER BY id ON CONFLICT (update_id) DO NOTHING RETURNING chat_id),
     lines AS (",
    lengthen_lines!("inbox_lines", "received", "$4"),
    "), counted AS (SELECT count(*) AS new FROM received)
     SELECT new, CASE WHEN new > 0 THEN pg_notify($5, '')::text END FROM counted"
);

const CLAIM: &str = claim_heads!("inbox", "inbox_lines", "update_id", "m.body, m.received_at");

/// `$5` is whether the update is done.
const ANSWER: &str = concat!(
    answered_line!("inbox_lines", "$5", "$4"),
    "UPDATE inbox m SET done_at = CASE WHEN $5 THEN $4 END, parked = $6, last_error = coalesce($7, last_error),
            body = CASE WHEN $5 AND NOT $6 THEN '' ELSE body END,
            failures = failures + CASE WHEN $7 IS NULL THEN 0 ELSE 1 END
     FROM line",
    of_line!("update_id", "$5")
);

#[derive(FromRow)]
struct UpdateRow {
    id: i64,
    chat_id: i64,
    body: String,
    received_at: DateTime<Utc>,
    failures: i32,
    lease_no: i64,
}

impl UpdateRow {
    fn into_update(self) -> InboxUpdate {
        InboxUpdate {
            update: IncomingUpdate { id: self.id, chat: UserId::new(self.chat_id), body: self.body },
            received_at: from_db(self.received_at),
            failures: self.failures.unsigned_abs(),
            lease: self.lease_no,
        }
    }
}

/// What becomes of a claimed update.
pub(super) enum Answer<'a> {
    Handled { at: Timestamp },
    Postponed { until: Timestamp, why: &'a str },
    Parked { at: Timestamp, why: &'a str },
}

/// Writes what became of an update; whether another one of its chat may go now. `None` when the lease is lost.
pub(super) async fn answer(
    executor: impl PgExecutor<'_>,
    update: &InboxUpdate,
    answer: Answer<'_>,
) -> Result<Option<bool>, sqlx::Error> {
    let (at, is_done, is_parked, why) = match answer {
        Answer::Handled { at } => (at, true, false, None),
        Answer::Postponed { until, why } => (until, false, false, Some(why)),
        Answer::Parked { at, why } => (at, true, true, Some(why)),
    };
    sqlx::query_scalar(ANSWER)
        .bind(update.update.id)
        .bind(update.update.chat.value())
        .bind(update.lease)
        .bind(to_db(at))
        .bind(is_done)
        .bind(is_parked)
        .bind(why.map(shortened))
        .fetch_optional(executor)
        .await
}

/// Somebody else has the update.
pub(super) fn lost() -> PortError {
    PortError::new(ErrorKind::Conflict, "the update was claimed by somebody else meanwhile")
}

#[async_trait]
impl Inbox for PgStores {
    async fn receive(&self, updates: &[IncomingUpdate], now: Timestamp) -> Result<usize, PortError> {
        let (new, _): (i64, Option<String>) = sqlx::query_as(RECEIVE)
            .bind(updates.iter().map(|update| update.id).collect::<Vec<_>>())
            .bind(updates.iter().map(|update| update.chat.value()).collect::<Vec<_>>())
            .bind(updates.iter().map(|update| update.body.clone()).collect::<Vec<_>>())
            .bind(to_db(now))
            .bind(CHANNEL_INBOX)
            .fetch_one(&self.connections)
            .await
            .map_err(commit_failed("store updates"))?;
        if new > 0 {
            self.signal.ring(Topic::Inbox);
        }
        Ok(usize::try_from(new).unwrap_or_default())
    }

    async fn newest(&self) -> Result<Option<i64>, PortError> {
        sqlx::query_scalar("SELECT max(update_id) FROM inbox")
            .fetch_one(&self.connections)
            .await
            .map_err(failed("read the newest update's id"))
    }

    async fn claim_due(
        &self,
        _worker: WorkerId,
        limit: u32,
        lease_until: Timestamp,
        now: Timestamp,
    ) -> Result<InboxClaim, PortError> {
        let (rows, next_due_at) =
            self.claim::<UpdateRow>((CLAIM, "claim updates"), limit, lease_until, now).await?;
        Ok(InboxClaim { updates: rows.into_iter().map(UpdateRow::into_update).collect(), next_due_at })
    }

    async fn postpone(&self, update: &InboxUpdate, at: Timestamp, why: &str) -> Result<(), PortError> {
        self.answer_update(update, Answer::Postponed { until: at, why }).await
    }

    async fn park(&self, update: &InboxUpdate, now: Timestamp, why: &str) -> Result<(), PortError> {
        self.answer_update(update, Answer::Parked { at: now, why }).await
    }

    async fn census(&self) -> Result<InboxCensus, PortError> {
        let (waiting, oldest, parked): (i64, Option<DateTime<Utc>>, i64) = sqlx::query_as(
            "SELECT count(*), min(received_at), (SELECT count(*) FROM inbox WHERE parked)
             FROM inbox WHERE done_at IS NULL",
        )
        .fetch_one(&self.connections)
        .await
        .map_err(failed("count the updates"))?;
        Ok(InboxCensus {
            waiting: waiting.unsigned_abs(),
            parked: parked.unsigned_abs(),
            oldest: oldest.map(from_db),
        })
    }

    async fn forget(&self, before: Timestamp, limit: u32) -> Result<usize, PortError> {
        let forgotten = sqlx::query(
            "DELETE FROM inbox WHERE update_id IN (
                 SELECT update_id FROM inbox
                 WHERE done_at IS NOT NULL AND NOT parked AND received_at < $1
                   AND update_id < (SELECT max(update_id) FROM inbox)
                 ORDER BY received_at LIMIT $2)",
        )
        .bind(to_db(before))
        .bind(i64::from(limit))
        .execute(&self.connections)
        .await
        .map_err(failed("forget handled updates"))?;
        Ok(usize::try_from(forgotten.rows_affected()).unwrap_or(usize::MAX))
    }
}

impl PgStores {
    async fn answer_update(&self, update: &InboxUpdate, what: Answer<'_>) -> Result<(), PortError> {
        let is_followed = answer(&self.connections, update, what)
            .await
            .map_err(failed("write what became of an update"))?
            .ok_or_else(lost)?;
        if is_followed {
            self.signal.ring(Topic::Inbox);
        }
        Ok(())
    }
}
