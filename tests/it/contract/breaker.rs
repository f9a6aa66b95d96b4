//! The breaker and keys on trial, as the stores keep them.

use std::sync::Arc;

use domain::{
    breaker::{Answer, Breaker, OutagePolicy},
    decision::RetryPolicy,
    failure::Reason,
    id::{AttemptId, TaskId},
    job::{Event, Rules, State, apply},
    key::{AccountLimits, CoolingCause},
    notice::NoticeKind,
    order::Quantity,
};
use ports::{AfterStep, ErrorKind, KeyRoster, LeasedJob};

use super::laws;
use crate::{
    make::{at, failure, roster, rules},
    stores::Stores,
};

laws![
    the_breaker_opens_once_and_everybody_waits_for_the_probe,
    a_probe_that_succeeds_closes_the_breaker_and_submissions_begin_slowly,
    an_upload_asks_the_breaker_and_a_probe_keeps_its_lease,
    answers_count_for_a_minute,
    a_key_on_trial_is_proved_by_what_was_sent_after_its_cool_down_began,
];

/// One key on one account, which takes whatever comes.
fn one_key() -> KeyRoster {
    let limits = AccountLimits { creates_max: 100, ..AccountLimits::default() };
    KeyRoster { keys: vec![roster().keys.remove(0)], limits }
}

/// Faults of three submissions open the breaker.
fn touchy() -> Rules {
    let outage = OutagePolicy { answers_min: 3, ..OutagePolicy::default() };
    let retry = RetryPolicy { outage: Some(outage), ..RetryPolicy::default() };
    Rules { retry: Arc::new(retry), ..rules() }
}

impl Stores {
    /// Opens attempt `n` of the one key and ends it with an event; the job afterwards.
    async fn submit(
        &self,
        leased: &LeasedJob,
        n: u8,
        now: u64,
        end: impl FnOnce(AttemptId) -> Event,
    ) -> LeasedJob {
        let attempt = AttemptId::new(n.into());
        let step = self.jobs.open_attempt(leased, attempt, &one_key(), &touchy(), at(now)).await.unwrap();
        assert!(matches!(step.job.state, State::Submitting { open: Some(_) }), "{step:?}");
        let opened = LeasedJob { job: step.job, lease: leased.lease };
        self.step(&opened, end(attempt), at(now + 1)).await.unwrap();
        opened
    }

    /// Orders `numbers` and has each fail once by the provider's fault at `now`.
    async fn fail(&self, numbers: std::ops::RangeInclusive<u8>, now: u64) {
        for n in numbers {
            self.order(n, Quantity::One, at(now)).await;
            let leased = self.until_submitting(at(now)).await;
            let fault = failure(Reason::Maintenance);
            self.submit(&leased, n, now, |attempt| Event::Refused { attempt, failure: fault }).await;
        }
    }

    async fn breaker(&self, now: u64) -> Breaker {
        self.jobs.provider_facts(&one_key(), at(now)).await.unwrap().breaker
    }
}

fn accepted(attempt: AttemptId) -> Event {
    Event::Accepted { attempt, task: TaskId::new(format!("t{attempt}")).unwrap() }
}

async fn the_breaker_opens_once_and_everybody_waits_for_the_probe(stores: Stores) {
    stores.fail(1..=3, 0).await;
    let counted = stores.jobs.provider_facts(&one_key(), at(2)).await.unwrap().keys.remove(0).answers;
    assert_eq!((counted.accepted, counted.faults), (0, 3));
    let (mut due, mut began) = (Vec::new(), 0);
    for leased in stores.claim(3, at(12)).await {
        let attempt = AttemptId::new(40 + leased.job.id.value());
        let step = stores.jobs.open_attempt(&leased, attempt, &one_key(), &touchy(), at(12)).await.unwrap();
        assert_eq!(
            (step.job.retries, step.job.held_since),
            (1, Some(at(12))),
            "no retry is used up by waiting"
        );
        began += step.notices.iter().filter(|notice| notice.kind == NoticeKind::OutageBegan).count();
        assert_eq!(step.notices[0].kind, NoticeKind::ProviderDown);
        due.push(step.next_run_at.unwrap());
        let stored = stores.jobs.job(leased.job.id).await.unwrap().unwrap();
        assert_eq!((&stored.job, stored.leased_until), (&step.job, None), "stored, and the lease let go");
    }
    assert_eq!(began, 1);
    assert_eq!(due[0], at(42), "the first of them is the probe");
    assert!(due[1] >= at(47) && due[2] > due[1], "the others come after it, one by one: {due:?}");
    let Breaker::Open { since, probe: None, waiting: 3, .. } = stores.breaker(12).await else {
        panic!("open")
    };
    assert_eq!(since, at(12));
}

