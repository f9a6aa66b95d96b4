//! Circuits of models the provider stopped offering.

use domain::{
    circuit,
    failure::Reason,
    id::{AttemptId, TaskId},
    job::{Event, State, Step},
    notice::{Audience, NoticeKind, RefundCause},
    order::Quantity,
    time::Timestamp,
};
use ports::{Adoption, ErrorKind, LeasedJob};

use super::laws;
use crate::{
    make::{WORKER, at, failure, models, roster, rules},
    stores::Stores,
};

laws![
    a_refused_model_is_left_alone_and_the_job_goes_on_with_another,
    the_operator_is_told_once_an_opening,
    a_refused_model_is_tried_by_one_job_after_its_cool_down_and_used_again_once_accepted,
    a_refused_probe_keeps_the_circuit_open_without_another_alert,
    without_a_model_that_is_offered_the_credit_comes_back,
    a_refusal_under_a_lost_lease_opens_no_circuit,
    of_two_hosts_one_tells_and_one_probes,
    a_probe_whose_answer_was_lost_closes_the_circuit_when_its_task_is_adopted,
];

/// When a circuit that opens at 0 may be probed.
const LATER: u64 = circuit::COOLING.as_secs();

impl Stores {
    /// Brings order `n` to the point where a model is chosen, and chooses one.
    async fn submitted(&self, n: u8, attempt: u128, now: Timestamp) -> (LeasedJob, Step) {
        self.order(n, Quantity::One, now).await;
        let leased = self.until_submitting(now).await;
        self.opened(leased, attempt, now).await
    }

    async fn opened(&self, leased: LeasedJob, attempt: u128, now: Timestamp) -> (LeasedJob, Step) {
        let attempt = AttemptId::new(attempt);
        let step = self.jobs.open_attempt(&leased, attempt, &roster(), &rules(), now).await.unwrap();
        (LeasedJob { job: step.job.clone(), lease: leased.lease }, step)
    }

    async fn refused(&self, leased: &LeasedJob, attempt: u128, now: Timestamp) {
        let failure = failure(Reason::ModelUnavailable);
        let event = Event::Refused { attempt: AttemptId::new(attempt), failure };
        self.step(leased, event, now).await.unwrap();
    }

    async fn accepted(&self, leased: &LeasedJob, attempt: u128, now: Timestamp) {
        let task = TaskId::new(format!("t{attempt}")).unwrap();
        self.step(leased, Event::Accepted { attempt: AttemptId::new(attempt), task }, now).await.unwrap();
    }
}

/// The model a step chose, as its place in the list of allowed ones.
fn place(step: &Step) -> Option<usize> {
    assert!(matches!(step.job.state, State::Submitting { open: Some(_) }), "{:?}", step.job.state);
    models().iter().position(|model| Some(model) == step.job.model.as_ref())
}

fn alerts(step: &Step) -> usize {
    step.notices.iter().filter(|notice| matches!(notice.kind, NoticeKind::ModelOut { .. })).count()
}

async fn a_refused_model_is_left_alone_and_the_job_goes_on_with_another(stores: Stores) {
    let (leased, step) = stores.submitted(1, 1, at(0)).await;
    assert_eq!(place(&step), Some(0), "what was ordered comes first");
    stores.refused(&leased, 1, at(0)).await;
    let again = stores.claim_one(at(0)).await;
    assert_eq!(again.job.retries, 0, "no retry is used");
    let (leased, step) = stores.opened(again, 2, at(0)).await;
    assert_eq!(place(&step), Some(1));
    stores.accepted(&leased, 2, at(0)).await;
    let kept = stores.jobs.job(leased.job.id).await.unwrap().unwrap().job;
    assert_eq!(kept.model, Some(models()[1].clone()), "looks ask for the model that renders");
    assert_eq!(stores.orders.order(kept.order).await.unwrap().unwrap().model, models()[0]);
    let (_, step) = stores.submitted(2, 3, at(1)).await;
    assert_eq!(place(&step), Some(1), "no call is burnt on a model that is out");
}

