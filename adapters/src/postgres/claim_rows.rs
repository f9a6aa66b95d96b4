//! The rows of a claim, which carry beside them when the next one falls due.

use chrono::{DateTime, Utc};
use domain::time::Timestamp;
use ports::PortError;
use sqlx::{FromRow, Row, ValueRef, postgres::PgRow};

use super::{
    PgStores,
    error::failed,
    time::{from_db, to_db},
};

impl PgStores {
    /// Claims up to `limit` rows until `lease_until` with a statement that takes the time, the limit and the end of the
    /// lease.
    pub(super) async fn claim<R>(
        &self,
        (statement, tried): (&'static str, &'static str),
        limit: u32,
        lease_until: Timestamp,
        now: Timestamp,
    ) -> Result<(Vec<R>, Option<Timestamp>), PortError>
    where
        R: for<'r> FromRow<'r, PgRow>,
    {
        let rows = sqlx::query(statement)
            .bind(to_db(now))
            .bind(i64::from(limit))
            .bind(to_db(lease_until))
            .fetch_all(&self.connections)
            .await
            .map_err(failed(tried))?;
        claimed(&rows).map_err(failed(tried))
    }
}

/// The claimed rows and the `next_due_at` beside them. A claim that found nothing has one row, without an `id`.
pub(super) fn claimed<R>(rows: &[PgRow]) -> Result<(Vec<R>, Option<Timestamp>), sqlx::Error>
where
    R: for<'r> FromRow<'r, PgRow>,
{
    let Some(first) = rows.first() else { return Ok((Vec::new(), None)) };
    let next_due_at: Option<DateTime<Utc>> = first.try_get("next_due_at")?;
    let claimed = if first.try_get_raw("id")?.is_null() {
        Vec::new()
    } else {
        rows.iter().map(R::from_row).collect::<Result<_, _>>()?
    };
    Ok((claimed, next_due_at.map(from_db)))
}