async fn answers_count_for_a_minute(stores: Stores) {
    stores.fail(1..=3, 0).await;
    for (now, faults) in [(2, 3), (60, 3), (61, 0)] {
        let facts = stores.jobs.provider_facts(&one_key(), at(now)).await.unwrap();
        assert_eq!(facts.keys[0].answers.faults, faults, "after {now} s");
    }
}

async fn a_probe_that_succeeds_closes_the_breaker_and_submissions_begin_slowly(stores: Stores) {
    stores.fail(1..=3, 0).await;
    for leased in stores.claim(3, at(12)).await {
        let attempt = AttemptId::new(40 + leased.job.id.value());
        stores.jobs.open_attempt(&leased, attempt, &one_key(), &touchy(), at(12)).await.unwrap();
    }
    let probe = stores.claim_one(at(42)).await;
    let opened = stores.submit(&probe, 50, 42, accepted).await;
    assert!(opened.job.is_probe);
    let facts = stores.jobs.provider_facts(&one_key(), at(44)).await.unwrap();
    assert_eq!((facts.breaker.is_open(), facts.probe_answer), (true, Some(Answer::Accepted)));
    let next = stores.claim(1, at(60)).await.remove(0);
    let step =
        stores.jobs.open_attempt(&next, AttemptId::new(51), &one_key(), &touchy(), at(60)).await.unwrap();
    assert!(matches!(step.job.state, State::Submitting { open: Some(_) }) && !step.job.is_probe);
    assert_eq!(step.notices.iter().map(|n| n.kind.clone()).collect::<Vec<_>>(), [NoticeKind::OutageEnded]);
    assert_eq!(stores.breaker(60).await, Breaker::Closed { since: Some(at(60)), waiting: 0 });
    stores.order(4, Quantity::One, at(60)).await;
    let mut slowly = 0;
    for leased in stores.claim(9, at(61)).await {
        let Some(prepared) = stores.prepared(leased, 61).await else { continue };
        let attempt = AttemptId::new(60 + prepared.job.id.value());
        let step = stores.jobs.open_attempt(&prepared, attempt, &one_key(), &touchy(), at(61)).await.unwrap();
        slowly += u32::from(step.next_run_at == Some(at(70)) && step.attempt.is_none());
    }
    assert_eq!(slowly, 1, "two within the first ten seconds, and no more");
}

impl Stores {
    /// A claimed job where a key is chosen; one that was ordered just now is brought there.
    async fn prepared(&self, leased: LeasedJob, now: u64) -> Option<LeasedJob> {
        match leased.job.state {
            State::Submitting { open: None } => Some(leased),
            State::Queued => {
                self.jobs.give_back(&[leased.lease], at(now)).await.unwrap();
                Some(self.until_submitting(at(now)).await)
            }
            _ => None,
        }
    }
}

