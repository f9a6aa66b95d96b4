//! The outbox.

use async_trait::async_trait;
use domain::{
    id::{NoticeId, WorkerId},
    time::Timestamp,
};
use ports::{ErrorKind, Outbox, OutboxClaim, OutboxMessage, PortError};

use super::{
    PgStores,
    error::{failed, inconsistent, readable},
    notice_rows::NoticeRow,
    time::to_db,
};

/// Longest error text kept with a message, in characters.
const ERROR_CHARS_MAX: usize = 300;

/// A claim, and beside it when the next message falls due: the claimed ones do at the end of their lease.
const CLAIM: &str = "WITH due AS MATERIALIZED (
         SELECT id FROM outbox o
         WHERE done_at IS NULL AND due_at <= $1
           AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.order_id = o.order_id
                           AND e.audience = o.audience AND e.done_at IS NULL AND e.id < o.id)
         ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED),
     claimed AS (
         UPDATE outbox SET lease_no = lease_no + 1, due_at = $3 FROM due WHERE outbox.id = due.id
         RETURNING outbox.id, order_id, audience, tg_user_id, video_number, video_count, kind, details, failures,
                   lease_no),
     next AS (
         SELECT CASE WHEN (SELECT count(*) FROM due) < $2 THEN least(
             (SELECT min(due_at) FROM outbox WHERE done_at IS NULL AND due_at > $1),
             (SELECT $3 FROM due LIMIT 1)) END AS next_due_at)
     SELECT next.*, claimed.*, EXISTS (
         SELECT 1 FROM outbox l WHERE l.order_id = claimed.order_id AND l.audience = claimed.audience
         AND l.done_at IS NULL AND l.id > claimed.id) AS is_followed
     FROM next LEFT JOIN claimed ON true ORDER BY id";

#[async_trait]
impl Outbox for PgStores {
    async fn claim_due(
        &self,
        _worker: WorkerId,
        limit: u32,
        lease_until: Timestamp,
        now: Timestamp,
    ) -> Result<OutboxClaim, PortError> {
        let (rows, next_due_at) =
            self.claim::<NoticeRow>((CLAIM, "claim messages"), limit, lease_until, now).await?;
        let messages: Vec<_> = rows.iter().filter_map(|row| readable("a message", message(row))).collect();
        // What was passed over is claimed all the same; readable ones may be due behind it.
        let next_due_at = if messages.len() < rows.len() { Some(now) } else { next_due_at };
        Ok(OutboxClaim { messages, next_due_at })
    }

    async fn sent(&self, message: &OutboxMessage, now: Timestamp) -> Result<(), PortError> {
        self.answer(message, Some(now), None, None).await
    }

    async fn postpone(&self, message: &OutboxMessage, at: Timestamp, why: &str) -> Result<(), PortError> {
        self.answer(message, None, Some(at), Some(why)).await
    }

    async fn give_up(&self, message: &OutboxMessage, now: Timestamp, why: &str) -> Result<(), PortError> {
        self.answer(message, Some(now), None, Some(why)).await
    }
}

impl PgStores {
    /// Writes what became of a claimed message: done, or due again; `why` says that it failed.
    async fn answer(
        &self,
        message: &OutboxMessage,
        done_at: Option<Timestamp>,
        due_at: Option<Timestamp>,
        why: Option<&str>,
    ) -> Result<(), PortError> {
        let written = sqlx::query(
            "UPDATE outbox SET done_at = $3, due_at = coalesce($4, due_at), last_error = coalesce($5, last_error),
                    failures = failures + CASE WHEN $5 IS NULL THEN 0 ELSE 1 END
             WHERE id = $1 AND lease_no = $2 AND done_at IS NULL",
        )
        .bind(row_id(message)?)
        .bind(message.lease)
        .bind(done_at.map(to_db))
        .bind(due_at.map(to_db))
        .bind(why.map(shortened))
        .execute(&self.connections)
        .await
        .map_err(failed("write what became of a message"))?;
        if written.rows_affected() == 1 {
            return Ok(());
        }
        Err(PortError::new(ErrorKind::Conflict, "the message was claimed by somebody else meanwhile"))
    }
}

fn message(row: &NoticeRow) -> Result<OutboxMessage, PortError> {
    Ok(OutboxMessage {
        id: NoticeId::new(u128::from(row.id.unsigned_abs())),
        notice: row.notice()?,
        failures: row.failures.unsigned_abs(),
        lease: row.lease_no,
        is_followed: row.is_followed,
    })
}

fn row_id(message: &OutboxMessage) -> Result<i64, PortError> {
    i64::try_from(message.id.value()).map_err(|_| inconsistent("outbox", "id", message.id))
}

fn shortened(text: &str) -> String {
    text.chars().take(ERROR_CHARS_MAX).collect()
}
