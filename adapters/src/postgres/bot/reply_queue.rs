//! Messages of conversations.

use async_trait::async_trait;
use domain::{
    id::{UserId, WorkerId},
    time::Timestamp,
};
use ports::{
    ErrorKind, PortError, Topic,
    bot::{ChatAction, Reply, ReplyClaim, ReplyQueue},
};
use sqlx::{FromRow, PgConnection};

use super::{
    action_rows::{from_json, to_json},
    lines::{answered_line, claim_heads, lengthen_lines, of_line, shortened},
};
use crate::postgres::{
    PgStores,
    error::{commit_failed, failed, inconsistent, readable},
    signal::CHANNEL_REPLIES,
    time::to_db,
};

const CLAIM: &str = claim_heads!("replies", "reply_lines", "id", "m.action");

/// Rows are numbered in the order they are put in.
const WRITE: &str = concat!(
    "WITH written AS (
         INSERT INTO replies (chat_id, action, written_at)
         SELECT $1, action, $3 FROM unnest($2::text[]) WITH ORDINALITY AS a (action, place) ORDER BY place
         RETURNING chat_id),
     lines AS (",
    lengthen_lines!("reply_lines", "written", "$3"),
    ") SELECT pg_notify($4, '')"
);

const SENT: &str = concat!(
    answered_line!("reply_lines", "true", "$4"),
    "DELETE FROM replies m USING line",
    of_line!("id", "true")
);

/// `$5` is whether it is given up.
const NOT_SENT: &str = concat!(
    answered_line!("reply_lines", "$5", "$4"),
    "UPDATE replies m SET done_at = CASE WHEN $5 THEN $4 END, last_error = $6, failures = failures + 1,
            action = CASE WHEN $5 THEN '' ELSE action END
     FROM line",
    of_line!("id", "$5")
);

#[derive(FromRow)]
struct ReplyRow {
    id: i64,
    chat_id: i64,
    action: String,
    failures: i32,
    lease_no: i64,
}

impl ReplyRow {
    fn reply(&self) -> Result<Reply, PortError> {
        Ok(Reply {
            id: self.id,
            chat: UserId::new(self.chat_id),
            action: from_json(&self.action).ok_or_else(|| inconsistent("replies", "action", self.id))?,
            failures: self.failures.unsigned_abs(),
            lease: self.lease_no,
        })
    }
}

/// Puts messages behind a chat's others, and tells other processes.
pub(super) async fn write(
    tx: &mut PgConnection,
    chat: UserId,
    actions: &[ChatAction],
    now: Timestamp,
) -> Result<(), PortError> {
    if actions.is_empty() {
        return Ok(());
    }
    let actions: Vec<String> =
        actions.iter().map(to_json).collect::<Result<_, _>>().map_err(|e| {
            PortError::with_source(ErrorKind::Rejected, "could not write a message as JSON", e)
        })?;
    sqlx::query(WRITE)
        .bind(chat.value())
        .bind(actions)
        .bind(to_db(now))
        .bind(CHANNEL_REPLIES)
        .execute(tx)
        .await
        .map_err(failed("write messages of a conversation"))?;
    Ok(())
}

#[async_trait]
impl ReplyQueue for PgStores {
    async fn push(
        &self,
        key: &str,
        chat: UserId,
        actions: &[ChatAction],
        now: Timestamp,
    ) -> Result<bool, PortError> {
        const TRIED: &str = "queue messages";
        let mut tx = self.connections.begin().await.map_err(failed(TRIED))?;
        let pushed = sqlx::query(
            "INSERT INTO reply_pushes (key, pushed_at) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING",
        )
        .bind(key)
        .bind(to_db(now))
        .execute(&mut *tx)
        .await
        .map_err(failed(TRIED))?;
        if pushed.rows_affected() == 0 {
            tx.rollback().await.map_err(failed(TRIED))?;
            return Ok(false);
        }
        write(&mut tx, chat, actions, now).await?;
        tx.commit().await.map_err(commit_failed(TRIED))?;
        if !actions.is_empty() {
            self.signal.ring(Topic::Replies);
        }
        Ok(true)
    }

    async fn claim_due(
        &self,
        _worker: WorkerId,
        limit: u32,
        lease_until: Timestamp,
        now: Timestamp,
    ) -> Result<ReplyClaim, PortError> {
        let (rows, next_due_at) = self
            .claim::<ReplyRow>((CLAIM, "claim messages of conversations"), limit, lease_until, now)
            .await?;
        let replies: Vec<_> = rows.iter().filter_map(|row| readable("a reply", row.reply())).collect();
        // What was passed over is claimed all the same; readable ones may be due behind it.
        let next_due_at = if replies.len() < rows.len() { Some(now) } else { next_due_at };
        Ok(ReplyClaim { replies, next_due_at })
    }

    async fn sent(&self, reply: &Reply, now: Timestamp) -> Result<(), PortError> {
        let is_followed = sqlx::query_scalar(SENT)
            .bind(reply.id)
            .bind(reply.chat.value())
            .bind(reply.lease)
            .bind(to_db(now))
            .fetch_optional(&self.connections)
            .await
            .map_err(failed("write that a message is out"))?;
        self.next_of_line(is_followed)
    }

    async fn postpone(&self, reply: &Reply, at: Timestamp, why: &str) -> Result<(), PortError> {
        self.not_sent(reply, at, false, why).await
    }

    async fn give_up(&self, reply: &Reply, now: Timestamp, why: &str) -> Result<(), PortError> {
        self.not_sent(reply, now, true, why).await
    }
}

impl PgStores {
    async fn not_sent(
        &self,
        reply: &Reply,
        at: Timestamp,
        is_given_up: bool,
        why: &str,
    ) -> Result<(), PortError> {
        let is_followed = sqlx::query_scalar(NOT_SENT)
            .bind(reply.id)
            .bind(reply.chat.value())
            .bind(reply.lease)
            .bind(to_db(at))
            .bind(is_given_up)
            .bind(shortened(why))
            .fetch_optional(&self.connections)
            .await
            .map_err(failed("write that a message is not out"))?;
        self.next_of_line(is_followed)
    }

    /// Rings for the message behind one that was answered for.
    fn next_of_line(&self, is_followed: Option<bool>) -> Result<(), PortError> {
        let lost =
            || PortError::new(ErrorKind::Conflict, "the message was claimed by somebody else meanwhile");
        if is_followed.ok_or_else(lost)? {
            self.signal.ring(Topic::Replies);
        }
        Ok(())
    }
}
