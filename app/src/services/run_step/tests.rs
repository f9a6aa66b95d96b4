mod models;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use domain::{
    breaker::{Breaker, ProviderFacts},
    circuit::{self, CircuitChange, Circuits},
    failure::Reason,
    id::{AttemptId, ModelId, TaskId},
    job::{AttemptStatus, OpenAttempt, State},
    notice::RefundCause,
    prompt::{FIDELITY_SUFFIX, Template},
};
use ports::{Adoption, LeasedJob, MockPromptWriter, RenderStatus, Reply};

use super::*;
use crate::fixtures::{self, Mocks, START};

const STORED: StateName = StateName::Submitting;

fn refusal(reason: Reason) -> ProviderRefusal {
    ProviderRefusal { failure: reason.into(), evidence: "their words".to_owned(), retry_after: None }
}

/// A store that opens attempts as the domain says.
fn opens_attempts(mocks: &mut Mocks) {
    mocks.jobs.expect_open_attempt().returning(|leased, attempt, roster, rules, now| {
        Ok(job::open_attempt(
            &leased.job,
            attempt,
            &fixtures::facts(),
            &roster.limits,
            &Circuits::new(),
            rules,
            now,
        )
        .unwrap())
    });
}

/// Expects exactly one stored step, and checks it.
fn stores(mocks: &mut Mocks, check: impl Fn(&Step, Option<&str>) + Send + 'static) {
    mocks.jobs.expect_store_step().times(1).returning(move |lease, step, _, evidence, _| {
        assert_eq!(lease.number, 3);
        check(step, evidence);
        Ok(())
    });
}

/// One step.
async fn run(mocks: Mocks, leased: &LeasedJob) -> Result<StepEnd, PortError> {
    run_under(mocks, &fixtures::policy(), leased.clone()).await
}

async fn run_under(mocks: Mocks, policy: &Policy, leased: LeasedJob) -> Result<StepEnd, PortError> {
    run_steps(&mocks.into_ports(), policy, leased, &|| false).await
}

fn submitting() -> LeasedJob {
    fixtures::leased(State::Submitting { open: None })
}

fn rendering() -> LeasedJob {
    fixtures::leased(State::Rendering {
        attempt: AttemptId::new(21),
        key: fixtures::key("k1"),
        task: TaskId::new("task-1").unwrap(),
        since: START,
    })
}

fn delivering() -> LeasedJob {
    fixtures::leased(State::Delivering {
        attempt: AttemptId::new(21),
        key: fixtures::key("k1"),
        task: TaskId::new("task-1").unwrap(),
        url: "https://files.example/old.mp4".to_owned(),
    })
}

#[tokio::test]
async fn a_users_violation_is_refunded_and_never_submitted_again() {
    let mut mocks = Mocks::with_order(Template::AdVideo);
    opens_attempts(&mut mocks);
    mocks.video.expect_create().times(1).returning(|_, _| Reply::No(refusal(Reason::PeopleInPhoto)));
    stores(&mut mocks, |step, evidence| {
        assert!(matches!(
            step.job.state,
            State::Refunded { cause: RefundCause::Violation(Reason::PeopleInPhoto), .. }
        ));
        assert_eq!((step.entries.len(), step.next_run_at, evidence), (1, None, Some("their words")));
    });
    let ended = run(mocks, &submitting()).await.unwrap();
    assert_eq!(ended, StepEnd::Stored { state: StateName::Refunded, next_run_at: None });
}

fn outage(probe_at: Timestamp) -> ProviderFacts {
    let breaker = Breaker::Open { since: START, probe_at, probes: 0, probe: None, waiting: 0 };
    ProviderFacts { breaker, ..fixtures::facts() }
}

