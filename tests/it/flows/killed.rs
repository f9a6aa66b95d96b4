//! SIGKILL in the middle of each step, then a new start: every job ends exactly once in money terms.

use std::{sync::Arc, time::Duration};

use adapters::system::SystemClock;
use domain::{
    job::{State, StateName},
    ledger::EntryKind,
};
use ports::JobRecord;
use simulator::{
    provider::{
        kie_model::{Call, RenderTime},
        llm::LlmTrouble,
    },
    world::{Outside, OutsideSettings},
};

use super::process::{Place, mug};
use crate::make::USER;

/// Longer than any test: what is held is never answered.
const NEVER: Duration = Duration::from_secs(600);

async fn outside() -> Outside {
    let mut settings = OutsideSettings::healthy(7);
    settings.kie.render_time = RenderTime::Fixed(Duration::from_secs(1));
    Outside::start(settings, Arc::new(SystemClock::new())).await.unwrap()
}

/// Orders one video, kills the worker once the job is held in the midst of a step as `in_the_midst` sees it, lets go
/// of what was held, and starts another worker.
async fn survives(
    hold: impl Fn(&Outside),
    let_go: impl Fn(&Outside),
    in_the_midst: impl Fn(&State) -> bool,
) -> (Outside, Place) {
    let outside = outside().await;
    let place = Place::new(&outside).await;
    let user = USER.to_string();
    place.run(&["credits", "grant", "--user", &user, "--amount", "3"]);
    let photo = mug().display().to_string();
    let order = [
        "order",
        "--user",
        &user,
        "--photo",
        &photo,
        "--template",
        "ugc",
        "--brief",
        "a mug",
        "--count",
        "1",
    ];
    place.run(&order);

    hold(&outside);
    let worker = place.start_worker();
    let held = |jobs: &[JobRecord]| {
        jobs.iter().any(|record| record.leased_until.is_some() && in_the_midst(&record.job.state))
    };
    place.wait_until("a job held in the midst of the step", held).await;
    // Long enough for the call to leave, short of the lease.
    std::thread::park_timeout(Duration::from_millis(300));
    worker.kill();
    let_go(&outside);

    let worker = place.start_worker();
    let finished = |jobs: &[JobRecord]| jobs.iter().all(|record| record.job.state.is_terminal());
    let jobs = place.wait_until("every job finished", finished).await;
    assert_eq!(worker.stop(), Some(0), "SIGTERM ends the worker in peace");

    assert!(jobs.iter().all(|record| record.job.state.name() == StateName::Done), "{jobs:#?}");
    let balance = place.stores.ledger.balance(USER).await.unwrap();
    assert_eq!((balance.available.value(), balance.held.value()), (2, 0));
    let entries = place.stores.ledger.history(USER, 100).await.unwrap();
    let captures = entries.iter().filter(|entry| entry.kind == EntryKind::Capture).count();
    assert_eq!((captures, entries.len()), (1, 3), "grant, hold, one capture: {entries:#?}");
    place.stores.assert_audit_is_clean().await;
    let videos = std::fs::read_dir(place.dir.path().join("out")).unwrap();
    let videos =
        videos.filter(|v| v.as_ref().unwrap().path().extension().is_some_and(|e| e == "mp4")).count();
    assert_eq!(videos, 1, "the user has the video");
    (outside, place)
}

async fn survives_while(call: Call, in_the_midst: impl Fn(&State) -> bool) -> Outside {
    let hold = |outside: &Outside| outside.kie.hold(call, NEVER);
    let let_go = |outside: &Outside| outside.kie.hold(call, Duration::ZERO);
    survives(hold, let_go, in_the_midst).await.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_the_prompt_is_written() {
    let hold = |outside: &Outside| outside.llm.set_trouble(LlmTrouble::Slow(NEVER));
    let let_go = |outside: &Outside| outside.llm.set_trouble(LlmTrouble::None);
    survives(hold, let_go, |state| matches!(state, State::Prompting)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_the_photo_is_uploaded() {
    survives_while(Call::Upload, |state| matches!(state, State::Submitting { open: None })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_between_the_submission_and_its_answer() {
    let outside =
        survives_while(Call::Create, |state| matches!(state, State::Submitting { open: Some(_) })).await;
    assert_eq!(outside.kie.model().creations().len(), 2, "the lost one and, after its grace, the second");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_looking_at_the_render() {
    let outside = survives_while(Call::Look, |state| matches!(state, State::Rendering { .. })).await;
    assert_eq!(outside.kie.model().creations().len(), 1, "the task was found again, not made again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_the_video_is_handed_over() {
    let outside = survives_while(Call::Download, |state| matches!(state, State::Delivering { .. })).await;
    assert_eq!(outside.kie.model().creations().len(), 1);
}
