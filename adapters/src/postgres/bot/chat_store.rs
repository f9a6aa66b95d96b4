//! Chats.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{id::UserId, time::Timestamp};
use ports::{
    ErrorKind, PortError, Topic,
    bot::{Chat, ChatStore, Turn},
};
use sqlx::{FromRow, PgConnection};

use super::{
    inbox::{self, Answer},
    reply_queue,
};
use crate::postgres::{
    PgStores,
    error::{commit_failed, failed},
    time::{from_db, to_db},
};

#[derive(FromRow)]
struct ChatRow {
    tg_user_id: i64,
    version: i64,
    dialogue: String,
    language: String,
    terms_accepted_at: Option<DateTime<Utc>>,
    referrer: Option<i64>,
    since: DateTime<Utc>,
    blocked_since: Option<DateTime<Utc>>,
    banned_since: Option<DateTime<Utc>>,
}

impl ChatRow {
    fn into_chat(self) -> Chat {
        Chat {
            user: UserId::new(self.tg_user_id),
            version: self.version,
            dialogue: self.dialogue,
            language: self.language,
            terms_accepted_at: self.terms_accepted_at.map(from_db),
            referrer: self.referrer.map(UserId::new),
            since: from_db(self.since),
            blocked_since: self.blocked_since.map(from_db),
            banned_since: self.banned_since.map(from_db),
        }
    }
}

/// Writes the part of a chat that is a turn's. Whether the chat was as it had been read.
async fn write(tx: &mut PgConnection, chat: &Chat, now: Timestamp) -> Result<bool, PortError> {
    let statement = if chat.version == 0 {
        sqlx::query(
            "INSERT INTO chats (tg_user_id, version, dialogue, language, terms_accepted_at, referrer, since)
             VALUES ($1, 1, $2, $3, $4, $5, $6) ON CONFLICT (tg_user_id) DO NOTHING",
        )
    } else {
        sqlx::query(
            "UPDATE chats SET version = version + 1, dialogue = $2, language = $3, terms_accepted_at = $4
             WHERE tg_user_id = $1 AND version = $5",
        )
    };
    let statement = statement
        .bind(chat.user.value())
        .bind(&chat.dialogue)
        .bind(&chat.language)
        .bind(chat.terms_accepted_at.map(to_db));
    let statement = if chat.version == 0 {
        statement.bind(chat.referrer.map(UserId::value)).bind(to_db(now))
    } else {
        statement.bind(chat.version)
    };
    let written = statement.execute(tx).await.map_err(failed("store a chat"))?;
    Ok(written.rows_affected() == 1)
}

#[async_trait]
impl ChatStore for PgStores {
    async fn chat(&self, user: UserId) -> Result<Option<Chat>, PortError> {
        let row: Option<ChatRow> = sqlx::query_as("SELECT * FROM chats WHERE tg_user_id = $1")
            .bind(user.value())
            .fetch_optional(&self.connections)
            .await
            .map_err(failed("read a chat"))?;
        Ok(row.map(ChatRow::into_chat))
    }

    async fn store(&self, turn: &Turn, now: Timestamp) -> Result<(), PortError> {
        const TRIED: &str = "store a turn";
        let mut tx = self.connections.begin().await.map_err(failed(TRIED))?;
        let answered = inbox::answer(&mut *tx, &turn.update, Answer::Handled { at: now }).await;
        let Some(is_followed) = answered.map_err(failed(TRIED))? else {
            tx.rollback().await.map_err(failed(TRIED))?;
            return Err(inbox::lost());
        };
        if let Some(chat) = &turn.chat
            && !write(&mut tx, chat, now).await?
        {
            tx.rollback().await.map_err(failed(TRIED))?;
            return Err(PortError::new(ErrorKind::Conflict, "the chat was changed meanwhile"));
        }
        reply_queue::write(&mut tx, turn.update.update.chat, &turn.replies, now).await?;
        tx.commit().await.map_err(commit_failed(TRIED))?;
        if is_followed {
            self.signal.ring(Topic::Inbox);
        }
        if !turn.replies.is_empty() {
            self.signal.ring(Topic::Replies);
        }
        Ok(())
    }

    async fn set_blocked(&self, user: UserId, since: Option<Timestamp>) -> Result<(), PortError> {
        sqlx::query("UPDATE chats SET blocked_since = $2 WHERE tg_user_id = $1")
            .bind(user.value())
            .bind(since.map(to_db))
            .execute(&self.connections)
            .await
            .map_err(failed("write whether a user is reachable"))?;
        Ok(())
    }

    async fn set_banned(&self, user: UserId, since: Option<Timestamp>) -> Result<bool, PortError> {
        let written = sqlx::query("UPDATE chats SET banned_since = $2 WHERE tg_user_id = $1")
            .bind(user.value())
            .bind(since.map(to_db))
            .execute(&self.connections)
            .await
            .map_err(failed("write whether a user is barred"))?;
        Ok(written.rows_affected() == 1)
    }

    async fn reachable(&self, after: Option<UserId>, limit: u32) -> Result<Vec<UserId>, PortError> {
        let users: Vec<i64> = sqlx::query_scalar(
            "SELECT tg_user_id FROM chats
             WHERE tg_user_id > $1 AND blocked_since IS NULL AND banned_since IS NULL
             ORDER BY tg_user_id LIMIT $2",
        )
        .bind(after.map_or(i64::MIN, UserId::value))
        .bind(i64::from(limit))
        .fetch_all(&self.connections)
        .await
        .map_err(failed("read whom messages reach"))?;
        Ok(users.into_iter().map(UserId::new).collect())
    }
}