#[tokio::test]
async fn nothing_is_uploaded_while_the_provider_is_down_but_by_the_probe() {
    for is_probe_due in [false, true] {
        let facts = outage(if is_probe_due { START } else { START.after(Duration::from_secs(30)) });
        let mut mocks = Mocks::with_order(Template::AdVideo);
        let known = facts.clone();
        mocks.jobs.expect_provider_facts().returning(move |_, _| Ok(known.clone()));
        mocks.jobs.expect_ask_breaker().times(1).returning(move |leased, roster, rules, now| {
            Ok(job::before_upload(&leased.job, &facts, &roster.limits, rules, now).unwrap())
        });
        let uploads = usize::from(is_probe_due);
        let url = "https://files.example/photo.jpg";
        mocks.video.expect_upload().times(uploads).returning(move |_, _, _| Reply::Yes(url.to_owned()));
        mocks.jobs.expect_store_step().times(uploads).returning(|_, step, _, _, _| {
            assert!(step.job.is_probe && step.job.photo.is_some());
            Ok(())
        });
        let mut leased = submitting();
        leased.job.photo = None;
        let ended = run(mocks, &leased).await.unwrap();
        let next_run_at = Some(if is_probe_due { START } else { START.after(Duration::from_secs(30)) });
        assert_eq!(ended, StepEnd::Stored { state: STORED, next_run_at });
    }
}

#[tokio::test]
async fn a_provider_that_asks_to_be_left_alone_is() {
    let mut mocks = Mocks::with_order(Template::AdVideo);
    opens_attempts(&mut mocks);
    let retry_after = Some(Duration::from_secs(45));
    mocks
        .video
        .expect_create()
        .returning(move |_, _| Reply::No(ProviderRefusal { retry_after, ..refusal(Reason::RateLimit) }));
    stores(&mut mocks, |step, _| {
        let (_, cooling) = step.cooling.as_ref().unwrap();
        assert_eq!(cooling.until, START.after(Duration::from_secs(45)));
    });
    run(mocks, &submitting()).await.unwrap();
}

#[tokio::test]
async fn a_lost_answer_is_written_down_and_waited_for() {
    let mut mocks = Mocks::with_order(Template::AdVideo);
    opens_attempts(&mut mocks);
    mocks.video.expect_create().times(1).returning(|_, _| Reply::Unknown("connection reset".to_owned()));
    stores(&mut mocks, |step, evidence| {
        assert_eq!(step.attempt.as_ref().map(|a| a.status), Some(AttemptStatus::Unanswered));
        assert_eq!(step.next_run_at, Some(START.after(fixtures::policy().retry.lost_answer_grace)));
        assert_eq!(evidence, Some("connection reset"));
    });
    run(mocks, &submitting()).await.unwrap();
}

#[tokio::test]
async fn an_attempt_left_open_by_a_dead_worker_is_not_sent_again_before_its_grace_is_over() {
    let open = OpenAttempt { id: AttemptId::new(20), key: fixtures::key("k1"), sent_at: START };
    let mut mocks = Mocks::with_order(Template::AdVideo);
    mocks.video.expect_create().never();
    stores(&mut mocks, |step, _| {
        assert_eq!(step.attempt.as_ref().map(|a| a.status), Some(AttemptStatus::Unanswered));
    });
    let leased = fixtures::leased(State::Submitting { open: Some(open) });
    assert!(matches!(run(mocks, &leased).await, Ok(StepEnd::Stored { state: STORED, .. })));
}

