//! Purchases.
//!
//! A purchase is locked before its user.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    id::UserId,
    ledger::{Balance, Entry},
    money::Credits,
    time::Timestamp,
};
use ports::{
    ErrorKind, PortError, Posting,
    bot::{Offer, Payment, Purchase, Purchases, Refund, StarCharge, TakenBack},
};
use sqlx::{FromRow, PgConnection};

use crate::{
    memory::{check_offer, is_new_payment, paid_another, unaccounted},
    postgres::{
        PgStores,
        error::{commit_failed, failed, inconsistent},
        ledger_store::{insert_entry, lock_balance, refused},
        time::{from_db, to_db},
    },
};

#[derive(FromRow)]
struct PurchaseRow {
    payload: String,
    tg_user_id: i64,
    package: String,
    credits: i32,
    stars: i32,
    offered_at: DateTime<Utc>,
    charge: Option<String>,
    paid_at: Option<DateTime<Utc>>,
    refunded_at: Option<DateTime<Utc>>,
    credits_taken: Option<i32>,
}

impl PurchaseRow {
    fn into_purchase(self) -> Result<Purchase, PortError> {
        let credits = |value: i32, column| {
            Credits::new(value.into()).map_err(|_| inconsistent("purchases", column, &self.payload))
        };
        let refund = match (self.refunded_at, self.credits_taken) {
            (Some(at), Some(taken)) => {
                Some(Refund { at: from_db(at), taken: credits(taken, "credits_taken")? })
            }
            _ => None,
        };
        let bought = credits(self.credits, "credits")?;
        let payment = match (self.charge, self.paid_at) {
            (Some(charge), Some(at)) => Some(Payment { charge, paid_at: from_db(at), refund }),
            _ => None,
        };
        Ok(Purchase {
            offer: Offer {
                user: UserId::new(self.tg_user_id),
                package: self.package,
                credits: bought,
                stars: self.stars.unsigned_abs(),
                offered_at: from_db(self.offered_at),
                payload: self.payload,
            },
            payment,
        })
    }
}

/// The purchase under a payload, which nobody else changes until the transaction ends.
async fn lock(tx: &mut PgConnection, payload: &str) -> Result<Option<Purchase>, PortError> {
    if payload.contains('\0') {
        return Ok(None);
    }
    let row: Option<PurchaseRow> = sqlx::query_as("SELECT * FROM purchases WHERE payload = $1 FOR UPDATE")
        .bind(payload)
        .fetch_optional(tx)
        .await
        .map_err(failed("read a purchase"))?;
    row.map(PurchaseRow::into_purchase).transpose()
}

/// The payload a charge paid for.
async fn payload_of(tx: &mut PgConnection, charge: &str) -> Result<Option<String>, PortError> {
    if charge.contains('\0') {
        return Ok(None);
    }
    sqlx::query_scalar("SELECT payload FROM purchases WHERE charge = $1")
        .bind(charge)
        .fetch_optional(tx)
        .await
        .map_err(failed("look for a payment"))
}

#[async_trait]
impl Purchases for PgStores {
    async fn offer(&self, offer: &Offer) -> Result<(), PortError> {
        const TRIED: &str = "store an offer";
        check_offer(offer)?;
        let number = |value: i64| i32::try_from(value).unwrap_or(i32::MAX);
        let written = sqlx::query(
            "INSERT INTO purchases (payload, tg_user_id, package, credits, stars, offered_at)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (payload) DO NOTHING",
        )
        .bind(&offer.payload)
        .bind(offer.user.value())
        .bind(&offer.package)
        .bind(number(offer.credits.value()))
        .bind(number(offer.stars.into()))
        .bind(to_db(offer.offered_at))
        .execute(&self.connections)
        .await
        .map_err(failed(TRIED))?;
        if written.rows_affected() == 1 {
            return Ok(());
        }
        match self.offer_of(&offer.payload).await? {
            Some(kept) if kept.offer == *offer => Ok(()),
            _ => Err(PortError::new(ErrorKind::Conflict, "the payload is another offer's")),
        }
    }

