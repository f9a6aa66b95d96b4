//! The breaker as a row, and the lock that keeps it and the accounts for one submission at a time.

use std::{collections::BTreeSet, time::Duration};

use chrono::{DateTime, Utc};
use domain::{
    breaker::{self, Answer, Breaker, Probe, ProviderFacts},
    id::JobId,
    key::KeyFacts,
    time::Timestamp,
};
use ports::{KeyRoster, PortError};
use sqlx::{FromRow, Postgres, postgres::PgArguments, query::Query};
use uuid::Uuid;

use super::{
    PgStores,
    connections::Transaction,
    error::{failed, inconsistent},
    time::{from_db, to_db},
};

/// How long answers are kept: longer than any probe is waited for.
const KEPT_FOR: Duration = Duration::from_secs(15 * 60);

/// Answers from before this instant are removed.
pub(super) fn kept_from(now: Timestamp) -> Timestamp {
    before(now, KEPT_FOR)
}

/// Answers from before this instant are not counted.
pub(super) fn counted_from(now: Timestamp) -> Timestamp {
    before(now, breaker::WINDOW)
}

pub(super) fn before(now: Timestamp, time: Duration) -> Timestamp {
    let millis = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(now.as_millis().saturating_sub(millis))
}

/// Always in the same order, so that two processes cannot wait for each other: accounts by name, then the breaker.
const LOCK: &str = "WITH accounts AS MATERIALIZED (
         SELECT account FROM provider_accounts WHERE account = ANY ($1) ORDER BY account FOR UPDATE),
     breaker AS MATERIALIZED (
         SELECT locked.number FROM provider_breaker, (SELECT count(*) AS number FROM accounts) AS locked
         FOR UPDATE OF provider_breaker)
     SELECT number FROM breaker";

impl PgStores {
    /// Begins a transaction that keeps every other process from choosing a key of these accounts, and from asking the
    /// breaker.
    pub(super) async fn begin_on_accounts(&self, roster: &KeyRoster) -> Result<Transaction, PortError> {
        let tried = || failed("lock the provider accounts");
        let accounts: BTreeSet<&str> = roster.keys.iter().map(|key| key.account.as_str()).collect();
        let accounts: Vec<&str> = accounts.into_iter().collect();
        let lock = async || {
            let mut tx = self.connections.begin().await?;
            let locked: i64 = sqlx::query_scalar(LOCK).bind(&accounts).fetch_one(&mut *tx).await?;
            Ok((tx, usize::try_from(locked) == Ok(accounts.len())))
        };
        let (tx, all_are_known) = lock().await.map_err(tried())?;
        if all_are_known {
            return Ok(tx);
        }
        // The first submission on an account. It is written down without any lock in hand, or the order would differ.
        tx.rollback().await.map_err(tried())?;
        sqlx::query(
            "INSERT INTO provider_accounts (account)
             SELECT a FROM unnest($1::text[]) AS a ORDER BY 1 ON CONFLICT DO NOTHING",
        )
        .bind(&accounts)
        .execute(&self.connections)
        .await
        .map_err(tried())?;
        let (tx, _) = lock().await.map_err(tried())?;
        Ok(tx)
    }
}

/// The breaker's columns, as they stand beside each key's facts.
#[derive(FromRow)]
pub(super) struct BreakerRow {
    breaker_open: bool,
    breaker_since: Option<DateTime<Utc>>,
    probe_at: Option<DateTime<Utc>>,
    probes: i32,
    probe_job: Option<Uuid>,
    probe_since: Option<DateTime<Utc>>,
    breaker_waiting: i64,
    probe_answer: Option<String>,
}

impl BreakerRow {
    fn breaker(&self) -> Result<Breaker, PortError> {
        let wrong = |column| inconsistent("provider_breaker", column, "the one row");
        let waiting = u32::try_from(self.breaker_waiting).map_err(|_| wrong("waiting"))?;
        let since = self.breaker_since.map(from_db);
        if !self.breaker_open {
            return Ok(Breaker::Closed { since, waiting });
        }
        let probe = match (self.probe_job, self.probe_since) {
            (Some(job), Some(at)) => Some(Probe { job: JobId::new(job.as_u128()), since: from_db(at) }),
            _ => None,
        };
        Ok(Breaker::Open {
            since: since.ok_or_else(|| wrong("since"))?,
            probe_at: self.probe_at.map(from_db).ok_or_else(|| wrong("probe_at"))?,
            probes: u32::try_from(self.probes).map_err(|_| wrong("probes"))?,
            probe,
            waiting,
        })
    }

    /// All that is known of the provider.
    pub(super) fn facts(&self, keys: Vec<KeyFacts>) -> Result<ProviderFacts, PortError> {
        let probe_answer = match self.probe_answer.as_deref() {
            Some(word) => Some(
                Answer::parse(word)
                    .ok_or_else(|| inconsistent("provider_answers", "answer", "of the probe"))?,
            ),
            None => None,
        };
        Ok(ProviderFacts { keys, breaker: self.breaker()?, probe_answer })
    }
}

/// Binds seven parameters: the breaker afterwards, or nothing when it stays as it is.
pub(super) fn bind_breaker<'q>(
    statement: Query<'q, Postgres, PgArguments>,
    breaker: Option<&Breaker>,
) -> Query<'q, Postgres, PgArguments> {
    let (since, probe_at, probes, probe, waiting) = match breaker.copied() {
        None => (None, None, 0, None, 0),
        Some(Breaker::Closed { since, waiting }) => (since, None, 0, None, waiting),
        Some(Breaker::Open { since, probe_at, probes, probe, waiting }) => {
            (Some(since), Some(probe_at), probes, probe, waiting)
        }
    };
    statement
        .bind(breaker.map(Breaker::is_open))
        .bind(since.map(to_db))
        .bind(probe_at.map(to_db))
        .bind(i32::try_from(probes).unwrap_or(i32::MAX))
        .bind(probe.map(|probe| Uuid::from_u128(probe.job.value())))
        .bind(probe.map(|probe| to_db(probe.since)))
        .bind(i64::from(waiting))
}