#[tokio::test]
async fn an_accepted_task_is_kept_while_the_store_is_away_and_not_created_twice() {
    let mut mocks = Mocks::with_order(Template::AdVideo);
    opens_attempts(&mut mocks);
    mocks.video.expect_create().times(1).returning(|_, _| Reply::Yes(TaskId::new("task-1").unwrap()));
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    mocks.jobs.expect_store_step().returning(move |_, step, _, _, _| {
        assert_eq!(step.job.state.name(), StateName::Rendering);
        match counted.fetch_add(1, Ordering::SeqCst) {
            0 => Err(PortError::new(ErrorKind::Transient, "no connection")),
            1 => Err(PortError::new(ErrorKind::AnswerLost, "connection closed during commit")),
            _ => Ok(()),
        }
    });
    let ended = run(mocks, &submitting()).await.unwrap();
    assert!(matches!(ended, StepEnd::Stored { state: StateName::Rendering, .. }));
    assert_eq!(calls.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_lost_lease_ends_the_step_quietly() {
    let mut mocks = Mocks::with_order(Template::AdVideo);
    mocks
        .jobs
        .expect_open_attempt()
        .returning(|_, _, _, _, _| Err(PortError::new(ErrorKind::Conflict, "lease 3 is not the job's")));
    mocks.video.expect_create().never();
    assert_eq!(run(mocks, &submitting()).await.unwrap(), StepEnd::LeaseLost);
}

#[tokio::test]
async fn a_job_that_finds_no_free_key_calls_nobody() {
    let mut mocks = Mocks::with_order(Template::AdVideo);
    mocks.jobs.expect_open_attempt().returning(|leased, attempt, roster, rules, now| {
        let mut facts = fixtures::facts();
        facts.keys[0].account_running = 100;
        let limits = &roster.limits;
        Ok(job::open_attempt(&leased.job, attempt, &facts, limits, &Circuits::new(), rules, now).unwrap())
    });
    mocks.video.expect_create().never();
    mocks.jobs.expect_store_step().never();
    assert!(matches!(run(mocks, &submitting()).await, Ok(StepEnd::Stored { state: STORED, .. })));
}

async fn prompt_with(writer: MockPromptWriter, template: Template) -> String {
    let mut mocks = Mocks::with_order(template);
    let (sender, receiver) = std::sync::mpsc::channel();
    stores(&mut mocks, move |step, _| sender.send(step.job.prompt.clone().unwrap()).unwrap());
    let ports = Ports { writer: Some(Arc::new(writer)), ..mocks.into_ports() };
    run_steps(&ports, &fixtures::policy(), fixtures::leased(State::Prompting), &|| false).await.unwrap();
    receiver.recv().unwrap().as_str().to_owned()
}

#[tokio::test]
async fn a_language_model_that_fails_costs_the_style_and_never_the_brief() {
    for answer in [None, Some("Sorry."), Some("")] {
        let mut writer = MockPromptWriter::new();
        writer.expect_write().times(1).returning(move |_, _| {
            answer.map(str::to_owned).ok_or_else(|| PortError::new(ErrorKind::Transient, "HTTP 503"))
        });
        let prompt = prompt_with(writer, Template::UgcBlogger).await;
        assert!(prompt.contains("A thermos for hikers"), "{answer:?}: {prompt}");
        assert!(prompt.ends_with(FIDELITY_SUFFIX), "{answer:?}: {prompt}");
    }
}

#[tokio::test]
async fn a_written_prompt_is_used_with_our_suffix() {
    let mut writer = MockPromptWriter::new();
    let answer = "A hiker opens the thermos at dawn, steam rises.";
    writer.expect_write().times(1).returning(move |_, _| Ok(answer.to_owned()));
    assert_eq!(prompt_with(writer, Template::AdVideo).await, format!("{answer}\n\n{FIDELITY_SUFFIX}"));
}

#[tokio::test]
async fn own_prompts_are_not_shown_to_the_language_model() {
    let mut writer = MockPromptWriter::new();
    writer.expect_write().never();
    assert!(prompt_with(writer, Template::OwnPrompt).await.starts_with("A thermos for hikers"));
}

#[tokio::test]
async fn a_look_that_fails_says_nothing_about_the_render() {
    for reply in [Reply::No(refusal(Reason::KeyRejected)), Reply::Unknown("time-out".to_owned())] {
        let mut mocks = Mocks::with_order(Template::AdVideo);
        mocks.video.expect_status().times(1).returning(move |_, _, _| reply.clone());
        stores(&mut mocks, |step, _| {
            assert_eq!((step.job.retries, step.job.state.name()), (0, StateName::Rendering));
        });
        run(mocks, &rendering()).await.unwrap();
    }
}

#[tokio::test]
async fn a_failed_render_is_retried_with_the_providers_words_kept() {
    let mut mocks = Mocks::with_order(Template::AdVideo);
    mocks
        .video
        .expect_status()
        .returning(|_, _, _| Reply::Yes(RenderStatus::Failed(refusal(Reason::ProviderFault))));
    stores(&mut mocks, |step, evidence| {
        assert_eq!((step.job.retries, evidence), (1, Some("their words")));
    });
    run(mocks, &rendering()).await.unwrap();
}

fn delivery_policy(dir: &std::path::Path) -> Policy {
    let mut policy = fixtures::policy();
    policy.delivery.work_dir = dir.join("work");
    policy
}

#[tokio::test]
async fn a_refused_link_is_exchanged_once_and_the_work_file_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let mut mocks = Mocks::with_order(Template::AdVideo);
    mocks.video.expect_download().times(2).returning(|url, file, _| {
        if url.ends_with("old.mp4") {
            return Reply::No(refusal(Reason::Unrecognised));
        }
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, b"video").unwrap();
        Reply::Yes(5)
    });
    let fresh = "https://files.example/new.mp4".to_owned();
    mocks.video.expect_fresh_link().times(1).returning(move |_, _| Reply::Yes(fresh.clone()));
    mocks.messenger.expect_send_video().times(1).returning(|_, video| {
        assert_eq!(std::fs::read(video.file).unwrap(), b"video");
        assert_eq!(video.caption, "Done! Here is your video ✨");
        Ok(())
    });
    stores(&mut mocks, |step, _| assert_eq!(step.job.state.name(), StateName::Done));
    run_under(mocks, &delivery_policy(dir.path()), delivering()).await.unwrap();
    assert_eq!(std::fs::read_dir(dir.path().join("work")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_video_that_can_never_be_handed_over_gives_the_credit_back_and_others_another_try() {
    for (kind, gone) in [
        (ErrorKind::Unreachable, Some(RefundCause::RecipientGone)),
        (ErrorKind::Rejected, Some(RefundCause::Undeliverable)),
        (ErrorKind::AnswerLost, None),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let mut mocks = Mocks::with_order(Template::AdVideo);
        mocks.video.expect_download().returning(|_, _, _| Reply::Yes(5));
        mocks.messenger.expect_send_video().returning(move |_, _| Err(PortError::new(kind, "not sent")));
        stores(&mut mocks, move |step, _| match &step.job.state {
            State::Refunded { cause, .. } => assert_eq!(Some(*cause), gone),
            state => assert_eq!((state.name(), gone), (StateName::Delivering, None)),
        });
        run_under(mocks, &delivery_policy(dir.path()), delivering()).await.unwrap();
    }
}

#[tokio::test]
async fn a_job_whose_photo_is_missing_is_refunded_instead_of_waiting_for_ever() {
    let mut mocks = Mocks::default();
    mocks.orders.expect_order().returning(|_| Ok(Some(fixtures::order(Template::AdVideo))));
    mocks.photos.expect_get().returning(|_| Ok(None));
    mocks.jobs.expect_provider_facts().returning(|_, _| Ok(fixtures::facts()));
    mocks.video.expect_upload().never();
    stores(&mut mocks, |step, _| {
        assert!(matches!(step.job.state, State::Refunded { cause: RefundCause::OurFault, .. }));
    });
    let mut leased = submitting();
    leased.job.photo = None;
    run(mocks, &leased).await.unwrap();
}

/// Runs a job that is being prompted as far as it goes without waiting; returns the states stored, and whether the
/// lease was kept each time.
async fn prompted(may_go_on: bool, upload_takes: Duration) -> Vec<(StateName, AfterStep)> {
    let mut mocks = Mocks::with_order(Template::OwnPrompt);
    let clock = Arc::new(fixtures::EagerClock::new());
    let ticking = Arc::clone(&clock);
    mocks.jobs.expect_provider_facts().returning(move |_, _| {
        ticking.advance(upload_takes);
        Ok(fixtures::facts())
    });
    opens_attempts(&mut mocks);
    mocks.video.expect_upload().returning(|_, _, _| Reply::Yes("https://files.example/photo.jpg".to_owned()));
    mocks.video.expect_create().returning(|_, _| Reply::Yes(TaskId::new("task-1").unwrap()));
    let stored = Arc::new(std::sync::Mutex::new(Vec::new()));
    let storing = Arc::clone(&stored);
    mocks.jobs.expect_store_step().returning(move |_, step, after, _, _| {
        storing.lock().unwrap().push((step.job.state.name(), after));
        Ok(())
    });
    let mut leased = fixtures::leased(State::Prompting);
    (leased.job.prompt, leased.job.photo) = (None, None);
    let ports = Ports { clock, ..mocks.into_ports() };
    run_steps(&ports, &fixtures::policy(), leased, &|| may_go_on).await.unwrap();
    let stored = stored.lock().unwrap();
    stored.clone()
}

#[tokio::test]
async fn a_worker_goes_on_under_its_lease_until_there_is_something_to_wait_for() {
    let (keep, release) = (AfterStep::Keep, AfterStep::Release);
    assert_eq!(
        prompted(true, Duration::ZERO).await,
        [(STORED, keep), (STORED, keep), (StateName::Rendering, release)]
    );
}

#[tokio::test]
async fn a_worker_that_is_stopping_or_has_held_a_job_for_long_lets_go_of_it_after_the_step() {
    assert_eq!(prompted(false, Duration::ZERO).await, [(STORED, AfterStep::Release)]);
    let late = prompted(true, fixtures::policy().lease.deadline / 5).await;
    assert_eq!(late, [(STORED, AfterStep::Keep), (STORED, AfterStep::Release)]);
}

#[tokio::test]
async fn a_step_that_was_stored_is_not_stored_again_because_its_answer_was_lost() {
    // Also when the look fails at first.
    for (was_stored, looks) in [(true, 1), (true, 2), (false, 1)] {
        let mut mocks = Mocks::with_order(Template::OwnPrompt);
        let stored = Arc::new(std::sync::Mutex::new(Vec::<Job>::new()));
        let (storing, reading) = (Arc::clone(&stored), Arc::clone(&stored));
        mocks.jobs.expect_store_step().times(if was_stored { 1 } else { 2 }).returning(
            move |_, step, _, _, _| {
                let mut stored = storing.lock().unwrap();
                stored.push(step.job.clone());
                let is_lost = stored.len() == 1;
                if is_lost {
                    Err(PortError::new(ErrorKind::AnswerLost, "connection closed during commit"))
                } else {
                    Ok(())
                }
            },
        );
        let mut looked = 0;
        mocks.jobs.expect_job().times(looks).returning(move |_| {
            looked += 1;
            if looked < looks {
                return Err(PortError::new(ErrorKind::Transient, "away"));
            }
            let job = reading.lock().unwrap()[0].clone();
            let job = if was_stored { job } else { Job { state: State::Prompting, ..job } };
            Ok(Some(ports::JobRecord { job, next_run_at: None, leased_until: None }))
        });
        mocks
            .jobs
            .expect_provider_facts()
            .returning(|_, _| Err(PortError::new(ErrorKind::Transient, "enough")));
        let mut leased = fixtures::leased(State::Prompting);
        (leased.job.prompt, leased.job.photo) = (None, None);
        let ended = run_steps(&mocks.into_ports(), &fixtures::policy(), leased, &|| true).await;
        assert_eq!(ended.unwrap_err().to_string(), "enough", "it went on to the upload");
    }
}

#[tokio::test]
async fn a_lease_is_let_go_with_everything_that_must_not_be_written_twice() {
    let mut mocks = Mocks::with_order(Template::AdVideo);
    mocks.jobs.expect_store_step().times(1).returning(|_, step, after, _, _| {
        assert_eq!((step.notices.len(), after), (1, AfterStep::Release));
        Ok(())
    });
    let leased = fixtures::leased(State::Queued);
    let ended = run_steps(&mocks.into_ports(), &fixtures::policy(), leased, &|| true).await.unwrap();
    assert_eq!(ended, StepEnd::Stored { state: StateName::Prompting, next_run_at: Some(START) });
}

#[tokio::test]
async fn a_download_that_never_ends_is_given_up_before_the_deadline() {
    use domain::notice::Audience;

    struct Stuck;

    #[async_trait::async_trait]
    impl ports::Messenger for Stuck {
        async fn send_text<'a>(&self, _to: Audience, _text: ports::OrderText<'a>) -> Result<(), PortError> {
            Ok(())
        }

        async fn send_video<'a>(&self, _: Audience, _: ports::VideoMessage<'a>) -> Result<(), PortError> {
            std::future::pending().await
        }
    }

    let dir = tempfile::tempdir().unwrap();
    let mut mocks = Mocks::with_order(Template::AdVideo);
    mocks.video.expect_download().returning(|_, _, _| Reply::Yes(5));
    stores(&mut mocks, |step, evidence| {
        assert_eq!((step.job.delivery_failures, evidence), (1, Some("it took longer than 240 s")));
    });
    let ports = Ports { messenger: Arc::new(Stuck), ..mocks.into_ports() };
    run_steps(&ports, &delivery_policy(dir.path()), delivering(), &|| false).await.unwrap();
}

#[test]
fn only_old_videos_are_swept() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["a.mp4", "b.txt"] {
        std::fs::write(dir.path().join(name), b"").unwrap();
    }
    let written = std::fs::metadata(dir.path().join("a.mp4")).unwrap().modified().unwrap();
    let millis = written.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let now = Timestamp::from_millis(i64::try_from(millis).unwrap());
    let hour = std::time::Duration::from_secs(3_600);
    sweep_work_dir(dir.path(), now, hour);
    assert!(dir.path().join("a.mp4").exists());
    sweep_work_dir(dir.path(), now.after(hour * 2), hour);
    assert!(!dir.path().join("a.mp4").exists() && dir.path().join("b.txt").exists());
}