    async fn offer_of(&self, payload: &str) -> Result<Option<Purchase>, PortError> {
        if payload.contains('\0') {
            return Ok(None);
        }
        let row: Option<PurchaseRow> = sqlx::query_as("SELECT * FROM purchases WHERE payload = $1")
            .bind(payload)
            .fetch_optional(&self.connections)
            .await
            .map_err(failed("read a purchase"))?;
        row.map(PurchaseRow::into_purchase).transpose()
    }

    async fn credit(
        &self,
        payload: &str,
        charge: &str,
        user: UserId,
        stars: u32,
        now: Timestamp,
    ) -> Result<Posting, PortError> {
        const TRIED: &str = "credit a payment";
        let mut tx = self.connections.begin().await.map_err(failed(TRIED))?;
        let purchase = lock(&mut tx, payload).await?;
        let is_new = is_new_payment(purchase.as_ref(), charge, user, stars)?;
        if is_new && payload_of(&mut tx, charge).await?.is_some() {
            return Err(paid_another());
        }
        sqlx::query("INSERT INTO users (tg_user_id) VALUES ($1) ON CONFLICT DO NOTHING")
            .bind(user.value())
            .execute(&mut *tx)
            .await
            .map_err(failed(TRIED))?;
        let balance = lock_balance(&mut tx, user).await?.unwrap_or_default();
        let Some(purchase) = purchase.filter(|_| is_new) else {
            tx.rollback().await.map_err(failed(TRIED))?;
            return Ok(Posting::Duplicate(balance));
        };
        let entry = Entry::purchase(user, purchase.offer.credits, charge, now);
        let after = balance.apply(&entry).map_err(refused)?;
        sqlx::query("UPDATE purchases SET charge = $2, paid_at = $3 WHERE payload = $1")
            .bind(payload)
            .bind(charge)
            .bind(to_db(now))
            .execute(&mut *tx)
            .await
            .map_err(failed(TRIED))?;
        insert_entry(&mut tx, &entry).await?;
        tx.commit().await.map_err(commit_failed(TRIED))?;
        Ok(Posting::Posted(after))
    }

    async fn paid_back(&self, charge: &str, now: Timestamp) -> Result<Option<TakenBack>, PortError> {
        const TRIED: &str = "take back what a payment bought";
        let mut tx = self.connections.begin().await.map_err(failed(TRIED))?;
        let Some(payload) = payload_of(&mut tx, charge).await? else { return Ok(None) };
        let Some(Purchase { offer, payment: Some(payment) }) = lock(&mut tx, &payload).await? else {
            return Ok(None);
        };
        let (user, bought) = (offer.user, offer.credits);
        let balance: Balance = lock_balance(&mut tx, user).await?.unwrap_or_default();
        if let Some(Refund { taken, .. }) = payment.refund {
            tx.rollback().await.map_err(failed(TRIED))?;
            return Ok(Some(TakenBack { user, bought, taken, balance, is_repeated: true }));
        }
        let taken = balance.up_to(bought);
        sqlx::query("UPDATE purchases SET refunded_at = $2, credits_taken = $3 WHERE payload = $1")
            .bind(&payload)
            .bind(to_db(now))
            .bind(i32::try_from(taken.value()).unwrap_or(i32::MAX))
            .execute(&mut *tx)
            .await
            .map_err(failed(TRIED))?;
        let mut after = balance;
        if taken > Credits::ZERO {
            let entry = Entry::purchase_refund(user, taken, charge, now);
            after = balance.apply(&entry).map_err(refused)?;
            insert_entry(&mut tx, &entry).await?;
        }
        tx.commit().await.map_err(commit_failed(TRIED))?;
        Ok(Some(TakenBack { user, bought, taken, balance: after, is_repeated: false }))
    }

    async fn unmatched(&self, charges: &[StarCharge]) -> Result<Vec<StarCharge>, PortError> {
        let names: Vec<&str> =
            charges.iter().map(|charge| charge.charge.as_str()).filter(|name| !name.contains('\0')).collect();
        let credited: Vec<(String, bool)> = sqlx::query_as(
            "SELECT charge, refunded_at IS NOT NULL FROM purchases WHERE charge = ANY ($1::text[])",
        )
        .bind(names)
        .fetch_all(&self.connections)
        .await
        .map_err(failed("compare payments"))?;
        Ok(unaccounted(charges, &credited.into_iter().collect()))
    }
}
