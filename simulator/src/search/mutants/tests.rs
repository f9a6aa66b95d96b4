//! Each mutant really does what its description says, once, on stores that would not.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use adapters::memory::MemStores;
use app::{
    policy::{BotTerms, DeliveryTerms, Models, SendingTerms, WorkerTerms},
    texts::Language,
};
use domain::{
    breaker::{Answer, Breaker},
    decision::RetryPolicy,
    failure::{Failure, Reason},
    id::{
        AccountId, AttemptId, ConfirmationId, JobId, KeyId, ModelId, OrderId, PhotoId, TaskId, UserId,
        WorkerId,
    },
    job::{self, AttemptStatus, Event, Job, State},
    key::AccountLimits,
    ledger::{Balance, Entry},
    model::{RenderTiming, VideoModel},
    money::Credits,
    notice::Audience,
    order::{self, OrderRequest, Placement, Quantity},
    photo::PhotoFormat,
    prompt::{self, Brief, Prompt, Template},
    time::Timestamp,
};
use ports::{
    AfterStep, ErrorKind, JobStore, KeyRoster, LeaseTerms, LeasedJob, LedgerStore, MockMessenger,
    MockVideoApi, Outbox, Placed, PortError, ProviderRefusal, RenderStatus, Reply, RosterKey, VideoMessage,
    VideoRequest,
};

use super::{video::by_substring, *};
use crate::time::{SeededEntropy, SimClock};

const USER: UserId = UserId::new(5);
const START: Timestamp = Timestamp::from_millis(1_790_000_000_000);
const ATTEMPT: AttemptId = AttemptId::new(77);

fn seconds(number: u64) -> Timestamp {
    START.after(Duration::from_secs(number))
}

fn key(name: &str) -> KeyId {
    KeyId::new(name).unwrap()
}

fn model() -> VideoModel {
    let s = Duration::from_secs;
    VideoModel {
        id: ModelId::new("sora-2").unwrap(),
        enabled: true,
        off_reason: None,
        prompt_chars: (1, 2_500),
        photo_formats: PhotoFormat::ALL.to_vec(),
        photo_bytes_max: 1_000,
        clip_seconds: 10,
        price_hundredths: 3_000,
        timing: RenderTiming { first_poll: s(40), poll_every: s(10), typical: s(180), give_up: s(1_800) },
    }
}

fn policy() -> Policy {
    let s = Duration::from_secs;
    let key = |name, account| RosterKey { key: key(name), account: AccountId::new(account).unwrap() };
    Policy {
        retry: RetryPolicy::default().into(),
        models: Models::new(vec![model()], &model().id).unwrap(),
        roster: KeyRoster {
            keys: vec![key("k1", "one"), key("k2", "one"), key("k3", "two")],
            limits: AccountLimits::default(),
        },
        lease: LeaseTerms { lease: s(40), deadline: s(300) },
        worker: WorkerTerms::default(),
        sending: SendingTerms::default(),
        delivery: DeliveryTerms { work_dir: PathBuf::from("work"), video_bytes_max: 1_000 },
        language: Language::En,
        bot: BotTerms::default(),
        callback_base: None,
    }
}

fn placement(quantity: Quantity, at: Timestamp) -> Placement {
    let request = OrderRequest {
        user: USER,
        confirmation: ConfirmationId::new("tap-1").unwrap(),
        photo: PhotoId::new(9),
        photo_format: PhotoFormat::Png,
        template: Template::OwnPrompt,
        brief: Brief::new("A thermos for hikers").unwrap(),
        wishes: None,
        quantity,
    };
    let number = u128::try_from(at.as_millis()).unwrap();
    let mut job = number * 10;
    let job_id = || {
        job += 1;
        JobId::new(job)
    };
    order::place(request, &model(), OrderId::new(number), job_id, at).unwrap()
}

/// Stores in memory behind a mutant, with one user who has ten credits.
struct House {
    stores: MemStores,
    ports: Ports,
    policy: Policy,
}

impl House {
    async fn with(mutant: Mutant) -> Self {
        Self::beside(mutant, MockVideoApi::new(), MockMessenger::new()).await
    }

