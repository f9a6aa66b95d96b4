//! For the law of models: a run that breaks it, and nothing else.

use domain::{
    circuit::CircuitChange,
    failure::Reason,
    id::{AttemptId, ModelId},
    job::Event as Happening,
    notice::{Audience, Notice, NoticeKind},
    order::Quantity,
};

use super::tale::{Tale, USER, failure, key, s};
use crate::trace::JobNo;

fn prepared() -> (Tale, JobNo) {
    let mut tale = Tale::new();
    let job = tale.order(USER, Quantity::One);
    tale.prepared(job);
    tale.claim(job);
    (tale, job)
}

fn opened_with(model: &str) -> Happening {
    Happening::AttemptOpened {
        attempt: AttemptId::new(900),
        key: key(1),
        model: ModelId::new(model).unwrap(),
    }
}

/// The ordered model was refused once, and the job is held again.
fn refused() -> (Tale, JobNo) {
    let (mut tale, job) = prepared();
    let attempt = tale.opened(job);
    tale.wait(s(1));
    tale.step(job, Happening::Refused { attempt, failure: failure(Reason::ModelUnavailable) });
    tale.wait(s(1));
    tale.claim(job);
    (tale, job)
}

#[test]
fn a_submission_with_a_model_nobody_allowed() {
    let (mut tale, job) = prepared();
    tale.step(job, opened_with("dearer-1"));
    tale.breaks("model_fallback");
}

#[test]
fn a_submission_with_a_model_that_is_cooling_down() {
    let (mut tale, job) = refused();
    tale.step(job, opened_with("sora-2"));
    tale.breaks("model_fallback");
}

#[test]
fn a_refund_for_want_of_a_model_while_one_is_left() {
    let (mut tale, job) = refused();
    tale.step(job, Happening::NoModelLeft);
    tale.breaks("model_fallback");
}

#[test]
fn an_operator_who_is_told_twice_of_one_opening() {
    let (mut tale, job) = refused();
    let model = ModelId::new("sora-2").unwrap();
    let kind = NoticeKind::ModelOut { model };
    tale.bent(job, opened_with("hailuo-2.3"), |step| {
        let notice =
            Notice { audience: Audience::Operator, order: step.job.order, video: Some(step.job.video), kind };
        step.notices.extend([notice.clone(), notice]);
    });
    tale.breaks("model_fallback");
}

#[test]
fn a_refused_model_whose_circuit_stays_closed() {
    let (mut tale, job) = prepared();
    let attempt = tale.opened(job);
    tale.wait(s(1));
    let refused = Happening::Refused { attempt, failure: failure(Reason::ModelUnavailable) };
    tale.bent(job, refused, |step| {
        step.circuits.retain(|change| !matches!(change, CircuitChange::Refused { .. }));
    });
    tale.breaks("retry_discipline");
}
