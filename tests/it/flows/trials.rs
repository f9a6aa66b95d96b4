//! Whole orders in virtual time, over real HTTP and PostgreSQL, through everything the simulator can make go wrong.

use std::{collections::BTreeSet, path::Path, sync::Arc, time::Duration};

use app::texts::Language;
use bytes::Bytes;
use clap::ValueEnum;
use domain::{
    job::StateName,
    money::Credits,
    notice::RefundCause,
    order::Quantity,
    prompt::{Brief, Template},
};
use simulator::{
    sample,
    world::{DemoMessenger, Mishap, Outcome, Trial, TrialError, TrialOrder},
};

use crate::stores;

fn order(mishap: Option<Mishap>, quantity: Quantity) -> TrialOrder {
    let template = Template::UgcBlogger;
    TrialOrder {
        photo: Bytes::from_static(sample::PHOTO),
        template,
        brief: Brief::new(sample::brief(Language::Ru, template)).unwrap(),
        quantity,
        model: None,
        credits: Credits::of(5),
        language: Language::Ru,
        mishap,
        seed: 1,
    }
}

/// Runs an order from its confirmation to its last message; videos go to `out`. Virtual time wants a runtime to
/// itself.
fn run(order: TrialOrder, out: &Path) -> Result<Outcome, TrialError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let database = runtime.block_on(stores::fresh_database());
    let messenger = Arc::new(DemoMessenger::new(out, "mug", Duration::ZERO));
    Trial { order, database, messenger, watcher: Arc::new(|_| {}) }.run()
}

/// Runs an order and fails the test unless every check holds.
fn outcome(order: TrialOrder) -> Outcome {
    let (out, mishap) = (tempfile::tempdir().unwrap(), order.mishap);
    let outcome = run(order, out.path()).unwrap();
    let broken: Vec<_> = outcome.checks.iter().filter(|check| check.problem.is_some()).collect();
    assert!(broken.is_empty(), "{mishap:?}: {broken:#?}\n{:#?}", outcome.texts);
    outcome
}

#[test]
fn three_videos_hold_three_credits_and_capture_three() {
    let out = tempfile::tempdir().unwrap();
    let outcome = run(order(None, Quantity::Three), out.path()).unwrap();
    assert!(outcome.is_right(), "{:#?}", outcome.checks);
    assert_eq!((outcome.held, outcome.captured, outcome.released), (3, 3, 0));
    let videos: BTreeSet<_> = std::fs::read_dir(out.path())
        .unwrap()
        .map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .collect();
    assert_eq!(videos.len(), 3, "three different videos");
    assert!(videos.iter().all(|bytes| bytes[4..8] == *b"ftyp"), "MP4 each");
}

#[test]
fn an_order_that_cannot_be_paid_is_refused() {
    let out = tempfile::tempdir().unwrap();
    let refused = run(TrialOrder { credits: Credits::of(3), ..order(None, Quantity::Five) }, out.path());
    assert!(matches!(refused, Err(TrialError::Refused(_))), "{refused:?}");
}

#[test]
fn every_mishap_ends_as_the_product_says() {
    for mishap in Mishap::value_variants() {
        outcome(order(Some(*mishap), Quantity::Three));
    }
}

#[test]
fn a_refused_photo_is_explained_and_paid_back_without_a_retry() {
    let outcome = outcome(order(Some(Mishap::UserViolation), Quantity::One));
    let video = &outcome.videos[0];
    assert!(matches!(video.cause, Some(RefundCause::Violation(_))), "{video:?}");
    assert_eq!((outcome.captured, outcome.released, outcome.bill.tasks), (0, 1, 1));
    assert!(video.retries.is_empty());
}

#[test]
fn a_failing_provider_costs_retries_after_10_20_and_40_seconds_and_then_the_credit_comes_back() {
    let outcome = outcome(order(Some(Mishap::Temporary), Quantity::One));
    let waited: Vec<_> =
        outcome.videos[0].retries.iter().map(|retry| retry.waited.unwrap().as_secs_f64()).collect();
    assert_eq!(waited, [10.0, 20.0, 40.0], "of simulated time, to the millisecond");
    assert_eq!((outcome.captured, outcome.released), (0, 1));
}

#[test]
fn an_account_without_money_hands_over_to_the_other_one() {
    let outcome = outcome(order(Some(Mishap::Billing), Quantity::One));
    let tried: Vec<_> = outcome.keys.iter().map(|key| (key.submitted, key.accepted)).collect();
    assert_eq!(tried, [(1, 0), (1, 1)]);
    assert_eq!(outcome.videos[0].state, StateName::Done);
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let tell = || {
        let told = outcome(TrialOrder { seed: 42, ..order(Some(Mishap::TemporaryOnce), Quantity::Five) });
        (told.order, told.videos, told.texts, told.ended)
    };
    assert_eq!(tell(), tell());
}
