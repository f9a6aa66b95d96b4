//! A worker that goes on under its lease may write a finding twice.

use domain::{
    job::{Event as Happening, State},
    order::Quantity,
};

use super::tale::{Tale, USER};
use crate::trace::{JobNo, Kind, SendEnd};

/// A job whose finished render is written twice under one lease, which is then kept.
fn written_twice(bend: impl FnOnce(&mut domain::job::Step)) -> (Tale, JobNo) {
    let mut tale = Tale::new();
    let job = tale.order(USER, Quantity::One);
    tale.prepared(job);
    let attempt = tale.rendering(job);
    tale.bill.charged_tasks += 1;
    tale.claim(job);
    let (process, lease, _) = tale.actor(job).held.unwrap();
    let step = tale.draw(job, Happening::Rendered { attempt, url: "https://h/v.mp4".to_owned() }).unwrap();
    let mut again = step.clone();
    bend(&mut again);
    for step in [&step, &again] {
        let (process, lease) = (Some(process), Some(lease));
        tale.tell(Kind::Stepped { job, process, lease, keeps: true, step, evidence: None });
    }
    let actor = tale.actor(job);
    (actor.job, actor.due_at) = (step.job, step.next_run_at);
    (tale, job)
}

#[test]
fn a_finding_written_twice_under_a_kept_lease_is_no_news() {
    let (mut tale, job) = written_twice(|_| {});
    let State::Delivering { attempt, .. } = tale.job(job).state else { panic!("it is not delivered") };
    tale.video(job, SendEnd::Sent, true);
    tale.step(job, Happening::Delivered { attempt });
    tale.messages();
    tale.ends_well();
}

#[test]
fn a_finding_written_twice_for_another_attempt() {
    let (tale, _) = written_twice(|step| {
        step.attempt.as_mut().unwrap().id = domain::id::AttemptId::new(77);
    });
    assert!(tale.oracle.broken().iter().any(|broken| broken.invariant == "legal_transitions"));
}
