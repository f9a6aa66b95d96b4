//! Figures and records that do not agree: each breaks the invariant it belongs to, and no other.

use domain::{
    failure::Reason, id::AttemptId, job::Event as Happening, ledger::Entry, order::Quantity, prompt::Prompt,
};
use ports::AuditFinding;

use super::tale::{Tale, USER, failure, s};
use crate::{
    oracle::End,
    trace::{AccountNo, Creation, JobNo, Kind, OrderNo, ProcessNo},
};

fn one() -> (Tale, JobNo) {
    let mut tale = Tale::new();
    let job = tale.order(USER, Quantity::One);
    (tale, job)
}

fn opened() -> (Tale, JobNo, AttemptId) {
    let (mut tale, job) = one();
    tale.prepared(job);
    tale.claim(job);
    let attempt = tale.opened(job);
    (tale, job, attempt)
}

/// An order that went well, and what is said of it at the end.
fn ended(bend: impl FnOnce(&mut End)) -> Tale {
    let (mut tale, job) = one();
    tale.delivered(job);
    tale.messages();
    tale.tell(Kind::Healed);
    tale.tell(Kind::Settled);
    let mut end = End { audit: tale.audit(), bill: tale.bill, now: tale.now };
    bend(&mut end);
    tale.oracle.end(&end);
    tale
}

#[test]
fn a_ledger_that_does_not_add_up() {
    ended(|end| end.audit.findings.push(AuditFinding { user: None, what: "odd".to_owned() }))
        .breaks("money_conserved");
    ended(|end| end.audit.held_ever += 2).breaks("money_conserved");
    ended(|end| end.audit.released += 1).breaks("money_conserved");
}

#[test]
fn an_order_refused_although_it_could_be_paid() {
    let (mut tale, _) = one();
    tale.tell(Kind::Refused { user: USER, needed: 3, available: 99 });
    tale.breaks("money_conserved");
}

#[test]
fn an_order_placed_under_a_number_that_is_taken() {
    let (mut tale, _) = one();
    let (order, first_job, confirmation) = (OrderNo(0), JobNo(1), "another tap");
    tale.tell(Kind::Placed { order, user: USER, first_job, videos: 1, held: 1, confirmation });
    tale.breaks("money_conserved");
}

#[test]
fn a_confirmation_answered_with_an_order_of_nobodys() {
    let (mut tale, _) = one();
    tale.tell(Kind::PlacedAgain { order: OrderNo(5) });
    tale.breaks("money_conserved");
}

#[test]
fn a_provider_whose_books_say_otherwise() {
    ended(|end| end.bill.tasks += 1).breaks("provider_bill");
}

#[test]
fn a_task_for_nobody_or_for_a_strangers_account() {
    let (account, answered) = (Some(AccountNo(0)), true);
    let outcome = Creation::Task { task: "t", running: 1, created_in_window: 1 };
    for job in [None, Some(JobNo(9))] {
        let (mut tale, _) = one();
        tale.tell(Kind::Created { job, account, outcome, answered });
        tale.breaks("provider_bill");
    }
    let (mut tale, job, _) = opened();
    let account = Some(AccountNo(3));
    tale.tell(Kind::Created { job: Some(job), account, outcome, answered });
    tale.breaks("provider_limits");
}

#[test]
fn a_lost_answer_that_is_not_counted_or_counted_out_of_place() {
    let (mut tale, job, attempt) = opened();
    tale.wait(s(120));
    tale.bent(job, Happening::AnswerMissing { attempt }, |step| step.job.lost_answers = 0);
    tale.breaks("retry_discipline");

    let (mut tale, job) = one();
    tale.claim(job);
    tale.bent(job, Happening::Started, |step| step.job.lost_answers = 1);
    tale.breaks("retry_discipline");

    let (mut tale, job) = one();
    tale.claim(job);
    tale.bent(job, Happening::Started, |step| step.job.delivery_failures = 1);
    tale.breaks("retry_discipline");
}

#[test]
fn a_cancellation_under_a_lease_and_a_step_without_one() {
    let (mut tale, job) = one();
    tale.claim(job);
    let step = tale.draw(job, Happening::CancelRequested).unwrap();
    tale.store_by(job, step, Some(ProcessNo(0)), Some(1), None);
    tale.breaks("legal_transitions");

    let (mut tale, job) = one();
    let step = tale.draw(job, Happening::Started).unwrap();
    tale.store_by(job, step, None, None, None);
    tale.breaks("legal_transitions");
}

#[test]
fn a_finished_job_that_is_due_and_an_open_one_that_is_not() {
    let (mut tale, job) = one();
    let now = tale.now;
    tale.bent(job, Happening::CancelRequested, |step| step.next_run_at = Some(now));
    tale.breaks("legal_transitions");

    let (mut tale, job) = one();
    tale.claim(job);
    tale.bent(job, Happening::Started, |step| step.next_run_at = None);
    tale.breaks("legal_transitions");
}

#[test]
fn counts_that_go_back() {
    let (mut tale, job, attempt) = opened();
    tale.step(job, Happening::Refused { attempt, failure: failure(Reason::ProviderFault) });
    tale.claim(job);
    let attempt = tale.opened(job);
    tale.actor(job).job.retries = 0;
    tale.step(job, Happening::AnswerMissing { attempt });
    tale.breaks("legal_transitions");
}

#[test]
fn a_credit_that_ends_again_after_the_jobs_end() {
    let (mut tale, job) = one();
    tale.order(USER, Quantity::One);
    let mut step = tale.draw(job, Happening::Started).unwrap();
    tale.step(job, Happening::CancelRequested);
    step.entries.push(Entry::release(USER, step.job.order, step.job.id, tale.now));
    let by = (Some(ProcessNo(0)), Some(1));
    tale.tell(Kind::Stepped { job, process: by.0, lease: by.1, keeps: false, step: &step, evidence: None });
    let found: Vec<_> = tale.oracle.broken().iter().map(|broken| broken.invariant).collect();
    assert_eq!(found, ["legal_transitions", "one_end_per_hold"], "a finished job moved, and money with it");
}

#[test]
fn a_prompt_that_is_never_written() {
    let (mut tale, job) = one();
    tale.act(job, Happening::Started);
    tale.claim(job);
    let prompt = Prompt::stored("a mug".to_owned());
    tale.bent(job, Happening::PromptReady { prompt }, |step| step.job.prompt = None);
    tale.breaks("context_kept");
}
