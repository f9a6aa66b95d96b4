//! Timestamps on their way to and from the database.

use chrono::{DateTime, Utc};
use domain::time::Timestamp;

/// The database's form of an instant. Instants outside its range are moved to its ends.
pub(super) fn to_db(at: Timestamp) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at.as_millis()).unwrap_or(if at.as_millis() < 0 {
        DateTime::<Utc>::MIN_UTC
    } else {
        DateTime::<Utc>::MAX_UTC
    })
}

/// Our form of a database's instant.
pub(super) const fn from_db(at: DateTime<Utc>) -> Timestamp {
    Timestamp::from_millis(at.timestamp_millis())
}
