//! What may happen, and must not be found broken.

use std::collections::BTreeSet;

use domain::{
    failure::Reason,
    id::{AttemptId, JobId, OrderId, TaskId, UserId},
    job::{
        self, AttemptStatus, DeliveryFailure, Event as Happening, Job, OpenAttempt, Rules, State,
        UploadedPhoto,
    },
    order::Quantity,
    prompt::Prompt,
    time::Timestamp,
};

use super::tale::{Tale, USER, failure, key, s};
use crate::{
    oracle::{
        INVARIANTS,
        jobs::Stage,
        transitions::{leads, may_become, may_refund},
    },
    trace::{CallEnd, Kind, OrderNo, OutsideCall, ProcessNo, SendEnd},
};

#[test]
fn orders_that_go_well() {
    let mut tale = Tale::new();
    for quantity in [Quantity::Three, Quantity::One] {
        let first = tale.order(USER, quantity);
        for number in 0..u32::from(quantity.videos()) {
            tale.delivered(crate::trace::JobNo(first.0 + number));
        }
    }
    tale.tell(Kind::PlacedAgain { order: OrderNo(0) });
    tale.tell(Kind::Refused { user: UserId::new(8), needed: 1, available: 0 });
    let tale = tale.ends_well();
    let checks = tale.oracle.checks();
    let never: Vec<_> = INVARIANTS.iter().filter(|(name, _)| checks[name] == 0).collect();
    assert_eq!(never, [] as [&(&str, &str); 0], "even a good day checks every invariant");
}

#[test]
fn every_failure_leads_where_its_class_says() {
    for reason in Reason::ALL {
        for is_refused in [true, false] {
            let mut tale = Tale::new();
            let job = tale.order(USER, Quantity::One);
            tale.prepared(job);
            for _ in 0..6 {
                if tale.job(job).state.is_terminal() {
                    break;
                }
                if tale.actor(job).job.photo.is_none() {
                    tale.act(job, Happening::PhotoUploaded { url: "https://h/again.jpg".to_owned() });
                }
                if is_refused {
                    tale.claim(job);
                    let attempt = tale.opened(job);
                    if tale.job(job).state.is_terminal() {
                        // No model was left.
                        break;
                    }
                    tale.wait(s(1));
                    tale.step(job, Happening::Refused { attempt, failure: failure(reason) });
                } else if reason == Reason::ModelUnavailable && tale.circuits.len() == 2 {
                    tale.claim(job);
                    tale.opened(job);
                } else {
                    let attempt = tale.rendering(job);
                    tale.act(job, Happening::RenderFailed { attempt, failure: failure(reason) });
                }
            }
            if !tale.job(job).state.is_terminal() {
                tale.wait(s(2 * 60 * 60));
                tale.act(job, Happening::NoKeyLeft);
            }
            tale.ends_well();
        }
    }
}

#[test]
fn a_lost_answer_is_waited_for_and_submitted_again_and_then_refunded() {
    let mut tale = Tale::new();
    let job = tale.order(USER, Quantity::One);
    tale.prepared(job);
    for _ in 0..2 {
        tale.claim(job);
        let attempt = tale.opened(job);
        tale.created(job, false);
        tale.wait(s(60));
        tale.step(job, Happening::AnswerMissing { attempt });
        tale.act(job, Happening::AnswerMissing { attempt });
    }
    tale.bill.charged_tasks = 2;
    assert!(matches!(tale.ends_well().jobs[0].job.state, State::Refunded { .. }));
}

#[test]
fn a_killed_workers_job_is_rescued_and_its_late_write_refused() {
    let mut tale = Tale::new();
    let job = tale.order(USER, Quantity::One);
    tale.prepared(job);
    let attempt = tale.rendered(job);
    tale.claim(job);
    tale.video(job, SendEnd::Sent, true);
    tale.tell(Kind::Killed { process: ProcessNo(0), in_call: false });
    tale.rescued(job);
    tale.tell(Kind::Started { process: ProcessNo(0) });
    tale.claim_by(job, ProcessNo(1));
    let (_, lease, _) = tale.actor(job).held.unwrap();
    tale.tell(Kind::Outdated { job, process: ProcessNo(0), lease: lease - 2 });
    tale.video(job, SendEnd::Unanswered, true);
    tale.step(job, Happening::DeliveryFailed { attempt, failure: DeliveryFailure::Passing });
    tale.act(job, Happening::DeliveryFailed { attempt, failure: DeliveryFailure::RecipientGone });
    let tale = tale.ends_well();
    assert_eq!(tale.oracle.noted().get("refunded_although_arrived"), Some(&1));
}