async fn the_operator_is_told_once_an_opening(stores: Stores) {
    let (one, _) = stores.submitted(1, 1, at(0)).await;
    let (two, _) = stores.submitted(2, 2, at(0)).await;
    stores.refused(&one, 1, at(0)).await;
    stores.refused(&two, 2, at(0)).await;
    let mut told = 0;
    for (n, leased) in stores.claim(2, at(0)).await.into_iter().enumerate() {
        told += alerts(&stores.opened(leased, 10 + n as u128, at(0)).await.1);
    }
    assert_eq!(told, 1);
    let messages = stores.outbox.claim_due(WORKER, 100, at(60), at(0)).await.unwrap().messages;
    let to_operator = messages.iter().filter(|message| message.notice.audience == Audience::Operator);
    let kinds: Vec<_> = to_operator.map(|message| message.notice.kind.clone()).collect();
    assert_eq!(kinds, [NoticeKind::ModelOut { model: models()[0].clone() }]);
}

async fn a_refused_model_is_tried_by_one_job_after_its_cool_down_and_used_again_once_accepted(
    stores: Stores,
) {
    let (leased, _) = stores.submitted(1, 1, at(0)).await;
    stores.refused(&leased, 1, at(0)).await;
    let (leased, _) = stores.opened(stores.claim_one(at(0)).await, 2, at(0)).await;
    stores.accepted(&leased, 2, at(0)).await;
    let (early, step) = stores.submitted(2, 3, at(1)).await;
    assert_eq!(place(&step), Some(1));
    stores.accepted(&early, 3, at(1)).await;
    stores.order(3, Quantity::Three, at(LATER)).await;
    let mut ready = Vec::new();
    for _ in 0..4 {
        for leased in stores.claim(9, at(LATER)).await {
            match &leased.job.state {
                State::Rendering { attempt, .. } => {
                    stores.step(&leased, Event::NotReady { attempt: *attempt }, at(LATER)).await.unwrap();
                }
                State::Queued => stores.step(&leased, Event::Started, at(LATER)).await.unwrap(),
                State::Prompting => {
                    let prompt = domain::prompt::Prompt::stored("a mug turns".to_owned());
                    stores.step(&leased, Event::PromptReady { prompt }, at(LATER)).await.unwrap();
                }
                State::Submitting { open: None } if leased.job.photo.is_none() => {
                    let url = "https://h/p.jpg".to_owned();
                    stores.step(&leased, Event::PhotoUploaded { url }, at(LATER)).await.unwrap();
                }
                State::Submitting { open: None } => ready.push(leased),
                other => unreachable!("{other:?}"),
            }
        }
    }
    let [one, two, three] = ready.try_into().unwrap();
    let (probe, step) = stores.opened(one, 4, at(LATER)).await;
    assert_eq!(place(&step), Some(0), "one job tries");
    let (_, step) = stores.opened(two, 5, at(LATER)).await;
    assert_eq!(place(&step), Some(1), "and one alone");
    stores.accepted(&probe, 4, at(LATER)).await;
    let (_, step) = stores.opened(three, 6, at(LATER)).await;
    assert_eq!((place(&step), alerts(&step)), (Some(0), 0), "it is offered again");
}

async fn a_refused_probe_keeps_the_circuit_open_without_another_alert(stores: Stores) {
    let (leased, _) = stores.submitted(1, 1, at(0)).await;
    stores.refused(&leased, 1, at(0)).await;
    let (leased, step) = stores.opened(stores.claim_one(at(0)).await, 2, at(0)).await;
    assert_eq!(alerts(&step), 1);
    let busy = Event::Refused { attempt: AttemptId::new(2), failure: failure(Reason::RateLimit) };
    stores.step(&leased, busy, at(0)).await.unwrap();
    let waiting = stores.claim_one(at(LATER)).await;
    let (probe, step) = stores.opened(waiting, 3, at(LATER)).await;
    assert_eq!((place(&step), alerts(&step)), (Some(0), 0));
    // Refused for another cause: the model may be tried at once, which a passing refusal must not end.
    let busy = Event::Refused { attempt: AttemptId::new(3), failure: failure(Reason::RateLimit) };
    stores.step(&probe, busy, at(LATER)).await.unwrap();
    let (probe, step) = stores.opened(stores.claim_one(at(LATER)).await, 4, at(LATER)).await;
    assert_eq!(place(&step), Some(0));
    stores.refused(&probe, 4, at(LATER)).await;
    let (_, step) = stores.opened(stores.claim_one(at(LATER)).await, 5, at(LATER)).await;
    assert_eq!((place(&step), alerts(&step)), (Some(1), 0), "the same opening");
}