async fn an_upload_asks_the_breaker_and_a_probe_keeps_its_lease(stores: Stores) {
    stores.order(1, Quantity::One, at(0)).await;
    let mut leased = stores.until_submitting(at(0)).await;
    let calm = stores.jobs.ask_breaker(&leased, &one_key(), &touchy(), at(0)).await.unwrap();
    assert_eq!(calm, None);
    let mut step = apply(&leased.job, Event::KeysBusy { until: at(1) }, &touchy(), at(0)).unwrap();
    step.breaker = Some(Breaker::Open { since: at(0), probe_at: at(30), probes: 0, probe: None, waiting: 0 });
    stores.jobs.store_step(leased.lease, &step, AfterStep::Release, None, at(0)).await.unwrap();
    leased = stores.claim_one(at(2)).await;
    let held = stores.jobs.ask_breaker(&leased, &one_key(), &touchy(), at(2)).await.unwrap().unwrap();
    assert_eq!((held.next_run_at, held.job.is_probe), (Some(at(30)), false));
    let lost = stores.jobs.ask_breaker(&leased, &one_key(), &touchy(), at(2)).await.unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::Conflict, "the lease was let go");
    leased = stores.claim_one(at(30)).await;
    let probe = stores.jobs.ask_breaker(&leased, &one_key(), &touchy(), at(30)).await.unwrap().unwrap();
    assert!(probe.job.is_probe);
    let fault =
        Event::UploadFailed { key: one_key().keys[0].key.clone(), failure: failure(Reason::ProviderFault) };
    let kept = LeasedJob { job: probe.job, lease: leased.lease };
    stores.step(&kept, fault, at(31)).await.unwrap();
    let facts = stores.jobs.provider_facts(&one_key(), at(31)).await.unwrap();
    assert_eq!((facts.breaker.is_open(), facts.probe_answer), (true, Some(Answer::Fault)));
    let record = stores.jobs.job(kept.job.id).await.unwrap().unwrap();
    assert_eq!((record.job.retries, record.job.is_probe), (0, false), "a probe's failure uses up no retry");
}

async fn a_key_on_trial_is_proved_by_what_was_sent_after_its_cool_down_began(stores: Stores) {
    for n in 1..=3 {
        stores.order(n, Quantity::One, at(0)).await;
    }
    let early = stores.claim(1, at(0)).await.remove(0);
    let early = stores.brought(early, 0).await;
    let step =
        stores.jobs.open_attempt(&early, AttemptId::new(1), &one_key(), &touchy(), at(0)).await.unwrap();
    let early = LeasedJob { job: step.job, lease: early.lease };
    let poor = stores.claim(1, at(1)).await.remove(0);
    let poor = stores.brought(poor, 1).await;
    let billing = failure(Reason::AccountCredits);
    stores.submit(&poor, 2, 1, |attempt| Event::Refused { attempt, failure: billing }).await;
    let cause = async |now| {
        let facts = stores.jobs.provider_facts(&one_key(), at(now)).await.unwrap();
        facts.keys[0].cooling.map(|cooling| cooling.cause)
    };
    stores.step(&early, accepted(AttemptId::new(1)), at(3)).await.unwrap();
    assert_eq!(cause(3).await, Some(CoolingCause::Billing), "sent before, it proves nothing");
    // The job that was refused is due again, and its lone key may be tried after a minute.
    let due = stores.claim(9, at(70)).await;
    let again = due.into_iter().find(|leased| leased.job.id == poor.job.id).unwrap();
    stores.submit(&again, 3, 70, accepted).await;
    assert_eq!(cause(72).await, None);
}

impl Stores {
    /// Brings one claimed, queued job to the point where a key is chosen, under leases of its own.
    async fn brought(&self, leased: LeasedJob, now: u64) -> LeasedJob {
        let prompt = domain::prompt::Prompt::stored("a mug turns".to_owned());
        let url = "https://h/p.jpg".to_owned();
        let mut job = leased.job;
        for event in [Event::Started, Event::PromptReady { prompt }, Event::PhotoUploaded { url }] {
            let step = apply(&job, event, &rules(), at(now)).unwrap();
            self.jobs.store_step(leased.lease, &step, AfterStep::Keep, None, at(now)).await.unwrap();
            job = step.job;
        }
        LeasedJob { job, lease: leased.lease }
    }
}
