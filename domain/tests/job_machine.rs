//! The laws of the job state machine, and the machine itself as a table.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::{collections::BTreeSet, fmt::Write, time::Duration};

use domain::{
    breaker::{Answer, is_providers_fault},
    decision::RetryPolicy,
    failure::{Failure, FailureClass, Reason},
    id::{AttemptId, JobId, KeyId, ModelId, OrderId, TaskId, UserId},
    job::{DeliveryFailure, Event, Job, OpenAttempt, Refusal, Rules, State, Step, UploadedPhoto, apply},
    ledger::{Balance, Entry, EntryKind},
    model::RenderTiming,
    money::Credits,
    notice::{NoticeKind, RefundCause},
    prompt::Prompt,
    time::Timestamp,
};
use proptest::prelude::*;

const ATTEMPT: AttemptId = AttemptId::new(7);

fn rules() -> Rules {
    let s = Duration::from_secs;
    let timing = RenderTiming { first_poll: s(30), poll_every: s(10), typical: s(180), give_up: s(1_800) };
    Rules { retry: RetryPolicy::default().into(), models: vec![model()], timing }
}

fn model() -> ModelId {
    ModelId::new("sora-2").unwrap()
}

fn key() -> KeyId {
    KeyId::new("kie-1").unwrap()
}

fn queued() -> Job {
    Job::queued(JobId::new(1), OrderId::new(2), UserId::new(3), (1, 3), Timestamp::from_millis(0))
}

fn failure(reason: Reason) -> Failure {
    Failure { class: reason.class(), reason }
}

/// One job in each state, each as far along as that state allows.
fn states() -> Vec<Job> {
    let at = Timestamp::from_millis(0);
    let open = OpenAttempt { id: ATTEMPT, key: key(), sent_at: at };
    let task = TaskId::new("task-1").unwrap();
    let states = [
        State::Queued,
        State::Prompting,
        State::Submitting { open: None },
        State::Submitting { open: Some(open) },
        State::Rendering { attempt: ATTEMPT, key: key(), task: task.clone(), since: at },
        State::Delivering { attempt: ATTEMPT, key: key(), task, url: "https://h/v.mp4".to_owned() },
        State::Done { at },
        State::Refunded { cause: RefundCause::RetriesExhausted, at },
        State::Cancelled { at },
    ];
    states.into_iter().map(|state| Job { state, ..queued() }).collect()
}

fn events(attempt: AttemptId) -> Vec<Event> {
    let task = TaskId::new("task-1").unwrap();
    let reasons = [
        Reason::Nudity,
        Reason::PhotoUnusable,
        Reason::AccountCredits,
        Reason::RateLimit,
        Reason::ProviderFault,
        Reason::ModelUnavailable,
        Reason::KeyRejected,
        Reason::BadRequest,
        Reason::PhotoUnreachable,
        Reason::Unrecognised,
    ];
    let mut events = vec![
        Event::Started,
        Event::PromptReady { prompt: Prompt::stored("a mug".to_owned()) },
        Event::PhotoUploaded { url: "https://h/p.jpg".to_owned() },
        Event::UploadFailed { key: key(), failure: failure(Reason::ProviderFault) },
        Event::AttemptOpened { attempt, key: key(), model: model() },
        Event::KeysBusy { until: Timestamp::from_millis(5_000) },
        Event::NoKeyLeft,
        Event::NoModelLeft,
        Event::ProviderDown { until: Timestamp::from_millis(31_000) },
        Event::ProbeTaken,
        Event::Accepted { attempt, task: task.clone() },
        Event::Adopted { attempt, task },
        Event::AnswerMissing { attempt },
        Event::NotReady { attempt },
        Event::TaskUnknown { attempt },
        Event::Rendered { attempt, url: "https://h/v.mp4".to_owned() },
        Event::Delivered { attempt },
        Event::DeliveryFailed { attempt, failure: DeliveryFailure::Passing },
        Event::DeliveryFailed { attempt, failure: DeliveryFailure::RecipientGone },
        Event::DeliveryFailed { attempt, failure: DeliveryFailure::Refused },
        Event::CancelRequested,
        Event::Abandoned,
    ];
    events.extend(reasons.map(|reason| Event::Refused { attempt, failure: failure(reason) }));
    events.extend(reasons.map(|reason| Event::RenderFailed { attempt, failure: failure(reason) }));
    events
}

fn event_name(event: &Event) -> String {
    match event {
        Event::Refused { failure, .. } => format!("Refused({})", failure.reason.code()),
        Event::RenderFailed { failure, .. } => format!("RenderFailed({})", failure.reason.code()),
        Event::DeliveryFailed { failure, .. } => format!("DeliveryFailed({failure:?})"),
        other => format!("{other:?}").split([' ', '{', '(']).next().unwrap_or_default().to_owned(),
    }
}