    async fn beside(mutant: Mutant, video: MockVideoApi, messenger: MockMessenger) -> Self {
        let stores = MemStores::default();
        let all = Arc::new(stores.clone());
        let ports = Ports {
            clock: Arc::new(SimClock::starting_at(START)),
            entropy: Arc::new(SeededEntropy::new(1)),
            orders: all.clone(),
            jobs: all.clone(),
            ledger: all.clone(),
            outbox: all.clone(),
            photos: all,
            studio: Arc::new(crate::world::studio::AsSent),
            video: Arc::new(video),
            writer: None,
            messenger: Arc::new(messenger),
            chats: None,
            signal: stores.signal(),
        };
        let grant = Entry::grant(USER, Credits::of(10), "start", START);
        ports.ledger.post(&grant).await.unwrap();
        let mut policy = policy();
        let ports = infect(mutant, ports, &mut policy);
        Self { stores, ports, policy }
    }

    async fn placed(self) -> Self {
        self.ports.orders.place(&placement(Quantity::One, START)).await.unwrap();
        self
    }

    async fn claim(&self, at: Timestamp) -> LeasedJob {
        let claim = self.ports.jobs.claim_due(WorkerId::new(1), 1, self.policy.lease, at).await.unwrap();
        claim.jobs.into_iter().next().unwrap()
    }

    /// Stores the step of one event under a lease, as a worker would.
    async fn step(&self, leased: &LeasedJob, event: Event, at: Timestamp) -> Result<(), PortError> {
        let rules = self.policy.rules(&model().id);
        let step = job::apply(&leased.job, event, &rules, at).unwrap();
        self.ports.jobs.store_step(leased.lease, &step, AfterStep::Release, None, at).await
    }

    /// Claims and steps through the events, and returns the job afterwards.
    async fn go(&self, events: impl IntoIterator<Item = Event>) -> Job {
        let mut last = None;
        for event in events {
            let at = seconds(1);
            let leased = self.claim(at).await;
            self.step(&leased, event, at).await.unwrap();
            last = Some(leased.job.id);
        }
        self.job(last.unwrap()).await
    }

    /// Up to an open attempt, which the claim returned holds.
    async fn submitted(&self) -> LeasedJob {
        let prompt = prompt::without_writer(
            Template::OwnPrompt,
            &Brief::new("A thermos for hikers").unwrap(),
            None,
            2_500,
        );
        let url = "https://files.example/photo.png".to_owned();
        self.go([Event::Started, Event::PromptReady { prompt }, Event::PhotoUploaded { url }]).await;
        let leased = self.claim(seconds(1)).await;
        let rules = self.policy.rules(&model().id);
        let roster = &self.policy.roster;
        let jobs = &self.ports.jobs;
        let opened = jobs.open_attempt(&leased, ATTEMPT, roster, &rules, seconds(1)).await.unwrap();
        LeasedJob { job: opened.job, lease: leased.lease }
    }

    /// Up to an open attempt that is the probe of an outage.
    async fn probe(&self) -> LeasedJob {
        let prompt = Prompt::stored("A thermos on a rock.".to_owned());
        let url = "https://files.example/photo.png".to_owned();
        self.go([Event::Started, Event::PromptReady { prompt }, Event::PhotoUploaded { url }]).await;
        let (leased, rules) = (self.claim(seconds(2)).await, self.policy.rules(&model().id));
        let waits = Event::KeysBusy { until: seconds(30) };
        let mut step = job::apply(&leased.job, waits, &rules, seconds(2)).unwrap();
        let (since, probe_at) = (seconds(2), seconds(30));
        step.breaker = Some(Breaker::Open { since, probe_at, probes: 0, probe: None, waiting: 0 });
        self.stores.store_step(leased.lease, &step, AfterStep::Release, None, seconds(2)).await.unwrap();
        let (leased, roster) = (self.claim(seconds(40)).await, &self.policy.roster);
        let opened = self.ports.jobs.open_attempt(&leased, ATTEMPT, roster, &rules, seconds(40));
        let job = opened.await.unwrap().job;
        assert!(job.is_probe);
        LeasedJob { job, lease: leased.lease }
    }

    /// Submits, and is refused for a reason.
    async fn refused(&self, reason: Reason) -> Job {
        let leased = self.submitted().await;
        let failure = Failure::from(reason);
        self.step(&leased, Event::Refused { attempt: ATTEMPT, failure }, seconds(2)).await.unwrap();
        self.job(leased.job.id).await
    }

