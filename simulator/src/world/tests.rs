//! Trials, run.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use adapters::postgres::server::{
    PostgresServer, ServerOptions,
    test_databases::{create_database_from_template, drop_database},
};
use app::texts::Language;
use bytes::Bytes;
use clap::ValueEnum;
use domain::{
    job::StateName,
    money::Credits,
    order::Quantity,
    prompt::{Brief, Template},
};
use secrecy::SecretString;

use super::*;
use crate::sample;

/// One server for all trials of a test, a database for each.
struct Bench {
    server: PostgresServer,
    runtime: tokio::runtime::Runtime,
    dir: tempfile::TempDir,
    trials: AtomicU32,
}

impl Bench {
    fn new() -> Self {
        Self {
            server: PostgresServer::start(&ServerOptions::throwaway()).unwrap(),
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
            dir: tempfile::tempdir().unwrap(),
            trials: AtomicU32::new(0),
        }
    }

    fn run(&self, order: TrialOrder) -> Result<Outcome, TrialError> {
        let name = format!("trial_{}", self.trials.fetch_add(1, Ordering::SeqCst));
        let admin: SecretString = self.server.database_url();
        self.runtime.block_on(create_database_from_template(&admin, "template1", &name)).unwrap();
        let trial = Trial {
            order,
            database: self.server.url(&name),
            messenger: std::sync::Arc::new(DemoMessenger::new(self.dir.path(), &name, Duration::ZERO)),
            watcher: std::sync::Arc::new(|_| {}),
        };
        let ended = trial.run();
        self.runtime.block_on(drop_database(&admin, &name)).unwrap();
        ended
    }

    fn files(&self, trial: u32) -> BTreeSet<Vec<u8>> {
        let of = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().path();
        let paths = std::fs::read_dir(self.dir.path()).unwrap().map(of);
        let named = |path: &std::path::PathBuf| {
            path.file_name().unwrap().to_string_lossy().starts_with(&format!("trial_{trial}-"))
        };
        paths.filter(named).map(|path| std::fs::read(path).unwrap()).collect()
    }
}

fn order(quantity: Quantity, mishap: Option<Mishap>) -> TrialOrder {
    TrialOrder {
        photo: Bytes::from_static(sample::PHOTO),
        template: Template::UgcBlogger,
        brief: Brief::new(sample::brief(Language::En, Template::UgcBlogger)).unwrap(),
        quantity,
        model: None,
        credits: Credits::of(5),
        language: Language::En,
        mishap,
        seed: 1,
    }
}

fn problems(outcome: &Outcome) -> Vec<&Check> {
    outcome.checks.iter().filter(|check| check.problem.is_some()).collect()
}

#[test]
fn three_videos_are_held_made_saved_and_captured_and_the_run_repeats_itself() {
    let bench = Bench::new();
    let first = bench.run(order(Quantity::Three, None)).unwrap();
    assert_eq!((first.held, first.captured, first.released), (3, 3, 0));
    assert!(first.is_right(), "{:?}", problems(&first));
    assert_eq!(bench.files(0).len(), 3, "three different files");
    assert!(bench.files(0).iter().all(|bytes| bytes[4..8] == *b"ftyp"));
    let second = bench.run(order(Quantity::Three, None)).unwrap();
    assert_eq!(first.order, second.order);
    assert_eq!(first.videos, second.videos);
    assert_eq!(first.texts, second.texts);
    assert_eq!((first.ended, first.prompts), (second.ended, second.prompts));
}

#[test]
fn every_mishap_ends_as_it_must() {
    let bench = Bench::new();
    for mishap in Mishap::value_variants() {
        let outcome = bench.run(order(Quantity::One, Some(*mishap))).unwrap();
        assert!(outcome.is_right(), "{mishap:?}: {:?}", problems(&outcome));
    }
}

#[test]
fn temporary_failures_are_retried_after_10_20_and_40_simulated_seconds_exactly() {
    let outcome = Bench::new().run(order(Quantity::One, Some(Mishap::Temporary))).unwrap();
    let waited: Vec<_> =
        outcome.videos[0].retries.iter().map(|retry| retry.waited.unwrap().as_secs_f64()).collect();
    assert_eq!(waited, [10.0, 20.0, 40.0]);
    assert_eq!(outcome.videos[0].state, StateName::Refunded);
    assert_eq!((outcome.captured, outcome.released), (0, 1));
}

#[test]
fn an_order_that_cannot_be_paid_is_refused() {
    let poor = TrialOrder { credits: Credits::of(3), ..order(Quantity::Five, None) };
    let refused = Bench::new().run(poor);
    assert!(matches!(refused, Err(TrialError::Refused(_))), "{refused:?}");
}