fn state_name(job: &Job) -> String {
    match &job.state {
        State::Submitting { open: Some(_) } => "submitting, answer awaited".to_owned(),
        State::Refunded { cause, .. } => format!("refunded ({})", cause.code()),
        state => state.name().as_str().to_owned(),
    }
}

fn describe(step: &Step, now: Timestamp) -> String {
    let mut text = state_name(&step.job);
    for entry in &step.entries {
        write!(text, "; {}", entry.kind.as_str()).unwrap();
    }
    match step.next_run_at {
        Some(at) if at > now => write!(text, "; again in {} s", at.since(now).as_secs()).unwrap(),
        Some(_) => text.push_str("; at once"),
        None => {}
    }
    if let Some((_, cooling)) = &step.cooling {
        write!(text, "; key out for {} s", cooling.until.since(now).as_secs()).unwrap();
    }
    for notice in &step.notices {
        let name = format!("{:?}", notice.kind);
        write!(text, "; says {}", name.split([' ', '{']).next().unwrap()).unwrap();
    }
    text
}

#[test]
fn the_transition_table() {
    let now = Timestamp::from_millis(1_000);
    let mut table = String::new();
    for job in states() {
        writeln!(table, "## {}", state_name(&job)).unwrap();
        let mut refused: Vec<(String, Refusal)> = Vec::new();
        for event in events(ATTEMPT) {
            let name = event_name(&event);
            match apply(&job, event, &rules(), now) {
                Ok(step) => writeln!(table, "{name} -> {}", describe(&step, now)).unwrap(),
                Err(refusal) => refused.push((name, refusal)),
            }
        }
        let kinds: BTreeSet<String> = refused.iter().map(|(_, refusal)| refusal.to_string()).collect();
        for kind in kinds {
            let of_kind = refused.iter().filter(|(_, refusal)| refusal.to_string() == kind);
            let names: Vec<&str> = of_kind.map(|(name, _)| name.split('(').next().unwrap_or(name)).collect();
            let is_all = names.len() == events(ATTEMPT).len();
            let names: BTreeSet<&str> = names.into_iter().collect();
            let all = if is_all { "everything".to_owned() } else { Vec::from_iter(names).join(", ") };
            writeln!(table, "refused ({kind}): {all}").unwrap();
        }
        table.push('\n');
    }
    insta::assert_snapshot!("transition_table", table);
}

/// A run of the machine: the job, its ledger and the clock.
struct Run {
    job: Job,
    now: Timestamp,
    next_run_at: Option<Timestamp>,
    entries: Vec<Entry>,
    retry_delays: Vec<Duration>,
    attempts: u64,
}

impl Run {
    fn new() -> Self {
        let job = queued();
        let grant = Entry::grant(job.user, Credits::of(1), "start", job.created_at);
        let hold = Entry::hold(job.user, Credits::of(1), job.order, job.created_at);
        Self {
            now: job.created_at,
            next_run_at: Some(job.created_at),
            job,
            entries: vec![grant, hold],
            retry_delays: Vec::new(),
            attempts: 0,
        }
    }

    /// Applies an event the way a store would: everything or nothing.
    fn apply(&mut self, event: Event) -> Result<(), Refusal> {
        let step = apply(&self.job, event, &rules(), self.now)?;
        assert!(step.next_run_at.is_none_or(|at| at >= self.now), "never due in the past");
        for notice in &step.notices {
            if let NoticeKind::Retrying { delay, .. } = notice.kind {
                self.retry_delays.push(delay);
            }
        }
        self.entries.extend(step.entries);
        self.next_run_at = step.next_run_at;
        self.job = step.job;
        Ok(())
    }

    fn check(&self) {
        let job = &self.job;
        let balance = Balance::of(&self.entries).expect("no entry may make the balance impossible");
        let of = |kind| self.entries.iter().filter(|entry| entry.kind == kind).count();
        let (captures, releases) = (of(EntryKind::Capture), of(EntryKind::Release));
        assert_eq!(
            captures + releases,
            usize::from(job.state.is_terminal()),
            "one end a hold, and only at the end"
        );
        assert_eq!(captures == 1, matches!(job.state, State::Done { .. }), "a capture is a delivered video");
        assert_eq!(balance.held.value(), i64::from(!job.state.is_terminal()), "held while open");
        assert_eq!(self.next_run_at.is_none(), job.state.is_terminal(), "due until finished, and only then");
        assert!(job.retries <= 3, "three retries at most");
        let expected = [10, 20, 40].map(Duration::from_secs);
        assert_eq!(self.retry_delays, expected[..self.retry_delays.len()], "retries after 10, 20 and 40 s");
        assert!(self.retry_delays.len() == usize::from(job.retries), "each retry is announced once");
        let keys: BTreeSet<_> = self.entries.iter().map(|entry| &entry.key).collect();
        assert_eq!(keys.len(), self.entries.len(), "idempotency keys are unique");
    }
}

