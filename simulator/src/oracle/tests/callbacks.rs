//! Callbacks: what the oracle lets pass, and what it does not.

use domain::{
    job::{self, AttemptStatus, Event as Happening, State},
    order::Quantity,
};

use super::tale::{Tale, USER, s};
use crate::trace::{CallbackEnd, JobNo, Kind};

/// A job whose task exists and whose answer was missed.
fn unanswered() -> (Tale, JobNo) {
    let mut tale = Tale::new();
    let job = tale.order(USER, Quantity::One);
    tale.prepared(job);
    tale.claim(job);
    let attempt = tale.opened(job);
    tale.created(job, false);
    tale.step(job, Happening::AnswerMissing { attempt });
    (tale, job)
}

/// The present attempt's task is adopted from outside any lease.
fn adopted(tale: &mut Tale, job: JobNo, bend: impl FnOnce(&mut job::Step)) {
    let State::Submitting { open: Some(open) } = &tale.job(job).state else { panic!("nothing is awaited") };
    let task = domain::id::TaskId::new("task-1").unwrap();
    let mut step = tale.draw(job, Happening::Adopted { attempt: open.id, task }).unwrap();
    bend(&mut step);
    tale.store_by(job, step, None, None, None);
}

fn deliver(tale: &mut Tale, job: JobNo) {
    let State::Rendering { attempt, .. } = tale.job(job).state else { panic!("it does not render") };
    tale.bill.charged_tasks += 1;
    tale.act(job, Happening::Rendered { attempt, url: "https://h/v.mp4".to_owned() });
    tale.claim(job);
    tale.video(job, crate::trace::SendEnd::Sent, true);
    tale.step(job, Happening::Delivered { attempt });
    tale.messages();
}

#[test]
fn a_lost_answers_task_that_is_adopted_and_delivered_is_legal_and_a_goal() {
    let (mut tale, job) = unanswered();
    tale.wait(s(60));
    adopted(&mut tale, job, |_| {});
    tale.tell(Kind::CalledBack { job: Some(job), end: CallbackEnd::Adopted });
    assert_eq!(tale.goals.reached("lost_answer_adopted"), 1);
    deliver(&mut tale, job);
    assert_eq!(tale.ends_well().goals.reached("lost_answer_adopted"), 1);
}

#[test]
fn a_holder_may_lose_its_job_to_an_adoption() {
    let mut tale = Tale::new();
    let job = tale.order(USER, Quantity::One);
    tale.prepared(job);
    tale.claim(job);
    tale.opened(job);
    tale.created(job, true);
    let (process, lease, _) = tale.actor(job).held.unwrap();
    adopted(&mut tale, job, |_| {});
    tale.tell(Kind::Outdated { job, process, lease });
    deliver(&mut tale, job);
    tale.ends_well();
}

#[test]
fn an_attempt_that_follows_a_task_the_provider_made_for_another() {
    let (mut tale, job) = unanswered();
    adopted(&mut tale, job, |step| {
        let change = step.attempt.as_mut().unwrap();
        change.task = Some(domain::id::TaskId::new("task-of-somebody-else").unwrap());
    });
    tale.breaks("provider_bill");
}

#[test]
fn an_adoption_by_another_attempt_than_the_open_one() {
    let (mut tale, job) = unanswered();
    adopted(&mut tale, job, |step| {
        step.attempt.as_mut().unwrap().id = domain::id::AttemptId::new(77);
    });
    tale.breaks("legal_transitions");
}

#[test]
fn an_adoption_by_an_attempt_that_was_given_up() {
    let (mut tale, job) = unanswered();
    let State::Submitting { open: Some(open) } = tale.job(job).state.clone() else { panic!() };
    let task = domain::id::TaskId::new("task-1").unwrap();
    let late = tale.draw(job, Happening::Adopted { attempt: open.id, task }).unwrap();
    tale.act(job, Happening::AnswerMissing { attempt: open.id });
    assert_eq!(late.attempt.as_ref().unwrap().status, AttemptStatus::Running);
    tale.store_by(
        job,
        job::Step { job: job::Job { lost_answers: 1, ..late.job.clone() }, ..late },
        None,
        None,
        None,
    );
    tale.breaks("legal_transitions");
}

fn rendering() -> (Tale, JobNo) {
    let mut tale = Tale::new();
    let job = tale.order(USER, Quantity::One);
    tale.prepared(job);
    tale.rendering(job);
    (tale, job)
}

#[test]
fn a_hastened_look_may_be_taken_up_at_once() {
    let (mut tale, job) = rendering();
    tale.wait(s(5));
    tale.tell(Kind::Hastened { job, asked_at: tale.now });
    let now = tale.now;
    tale.actor(job).due_at = Some(now);
    deliver(&mut tale, job);
    tale.ends_well();
}

#[test]
fn a_slow_database_hastens_a_look_that_was_put_off_when_it_was_asked() {
    let (mut tale, job) = rendering();
    let (asked_at, due_at) = (tale.now, tale.actor(job).due_at.unwrap());
    tale.wait(due_at.since(asked_at) + s(1));
    tale.tell(Kind::Hastened { job, asked_at });
    assert_eq!(tale.oracle.broken(), []);
    tale.tell(Kind::Hastened { job, asked_at: tale.now });
    tale.breaks("legal_transitions");
}

#[test]
fn a_look_taken_up_early_that_nobody_hastened() {
    let (mut tale, job) = rendering();
    let now = tale.now;
    tale.actor(job).due_at = Some(now);
    tale.claim(job);
    tale.breaks("retry_discipline");
}

#[test]
fn a_job_that_is_hastened_in_its_workers_hands() {
    let (mut tale, job) = rendering();
    tale.claim(job);
    tale.tell(Kind::Hastened { job, asked_at: tale.now });
    tale.breaks("legal_transitions");
}

#[test]
fn a_job_that_is_hastened_although_it_does_not_render() {
    let (mut tale, job) = unanswered();
    tale.tell(Kind::Hastened { job, asked_at: tale.now });
    tale.breaks("legal_transitions");
}