async fn without_a_model_that_is_offered_the_credit_comes_back(stores: Stores) {
    let (leased, _) = stores.submitted(1, 1, at(0)).await;
    stores.refused(&leased, 1, at(0)).await;
    let (leased, _) = stores.opened(stores.claim_one(at(0)).await, 2, at(0)).await;
    stores.refused(&leased, 2, at(0)).await;
    let (_, step) = stores.opened(stores.claim_one(at(0)).await, 3, at(0)).await;
    assert!(matches!(step.job.state, State::Refunded { cause: RefundCause::ModelUnavailable, .. }));
    assert_eq!(alerts(&step), 1, "of the second model; the first one is told of");
    stores.assert_audit_is_clean().await;
}

async fn a_refusal_under_a_lost_lease_opens_no_circuit(stores: Stores) {
    let (leased, _) = stores.submitted(1, 1, at(0)).await;
    stores.jobs.give_back(&[leased.lease], at(0)).await.unwrap();
    let failure = failure(Reason::ModelUnavailable);
    let late = Event::Refused { attempt: AttemptId::new(1), failure };
    assert_eq!(stores.step(&leased, late, at(0)).await.unwrap_err().kind(), ErrorKind::Conflict);
    let (_, step) = stores.submitted(2, 2, at(1)).await;
    assert_eq!((place(&step), alerts(&step)), (Some(0), 0));
}

async fn of_two_hosts_one_tells_and_one_probes(stores: Stores) {
    let (one, _) = stores.submitted(1, 1, at(0)).await;
    let (two, _) = stores.submitted(2, 2, at(0)).await;
    stores.refused(&one, 1, at(0)).await;
    stores.refused(&two, 2, at(0)).await;
    let mut waiting = stores.claim(2, at(LATER)).await;
    let (two, one) = (waiting.remove(1), waiting.remove(0));
    // Each host has keys of an account of its own, so no lock on accounts keeps them apart.
    let rosters = [0, 1].map(|n| ports::KeyRoster { keys: vec![roster().keys[n].clone()], ..roster() });
    let (rules, now) = (rules(), at(LATER));
    let (one, two) = tokio::join!(
        stores.jobs.open_attempt(&one, AttemptId::new(11), &rosters[0], &rules, now),
        stores.jobs.open_attempt(&two, AttemptId::new(12), &rosters[1], &rules, now),
    );
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(alerts(&one) + alerts(&two), 1);
    assert_eq!(place(&one).unwrap() + place(&two).unwrap(), 1, "one tries what was ordered, one does not");
}

async fn a_probe_whose_answer_was_lost_closes_the_circuit_when_its_task_is_adopted(stores: Stores) {
    let (leased, _) = stores.submitted(1, 1, at(0)).await;
    stores.refused(&leased, 1, at(0)).await;
    let (probe, step) = stores.opened(stores.claim_one(at(LATER)).await, 2, at(LATER)).await;
    assert_eq!(place(&step), Some(0));
    stores.step(&probe, Event::AnswerMissing { attempt: AttemptId::new(2) }, at(LATER)).await.unwrap();
    let (_, step) = stores.submitted(2, 3, at(LATER)).await;
    assert_eq!(place(&step), Some(1), "nobody knows yet");
    let task = TaskId::new("t2").unwrap();
    let adoption = stores.jobs.adopt(AttemptId::new(2), &task, &rules(), at(LATER)).await.unwrap();
    assert!(matches!(adoption, Adoption::Adopted(_)), "{adoption:?}");
    // Its look is due, and somebody has it in hand.
    stores.claim_one(at(LATER)).await;
    let (_, step) = stores.submitted(3, 4, at(LATER)).await;
    assert_eq!((place(&step), alerts(&step)), (Some(0), 0), "it is offered again");
}