    /// Up to a finished render.
    async fn rendered(&self) -> LeasedJob {
        let leased = self.submitted().await;
        let task = TaskId::new("task").unwrap();
        self.step(&leased, Event::Accepted { attempt: ATTEMPT, task }, seconds(2)).await.unwrap();
        let leased = self.claim(seconds(100)).await;
        let url = "https://files.example/clip.mp4".to_owned();
        self.step(&leased, Event::Rendered { attempt: ATTEMPT, url }, seconds(100)).await.unwrap();
        self.claim(seconds(100)).await
    }

    async fn job(&self, id: JobId) -> Job {
        self.stores.job(id).await.unwrap().unwrap().job
    }

    async fn due(&self, id: JobId) -> Option<Timestamp> {
        self.stores.job(id).await.unwrap().unwrap().next_run_at
    }

    async fn balance(&self) -> (i64, i64) {
        let Balance { available, held } = self.stores.balance(USER).await.unwrap();
        (available.value(), held.value())
    }

    async fn findings(&self) -> usize {
        self.stores.audit().await.unwrap().findings.len()
    }
}

#[tokio::test]
async fn refund_outside_transaction_leaves_the_hold_open() {
    let house = House::with(Mutant::RefundOutsideTransaction).await.placed().await;
    assert!(matches!(house.refused(Reason::Nudity).await.state, State::Refunded { .. }));
    assert_eq!(house.balance().await, (10, 1));
    assert!(house.findings().await > 0);
}

#[tokio::test]
async fn refund_twice_after_restart_pays_only_the_rescued_twice() {
    let house = House::with(Mutant::RefundTwiceAfterRestart).await.placed().await;
    house.refused(Reason::Nudity).await;
    assert_eq!((house.balance().await, house.findings().await), ((10, 0), 0));

    let house = House::with(Mutant::RefundTwiceAfterRestart).await.placed().await;
    house.claim(START).await;
    house.ports.jobs.rescue_dead(seconds(60)).await.unwrap();
    house.refused(Reason::Nudity).await;
    assert_eq!(house.balance().await, (11, 0));
}

#[tokio::test]
async fn lease_not_compared_lets_a_late_worker_write() {
    let house = House::with(Mutant::LeaseNotCompared).await.placed().await;
    let late = house.claim(START).await;
    house.ports.jobs.rescue_dead(seconds(60)).await.unwrap();
    let present = house.claim(seconds(60)).await;
    house.step(&late, Event::Started, seconds(61)).await.unwrap();
    let rules = house.policy.rules(&model().id);
    let step = job::apply(&present.job, Event::Started, &rules, seconds(62)).unwrap();
    let stored = house.stores.store_step(present.lease, &step, AfterStep::Release, None, seconds(62)).await;
    assert_eq!(stored.map_err(|error| error.kind()), Err(ErrorKind::Conflict));
}

#[tokio::test]
async fn retry_counter_lost_begins_anew() {
    let house = House::with(Mutant::RetryCounterLost).await.placed().await;
    assert_eq!(house.refused(Reason::ProviderFault).await.retries, 0);
}

#[tokio::test]
async fn rate_limit_counts_as_retry() {
    let house = House::with(Mutant::RateLimitCountsAsRetry).await.placed().await;
    assert_eq!(house.refused(Reason::RateLimit).await.retries, 1);
}

#[tokio::test]
async fn retries_without_delay_are_due_at_once() {
    let house = House::with(Mutant::RetriesWithoutDelay).await.placed().await;
    let job = house.refused(Reason::ProviderFault).await;
    assert_eq!((job.retries, house.due(job.id).await), (1, Some(seconds(2))));
}

#[tokio::test]
async fn prompt_lost_on_retry_is_another_prompt() {
    let house = House::with(Mutant::PromptLostOnRetry).await.placed().await;
    let prompt = house.refused(Reason::ProviderFault).await.prompt.unwrap();
    assert!(!prompt.as_str().contains("thermos"));
}

#[tokio::test]
async fn violation_cools_the_key() {
    let house = House::with(Mutant::ViolationCoolsKey).await.placed().await;
    house.refused(Reason::Nudity).await;
    let facts = house.stores.provider_facts(&house.policy.roster, seconds(3)).await.unwrap().keys;
    assert_eq!(facts.iter().filter(|facts| facts.cooling.is_some()).count(), 1);
}

