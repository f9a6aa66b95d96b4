//! Orders.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    id::{ConfirmationId, ModelId, OrderId, PhotoId, UserId},
    ledger::LedgerError,
    order::{Order, OrderRequest, Placement, Quantity},
    photo::PhotoFormat,
    prompt::{Brief, Template},
};
use ports::{ErrorKind, OrderStore, Placed, PortError, Topic};
use sqlx::{FromRow, PgConnection, types::Json};
use uuid::Uuid;

use super::{
    PgStores,
    error::{commit_failed, failed, inconsistent},
    job_rows::NewJobCells,
    ledger_store::{lock_balance, refused},
    signal::{CHANNEL_JOBS, CHANNEL_OUTBOX},
    step_rows::{EntryCells, NoticeCells, entries_and_notices},
    time::{from_db, to_db},
};

#[derive(FromRow)]
struct OrderRow {
    id: Uuid,
    tg_user_id: i64,
    confirmation_id: String,
    photo_id: Uuid,
    photo_format: String,
    template: String,
    brief: String,
    wishes: Option<String>,
    quantity: i16,
    model: String,
    placed_at: DateTime<Utc>,
}

impl OrderRow {
    fn into_order(self) -> Result<Order, PortError> {
        let id = OrderId::new(self.id.as_u128());
        let wrong = |column| inconsistent("orders", column, id);
        let brief = |text: &str, column| Brief::new(text).map_err(|_| wrong(column));
        Ok(Order {
            id,
            request: OrderRequest {
                user: UserId::new(self.tg_user_id),
                confirmation: ConfirmationId::new(self.confirmation_id)
                    .map_err(|_| wrong("confirmation_id"))?,
                photo: PhotoId::new(self.photo_id.as_u128()),
                photo_format: PhotoFormat::parse(&self.photo_format).ok_or_else(|| wrong("photo_format"))?,
                template: Template::parse(&self.template).ok_or_else(|| wrong("template"))?,
                brief: brief(&self.brief, "brief")?,
                wishes: self.wishes.as_deref().map(|text| brief(text, "wishes")).transpose()?,
                quantity: u8::try_from(self.quantity)
                    .ok()
                    .and_then(|videos| Quantity::try_from(videos).ok())
                    .ok_or_else(|| wrong("quantity"))?,
            },
            model: ModelId::new(self.model).map_err(|_| wrong("model"))?,
            placed_at: from_db(self.placed_at),
        })
    }
}

async fn confirmed_before(tx: &mut PgConnection, request: &OrderRequest) -> Result<Option<Order>, PortError> {
    let row: Option<OrderRow> =
        sqlx::query_as("SELECT * FROM orders WHERE tg_user_id = $1 AND confirmation_id = $2")
            .bind(request.user.value())
            .bind(request.confirmation.as_str())
            .fetch_optional(tx)
            .await
            .map_err(failed("look for an earlier order"))?;
    row.map(OrderRow::into_order).transpose()
}

const PLACE: &str = concat!(
    "WITH placed AS (
         INSERT INTO orders (id, tg_user_id, confirmation_id, photo_id, photo_format, template, brief, wishes,
                             quantity, model, placed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id, tg_user_id),
     queued AS (
         INSERT INTO jobs (id, order_id, tg_user_id, video_number, video_count, created_at, state, next_run_at,
                           sort_at)
         SELECT j.id, placed.id, placed.tg_user_id, j.video_number, j.video_count, j.created_at, j.state,
                j.created_at, j.sort_at
         FROM placed, jsonb_to_recordset($12) AS j (id uuid, video_number smallint, video_count smallint,
             created_at timestamptz, state text, sort_at timestamptz)),",
    entries_and_notices!("placed", "$13", "$14", "$11"),
    " SELECT pg_notify($15, ''), pg_notify($16, '') FROM placed"
);

/// Writes everything a placement is made of.
async fn insert(tx: &mut PgConnection, placement: &Placement) -> Result<(), PortError> {
    let (order, request) = (&placement.order, &placement.order.request);
    sqlx::query(PLACE)
        .bind(Uuid::from_u128(order.id.value()))
        .bind(request.user.value())
        .bind(request.confirmation.as_str())
        .bind(Uuid::from_u128(request.photo.value()))
        .bind(request.photo_format.as_str())
        .bind(request.template.as_str())
        .bind(request.brief.as_str())
        .bind(request.wishes.as_ref().map(Brief::as_str))
        .bind(i16::from(request.quantity.videos()))
        .bind(order.model.as_str())
        .bind(to_db(order.placed_at))
        .bind(Json(placement.jobs.iter().map(NewJobCells::of).collect::<Vec<_>>()))
        .bind(Json([EntryCells::of(&placement.hold)]))
        .bind(Json(placement.notices.iter().map(NoticeCells::of).collect::<Vec<_>>()))
        .bind(CHANNEL_JOBS)
        .bind(CHANNEL_OUTBOX)
        .execute(tx)
        .await
        .map_err(failed("store the order"))?;
    Ok(())
}

#[async_trait]
impl OrderStore for PgStores {
    async fn place(&self, placement: &Placement) -> Result<Placed, PortError> {
        const TRIED: &str = "place the order";
        let request = &placement.order.request;
        let mut tx = self.connections.begin().await.map_err(failed(TRIED))?;
        // The user's row first: two taps of one confirmation meet here, and the second finds the first's order.
        let balance = lock_balance(&mut tx, request.user).await?.unwrap_or_default();
        if let Some(earlier) = confirmed_before(&mut tx, request).await? {
            return if earlier.request == *request {
                Ok(Placed::Duplicate { order: earlier.id })
            } else {
                let say =
                    format!("confirmation `{}` was already used for another order", request.confirmation);
                Err(PortError::new(ErrorKind::Conflict, say))
            };
        }
        let after = match balance.apply(&placement.hold) {
            Ok(after) => after,
            Err(LedgerError::InsufficientCredits { needed, available }) => {
                return Ok(Placed::InsufficientCredits { needed, available });
            }
            Err(error) => return Err(refused(error)),
        };
        insert(&mut tx, placement).await?;
        tx.commit().await.map_err(commit_failed(TRIED))?;
        self.orders.keep(placement.order.id, placement.order.clone(), 1);
        self.signal.ring(Topic::Jobs);
        self.signal.ring(Topic::Outbox);
        Ok(Placed::Placed { balance: after })
    }

    async fn order(&self, id: OrderId) -> Result<Option<Order>, PortError> {
        if let Some(order) = self.orders.get(&id) {
            return Ok(Some(order));
        }
        let row: Option<OrderRow> = sqlx::query_as("SELECT * FROM orders WHERE id = $1")
            .bind(Uuid::from_u128(id.value()))
            .fetch_optional(&self.connections)
            .await
            .map_err(failed("read the order"))?;
        let order = row.map(OrderRow::into_order).transpose()?;
        if let Some(order) = &order {
            self.orders.keep(id, order.clone(), 1);
        }
        Ok(order)
    }

    async fn orders_of(&self, user: UserId, limit: u32) -> Result<Vec<Order>, PortError> {
        let rows: Vec<OrderRow> = sqlx::query_as(
            "SELECT * FROM orders WHERE tg_user_id = $1 ORDER BY placed_at DESC, id DESC LIMIT $2",
        )
        .bind(user.value())
        .bind(i64::from(limit))
        .fetch_all(&self.connections)
        .await
        .map_err(failed("read the user's orders"))?;
        rows.into_iter().map(OrderRow::into_order).collect()
    }
}
