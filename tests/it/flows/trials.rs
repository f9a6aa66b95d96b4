//! Whole orders in virtual time, over real HTTP and PostgreSQL, through everything the simulator can make go wrong.

use std::{sync::Arc, time::Duration};

use app::texts::Language;
use bytes::Bytes;
use domain::{job::StateName, money::Credits, notice::RefundCause, order::Quantity, prompt::Template};
use simulator::{
    sample,
    world::{DemoMessenger, Mishap, Outcome, Trial, TrialOrder},
};

use crate::stores;

/// Runs one order from its confirmation to its last message, on a thread of its own: virtual time wants a runtime
/// to itself.
fn outcome(mishap: Option<Mishap>, quantity: Quantity, template: Template, seed: u64) -> Outcome {
    let database = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(stores::fresh_database());
    let out = tempfile::tempdir().unwrap();
    let order = TrialOrder {
        photo: Bytes::from_static(sample::PHOTO),
        template,
        brief: domain::prompt::Brief::new(sample::brief(Language::Ru, template)).unwrap(),
        quantity,
        model: None,
        credits: Credits::of(5),
        language: Language::Ru,
        mishap,
        seed,
    };
    let messenger = Arc::new(DemoMessenger::new(out.path(), "mug", Duration::ZERO));
    messenger.make_dir().unwrap();
    let outcome = Trial { order, database, messenger, watcher: Arc::new(|_| {}) }.run().unwrap();
    let broken: Vec<_> = outcome.checks.iter().filter(|check| check.problem.is_some()).collect();
    assert!(broken.is_empty(), "{mishap:?}: {broken:#?}\n{:#?}", outcome.texts);
    outcome
}

#[test]
fn three_videos_hold_three_credits_and_capture_three() {
    let outcome = outcome(None, Quantity::Three, Template::UgcBlogger, 1);
    assert_eq!((outcome.held, outcome.captured, outcome.released), (3, 3, 0));
    assert_eq!(outcome.prompts_written, 3, "each video has a prompt of its own");
}

#[test]
fn every_mishap_ends_as_the_product_says() {
    use clap::ValueEnum;
    for mishap in Mishap::value_variants() {
        outcome(Some(*mishap), Quantity::Three, Template::AdVideo, 7);
    }
}

#[test]
fn a_refused_photo_is_explained_and_paid_back_without_a_retry() {
    let outcome = outcome(Some(Mishap::UserViolation), Quantity::One, Template::UgcBlogger, 1);
    let video = &outcome.videos[0];
    assert!(matches!(video.cause, Some(RefundCause::Violation(_))), "{video:?}");
    assert_eq!((outcome.captured, outcome.released, outcome.bill.tasks), (0, 1, 1));
    assert!(video.retries.is_empty());
}

#[test]
fn a_failing_provider_costs_retries_after_10_20_and_40_seconds_and_then_the_credit_comes_back() {
    let outcome = outcome(Some(Mishap::Temporary), Quantity::One, Template::UgcBlogger, 1);
    let delays: Vec<_> = outcome.videos[0].retries.iter().map(|retry| retry.delay.as_secs()).collect();
    assert_eq!(delays, [10, 20, 40]);
    assert_eq!((outcome.captured, outcome.released), (0, 1));
}

#[test]
fn an_account_without_money_hands_over_to_the_other_one() {
    let outcome = outcome(Some(Mishap::Billing), Quantity::One, Template::UgcBlogger, 1);
    let tried: Vec<_> = outcome.keys.iter().map(|key| (key.submitted, key.accepted)).collect();
    assert_eq!(tried, [(1, 0), (1, 1)]);
    assert_eq!(outcome.videos[0].state, StateName::Done);
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let tell = || outcome(Some(Mishap::TemporaryOnce), Quantity::Five, Template::UgcBlogger, 42).texts;
    assert_eq!(tell(), tell());
}