/// An event about the present attempt, an older one, or none.
fn any_event() -> impl Strategy<Value = (usize, bool)> {
    (0..events(ATTEMPT).len(), prop::bool::weighted(0.85))
}

/// More cases than usual, for they are cheap; `PROPTEST_CASES` still wins.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(2_000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_events_and_duplicates_leads_to_a_legal_state(
        script in prop::collection::vec((any_event(), 0_u64..200, any::<bool>()), 1..120),
    ) {
        let mut run = Run::new();
        for ((index, present), seconds, twice) in script {
            run.now = run.now.after(Duration::from_secs(seconds));
            if let Some(at) = run.next_run_at {
                // A step is taken when it is due, or later.
                run.now = run.now.max(at);
            }
            let attempt = if present { AttemptId::new(u128::from(run.attempts)) } else { AttemptId::new(u128::MAX) };
            let mut event = events(attempt).swap_remove(index);
            if let Event::AttemptOpened { attempt, .. } = &mut event {
                *attempt = AttemptId::new(u128::from(run.attempts) + 1);
            }
            let before = (run.job.clone(), run.entries.len());
            let opens = matches!(event, Event::AttemptOpened { .. });
            match run.apply(event.clone()) {
                Ok(()) if opens => run.attempts += 1,
                Ok(()) => {}
                Err(_) => prop_assert_eq!(&before, &(run.job.clone(), run.entries.len()), "a refusal changes nothing"),
            }
            run.check();
            if twice && run.job.state.is_terminal() {
                prop_assert!(run.apply(event).is_err(), "terminal is terminal");
                run.check();
            }
        }
    }

    #[test]
    fn terminal_is_terminal(index in 0..events(ATTEMPT).len(), which in 0_usize..3) {
        let job = states().into_iter().filter(|job| job.state.is_terminal()).nth(which).unwrap();
        let refusal = apply(&job, events(ATTEMPT).swap_remove(index), &rules(), Timestamp::from_millis(1));
        prop_assert!(matches!(refusal, Err(Refusal::Finished(_))));
    }

    #[test]
    fn an_answer_to_another_attempt_never_moves_a_job(index in 0..events(ATTEMPT).len(), which in 0_usize..9) {
        let job = states().swap_remove(which);
        let event = events(AttemptId::new(99)).swap_remove(index);
        let about_an_attempt = !matches!(
            event,
            Event::Started | Event::PromptReady { .. } | Event::PhotoUploaded { .. } | Event::UploadFailed { .. }
            | Event::AttemptOpened { .. } | Event::KeysBusy { .. } | Event::NoKeyLeft | Event::NoModelLeft
            | Event::ProviderDown { .. } | Event::ProbeTaken | Event::CancelRequested | Event::Abandoned
        );
        if about_an_attempt {
            prop_assert!(apply(&job, event, &rules(), Timestamp::from_millis(1)).is_err());
        }
    }

    #[test]
    fn balances_are_the_sum_of_their_entries_and_never_negative(
        moves in prop::collection::vec((0_u8..4, 1_u8..6), 1..60),
    ) {
        let user = UserId::new(1);
        let at = Timestamp::from_millis(0);
        let (mut balance, mut entries, mut open) = (Balance::default(), Vec::new(), Vec::new());
        for (n, (kind, amount)) in moves.into_iter().enumerate() {
            let id = n as u128;
            let entry = match kind {
                0 => Entry::grant(user, Credits::of(amount), &n.to_string(), at),
                1 => Entry::hold(user, Credits::of(amount), OrderId::new(id), at),
                _ if open.is_empty() => continue,
                2 => Entry::capture(user, OrderId::new(0), JobId::new(id), at),
                _ => Entry::release(user, OrderId::new(0), JobId::new(id), at),
            };
            if let Ok(after) = balance.apply(&entry) {
                balance = after;
                match entry.kind {
                    EntryKind::Hold => open.extend(std::iter::repeat_n((), usize::from(amount))),
                    EntryKind::Capture | EntryKind::Release => drop(open.pop()),
                    _ => {}
                }
                entries.push(entry);
            }
            let sums = entries.iter().fold((0, 0), |(a, h), e: &Entry| (a + e.available, h + e.held));
            prop_assert_eq!((balance.available.value(), balance.held.value()), sums);
            prop_assert_eq!(balance.held.value(), open.len() as i64);
        }
        prop_assert_eq!(Balance::of(&entries), Ok(balance));
    }
}

