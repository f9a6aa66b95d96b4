//! What was sent about orders.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    id::{JobId, OrderId, UserId},
    time::Timestamp,
};
use ports::{
    PortError,
    bot::{OrderMessages, SentVideo, StatusMessage},
};
use uuid::Uuid;

use crate::postgres::{
    PgStores,
    error::failed,
    time::{from_db, to_db},
};

#[async_trait]
impl OrderMessages for PgStores {
    async fn status(&self, order: OrderId) -> Result<Option<StatusMessage>, PortError> {
        let row: Option<(i64, String, DateTime<Utc>)> = sqlx::query_as(
            "SELECT message_id, text, changed_at FROM order_messages
             WHERE order_id = $1 AND message_id IS NOT NULL",
        )
        .bind(Uuid::from_u128(order.value()))
        .fetch_optional(&self.connections)
        .await
        .map_err(failed("read an order's message"))?;
        Ok(row.map(|(message, text, at)| StatusMessage { message, text, changed_at: from_db(at) }))
    }

    async fn keep_status(
        &self,
        order: OrderId,
        chat: UserId,
        status: &StatusMessage,
    ) -> Result<(), PortError> {
        sqlx::query(
            "INSERT INTO order_messages AS m (order_id, chat_id, message_id, text, changed_at)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (order_id) DO UPDATE
             SET message_id = EXCLUDED.message_id, text = EXCLUDED.text, changed_at = EXCLUDED.changed_at",
        )
        .bind(Uuid::from_u128(order.value()))
        .bind(chat.value())
        .bind(status.message)
        .bind(&status.text)
        .bind(to_db(status.changed_at))
        .execute(&self.connections)
        .await
        .map_err(failed("keep an order's message"))?;
        Ok(())
    }

    async fn video(&self, job: JobId) -> Result<Option<SentVideo>, PortError> {
        let row: Option<(i64, Option<String>)> =
            sqlx::query_as("SELECT message_id, file_id FROM sent_videos WHERE job_id = $1")
                .bind(Uuid::from_u128(job.value()))
                .fetch_optional(&self.connections)
                .await
                .map_err(failed("read what video was sent"))?;
        Ok(row.map(|(message, file)| SentVideo { message, file }))
    }

    async fn keep_video(&self, job: JobId, video: &SentVideo, now: Timestamp) -> Result<(), PortError> {
        sqlx::query(
            "INSERT INTO sent_videos (job_id, message_id, file_id, sent_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (job_id) DO NOTHING",
        )
        .bind(Uuid::from_u128(job.value()))
        .bind(video.message)
        .bind(&video.file)
        .bind(to_db(now))
        .execute(&self.connections)
        .await
        .map_err(failed("keep what video was sent"))?;
        Ok(())
    }

    async fn ends(&self, order: OrderId, chat: UserId, number: u8, of: u8) -> Result<bool, PortError> {
        // The row's lock puts the videos of an order in a row; the one that completed it stays the last.
        sqlx::query_scalar(
            "INSERT INTO order_messages AS m (order_id, chat_id, ended) VALUES ($1, $2, ARRAY[$3::smallint])
             ON CONFLICT (order_id) DO UPDATE
             SET ended = CASE WHEN $3 = ANY (m.ended) THEN m.ended ELSE m.ended || $3 END
             RETURNING coalesce(ended[$4] = $3, false)",
        )
        .bind(Uuid::from_u128(order.value()))
        .bind(chat.value())
        .bind(i16::from(number))
        .bind(i32::from(of))
        .fetch_one(&self.connections)
        .await
        .map_err(failed("write that a video was told its end"))
    }
}