#[test]
fn a_claim_told_before_the_step_that_let_go_is_no_second_holder() {
    let mut tale = Tale::new();
    let job = tale.order(USER, Quantity::One);
    tale.claim(job);
    let step = tale.draw(job, Happening::Started).unwrap();
    tale.tell(Kind::Claimed { job, process: ProcessNo(1), lease: 2, due_at: None });
    tale.store_by(job, step, Some(ProcessNo(0)), Some(1), None);
    let now = tale.now;
    (tale.actor(job).newest, tale.actor(job).held) = (2, Some((ProcessNo(1), 2, now)));
    tale.wait(s(5));
    tale.step(job, Happening::PromptReady { prompt: Prompt::stored("a mug".to_owned()) });
    tale.claim(job);
    tale.tell(Kind::GivenBack { job, lease: 1 });
    tale.tell(Kind::GivenBack { job, lease: 3 });
    (tale.actor(job).newest, tale.actor(job).held) = (4, None);
    tale.act(job, Happening::PhotoUploaded { url: "https://h/p.jpg".to_owned() });
    tale.step(job, Happening::CancelRequested);
    tale.tell(Kind::CancelAsked { job, granted: true });
    tale.ends_well();
}

#[test]
fn a_store_that_was_away_takes_the_step_later_than_it_was_decided() {
    let mut tale = Tale::new();
    let job = tale.order(USER, Quantity::One);
    tale.prepared(job);
    let attempt = tale.rendering(job);
    tale.claim(job);
    let end = CallEnd::No(failure(Reason::ProviderFault));
    tale.tell(Kind::Called { job: Some(job), call: OutsideCall::Look, end, took_ms: 300 });
    let failed = Happening::RenderFailed { attempt, failure: failure(Reason::ProviderFault) };
    let step = tale.draw(job, failed).unwrap();
    tale.wait(s(9));
    tale.store(job, step, Some("failed"));
    let attempt = tale.rendered(job);
    tale.claim(job);
    tale.video(job, SendEnd::Sent, true);
    tale.step(job, Happening::Delivered { attempt });
    tale.ends_well();
}

#[test]
fn a_message_may_be_sent_again_when_its_claim_ran_out() {
    let mut tale = Tale::new();
    let job = tale.order(USER, Quantity::One);
    let (order, to) = (OrderNo(0), domain::notice::Audience::User(USER));
    for end in [SendEnd::Failed, SendEnd::Unanswered, SendEnd::Sent] {
        tale.text(order, to, end);
        tale.wait(s(15));
    }
    tale.delivered(job);
    tale.ends_well();
}

/// The table is the machine's: what the machine does is allowed, and what is allowed it does.
#[test]
fn the_table_is_what_the_machine_does() {
    let (attempt, at) = (AttemptId::new(7), Timestamp::from_millis(0));
    let retry = domain::decision::RetryPolicy::default();
    let timing = domain::model::RenderTiming {
        first_poll: s(30),
        poll_every: s(10),
        typical: s(180),
        give_up: s(1_800),
    };
    let rules =
        Rules { retry: retry.into(), models: vec![domain::id::ModelId::new("sora-2").unwrap()], timing };
    let task = TaskId::new("t").unwrap();
    let states = [
        State::Queued,
        State::Prompting,
        State::Submitting { open: None },
        State::Submitting { open: Some(OpenAttempt { id: attempt, key: key(1), sent_at: at }) },
        State::Rendering { attempt, key: key(1), task: task.clone(), since: at },
        State::Delivering { attempt, key: key(1), task, url: String::new() },
    ];
    let mut done = BTreeSet::new();
    let mut causes = BTreeSet::new();
    for (state, seconds, retries, lost_answers) in states
        .iter()
        .flat_map(|state| [(1, 0, 0), (200, 3, 1), (8_000, 3, 1)].map(|(t, r, l)| (state.clone(), t, r, l)))
    {
        let (id, order, now) = (JobId::new(1), OrderId::new(1), at.after(s(seconds)));
        let photo = Some(UploadedPhoto { url: String::new(), at });
        let job = Job { state, retries, lost_answers, photo, ..Job::queued(id, order, USER, (1, 1), at) };
        for happening in super::random::happenings(attempt, at) {
            let Ok(step) = job::apply(&job, happening, &rules, now) else { continue };
            let (from, to) = (Stage::of(&job.state), Stage::of(&step.job.state));
            let status = step.attempt.as_ref().map(|change| change.status);
            assert!(leads(from, to) && may_become(from, to, status), "{from:?} {to:?} {status:?}");
            done.insert((from, to));
            if let State::Refunded { cause, .. } = step.job.state {
                assert!(may_refund(from, cause), "{from:?} {cause:?}");
                causes.insert((from, cause.code()));
            }
        }
    }
    let all = [
        Stage::Queued,
        Stage::Prompting,
        Stage::Ready,
        Stage::Awaiting,
        Stage::Rendering,
        Stage::Delivering,
        Stage::Done,
        Stage::Refunded,
        Stage::Cancelled,
    ];
    let allowed: BTreeSet<_> = all
        .iter()
        .flat_map(|from| all.iter().map(|to| (*from, *to)))
        .filter(|(f, t)| leads(*f, *t))
        .collect();
    assert_eq!(done, allowed);
    assert!(!may_become(Stage::Ready, Stage::Ready, Some(AttemptStatus::Lost)));
    assert!(causes.contains(&(Stage::Ready, "no_key".to_owned())));
}
