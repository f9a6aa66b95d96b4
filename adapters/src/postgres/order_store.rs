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
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::{
    PgStores,
    error::{commit_failed, failed, inconsistent},
    job_rows::insert_job,
    ledger_store::{insert_entry, lock_balance, refused},
    notice_rows::insert_notice,
    signal::notify,
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

async fn insert_order(tx: &mut PgConnection, order: &Order) -> Result<(), PortError> {
    sqlx::query(
        "INSERT INTO orders (id, tg_user_id, confirmation_id, photo_id, photo_format, template, brief, wishes,
                             quantity, model, placed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(Uuid::from_u128(order.id.value()))
    .bind(order.request.user.value())
    .bind(order.request.confirmation.as_str())
    .bind(Uuid::from_u128(order.request.photo.value()))
    .bind(order.request.photo_format.as_str())
    .bind(order.request.template.as_str())
    .bind(order.request.brief.as_str())
    .bind(order.request.wishes.as_ref().map(Brief::as_str))
    .bind(i16::from(order.request.quantity.videos()))
    .bind(order.model.as_str())
    .bind(to_db(order.placed_at))
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
        let mut tx = self.pool.begin().await.map_err(failed(TRIED))?;
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
        insert_order(&mut tx, &placement.order).await?;
        for job in &placement.jobs {
            insert_job(&mut tx, job).await?;
        }
        insert_entry(&mut tx, &placement.hold).await?;
        for notice in &placement.notices {
            insert_notice(&mut tx, notice, placement.order.placed_at).await?;
        }
        notify(&mut tx, Topic::Jobs).await?;
        notify(&mut tx, Topic::Outbox).await?;
        tx.commit().await.map_err(commit_failed(TRIED))?;
        self.signal.ring(Topic::Jobs);
        self.signal.ring(Topic::Outbox);
        Ok(Placed::Placed { balance: after })
    }

    async fn order(&self, id: OrderId) -> Result<Option<Order>, PortError> {
        let row: Option<OrderRow> = sqlx::query_as("SELECT * FROM orders WHERE id = $1")
            .bind(Uuid::from_u128(id.value()))
            .fetch_optional(&self.pool)
            .await
            .map_err(failed("read the order"))?;
        row.map(OrderRow::into_order).transpose()
    }

    async fn orders_of(&self, user: UserId, limit: u32) -> Result<Vec<Order>, PortError> {
        let rows: Vec<OrderRow> = sqlx::query_as(
            "SELECT * FROM orders WHERE tg_user_id = $1 ORDER BY placed_at DESC, id DESC LIMIT $2",
        )
        .bind(user.value())
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await
        .map_err(failed("read the user's orders"))?;
        rows.into_iter().map(OrderRow::into_order).collect()
    }
}