/// Plays the events of one job, each when it is due.
fn play(events: impl IntoIterator<Item = fn(AttemptId) -> Event>) -> Run {
    let mut run = Run::new();
    for event in events {
        run.now = run.next_run_at.map_or(run.now, |at| at.max(run.now));
        let mut event = event(AttemptId::new(u128::from(run.attempts)));
        if let Event::AttemptOpened { attempt, .. } = &mut event {
            run.attempts += 1;
            *attempt = AttemptId::new(u128::from(run.attempts));
        }
        run.apply(event).unwrap();
        run.check();
    }
    run
}

const UPLOADED: fn(AttemptId) -> Event = |_| Event::PhotoUploaded { url: "https://h/p.jpg".to_owned() };
const OPENED: fn(AttemptId) -> Event = |attempt| Event::AttemptOpened { attempt, key: key(), model: model() };
const ACCEPTED: fn(AttemptId) -> Event =
    |attempt| Event::Accepted { attempt, task: TaskId::new("t").unwrap() };
const FAILED: fn(AttemptId) -> Event =
    |attempt| Event::RenderFailed { attempt, failure: failure(Reason::ProviderFault) };
const START: [fn(AttemptId) -> Event; 3] =
    [|_| Event::Started, |_| Event::PromptReady { prompt: Prompt::stored("p".to_owned()) }, UPLOADED];

#[test]
fn a_provider_that_always_fails_costs_three_retries_and_then_the_credit_comes_back() {
    let tries = std::iter::repeat_n([OPENED, ACCEPTED, FAILED], 4).flatten();
    let run = play(START.into_iter().chain(tries));
    assert_eq!(run.retry_delays, [10, 20, 40].map(Duration::from_secs));
    assert!(matches!(run.job.state, State::Refunded { cause: RefundCause::RetriesExhausted, .. }));
}

#[test]
fn a_retried_job_keeps_its_prompt_and_photo() {
    let run = play(START.into_iter().chain([OPENED, ACCEPTED, FAILED]));
    assert_eq!(run.job.prompt, Some(Prompt::stored("p".to_owned())));
    assert!(matches!(run.job.photo, Some(UploadedPhoto { .. })));
}

#[test]
fn a_lost_answer_waits_its_grace_and_is_then_submitted_again_without_a_retry() {
    let lost: fn(AttemptId) -> Event = |attempt| Event::AnswerMissing { attempt };
    let waiting = play(START.into_iter().chain([OPENED, lost]));
    assert!(
        matches!(waiting.job.state, State::Submitting { open: None }),
        "the grace was over when it was due"
    );
    assert_eq!((waiting.job.lost_answers, waiting.job.retries), (1, 0));
    let twice = play(START.into_iter().chain([OPENED, lost, OPENED, lost]));
    assert_eq!((twice.job.lost_answers, twice.job.retries), (2, 0));
    assert!(matches!(twice.job.state, State::Refunded { .. }), "no third render may be paid for one credit");
}

#[test]
fn an_answer_that_is_missed_at_once_is_waited_for() {
    let mut run = play(START.into_iter().chain([OPENED]));
    run.now = run.now.after(Duration::from_secs(1));
    run.next_run_at = None;
    let attempt = AttemptId::new(u128::from(run.attempts));
    run.apply(Event::AnswerMissing { attempt }).unwrap();
    assert!(matches!(run.job.state, State::Submitting { open: Some(_) }));
    assert!(run.next_run_at.is_some_and(|at| at > run.now));
}

/// A job that is about to be submitted as the probe of an outage, with so many retries used.
fn probe(retries: u8) -> Job {
    Job { state: State::Submitting { open: None }, is_probe: true, retries, ..queued() }
}

