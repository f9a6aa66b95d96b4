//! Builders: the next test should be two lines long.

use std::time::Duration;

use bytes::Bytes;
use domain::{
    decision::RetryPolicy,
    failure::{Failure, Reason},
    id::{
        AccountId, AttemptId, ConfirmationId, JobId, KeyId, ModelId, OrderId, PhotoId, TaskId, UserId,
        WorkerId,
    },
    job::{Event, Rules, apply},
    key::AccountLimits,
    ledger::Entry,
    model::{RenderTiming, VideoModel},
    money::Credits,
    order::{OrderRequest, Placement, Quantity, place},
    photo::PhotoFormat,
    prompt::{Brief, Prompt, Template},
    time::Timestamp,
};
use ports::{AfterStep, KeyRoster, LeaseTerms, LeasedJob, Photo, PortError, RosterKey};

use crate::stores::Stores;

pub(crate) const USER: UserId = UserId::new(5_235_703_016);
pub(crate) const WORKER: WorkerId = WorkerId::new(1);
pub(crate) const TERMS: LeaseTerms = LeaseTerms { lease: s(45), deadline: s(300) };

/// Seconds.
pub(crate) const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// An instant, in seconds after the tests' beginning of time.
pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000).after(s(seconds))
}

pub(crate) fn rules() -> Rules {
    let timing = RenderTiming { first_poll: s(30), poll_every: s(10), typical: s(180), give_up: s(1_800) };
    Rules { retry: RetryPolicy::default().into(), models: models(), timing }
}

/// The ordered model and the one that may stand in for it.
pub(crate) fn models() -> Vec<ModelId> {
    ["sora-2", "hailuo-2.3"].map(|id| ModelId::new(id).unwrap()).to_vec()
}

pub(crate) fn model() -> VideoModel {
    VideoModel {
        id: ModelId::new("sora-2").unwrap(),
        enabled: true,
        off_reason: None,
        prompt_chars: (1, 10_000),
        photo_formats: PhotoFormat::ALL.to_vec(),
        photo_bytes_max: 10_000_000,
        clip_seconds: 10,
        price_hundredths: 3_000,
        timing: rules().timing,
    }
}

pub(crate) fn photo() -> Photo {
    Photo {
        bytes: Bytes::from_static(&[0xff, 0xd8, 0xff, 0xe0, 1, 2, 3, 0xff, 0xd9]),
        format: PhotoFormat::Jpeg,
    }
}

/// Keys `k1` and `k2`, each on an account of its own.
pub(crate) fn roster() -> KeyRoster {
    let key = |n: u8| RosterKey {
        key: KeyId::new(format!("k{n}")).unwrap(),
        account: AccountId::new(format!("a{n}")).unwrap(),
    };
    KeyRoster { keys: vec![key(1), key(2)], limits: AccountLimits::default() }
}

/// An order by `USER`: `n` names it, its jobs and its confirmation.
pub(crate) fn placement(n: u8, quantity: Quantity, photo: PhotoId, placed_at: Timestamp) -> Placement {
    placement_by(USER, n, quantity, photo, placed_at)
}

pub(crate) fn placement_by(
    user: UserId,
    n: u8,
    quantity: Quantity,
    photo: PhotoId,
    placed_at: Timestamp,
) -> Placement {
    let request = OrderRequest {
        user,
        confirmation: ConfirmationId::new(format!("c{n}")).unwrap(),
        photo,
        photo_format: PhotoFormat::Jpeg,
        template: Template::UgcBlogger,
        brief: Brief::new("a ceramic mug").unwrap(),
        wishes: None,
        quantity,
    };
    let mut next = u128::from(n) * 100;
    let job_id = || {
        next += 1;
        JobId::new(next)
    };
    place(request, &model(), OrderId::new(u128::from(n)), job_id, placed_at).unwrap()
}

impl Stores {
    /// Stores the photo, gives credits, and places order `n`.
    pub(crate) async fn order(&self, n: u8, quantity: Quantity, placed_at: Timestamp) -> Placement {
        let photo = self.photos.put(&photo(), placed_at).await.unwrap();
        self.grant(&format!("for order {n}"), quantity.videos()).await;
        let placement = placement(n, quantity, photo, placed_at);
        let placed = self.orders.place(&placement).await.unwrap();
        assert!(matches!(placed, ports::Placed::Placed { .. }), "{placed:?}");
        placement
    }

    pub(crate) async fn grant(&self, reference: &str, credits: u8) {
        let entry = Entry::grant(USER, Credits::of(credits), reference, at(0));
        self.ledger.post(&entry).await.unwrap();
    }

    /// Claims up to `limit` jobs.
    pub(crate) async fn claim(&self, limit: u32, now: Timestamp) -> Vec<LeasedJob> {
        self.jobs.claim_due(WORKER, limit, TERMS, now).await.unwrap().jobs
    }

    /// Claims the one due job.
    pub(crate) async fn claim_one(&self, now: Timestamp) -> LeasedJob {
        let mut jobs = self.claim(2, now).await;
        assert_eq!(jobs.len(), 1, "exactly one job is due");
        jobs.remove(0)
    }

    /// Applies an event under a lease and stores the step.
    pub(crate) async fn step(
        &self,
        leased: &LeasedJob,
        event: Event,
        now: Timestamp,
    ) -> Result<(), PortError> {
        let step = apply(&leased.job, event, &rules(), now).unwrap();
        self.jobs.store_step(leased.lease, &step, AfterStep::Release, None, now).await
    }

    /// Brings a queued job to the point where a key is chosen, all at `now`.
    pub(crate) async fn until_submitting(&self, now: Timestamp) -> LeasedJob {
        let prompt = Prompt::stored("a mug turns".to_owned());
        for event in [
            Event::Started,
            Event::PromptReady { prompt },
            Event::PhotoUploaded { url: "https://h/p.jpg".to_owned() },
        ] {
            let leased = self.claim_one(now).await;
            self.step(&leased, event, now).await.unwrap();
        }
        self.claim_one(now).await
    }

    /// Opens an attempt and has it accepted.
    pub(crate) async fn until_rendering(&self, attempt: u128, now: Timestamp) -> LeasedJob {
        let leased = self.until_submitting(now).await;
        let attempt = AttemptId::new(attempt);
        let step = self.jobs.open_attempt(&leased, attempt, &roster(), &rules(), now).await.unwrap();
        let opened = LeasedJob { job: step.job, lease: leased.lease };
        let task = TaskId::new("t1").unwrap();
        self.step(&opened, Event::Accepted { attempt, task }, now).await.unwrap();
        opened
    }

    /// Fails the test with every difference the audit finds.
    pub(crate) async fn assert_audit_is_clean(&self) {
        let report = self.ledger.audit().await.unwrap();
        assert!(report.findings.is_empty(), "{:#?}", report.findings);
    }
}

pub(crate) fn failure(reason: Reason) -> Failure {
    reason.into()
}
