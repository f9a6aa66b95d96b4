//! Outages as the breaker must meet them, and bent so that it does not.

use domain::{
    breaker::{Breaker, Probe},
    failure::Reason,
    id::{AttemptId, ModelId, TaskId},
    job::{Event as Happening, Step},
    notice::{Audience, Notice, NoticeKind},
    order::Quantity,
};

use super::tale::{Tale, USER, failure, key, s};
use crate::trace::JobNo;

const LAW: &str = "outage_discipline";

fn model() -> ModelId {
    ModelId::new("sora-2").unwrap()
}

/// The operator hears of the breaker.
fn alert(step: &mut Step, kind: NoticeKind) {
    let (order, video) = (step.job.order, Some(step.job.video));
    step.notices.push(Notice { audience: Audience::Operator, order, video, kind });
}

fn open(tale: &Tale, probe: Option<Probe>) -> Option<Breaker> {
    Some(Breaker::Open { since: tale.now, probe_at: tale.now.after(s(30)), probes: 0, probe, waiting: 1 })
}

/// A job that the provider's maintenance refuses, `times` jobs in all, and two more that are about to be submitted.
fn failing(times: u8) -> (Tale, [JobNo; 2]) {
    let mut tale = Tale::new();
    for _ in 0..times {
        let job = tale.order(USER, Quantity::One);
        tale.prepared(job);
        tale.claim(job);
        let attempt = tale.opened(job);
        tale.wait(s(1));
        tale.step(job, Happening::Refused { attempt, failure: failure(Reason::Maintenance) });
    }
    let waiting = [tale.order(USER, Quantity::One), tale.order(USER, Quantity::One)];
    waiting.into_iter().for_each(|job| tale.prepared(job));
    (tale, waiting)
}

/// The breaker opens, and the first job is the one that waits.
fn down(times: u8) -> (Tale, [JobNo; 2]) {
    let (mut tale, waiting) = failing(times);
    let (until, breaker) = (tale.now.after(s(30)), open(&tale, None));
    tale.claim(waiting[0]);
    tale.bent(waiting[0], Happening::ProviderDown { until }, |step| {
        step.breaker = breaker;
        alert(step, NoticeKind::OutageBegan);
    });
    tale.wait(s(1));
    (tale, waiting)
}

/// A job submits as the probe.
fn probe(tale: &mut Tale, job: JobNo, number: u128) -> AttemptId {
    let attempt = AttemptId::new(1_000 + number);
    tale.claim(job);
    let since = tale.now;
    let breaker = open(tale, Some(Probe { job: tale.job(job).id, since }));
    tale.bent(job, Happening::AttemptOpened { attempt, key: key(1), model: model() }, |step| {
        step.job.is_probe = true;
        step.breaker = breaker;
    });
    attempt
}

/// The probe succeeds.
fn back(times: u8) -> (Tale, JobNo) {
    let (mut tale, [first, second]) = down(times);
    let attempt = probe(&mut tale, first, 1);
    let task: TaskId = tale.created(first, true);
    tale.step(first, Happening::Accepted { attempt, task });
    tale.wait(s(1));
    (tale, second)
}

#[test]
fn an_outage_that_a_probe_ends() {
    let (mut tale, second) = back(10);
    closing(&mut tale, second);
    assert_eq!(tale.oracle.broken(), []);
}

/// `closes` closes the breaker as it submits.
fn closing(tale: &mut Tale, closes: JobNo) {
    let since = Some(tale.now);
    tale.claim(closes);
    let attempt = AttemptId::new(2_000);
    tale.bent(closes, Happening::AttemptOpened { attempt, key: key(1), model: model() }, |step| {
        step.breaker = Some(Breaker::Closed { since, waiting: 0 });
        alert(step, NoticeKind::OutageEnded);
    });
}

/// The task of `job`'s present attempt shows itself from outside any lease.
fn adopted(tale: &mut Tale, job: JobNo, attempt: AttemptId, task: TaskId) {
    let step = tale.draw(job, Happening::Adopted { attempt, task }).unwrap();
    tale.store_by(job, step, None, None, None);
}

#[test]
fn a_probe_whose_answer_is_lost_and_whose_task_shows_itself_later_ends_an_outage() {
    let (mut tale, [first, second]) = down(10);
    let attempt = probe(&mut tale, first, 1);
    let task = tale.created(first, false);
    tale.step(first, Happening::AnswerMissing { attempt });
    tale.wait(s(60));
    adopted(&mut tale, first, attempt, task);
    tale.wait(s(1));
    closing(&mut tale, second);
    assert_eq!(tale.oracle.broken(), []);
}

