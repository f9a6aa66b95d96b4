//! What a database error means for the caller.

use ports::{ErrorKind, PortError};

/// Turns an sqlx error into a port error; `tried` completes the sentence "could not ...".
pub(super) fn failed(tried: &'static str) -> impl Fn(sqlx::Error) -> PortError {
    move |error| PortError::with_source(kind_of(&error), format!("could not {tried}"), error)
}

/// As [`failed`], for a commit, or for a statement that commits itself: when the connection breaks there, nobody knows
/// whether it happened.
pub(super) fn commit_failed(tried: &'static str) -> impl Fn(sqlx::Error) -> PortError {
    move |error| {
        let kind = match &error {
            sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => ErrorKind::AnswerLost,
            _ => kind_of(&error),
        };
        PortError::with_source(kind, format!("could not {tried}"), error)
    }
}

/// A row that cannot be: names where it is.
pub(super) fn inconsistent(table: &str, column: &str, id: impl std::fmt::Display) -> PortError {
    let say = format!("table {table}, row {id}, column {column}: the value is not one this version writes");
    PortError::new(ErrorKind::Inconsistent, say)
}

/// Leaves out a row this version cannot read, loudly, so that it does not hold up the readable ones beside it.
pub(super) fn readable<T>(what: &'static str, row: Result<T, PortError>) -> Option<T> {
    row.inspect_err(|error| tracing::error!(what, %error, "a row cannot be read and is passed over")).ok()
}

fn kind_of(error: &sqlx::Error) -> ErrorKind {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => ErrorKind::Transient,
        sqlx::Error::Database(db) => match db.code().as_deref() {
            // Serialization failure, deadlock, lock not available, a primary that has just become a standby.
            Some("40001" | "40P01" | "55P03" | "25006") => ErrorKind::Transient,
            Some(code) => match code.get(..2) {
                // Connection exception, out of resources, operator intervention.
                Some("08" | "53" | "57") => ErrorKind::Transient,
                // Constraint: our own rules would be broken.
                Some("23") => ErrorKind::Inconsistent,
                _ => ErrorKind::Rejected,
            },
            None => ErrorKind::Rejected,
        },
        sqlx::Error::RowNotFound | sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
            ErrorKind::Inconsistent
        }
        _ => ErrorKind::Rejected,
    }
}
