//! Kadr's state in PostgreSQL, 15 and newer.
//!
//! Mirrors [`crate::memory`] file for file. Every statement takes time as a parameter; the one exception is the
//! trigger that records what an operator typed into psql. Locks are always taken in the same order: provider
//! accounts, job, provider models, user.

mod adoption;
mod attempts;
mod bot;
mod breaker_rows;
mod circuits;
mod claim_rows;
mod connections;
mod error;
mod job_rows;
mod job_store;
mod ledger_store;
mod notice_rows;
mod order_store;
mod outbox;
mod photo_store;
mod recent;
pub mod server;
mod signal;
mod step_rows;
mod time;

use std::{str::FromStr, sync::Arc, time::Duration};

use domain::{
    id::{OrderId, PhotoId},
    order::Order,
};
use ports::{ErrorKind, Photo, PortError};
use secrecy::{ExposeSecret, SecretString};
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool, migrate::Migrator, postgres::PgConnectOptions};

use self::{connections::Connections, error::failed, recent::Recent};
use crate::bells::Bells;

/// The schema, oldest change first; part of the program.
static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");

/// How many orders are kept after they were read: about those with a job under way.
const ORDERS_KEPT: usize = 1_024;
/// How many bytes of photos are kept after they were read: each job reads its photo twice within a minute.
const PHOTO_BYTES_KEPT: usize = 64 << 20;

/// All stores, on the connections of one pool.
#[derive(Debug, Clone)]
pub struct PgStores {
    connections: Connections,
    signal: Arc<Bells>,
    /// Every step of a job needs its order, which never changes once it is placed.
    orders: Arc<Recent<OrderId, Order>>,
    /// A photo's id is the hash of its bytes.
    photos: Arc<Recent<PhotoId, Photo>>,
}

impl PgStores {
    /// Connects to `url` with at most `connections_max` connections and checks that the server answers.
    ///
    /// # Errors
    /// [`ErrorKind::Rejected`] for a URL that is not one or a server that does not let us in,
    /// [`ErrorKind::Transient`] for a server that cannot be reached.
    pub async fn connect(url: &SecretString, connections_max: u32) -> Result<Self, PortError> {
        let options = PgConnectOptions::from_str(url.expose_secret())
            .map_err(|e| {
                let say = "the database URL is not of the form postgres://user:password@host:port/database";
                PortError::with_source(ErrorKind::Rejected, say, e)
            })?
            .application_name("kadr")
            // Somebody's open transaction must cost one statement its patience, not a worker its heartbeat.
            .options([("lock_timeout", "5s")])
            .log_slow_statements(log::LevelFilter::Warn, Duration::from_secs(1));
        // The pool would try a refused connection again until its time-out, and then say only that it timed out.
        let probe = PgConnection::connect_with(&options).await.map_err(failed("connect to PostgreSQL"))?;
        probe.close().await.map_err(failed("close a connection to PostgreSQL"))?;
        let pool = connections::pool_options(connections_max)
            .connect_with(options)
            .await
            .map_err(failed("connect to PostgreSQL"))?;
        Ok(Self {
            connections: Connections::of(pool),
            signal: Arc::new(Bells::default()),
            orders: Arc::new(Recent::up_to(ORDERS_KEPT)),
            photos: Arc::new(Recent::up_to(PHOTO_BYTES_KEPT)),
        })
    }

    /// Brings the schema up to date and returns the newest version.
    ///
    /// # Errors
    /// [`ErrorKind::Inconsistent`] when the database holds another schema than this program knows.
    pub async fn migrate(&self) -> Result<i64, PortError> {
        MIGRATIONS.run(self.connections.pool()).await.map_err(|e| {
            let say = "it was made by another version of kadr, or the database user may not change it";
            PortError::with_source(ErrorKind::Inconsistent, say, e)
        })?;
        Ok(MIGRATIONS.iter().map(|m| m.version).max().unwrap_or(0))
    }

    /// Checks that the schema is the one this program was made for; changes nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Rejected`] saying whether the schema is missing, older or newer.
    pub async fn check_schema(&self) -> Result<(), PortError> {
        let found: Result<Option<i64>, sqlx::Error> =
            sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations WHERE success")
                .fetch_one(&self.connections)
                .await;
        let found = match found {
            Ok(version) => version,
            // Undefined table.
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42P01") => None,
            Err(error) => return Err(failed("read the version of the schema")(error)),
        };
        let newest = MIGRATIONS.iter().map(|m| m.version).max();
        let say = match (found, newest) {
            (found, newest) if found == newest => return Ok(()),
            (None, _) => "the database has no schema of Kadr's yet: run `kadr migrate`",
            (found, newest) if found < newest => {
                "the database's schema is older than this kadr: run `kadr migrate`"
            }
            _ => "the database's schema is newer than this kadr: install the newer version",
        };
        Err(PortError::new(ErrorKind::Rejected, say))
    }

    /// The hints of this process's own writes and, once [`PgStores::listen`] runs, of every other process's.
    #[must_use]
    pub fn signal(&self) -> Arc<Bells> {
        self.signal.clone()
    }

    /// Listens for other processes' hints until the connection is lost for good. Run it beside the loops; they
    /// work without it, only later.
    ///
    /// # Errors
    /// When the first connection cannot be made.
    pub async fn listen(&self) -> Result<(), PortError> {
        signal::listen(&self.connections, &self.signal).await
    }

    /// The pool, for tests that look behind the ports.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        self.connections.pool()
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.connections.close().await;
    }
}
