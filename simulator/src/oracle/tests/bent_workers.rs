//! For each invariant of transitions, leases, fairness and liveness: a run that breaks it, and nothing else.

use domain::{
    failure::Reason,
    job::{self, Event as Happening, State},
    order::Quantity,
    time::Timestamp,
};

use super::tale::{Tale, USER, failure, s};
use crate::{
    oracle::{End, ProviderBill},
    trace::{JobNo, Kind, ProcessNo},
};

fn one() -> (Tale, JobNo) {
    let mut tale = Tale::new();
    let job = tale.order(USER, Quantity::One);
    (tale, job)
}

#[test]
fn a_stage_that_is_skipped() {
    let (mut tale, job) = one();
    tale.claim(job);
    tale.bent(job, Happening::Started, |step| step.job.state = State::Submitting { open: None });
    tale.breaks("legal_transitions");
}

#[test]
fn a_finished_job_that_moves() {
    let (mut tale, job) = one();
    let before = tale.actor(job).job.clone();
    tale.step(job, Happening::CancelRequested);
    let step = job::apply(&before, Happening::Started, &tale.rules, tale.now).unwrap();
    tale.tell(Kind::Stepped {
        job,
        process: Some(ProcessNo(0)),
        lease: Some(1),
        keeps: false,
        step: &step,
        evidence: None,
    });
    tale.breaks("legal_transitions");
}

#[test]
fn a_finished_job_that_is_claimed() {
    let (mut tale, job) = one();
    tale.delivered(job);
    tale.tell(Kind::Claimed { job, process: ProcessNo(0), lease: 99, due_at: None });
    tale.breaks("legal_transitions");
}

#[test]
fn a_job_that_becomes_another() {
    let (mut tale, job) = one();
    tale.act(job, Happening::Started);
    tale.claim(job);
    let prompt = domain::prompt::Prompt::stored("a mug".to_owned());
    tale.bent(job, Happening::PromptReady { prompt }, |step| step.job.id = domain::id::JobId::new(77));
    tale.breaks("legal_transitions");
}

#[test]
fn a_cancellation_that_was_granted_and_never_stored() {
    let (mut tale, job) = one();
    tale.tell(Kind::CancelAsked { job, granted: true });
    tale.breaks("legal_transitions");
}

#[test]
fn two_holders() {
    let (mut tale, job) = one();
    tale.claim(job);
    tale.tell(Kind::Claimed { job, process: ProcessNo(1), lease: 2, due_at: None });
    tale.breaks("one_holder");
}

#[test]
fn a_write_under_a_lost_lease() {
    let (mut tale, job) = one();
    tale.claim(job);
    let step = tale.draw(job, Happening::Started).unwrap();
    tale.rescued(job);
    tale.wait(s(1));
    tale.claim_by(job, ProcessNo(1));
    tale.store_by(job, step, Some(ProcessNo(0)), Some(1), None);
    tale.breaks("one_holder");
}

#[test]
fn a_write_without_a_claim() {
    let (mut tale, job) = one();
    let step = tale.draw(job, Happening::Started).unwrap();
    tale.store_by(job, step, Some(ProcessNo(0)), Some(1), None);
    tale.breaks("one_holder");
}

#[test]
fn a_lease_number_that_does_not_grow() {
    let (mut tale, job) = one();
    tale.act(job, Happening::Started);
    tale.tell(Kind::Claimed { job, process: ProcessNo(0), lease: 1, due_at: None });
    tale.breaks("one_holder");
}

#[test]
fn a_rescue_before_the_lease_is_over_or_of_a_free_job() {
    let (mut tale, job) = one();
    tale.claim(job);
    tale.wait(s(20));
    tale.tell(Kind::Rescued { job, hung: false });
    tale.breaks("one_holder");

    let (mut tale, job) = one();
    tale.claim(job);
    tale.wait(s(100));
    tale.tell(Kind::Rescued { job, hung: true });
    tale.breaks("one_holder");

    let (mut tale, job) = one();
    tale.tell(Kind::Rescued { job, hung: false });
    tale.breaks("one_holder");
}

#[test]
fn a_write_that_is_refused_to_the_holder() {
    let (mut tale, job) = one();
    tale.claim(job);
    tale.tell(Kind::Outdated { job, process: ProcessNo(0), lease: 1 });
    tale.breaks("one_holder");
}

#[test]
fn an_elder_job_that_is_passed_over_for_ever() {
    let mut tale = Tale::new();
    let elder = tale.order(USER, Quantity::One);
    tale.wait(s(1));
    for _ in 0..40 {
        let younger = tale.order(USER, Quantity::One);
        tale.act(younger, Happening::Started);
        tale.wait(s(10));
    }
    assert_eq!(elder, JobNo(0));
    tale.breaks("fairness");
}

#[test]
fn a_further_video_that_aged_and_is_passed_over() {
    let mut tale = Tale::new();
    tale.order(USER, Quantity::Three);
    tale.act(JobNo(0), Happening::Started);
    tale.act(JobNo(1), Happening::Started);
    tale.wait(s(120));
    for _ in 0..12 {
        let younger = tale.order(USER, Quantity::One);
        tale.act(younger, Happening::Started);
        tale.wait(s(30));
    }
    tale.breaks("fairness");
}

#[test]
fn a_job_that_never_ends() {
    let (mut tale, _) = one();
    tale.tell(Kind::Healed);
    tale.wait(s(6 * 60 * 60 + 1));
    tale.breaks("liveness");
}

#[test]
fn a_run_that_ends_or_is_called_settled_before_it_is() {
    let (mut tale, job) = one();
    tale.claim(job);
    tale.tell(Kind::Healed);
    tale.tell(Kind::Settled);
    tale.breaks("liveness");

    let (mut tale, job) = one();
    tale.delivered(job);
    tale.tell(Kind::Healed);
    tale.tell(Kind::Settled);
    assert!(!tale.outbox[0][0].is_empty(), "the messages are open");
    tale.breaks("liveness");

    let (mut tale, _) = one();
    let end = End { audit: tale.audit(), bill: ProviderBill::default(), now: tale.now };
    tale.oracle.end(&end);
    tale.breaks("liveness");
}

#[test]
fn a_due_job_that_idle_workers_leave_lying() {
    let (mut tale, job) = one();
    tale.tell(Kind::Healed);
    tale.wait(s(301));
    tale.claim(job);
    tale.breaks("liveness");
}

#[test]
fn findings_are_kept_up_to_a_number_and_counted_beyond() {
    let mut tale = Tale::new();
    for _ in 0..60 {
        tale.tell(Kind::Rescued { job: JobNo(5), hung: false });
    }
    let (kept, beyond) = (tale.oracle.broken().len(), tale.oracle.broken_beyond());
    assert_eq!((kept, beyond), (50, 10));
    let first = tale.oracle.first_broken().unwrap();
    assert_eq!((first.job, first.seq, first.at > Timestamp::default()), (Some(JobNo(5)), 1, true));
}

#[test]
fn what_is_finished_is_forgotten_and_still_told_apart() {
    let mut tale = Tale::new();
    for _ in 0..50 {
        let job = tale.order(USER, Quantity::One);
        tale.prepared(job);
        let attempt = tale.rendering(job);
        tale.act(job, Happening::RenderFailed { attempt, failure: failure(Reason::Nudity) });
        tale.messages();
        tale.wait(s(1));
    }
    assert_eq!(tale.oracle.live_jobs(), 0);
    tale.tell(Kind::Rescued { job: JobNo(3), hung: false });
    tale.breaks("legal_transitions");
}