#[test]
fn a_yes_to_a_probe_that_was_given_up_closes_nothing() {
    let (mut tale, [first, second]) = down(10);
    let given_up = probe(&mut tale, first, 1);
    let task = tale.created(first, true);
    tale.wait(s(200));
    probe(&mut tale, second, 2);
    tale.wait(s(1));
    tale.step(first, Happening::Accepted { attempt: given_up, task });
    assert_eq!(tale.oracle.broken(), []);
    let third = tale.order(USER, Quantity::One);
    tale.prepared(third);
    let (until, breaker) = (tale.now.after(s(30)), open(&tale, None));
    tale.claim(third);
    tale.bent(third, Happening::ProviderDown { until }, |step| step.breaker = breaker);
    assert_eq!(tale.oracle.broken(), []);
    closing(&mut tale, third);
    tale.breaks(LAW);
}

#[test]
fn a_late_yes_to_somebody_who_did_not_probe_proves_nothing() {
    let (mut tale, _) = failing(9);
    let early = tale.order(USER, Quantity::One);
    tale.prepared(early);
    tale.claim(early);
    let attempt = tale.opened(early);
    let task = tale.created(early, false);
    tale.step(early, Happening::AnswerMissing { attempt });
    let (until, breaker) = (tale.now.after(s(30)), open(&tale, None));
    let [first, second] = [(); 2].map(|()| tale.order(USER, Quantity::One));
    for job in [first, second] {
        tale.prepared(job);
    }
    tale.claim(first);
    tale.bent(first, Happening::ProviderDown { until }, |step| {
        step.breaker = breaker;
        alert(step, NoticeKind::OutageBegan);
    });
    tale.wait(s(20));
    adopted(&mut tale, early, attempt, task);
    assert_eq!(tale.oracle.broken(), []);
    tale.wait(s(1));
    closing(&mut tale, second);
    tale.breaks(LAW);
}

#[test]
fn whoever_submits_while_the_provider_is_down() {
    let (mut tale, [_, second]) = down(10);
    tale.claim(second);
    tale.opened(second);
    tale.breaks(LAW);
}

#[test]
fn two_probes_at_once() {
    let (mut tale, [first, second]) = down(10);
    probe(&mut tale, first, 1);
    tale.wait(s(1));
    probe(&mut tale, second, 2);
    tale.breaks(LAW);
}

#[test]
fn a_probe_although_nothing_is_wrong() {
    let (mut tale, [first, _]) = failing(1);
    tale.claim(first);
    tale.bent(
        first,
        Happening::AttemptOpened { attempt: AttemptId::new(1_001), key: key(1), model: model() },
        |step| {
            step.job.is_probe = true;
        },
    );
    tale.breaks(LAW);
}

#[test]
fn a_breaker_that_opens_by_a_handful_of_failures() {
    down(2).0.breaks(LAW);
}

#[test]
fn a_breaker_that_stays_open_after_its_probe_succeeded() {
    let (mut tale, second) = back(10);
    let (until, breaker) = (tale.now.after(s(30)), open(&tale, None));
    tale.claim(second);
    tale.bent(second, Happening::ProviderDown { until }, |step| step.breaker = breaker);
    tale.breaks(LAW);
}

#[test]
fn a_breaker_that_closes_by_itself() {
    let (mut tale, [_, second]) = down(10);
    let since = Some(tale.now);
    tale.claim(second);
    let until = tale.now.after(s(5));
    tale.bent(second, Happening::KeysBusy { until }, |step| {
        step.breaker = Some(Breaker::Closed { since, waiting: 0 });
        alert(step, NoticeKind::OutageEnded);
    });
    tale.breaks(LAW);
}

#[test]
fn a_user_who_hears_of_the_same_outage_twice() {
    let (mut tale, [first, _]) = down(10);
    tale.claim(first);
    let until = tale.now.after(s(30));
    tale.bent(first, Happening::ProviderDown { until }, |step| {
        let (audience, order, video) = (Audience::User(USER), step.job.order, Some(step.job.video));
        step.notices.push(Notice { audience, order, video, kind: NoticeKind::ProviderDown });
    });
    tale.breaks(LAW);
}

#[test]
fn a_probe_that_costs_a_retry() {
    let (mut tale, [first, _]) = down(10);
    let attempt = probe(&mut tale, first, 1);
    tale.wait(s(1));
    tale.bent(first, Happening::Refused { attempt, failure: failure(Reason::Maintenance) }, |step| {
        step.job.retries += 1;
    });
    tale.breaks("retry_discipline");
}
