//! Runs in which what the provider says is taken for something else, and runs beyond the product's own limits.

use domain::{
    failure::Reason,
    id::KeyId,
    job::{Event as Happening, Step},
    key::{AccountLimits, Cooling, CoolingCause},
    order::Quantity,
};

use super::tale::{Tale, USER, failure, key, roster, s};
use crate::{
    provider::kie_model::words,
    trace::{AccountNo, CallEnd, Creation, JobNo, Kind, OrderNo, OutsideCall},
};

/// A job whose submission was refused with a code and counts as something, as bent.
fn refused(code: i64, reason: Reason, bend: impl FnOnce(&mut Step)) -> Tale {
    let mut tale = Tale::new();
    let job = tale.order(USER, Quantity::One);
    tale.prepared(job);
    tale.claim(job);
    let attempt = tale.opened(job);
    let outcome = Creation::Refused { code };
    tale.tell(Kind::Created { job: Some(job), account: Some(AccountNo(0)), outcome, answered: true });
    tale.bent(job, Happening::Refused { attempt, failure: failure(reason) }, bend);
    tale
}

fn cooled(key: KeyId) -> impl FnOnce(&mut Step) {
    move |step| {
        let until = step.job.created_at.after(s(60));
        step.cooling =
            Some((key, Cooling { since: step.job.created_at, until, cause: CoolingCause::RateLimited }));
    }
}

#[test]
fn a_refusal_of_ours_that_is_taken_for_the_users_fault() {
    for (code, right) in [(401, Reason::KeyRejected), (402, Reason::AccountCredits), (429, Reason::RateLimit)]
    {
        refused(code, Reason::Moderation, |_| {}).breaks("retry_discipline");
        let tale = refused(code, right, |_| {});
        assert!(tale.oracle.broken().is_empty(), "{code}: {:?}", tale.oracle.broken());
    }
}

#[test]
fn a_key_that_goes_out_of_use_for_a_photo() {
    refused(400, Reason::Nudity, cooled(key(1))).breaks("retry_discipline");
    // Another key than the one that met the failure.
    refused(429, Reason::RateLimit, |step| {
        if let Some((cooled, _)) = &mut step.cooling {
            *cooled = key(9);
        }
    })
    .breaks("retry_discipline");
}

#[test]
fn words_that_are_taken_for_something_else() {
    for (said, reason, is_right) in [
        (words::PEOPLE, Reason::PeopleInPhoto, true),
        (words::PEOPLE, Reason::ProviderFault, false),
        (words::SIMILARITY, Reason::ProviderFault, false),
        (words::INTERNAL, Reason::ProviderFault, true),
        (words::INTERNAL, Reason::Moderation, false),
    ] {
        let mut tale = Tale::new();
        let job = tale.order(USER, Quantity::One);
        tale.prepared(job);
        let attempt = tale.rendering(job);
        tale.claim(job);
        let failed = Happening::RenderFailed { attempt, failure: failure(reason) };
        let step = tale.draw(job, failed).unwrap();
        tale.store(job, step, Some(&format!("failed, 500: {said}")));
        if is_right {
            assert!(tale.oracle.broken().is_empty(), "{said}: {:?}", tale.oracle.broken());
        } else {
            tale.breaks("retry_discipline");
        }
    }
}

#[test]
fn a_message_that_counts_as_sent_and_was_not() {
    let mut tale = Tale::new();
    tale.order(USER, Quantity::One);
    tale.close(OrderNo(0), false);
    tale.breaks("messages_in_order");
}

#[test]
fn a_task_that_is_looked_for_at_another_account() {
    for (age_s, is_right) in [(80, true), (100, false)] {
        let mut tale = Tale::new();
        let job = tale.order(USER, Quantity::One);
        tale.prepared(job);
        tale.rendering(job);
        tale.claim(job);
        tale.now = tale.now.max(tale.oracle.jobs.get(job.0).unwrap().made_at.after(s(age_s)));
        let end = CallEnd::No(failure(Reason::UnknownTask));
        tale.tell(Kind::Called { job: Some(job), call: OutsideCall::Look, end, took_ms: 400 });
        assert_eq!(tale.oracle.broken().is_empty(), is_right, "{age_s}: {:?}", tale.oracle.broken());
        if !is_right {
            tale.breaks("provider_bill");
        }
    }
}

/// So many jobs, each with an attempt recorded within a second, under these limits of our own.
fn submitted(jobs: u32, limits: AccountLimits) -> Tale {
    let mut tale = Tale::new();
    tale.oracle.setup.roster = roster(limits);
    for _ in 0..jobs {
        let job: JobNo = tale.order(USER, Quantity::One);
        tale.prepared(job);
        tale.claim(job);
        tale.opened(job);
    }
    tale
}

#[test]
fn more_attempts_than_we_allow_ourselves() {
    let limits = |running_max, creates_max| AccountLimits { running_max, creates_max, window: s(10) };
    for tight in [limits(3, 100), limits(100, 3)] {
        let tale = submitted(3, tight);
        assert!(tale.oracle.broken().is_empty(), "{:?}", tale.oracle.broken());
        submitted(4, tight).breaks("provider_limits");
    }
}

#[test]
fn an_attempt_with_a_strangers_key() {
    let mut tale = Tale::new();
    let job = tale.order(USER, Quantity::One);
    tale.oracle.setup.roster.keys.clear();
    tale.prepared(job);
    tale.claim(job);
    tale.opened(job);
    tale.breaks("provider_limits");
}