/// A submission that is accepted after its lease was lost, and what the store says to the adoption.
async fn accepted_too_late(adoption: Result<Adoption, PortError>) -> Result<StepEnd, PortError> {
    let mut mocks = Mocks::with_order(Template::AdVideo);
    opens_attempts(&mut mocks);
    mocks.video.expect_create().times(1).returning(|_, _| Reply::Yes(TaskId::new("task-1").unwrap()));
    mocks
        .jobs
        .expect_store_step()
        .returning(|_, _, _, _, _| Err(PortError::new(ErrorKind::Conflict, "the lease is lost")));
    let adoption = std::sync::Mutex::new(Some(adoption));
    mocks.jobs.expect_adopt().times(1).returning(move |_, task, _, _| {
        assert_eq!(task.as_str(), "task-1");
        adoption.lock().unwrap().take().unwrap()
    });
    run(mocks, &submitting()).await
}

#[tokio::test]
async fn a_task_that_was_created_under_a_lost_lease_is_adopted_instead_of_being_paid_twice() {
    let error = || PortError::new(ErrorKind::Transient, "the database is away");
    for adoption in [Ok(Adoption::Already), Ok(Adoption::Refused), Err(error())] {
        assert_eq!(accepted_too_late(adoption).await.unwrap(), StepEnd::LeaseLost);
    }
}

