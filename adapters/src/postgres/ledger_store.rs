//! The ledger.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    id::{JobId, OrderId, UserId},
    ledger::{Balance, Entry, EntryKind, LedgerError},
    money::Credits,
};
use ports::{AuditFinding, AuditReport, ErrorKind, LedgerStore, PortError, Posting};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::{
    PgStores,
    error::{commit_failed, failed, inconsistent},
    time::{from_db, to_db},
};

#[derive(FromRow)]
struct EntryRow {
    id: i64,
    tg_user_id: i64,
    kind: String,
    available: i32,
    held: i32,
    idempotency_key: String,
    order_id: Option<Uuid>,
    job_id: Option<Uuid>,
    at: DateTime<Utc>,
}

impl EntryRow {
    fn into_entry(self) -> Result<Entry, PortError> {
        Ok(Entry {
            user: UserId::new(self.tg_user_id),
            kind: EntryKind::parse(&self.kind)
                .ok_or_else(|| inconsistent("ledger_entries", "kind", self.id))?,
            available: self.available.into(),
            held: self.held.into(),
            key: self.idempotency_key,
            order: self.order_id.map(|id| OrderId::new(id.as_u128())),
            job: self.job_id.map(|id| JobId::new(id.as_u128())),
            at: from_db(self.at),
        })
    }
}

/// Reads a user's balance and keeps everybody else from changing it until the transaction ends.
pub(super) async fn lock_balance(tx: &mut PgConnection, user: UserId) -> Result<Option<Balance>, PortError> {
    let row: Option<(i32, i32)> =
        sqlx::query_as("SELECT credits, held FROM users WHERE tg_user_id = $1 FOR NO KEY UPDATE")
            .bind(user.value())
            .fetch_optional(tx)
            .await
            .map_err(failed("read the balance"))?;
    row.map(|row| balance_of(user, row)).transpose()
}

/// Adds an entry; the database moves the sums with it.
pub(super) async fn insert_entry(tx: &mut PgConnection, entry: &Entry) -> Result<(), PortError> {
    sqlx::query(
        "INSERT INTO ledger_entries (tg_user_id, kind, available, held, idempotency_key, order_id, job_id, at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(entry.user.value())
    .bind(entry.kind.as_str())
    .bind(i32::try_from(entry.available).unwrap_or(i32::MAX))
    .bind(i32::try_from(entry.held).unwrap_or(i32::MAX))
    .bind(&entry.key)
    .bind(entry.order.map(|id| Uuid::from_u128(id.value())))
    .bind(entry.job.map(|id| Uuid::from_u128(id.value())))
    .bind(to_db(entry.at))
    .execute(tx)
    .await
    .map_err(failed("post a ledger entry"))?;
    Ok(())
}

fn balance_of(user: UserId, (credits, held): (i32, i32)) -> Result<Balance, PortError> {
    let read =
        |value: i32, column| Credits::new(value.into()).map_err(|_| inconsistent("users", column, user));
    Ok(Balance { available: read(credits, "credits")?, held: read(held, "held")? })
}

#[async_trait]
impl LedgerStore for PgStores {
    async fn post(&self, entry: &Entry) -> Result<Posting, PortError> {
        const TRIED: &str = "post a ledger entry";
        let mut tx = self.connections.begin().await.map_err(failed(TRIED))?;
        sqlx::query("INSERT INTO users (tg_user_id) VALUES ($1) ON CONFLICT DO NOTHING")
            .bind(entry.user.value())
            .execute(&mut *tx)
            .await
            .map_err(failed(TRIED))?;
        let balance = lock_balance(&mut tx, entry.user).await?.unwrap_or_default();
        let posted: Option<EntryRow> =
            sqlx::query_as("SELECT * FROM ledger_entries WHERE idempotency_key = $1")
                .bind(&entry.key)
                .fetch_optional(&mut *tx)
                .await
                .map_err(failed(TRIED))?;
        if let Some(posted) = posted {
            let posted = posted.into_entry()?;
            return if crate::memory::says_the_same(&posted, entry) {
                Ok(Posting::Duplicate(balance))
            } else {
                let say = format!("`{}` was already posted with another amount or user", entry.key);
                Err(PortError::new(ErrorKind::Conflict, say))
            };
        }
        let after = balance.apply(entry).map_err(refused)?;
        insert_entry(&mut tx, entry).await?;
        tx.commit().await.map_err(commit_failed(TRIED))?;
        Ok(Posting::Posted(after))
    }

    async fn balance(&self, user: UserId) -> Result<Balance, PortError> {
        let row: Option<(i32, i32)> = sqlx::query_as("SELECT credits, held FROM users WHERE tg_user_id = $1")
            .bind(user.value())
            .fetch_optional(&self.connections)
            .await
            .map_err(failed("read the balance"))?;
        row.map_or_else(|| Ok(Balance::default()), |row| balance_of(user, row))
    }

    async fn history(&self, user: UserId, limit: u32) -> Result<Vec<Entry>, PortError> {
        let rows: Vec<EntryRow> =
            sqlx::query_as("SELECT * FROM ledger_entries WHERE tg_user_id = $1 ORDER BY id DESC LIMIT $2")
                .bind(user.value())
                .bind(i64::from(limit))
                .fetch_all(&self.connections)
                .await
                .map_err(failed("read the history"))?;
        rows.into_iter().map(EntryRow::into_entry).collect()
    }

    async fn audit(&self) -> Result<AuditReport, PortError> {
        const TRIED: &str = "audit the ledger";
        let mut tx = self.connections.begin().await.map_err(failed(TRIED))?;
        // One snapshot for all questions, or an order placed between two of them looks like a difference.
        sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .execute(&mut *tx)
            .await
            .map_err(failed(TRIED))?;
        let (users, entries, available, held, held_ever, captured, released): (
            i64,
            i64,
            i64,
            i64,
            i64,
            i64,
            i64,
        ) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM users), count(*), coalesce(sum(available), 0)::bigint,
                        coalesce(sum(held), 0)::bigint,
                        coalesce(sum(held) FILTER (WHERE kind = 'hold'), 0)::bigint,
                        count(*) FILTER (WHERE kind = 'capture'), count(*) FILTER (WHERE kind = 'release')
                 FROM ledger_entries",
        )
        .fetch_one(&mut *tx)
        .await
        .map_err(failed(TRIED))?;
        let findings: Vec<(Option<i64>, String)> =
            sqlx::query_as(include_str!("audit.sql")).fetch_all(&mut *tx).await.map_err(failed(TRIED))?;
        let findings = findings
            .into_iter()
            .map(|(user, what)| AuditFinding { user: user.map(UserId::new), what })
            .collect();
        Ok(AuditReport {
            users: users.unsigned_abs(),
            entries: entries.unsigned_abs(),
            available,
            held,
            held_ever,
            captured,
            released,
            findings,
        })
    }
}

/// A balance that would leave its range.
pub(super) fn refused(error: LedgerError) -> PortError {
    PortError::with_source(ErrorKind::Rejected, "the balance cannot take this entry", error)
}
