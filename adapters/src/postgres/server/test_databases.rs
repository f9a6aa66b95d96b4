//! Databases that live as long as one test: copies of a template in which the migrations have already run.

use secrecy::{ExposeSecret, SecretString};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

/// PostgreSQL cuts longer names (`NAMEDATALEN` - 1).
const LONGEST_NAME: usize = 63;

/// Why a test's database could not be created or dropped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TestDatabaseError {
    /// The name would need quoting rules that nobody here wants to rely on.
    #[error("`{0}` is no name for a test database: use 1 to 63 of a-z, 0-9 and _")]
    Name(String),
    /// The server refused, or could not be reached.
    #[error("cannot {action} the database `{name}`: {source}")]
    Database {
        /// What was being done, as a verb.
        action: &'static str,
        /// The database.
        name: String,
        /// The server's answer.
        source: sqlx::Error,
    },
}

/// Creates the database `name` as a copy of `template`, to which nobody may be connected. `admin_url` names another
/// database of the same server.
///
/// # Errors
/// A name with other characters than `[a-z0-9_]`, or the server's refusal.
pub async fn create_database_from_template(
    admin_url: &SecretString,
    template: &str,
    name: &str,
) -> Result<(), TestDatabaseError> {
    check(template)?;
    check(name)?;
    execute(admin_url, "create", name, format!(r#"CREATE DATABASE "{name}" TEMPLATE "{template}""#)).await
}

/// Drops the database `name`, throwing out whoever is still connected. One that does not exist is no error.
///
/// # Errors
/// A name with other characters than `[a-z0-9_]`, or the server's refusal.
pub async fn drop_database(admin_url: &SecretString, name: &str) -> Result<(), TestDatabaseError> {
    check(name)?;
    execute(admin_url, "drop", name, format!(r#"DROP DATABASE IF EXISTS "{name}" WITH (FORCE)"#)).await
}

fn check(name: &str) -> Result<(), TestDatabaseError> {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    if (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(allowed) {
        return Ok(());
    }
    Err(TestDatabaseError::Name(name.to_owned()))
}

/// The names in `statement` have passed [`check`].
async fn execute(
    admin_url: &SecretString,
    action: &'static str,
    name: &str,
    statement: String,
) -> Result<(), TestDatabaseError> {
    let executed = async {
        let mut connection = PgConnection::connect(admin_url.expose_secret()).await?;
        connection.execute(AssertSqlSafe(statement)).await?;
        connection.close().await
    };
    executed.await.map_err(|source| TestDatabaseError::Database { action, name: name.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_leave_their_quotes_are_refused() {
        for name in ["", "a\"b", "Template", "a b", "a;drop", "имя", &"a".repeat(64)] {
            assert!(check(name).is_err(), "{name}");
        }
        for name in ["t", "kadr_test_07", &"a".repeat(63)] {
            check(name).unwrap();
        }
    }
}
