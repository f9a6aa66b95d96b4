//! What the tests of this crate are built from.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use domain::{
    breaker::{Answers, ProviderFacts},
    decision::RetryPolicy,
    id::{AccountId, ConfirmationId, JobId, KeyId, ModelId, OrderId, PhotoId, UserId},
    job::{Job, State, UploadedPhoto},
    key::{AccountLimits, KeyFacts},
    model::{RenderTiming, VideoModel},
    order::{Order, OrderRequest, Quantity},
    photo::PhotoFormat,
    prompt::{Brief, Prompt, Template},
    time::Timestamp,
};
use ports::{
    Clock, Entropy, KeyRoster, Lease, LeaseTerms, LeasedJob, MockJobStore, MockLedgerStore, MockMessenger,
    MockOrderStore, MockOutbox, MockPhotoStore, MockPhotoStudio, MockVideoApi, Photo, RosterKey, Topic,
    WorkSignal,
};

use crate::{
    Policy, Ports,
    policy::{BotTerms, DeliveryTerms, Models, SendingTerms, WorkerTerms},
    texts::Language,
};

pub(crate) const START: Timestamp = Timestamp::from_millis(1_790_000_000_000);
pub(crate) const PNG: &[u8] = b"\x89PNG\r\n\x1a\n....IHDR........IEND\xaeB`\x82";

/// A clock that runs ahead to the end of a sleep once everything else has had its turns.
pub(crate) struct EagerClock(AtomicI64);

impl EagerClock {
    pub(crate) fn new() -> Self {
        Self(AtomicI64::new(START.as_millis()))
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.0.store(self.now().after(by).as_millis(), Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for EagerClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }

    async fn sleep_until(&self, at: Timestamp) {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        self.0.fetch_max(at.as_millis(), Ordering::SeqCst);
    }
}

pub(crate) struct Counter(AtomicU64);

impl Entropy for Counter {
    fn bits(&self, _stream: &'static str) -> u128 {
        u128::from(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

/// Nobody ever gives a hint.
pub(crate) struct Silence;

#[async_trait]
impl WorkSignal for Silence {
    async fn notified(&self, _topic: Topic) {
        std::future::pending::<()>().await;
    }
}

/// Mocks that refuse every call; a test says which it expects.
#[derive(Default)]
pub(crate) struct Mocks {
    pub(crate) orders: MockOrderStore,
    pub(crate) jobs: MockJobStore,
    pub(crate) ledger: MockLedgerStore,
    pub(crate) outbox: MockOutbox,
    pub(crate) photos: MockPhotoStore,
    pub(crate) studio: MockPhotoStudio,
    pub(crate) video: MockVideoApi,
    pub(crate) messenger: MockMessenger,
}

impl Mocks {
    pub(crate) fn with_order(template: Template) -> Self {
        let mut mocks = Self::default();
        mocks.orders.expect_order().returning(move |_| Ok(Some(order(template))));
        mocks.photos.expect_get().returning(|_| Ok(Some(photo())));
        mocks
    }

    pub(crate) fn into_ports(self) -> Ports {
        Ports {
            clock: Arc::new(EagerClock::new()),
            entropy: Arc::new(Counter(AtomicU64::new(1))),
            orders: Arc::new(self.orders),
            jobs: Arc::new(self.jobs),
            ledger: Arc::new(self.ledger),
            outbox: Arc::new(self.outbox),
            photos: Arc::new(self.photos),
            studio: Arc::new(self.studio),
            video: Arc::new(self.video),
            writer: None,
            messenger: Arc::new(self.messenger),
            chats: None,
            signal: Arc::new(Silence),
        }
    }
}

pub(crate) fn photo() -> Photo {
    Photo { bytes: PNG.into(), format: PhotoFormat::Png }
}

pub(crate) fn model(id: &str) -> VideoModel {
    let s = Duration::from_secs;
    VideoModel {
        id: ModelId::new(id).unwrap(),
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

pub(crate) fn key(name: &str) -> KeyId {
    KeyId::new(name).unwrap()
}

pub(crate) fn policy() -> Policy {
    let s = Duration::from_secs;
    let models = vec![model("sora-2"), model("kling")];
    let default = models[0].id.clone();
    Policy {
        retry: RetryPolicy::default().into(),
        models: Models::new(models, &default).unwrap(),
        roster: KeyRoster {
            keys: vec![RosterKey { key: key("k1"), account: AccountId::new("main").unwrap() }],
            limits: AccountLimits::default(),
        },
        lease: LeaseTerms { lease: s(40), deadline: s(300) },
        worker: WorkerTerms::default(),
        sending: SendingTerms::default(),
        delivery: DeliveryTerms { work_dir: PathBuf::from("/nonexistent/kadr"), video_bytes_max: 1_000 },
        language: Language::En,
        bot: BotTerms::default(),
        callback_base: None,
    }
}

pub(crate) fn facts() -> ProviderFacts {
    let facts = KeyFacts {
        key: key("k1"),
        account: AccountId::new("main").unwrap(),
        cooling: None,
        account_running: 0,
        account_created: 0,
        window_frees_at: None,
        key_running: 0,
        answers: Answers::default(),
    };
    ProviderFacts { keys: vec![facts], ..ProviderFacts::default() }
}

pub(crate) fn order(template: Template) -> Order {
    Order {
        id: OrderId::new(7),
        request: OrderRequest {
            user: UserId::new(5),
            confirmation: ConfirmationId::new("tap-1").unwrap(),
            photo: PhotoId::new(9),
            photo_format: PhotoFormat::Png,
            template,
            brief: Brief::new("A thermos for hikers").unwrap(),
            wishes: None,
            quantity: Quantity::One,
        },
        model: ModelId::new("sora-2").unwrap(),
        placed_at: START,
    }
}

/// A job with prompt and photo, in a state of choice.
pub(crate) fn leased(state: State) -> LeasedJob {
    let mut job = Job::queued(JobId::new(11), OrderId::new(7), UserId::new(5), (1, 1), START);
    job.prompt = Some(Prompt::stored("A thermos on a rock at dawn.".to_owned()));
    job.photo = Some(UploadedPhoto { url: "https://files.example/photo.png".to_owned(), at: START });
    job.state = state;
    LeasedJob { lease: Lease { job: job.id, number: 3 }, job }
}