#[tokio::test]
async fn only_a_task_that_exists_is_adopted() {
    for reply in [Reply::No(refusal(Reason::ProviderFault)), Reply::Unknown("silence".to_owned())] {
        let mut mocks = Mocks::with_order(Template::AdVideo);
        opens_attempts(&mut mocks);
        mocks.video.expect_create().times(1).returning(move |_, _| reply.clone());
        mocks
            .jobs
            .expect_store_step()
            .returning(|_, _, _, _, _| Err(PortError::new(ErrorKind::Conflict, "the lease is lost")));
        mocks.jobs.expect_adopt().never();
        assert_eq!(run(mocks, &submitting()).await.unwrap(), StepEnd::LeaseLost);
    }
}

#[tokio::test]
async fn a_submission_names_the_address_for_its_own_attempt_if_callbacks_are_heard() {
    for base in [None, Some("https://kadr.example/kie/callback/".to_owned())] {
        let mut mocks = Mocks::with_order(Template::AdVideo);
        opens_attempts(&mut mocks);
        let expected = base.clone();
        let named = Arc::new(std::sync::Mutex::new(None));
        let naming = Arc::clone(&named);
        mocks.video.expect_create().times(1).returning(move |_, request| {
            *naming.lock().unwrap() = request.callback_url.map(str::to_owned);
            Reply::Yes(TaskId::new("task-1").unwrap())
        });
        let seen = Arc::new(std::sync::Mutex::new(None));
        let seeing = Arc::clone(&seen);
        stores(&mut mocks, move |step, _| {
            *seeing.lock().unwrap() = step.attempt.as_ref().map(|change| change.id);
        });
        let policy = Policy { callback_base: base, ..fixtures::policy() };
        run_under(mocks, &policy, submitting()).await.unwrap();
        let attempt = seen.lock().unwrap().unwrap();
        assert_eq!(*named.lock().unwrap(), expected.map(|base| format!("{base}{attempt}")));
    }
}
