//! The rows of a claim, which carry beside them when the next one falls due.

use chrono::{DateTime, Utc};
use domain::time::Timestamp;
use sqlx::{FromRow, Row, ValueRef, postgres::PgRow};

use super::time::from_db;

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
