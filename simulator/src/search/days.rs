//! Days as what a search tries.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use adapters::postgres::server::{
    PostgresServer, ServerOptions,
    test_databases::{TestDatabaseError, create_database_from_template, drop_database},
};
use secrecy::SecretString;

use super::{Mutant, Runner, Tried};
use crate::{
    day::{Mode, Watched, WatchedOptions, watch},
    report::{RunReport, key_metrics},
    scenario::Scenario,
    trace::Observer,
};

/// Days in memory.
#[derive(Debug, Clone, Copy, Default)]
pub struct ModelDays;

impl Runner for ModelDays {
    fn mode(&self) -> Mode {
        Mode::Model
    }

    fn watch(
        &self,
        scenario: &Scenario,
        seed: u64,
        mutant: Option<Mutant>,
        observers: Vec<Box<dyn Observer>>,
    ) -> Result<Tried, String> {
        tried(scenario, plain(seed, None, mutant, observers))
    }
}

/// Days over real HTTP and a real PostgreSQL: one throwaway server, a database a day.
#[derive(Debug)]
pub struct WireDays {
    server: PostgresServer,
    days: AtomicU64,
}

impl WireDays {
    /// Starts the server.
    ///
    /// # Errors
    /// Why it does not start, in words that name the fix.
    pub fn start() -> Result<Self, String> {
        let server = PostgresServer::start(&ServerOptions::throwaway())
            .map_err(|error| format!("the throwaway PostgreSQL did not start: {error}"))?;
        Ok(Self { server, days: AtomicU64::new(0) })
    }

    /// Which PostgreSQL it is.
    #[must_use]
    pub fn engine(&self) -> String {
        format!("PostgreSQL {} ({})", self.server.version(), self.server.origin())
    }

    /// Makes an empty database for one day and drops it afterwards.
    ///
    /// # Errors
    /// The server's refusal.
    pub fn with_database<T>(&self, day: impl FnOnce(SecretString) -> T) -> Result<T, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| format!("no runtime could be started: {error}"))?;
        let admin = self.server.database_url();
        let name = format!("day_{}", self.days.fetch_add(1, Ordering::Relaxed));
        let said = |error: TestDatabaseError| error.to_string();
        runtime.block_on(create_database_from_template(&admin, "template1", &name)).map_err(said)?;
        let came_of_it = day(self.server.url(&name));
        runtime.block_on(drop_database(&admin, &name)).map_err(said)?;
        Ok(came_of_it)
    }
}

impl Runner for WireDays {
    fn mode(&self) -> Mode {
        Mode::Wire
    }

    fn watch(
        &self,
        scenario: &Scenario,
        seed: u64,
        mutant: Option<Mutant>,
        observers: Vec<Box<dyn Observer>>,
    ) -> Result<Tried, String> {
        self.with_database(|database| tried(scenario, plain(seed, Some(database), mutant, observers)))?
    }
}

fn plain(
    seed: u64,
    database: Option<SecretString>,
    mutant: Option<Mutant>,
    observers: Vec<Box<dyn Observer>>,
) -> WatchedOptions {
    let (hash, reproduce) = (String::new(), String::new());
    WatchedOptions { seed, database, mutant, observers, hash, reproduce, beside: false }
}

fn tried(scenario: &Scenario, options: WatchedOptions) -> Result<Tried, String> {
    let watched = watch(scenario, options).map_err(|error| story(&error))?;
    let Watched { outcome, broken, goals, outcome_digest, timeline_digest, report } = watched;
    Ok(Tried {
        thresholds_missed: report.thresholds.iter().filter(|threshold| !threshold.passed).count(),
        figures: figures(&report),
        broken,
        goals,
        outcome_digest,
        timeline_digest,
        wall: outcome.wall,
    })
}

/// What was measured, by names such as `wait_s{window=peak}.p95`.
fn figures(report: &RunReport) -> BTreeMap<String, f64> {
    let metrics = key_metrics(report);
    let named =
        metrics.into_iter().filter_map(|metric| Some((metric.name.replacen(' ', ".", 1), metric.value?)));
    named.collect()
}

/// An error with what caused it, in one line.
fn story(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        line.push_str(": ");
        line.push_str(&cause.to_string());
        next = cause.source();
    }
    line
}