#[tokio::test]
async fn breaker_never_closes_whatever_its_probe_is_told() {
    for (mutant, heard) in [(Mutant::BreakerNeverCloses, None), (Mutant::ReaperOff, Some(Answer::Accepted))] {
        let house = House::with(mutant).await.placed().await;
        let opened = house.probe().await;
        let event = Event::Accepted { attempt: ATTEMPT, task: TaskId::new("t1").unwrap() };
        house.step(&opened, event, seconds(41)).await.unwrap();
        let facts = house.stores.provider_facts(&house.policy.roster, seconds(42)).await.unwrap();
        assert!(facts.breaker.is_open());
        assert_eq!(facts.probe_answer, heard, "{mutant:?}");
    }
}

#[tokio::test]
async fn probe_storm_has_whoever_asks_probe() {
    let house = House::with(Mutant::ProbeStorm).await;
    let outage = house.policy.retry.outage.unwrap();
    assert_eq!((outage.probe_in(0), outage.probe_given_up), (Duration::ZERO, Duration::ZERO));
}

#[tokio::test]
async fn reaper_off_frees_nobody() {
    let house = House::with(Mutant::ReaperOff).await.placed().await;
    house.claim(START).await;
    assert!(house.ports.jobs.rescue_dead(seconds(1_000)).await.unwrap().is_empty());
    assert!(house.ports.jobs.rescue_hung(seconds(1_000)).await.unwrap().is_empty());
    assert_eq!(house.stores.rescue_dead(seconds(1_000)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn confirmation_from_clock_orders_twice() {
    let house = House::with(Mutant::ConfirmationFromClock).await;
    for at in [START, seconds(1)] {
        let placed = house.ports.orders.place(&placement(Quantity::One, at)).await.unwrap();
        assert!(matches!(placed, Placed::Placed { .. }), "{placed:?}");
    }
    assert_eq!(house.balance().await, (8, 2));
}

#[tokio::test]
async fn hold_per_video_holds_one_credit_for_three() {
    let house = House::with(Mutant::HoldPerVideo).await;
    house.ports.orders.place(&placement(Quantity::Three, START)).await.unwrap();
    assert_eq!(house.balance().await, (9, 1));
}

#[tokio::test]
async fn capture_before_delivery_spends_the_credit_of_a_video_nobody_has() {
    let house = House::with(Mutant::CaptureBeforeDelivery).await.placed().await;
    let leased = house.rendered().await;
    assert_eq!(house.balance().await, (9, 0));
    house.step(&leased, Event::Delivered { attempt: ATTEMPT }, seconds(101)).await.unwrap();
    assert!(matches!(house.job(leased.job.id).await.state, State::Done { .. }));
    assert_eq!(house.findings().await, 0);
}

#[tokio::test]
async fn notice_outside_transaction_is_lost_when_it_cannot_be_sent_at_once() {
    let mut messenger = MockMessenger::new();
    let failed = || PortError::new(ErrorKind::Transient, "not sent");
    messenger.expect_send_text().times(1).returning(move |_, _| Err(failed()));
    let house = House::beside(Mutant::NoticeOutsideTransaction, MockVideoApi::new(), messenger).await;
    let house = house.placed().await;
    house.go([Event::Started]).await;
    assert_eq!(waiting(&house.stores).await, 1, "only what was placed with the order");
}

#[tokio::test]
async fn a_video_counts_as_sent_although_it_is_not() {
    let video = VideoMessage {
        order: OrderId::new(1),
        job: JobId::new(1),
        video: (1, 1),
        file: Path::new("clip.mp4"),
        caption: "",
        link: None,
        keyboard: &[],
    };
    for (mutant, awaited) in [(Mutant::SendFailureIgnored, true), (Mutant::DoneBeforeSent, false)] {
        let mut messenger = MockMessenger::new();
        let sent = Arc::new(AtomicBool::new(false));
        let sending = Arc::clone(&sent);
        messenger.expect_send_video().times(0..=1).returning(move |_, _| {
            sending.store(true, Ordering::Relaxed);
            Err(PortError::new(ErrorKind::Transient, "not sent"))
        });
        let house = House::beside(mutant, MockVideoApi::new(), messenger).await;
        house.ports.messenger.send_video(Audience::User(USER), video).await.unwrap();
        assert_eq!(sent.load(Ordering::Relaxed), awaited, "{mutant:?}");
    }
}

#[tokio::test]
async fn message_failure_ignored_closes_the_message() {
    let house = House::with(Mutant::MessageFailureIgnored).await.placed().await;
    let lease_until = seconds(60);
    let claim = house.ports.outbox.claim_due(WorkerId::new(1), 9, lease_until, seconds(1)).await.unwrap();
    house.ports.outbox.postpone(&claim.messages[0], seconds(5), "not sent").await.unwrap();
    assert_eq!(waiting(&house.stores).await, 0);
}

#[tokio::test]
async fn lost_answer_is_failure() {
    let mut video = MockVideoApi::new();
    video.expect_create().returning(|_, _| Reply::Unknown("silence".to_owned()));
    let house = House::beside(Mutant::LostAnswerIsFailure, video, MockMessenger::new()).await;
    let request = VideoRequest { model: &model().id, prompt: "a", photo_url: "b", callback_url: None };
    let reply = house.ports.video.create(&key("k1"), request).await;
    let failure = Reason::ProviderFault.into();
    assert_eq!(
        reply,
        Reply::No(ProviderRefusal { failure, evidence: "silence".to_owned(), retry_after: None })
    );
}

#[tokio::test]
async fn class_by_substring_blames_the_photo_for_a_refused_key() {
    let mut video = MockVideoApi::new();
    let refusal = || ProviderRefusal {
        failure: Reason::KeyRejected.into(),
        evidence: crate::provider::kie_model::words::UNAUTHORIZED.to_owned(),
        retry_after: None,
    };
    video.expect_create().returning(move |_, _| Reply::No(refusal()));
    let house = House::beside(Mutant::ClassBySubstring, video, MockMessenger::new()).await;
    let request = VideoRequest { model: &model().id, prompt: "a", photo_url: "b", callback_url: None };
    let Reply::No(refusal) = house.ports.video.create(&key("k1"), request).await else { panic!("a no") };
    assert_eq!(refusal.failure, Reason::Moderation.into());
    assert_eq!(by_substring("HTTP 200, code 500: Internal Error"), Reason::ProviderFault);
    assert_eq!(by_substring("?"), Reason::Unrecognised);
}

#[tokio::test]
async fn polls_with_another_key_asks_another_account() {
    let mut video = MockVideoApi::new();
    video.expect_status().returning(|asked, _, _| {
        assert_eq!(*asked, key("k3"));
        Reply::Yes(RenderStatus::UnknownTask)
    });
    let house = House::beside(Mutant::PollsWithAnotherKey, video, MockMessenger::new()).await;
    let task = TaskId::new("task").unwrap();
    house.ports.video.status(&key("k1"), &model().id, &task).await;
}

#[tokio::test]
async fn limit_ignored_allows_ten_times_as_much() {
    let house = House::with(Mutant::LimitIgnored).await;
    let limits = AccountLimits { running_max: 1_000, creates_max: 180, ..AccountLimits::default() };
    assert_eq!(house.policy.roster.limits, limits);
}

#[test]
fn every_mutant_is_described_and_has_something_to_catch_it() {
    for mutant in Mutant::value_variants() {
        assert!(!mutant.name().is_empty() && mutant.about().len() > 20, "{mutant:?}");
        assert!(!mutant.expected().is_empty() && !mutant.provoked_by().is_empty(), "{mutant:?}");
    }
}

#[test]
fn an_early_capture_needs_a_new_render() {
    // A second look at a job that is being delivered captures nothing again.
    let rules = policy().rules(&model().id);
    let mut job = placement(Quantity::One, START).jobs.remove(0);
    let (task, url) = (TaskId::new("task").unwrap(), "https://files.example/clip.mp4".to_owned());
    job.state = State::Delivering { attempt: ATTEMPT, key: key("k1"), task, url };
    let failed = Event::DeliveryFailed { attempt: ATTEMPT, failure: job::DeliveryFailure::Passing };
    let mut step = job::apply(&job, failed, &rules, START).unwrap();
    assert!(step.attempt.as_ref().is_none_or(|attempt| attempt.status != AttemptStatus::Rendered));
    steps::bend(Mutant::CaptureBeforeDelivery, &mut step, false, START);
    assert!(step.entries.is_empty());
}

/// How many messages still have to be sent.
async fn waiting(stores: &MemStores) -> usize {
    let (now, until) = (seconds(1_000), seconds(1_060));
    let mut messages = 0;
    loop {
        // Later messages of an order wait for the earlier ones.
        let claim = Outbox::claim_due(stores, WorkerId::new(2), 9, until, now).await.unwrap();
        if claim.messages.is_empty() {
            return messages;
        }
        for message in &claim.messages {
            stores.sent(message, now).await.unwrap();
            messages += 1;
        }
    }
}