#[test]
fn a_probes_failure_uses_up_no_retry_and_one_of_its_own_ends_it() {
    let now = Timestamp::from_millis(1_000);
    for retries in 0..=3 {
        for reason in Reason::ALL {
            let opened = apply(&probe(retries), OPENED(ATTEMPT), &rules(), now).unwrap().job;
            let step =
                apply(&opened, Event::Refused { attempt: ATTEMPT, failure: failure(reason) }, &rules(), now);
            let step = step.unwrap();
            assert!(!step.job.is_probe, "{reason}: whoever failed is the probe no more");
            assert_eq!(step.job.retries, retries, "{reason}");
            if is_providers_fault(failure(reason)) {
                assert_eq!(step.job.state, State::Submitting { open: None }, "{reason}");
                assert_eq!(step.answer, Some((key(), Answer::Fault)));
            } else {
                let plain = Job { is_probe: false, ..opened };
                let event = Event::Refused { attempt: ATTEMPT, failure: failure(reason) };
                assert_eq!(apply(&plain, event, &rules(), now).unwrap(), step, "{reason}: no probe's matter");
            }
        }
        let event = Event::UploadFailed { key: key(), failure: failure(Reason::ProviderFault) };
        let step = apply(&probe(retries), event, &rules(), now).unwrap();
        assert_eq!((step.job.retries, step.job.is_probe), (retries, false));
    }
}

#[test]
fn an_outage_is_told_once_however_often_the_job_waits_and_ends_with_patience() {
    let hold = |job: &Job, at: u64| {
        let now = Timestamp::from_millis(0).after(Duration::from_secs(at));
        let until = now.after(Duration::from_secs(30));
        apply(job, Event::ProviderDown { until }, &rules(), now).unwrap()
    };
    let first = hold(&Job { state: State::Submitting { open: None }, ..queued() }, 1);
    assert_eq!(first.notices.len(), 1);
    assert_eq!(first.notices[0].kind, NoticeKind::ProviderDown);
    let second = hold(&first.job, 90);
    assert_eq!((second.notices.len(), second.job.retries), (0, 0));
    assert_eq!(second.job.held_since, first.job.held_since);
    let last = hold(&second.job, 2 * 60 * 60);
    assert!(matches!(last.job.state, State::Refunded { cause: RefundCause::ProviderDown, .. }));
}

#[test]
fn a_call_whose_worker_died_says_nothing_about_the_provider() {
    let missing = |rescues| {
        let open = OpenAttempt { id: ATTEMPT, key: key(), sent_at: Timestamp::from_millis(0) };
        let job = Job { state: State::Submitting { open: Some(open) }, rescues, ..queued() };
        let now = Timestamp::from_millis(60_000);
        apply(&job, Event::AnswerMissing { attempt: ATTEMPT }, &rules(), now).unwrap().answer
    };
    assert_eq!(missing(0), Some((key(), Answer::Fault)), "nobody answered");
    assert_eq!(missing(1), None, "nobody listened");
}

#[test]
fn a_provider_that_says_how_long_to_keep_away_is_believed_up_to_a_limit() {
    let now = Timestamp::from_millis(1_000);
    let s = Duration::from_secs;
    let away = |reason: Reason, asked_for: u64| {
        let opened = apply(&Job { is_probe: false, ..probe(0) }, OPENED(ATTEMPT), &rules(), now).unwrap().job;
        let event = Event::Refused { attempt: ATTEMPT, failure: failure(reason) };
        let mut step = apply(&opened, event, &rules(), now).unwrap();
        step.keep_away(s(asked_for), rules().retry.cooling.rate_limited_max);
        step.cooling.unwrap().1.until.since(now)
    };
    assert_eq!(away(Reason::RateLimit, 45), s(45));
    assert_eq!(away(Reason::RateLimit, 2), s(10), "never shorter than our own");
    assert_eq!(away(Reason::RateLimit, 1_000_000), s(600));
    assert_eq!(away(Reason::AccountCredits, 45), s(1_800), "only haste passes by itself");
}

#[test]
fn a_photo_the_provider_cannot_fetch_is_uploaded_again() {
    let unreachable: fn(AttemptId) -> Event =
        |attempt| Event::RenderFailed { attempt, failure: failure(Reason::PhotoUnreachable) };
    let run = play(START.into_iter().chain([OPENED, ACCEPTED, unreachable]));
    assert_eq!(run.job.photo, None);
    assert_eq!(failure(Reason::PhotoUnreachable).class, FailureClass::Unknown);
}

#[test]
fn a_render_that_never_ends_is_given_up_and_retried() {
    let mut run = play(START.into_iter().chain([OPENED, ACCEPTED]));
    let attempt = AttemptId::new(u128::from(run.attempts));
    for _ in 0..1_000 {
        run.now = run.next_run_at.unwrap();
        run.apply(Event::NotReady { attempt }).unwrap();
        run.check();
        if matches!(run.job.state, State::Submitting { .. }) {
            assert_eq!(run.job.retries, 1);
            assert!(run.now.since(Timestamp::from_millis(0)) < Duration::from_secs(2_000));
            return;
        }
    }
    unreachable!("the render was never given up");
}
