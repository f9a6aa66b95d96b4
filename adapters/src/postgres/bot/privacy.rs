//! Forgetting what users sent.
//!
//! Photos are locked before it is asked which orders name them, because placing an order locks its photo too. What is
//! written here is of finished orders, which nobody else writes.

use async_trait::async_trait;
use domain::{id::UserId, prompt::Brief, time::Timestamp};
use ports::{PortError, bot::Privacy};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::postgres::{
    PgStores,
    error::{commit_failed, failed},
    time::to_db,
};

const TRIED: &str = "forget what users sent";

/// Runs a statement that takes the ids of orders.
async fn of_orders(tx: &mut PgConnection, orders: &[Uuid], sql: &'static str) -> Result<(), PortError> {
    sqlx::query(sql).bind(orders).execute(tx).await.map_err(failed(TRIED))?;
    Ok(())
}

/// Forgets finished orders, but for their photos, whose ids it returns.
async fn forget_orders(tx: &mut PgConnection, orders: &[Uuid]) -> Result<Vec<Uuid>, PortError> {
    if orders.is_empty() {
        return Ok(Vec::new());
    }
    for sql in [
        "UPDATE jobs SET prompt = NULL, photo_url = NULL, photo_uploaded_at = NULL, video_url = NULL
         WHERE order_id = ANY ($1)",
        "UPDATE attempts SET evidence = NULL
         WHERE job_id IN (SELECT id FROM jobs WHERE order_id = ANY ($1)) AND evidence IS NOT NULL",
        "UPDATE order_messages SET text = '' WHERE order_id = ANY ($1) AND text <> ''",
        "UPDATE sent_videos SET file_id = NULL
         WHERE job_id IN (SELECT id FROM jobs WHERE order_id = ANY ($1)) AND file_id IS NOT NULL",
    ] {
        of_orders(tx, orders, sql).await?;
    }
    sqlx::query_scalar(
        "UPDATE orders SET brief = $2, wishes = NULL, forgotten = true WHERE id = ANY ($1) RETURNING photo_id",
    )
    .bind(orders)
    .bind(Brief::forgotten().as_str())
    .fetch_all(tx)
    .await
    .map_err(failed(TRIED))
}

/// Forgets those of the photos that no remembered order names; returns how many.
async fn forget_photos(tx: &mut PgConnection, photos: &[Uuid]) -> Result<u64, PortError> {
    if photos.is_empty() {
        return Ok(0);
    }
    of_orders(tx, photos, "SELECT id FROM photos WHERE id = ANY ($1) ORDER BY id FOR UPDATE").await?;
    let forgotten = sqlx::query(
        "UPDATE photos p SET bytes = NULL WHERE id = ANY ($1) AND bytes IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM orders o WHERE o.photo_id = p.id AND NOT o.forgotten)",
    )
    .bind(photos)
    .execute(tx)
    .await
    .map_err(failed(TRIED))?;
    Ok(forgotten.rows_affected())
}

#[async_trait]
impl Privacy for PgStores {
    async fn forget_user(&self, user: UserId) -> Result<(), PortError> {
        let mut tx = self.connections.begin().await.map_err(failed(TRIED))?;
        for sql in [
            "UPDATE inbox SET body = '' WHERE chat_id = $1 AND parked AND body <> ''",
            // The line before its messages, as everybody who takes both.
            "SELECT chat_id FROM reply_lines WHERE chat_id = $1 FOR UPDATE",
            "WITH gone AS (DELETE FROM replies WHERE chat_id = $1 AND done_at IS NULL RETURNING 1),
                  counted AS (SELECT count(*)::integer AS messages FROM gone)
             UPDATE reply_lines SET waiting = waiting - messages, lease_no = lease_no + 1, leased = false,
                    due_at = CASE WHEN waiting > messages THEN due_at END
             FROM counted WHERE chat_id = $1",
            "UPDATE chats SET dialogue = '' WHERE tg_user_id = $1 AND dialogue <> ''",
        ] {
            sqlx::query(sql).bind(user.value()).execute(&mut *tx).await.map_err(failed(TRIED))?;
        }
        let orders: Vec<Uuid> = sqlx::query_scalar(
            "SELECT id FROM orders o WHERE tg_user_id = $1 AND NOT forgotten
               AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.order_id = o.id AND j.finished_at IS NULL)
             ORDER BY id",
        )
        .bind(user.value())
        .fetch_all(&mut *tx)
        .await
        .map_err(failed(TRIED))?;
        let photos = forget_orders(&mut tx, &orders).await?;
        forget_photos(&mut tx, &photos).await?;
        tx.commit().await.map_err(commit_failed(TRIED))?;
        self.forget_recent();
        Ok(())
    }

    async fn forget_older(&self, before: Timestamp, limit: u32) -> Result<usize, PortError> {
        let (at, limit) = (to_db(before), i64::from(limit));
        let mut tx = self.connections.begin().await.map_err(failed(TRIED))?;
        for sql in [
            "UPDATE inbox SET body = '' WHERE update_id IN (
                 SELECT update_id FROM inbox WHERE parked AND received_at < $1 AND body <> '' LIMIT $2)",
            "DELETE FROM replies WHERE id IN (
                 SELECT id FROM replies WHERE done_at IS NOT NULL AND done_at < $1 LIMIT $2)",
        ] {
            sqlx::query(sql).bind(at).bind(limit).execute(&mut *tx).await.map_err(failed(TRIED))?;
        }
        let orders: Vec<Uuid> = sqlx::query_scalar(
            "SELECT id FROM orders o WHERE NOT forgotten AND placed_at < $1
               AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.order_id = o.id
                               AND (j.finished_at IS NULL OR j.finished_at >= $1))
             ORDER BY placed_at, id LIMIT $2",
        )
        .bind(at)
        .bind(limit)
        .fetch_all(&mut *tx)
        .await
        .map_err(failed(TRIED))?;
        forget_orders(&mut tx, &orders).await?;
        // Also those whose order was never placed.
        let photos: Vec<Uuid> = sqlx::query_scalar(
            "SELECT id FROM photos p WHERE bytes IS NOT NULL AND stored_at < $1
               AND NOT EXISTS (SELECT 1 FROM orders o WHERE o.photo_id = p.id AND NOT o.forgotten)
             ORDER BY stored_at, id LIMIT $2",
        )
        .bind(at)
        .bind(limit)
        .fetch_all(&mut *tx)
        .await
        .map_err(failed(TRIED))?;
        let photos = forget_photos(&mut tx, &photos).await?;
        tx.commit().await.map_err(commit_failed(TRIED))?;
        self.forget_recent();
        Ok(orders.len().saturating_add(usize::try_from(photos).unwrap_or(usize::MAX)))
    }
}

impl PgStores {
    /// Lets go of what this process read lately.
    fn forget_recent(&self) {
        self.orders.clear();
        self.photos.clear();
    }
}
