//! For each invariant of money, messages, the provider and retries: a run that breaks it, and nothing else.

use std::sync::Arc;

use domain::{
    failure::Reason,
    job::{self, AttemptStatus, DeliveryFailure, Event as Happening, State},
    ledger::Entry,
    notice::{Audience, NoticeKind},
    order::Quantity,
    prompt::Prompt,
    time::Timestamp,
};

use super::tale::{Tale, USER, failure, key, s};
use crate::trace::{AccountNo, Creation, JobNo, Kind, OrderNo, SendEnd};

const ORDER: OrderNo = OrderNo(0);
const TO_USER: Audience = Audience::User(USER);

fn one() -> (Tale, JobNo) {
    let mut tale = Tale::new();
    let job = tale.order(USER, Quantity::One);
    (tale, job)
}

fn prepared() -> (Tale, JobNo) {
    let (mut tale, job) = one();
    tale.prepared(job);
    (tale, job)
}

#[test]
fn a_hold_of_another_price() {
    let mut tale = Tale::new();
    tale.order_as(USER, Quantity::Three, |kind| match kind {
        Kind::Placed { order, user, first_job, videos, confirmation, .. } => {
            Kind::Placed { order, user, first_job, videos, held: 1, confirmation }
        }
        other => other,
    });
    tale.breaks("money_conserved");
}

#[test]
fn a_confirmation_that_orders_twice() {
    let (mut tale, _) = one();
    tale.order_as(USER, Quantity::One, |kind| match kind {
        Kind::Placed { order, user, first_job, videos, held, .. } => {
            Kind::Placed { order, user, first_job, videos, held, confirmation: "tap-0" }
        }
        other => other,
    });
    tale.breaks("money_conserved");
}

#[test]
fn an_order_beyond_the_balance() {
    let mut tale = Tale::new();
    tale.order(domain::id::UserId::new(99), Quantity::One);
    tale.breaks("money_conserved");
}

#[test]
fn a_refusal_although_there_is_enough() {
    let mut tale = Tale::new();
    tale.wait(s(1));
    tale.tell(Kind::Refused { user: USER, needed: 3, available: 2 });
    tale.order(USER, Quantity::One);
    tale.wait(s(1));
    tale.tell(Kind::Refused { user: USER, needed: 3, available: 2 });
    tale.breaks("money_conserved");
}

#[test]
fn an_audit_that_says_otherwise() {
    let (mut tale, job) = one();
    tale.delivered(job);
    tale.entries.pop();
    tale.end();
    tale.breaks("money_conserved");
}

#[test]
fn a_refund_without_its_release() {
    let (mut tale, job) = prepared();
    tale.claim(job);
    tale.bent(job, Happening::NoKeyLeft, |step| step.entries.clear());
    tale.breaks("one_end_per_hold");
}

#[test]
fn a_release_beside_a_capture() {
    let (mut tale, job) = one();
    tale.order(USER, Quantity::One);
    tale.prepared(job);
    let attempt = tale.rendered(job);
    tale.claim(job);
    tale.video(job, SendEnd::Sent, true);
    tale.bent(job, Happening::Delivered { attempt }, |step| {
        step.entries.push(Entry::release(USER, step.job.order, step.job.id, step.entries[0].at));
    });
    tale.breaks("one_end_per_hold");
}

#[test]
fn a_release_of_a_job_that_goes_on() {
    let (mut tale, job) = one();
    tale.claim(job);
    tale.bent(job, Happening::Started, |step| {
        step.entries.push(Entry::release(USER, step.job.order, step.job.id, step.job.created_at));
    });
    tale.breaks("one_end_per_hold");
}

#[test]
fn a_capture_without_a_confirmed_video() {
    for end in [None, Some((SendEnd::Unanswered, true)), Some((SendEnd::Sent, false))] {
        let (mut tale, job) = prepared();
        let attempt = tale.rendered(job);
        tale.claim(job);
        if let Some((end, arrived)) = end {
            tale.video(job, end, arrived);
        }
        tale.step(job, Happening::Delivered { attempt });
        tale.breaks("captured_only_if_delivered");
    }
}

#[test]
fn a_capture_after_somebody_elses_delivery() {
    let (mut tale, job) = prepared();
    let attempt = tale.rendered(job);
    tale.claim(job);
    tale.video(job, SendEnd::Sent, true);
    tale.rescued(job);
    tale.act(job, Happening::Delivered { attempt });
    tale.breaks("captured_only_if_delivered");
}

#[test]
fn a_refund_nobody_is_told_of_or_twice_or_as_another() {
    let bends: [fn(&mut job::Step); 3] = [
        |step| step.notices.retain(|notice| !matches!(notice.kind, NoticeKind::Refunded { .. })),
        |step| step.notices.push(step.notices[0].clone()),
        |step| step.notices[0].kind = NoticeKind::Cancelled { credits: domain::money::Credits::of(1) },
    ];
    for bend in bends {
        let (mut tale, job) = prepared();
        tale.claim(job);
        tale.bent(job, Happening::NoKeyLeft, bend);
        tale.breaks("refund_told_once");
    }
}

#[test]
fn a_refund_told_to_whom_the_video_was_confirmed() {
    let (mut tale, job) = prepared();
    let attempt = tale.rendered(job);
    tale.claim(job);
    tale.video(job, SendEnd::Sent, true);
    tale.step(job, Happening::DeliveryFailed { attempt, failure: DeliveryFailure::RecipientGone });
    tale.breaks("refund_told_once");
}

#[test]
fn messages_out_of_order_or_closed_twice_or_for_somebody_else() {
    let (mut tale, job) = one();
    tale.act(job, Happening::Started);
    let second = tale.outbox[0][0][1].clone();
    tale.closed(ORDER, &second);
    tale.breaks("messages_in_order");

    let (mut tale, job) = one();
    tale.act(job, Happening::Started);
    let first = tale.outbox[0][0][0].clone();
    tale.closed(ORDER, &first);
    tale.closed(ORDER, &first);
    tale.breaks("messages_in_order");

    let (mut tale, job) = one();
    tale.claim(job);
    tale.bent(job, Happening::Started, |step| {
        step.notices[0].audience = Audience::User(domain::id::UserId::new(8));
    });
    tale.breaks("messages_in_order");
}

#[test]
fn a_text_without_a_message_or_within_the_claim_that_confirmed_it() {
    let (mut tale, _) = one();
    tale.text(ORDER, Audience::Operator, SendEnd::Sent);
    tale.breaks("no_message_twice");

    let (mut tale, _) = one();
    tale.text(ORDER, TO_USER, SendEnd::Sent);
    tale.wait(s(14));
    tale.text(ORDER, TO_USER, SendEnd::Sent);
    tale.breaks("no_message_twice");
}

#[test]
fn an_account_beyond_its_limits() {
    let (mut tale, job) = prepared();
    tale.claim(job);
    tale.opened(job);
    let outcome = Creation::Task { task: "t", running: 101, created_in_window: 1 };
    tale.tell(Kind::Created { job: Some(job), account: Some(AccountNo(0)), outcome, answered: true });
    tale.breaks("provider_limits");

    let mut tale = Tale::new();
    let jobs: Vec<_> = (0..21).map(|_| tale.order(USER, Quantity::One)).collect();
    jobs.iter().for_each(|job| tale.prepared(*job));
    for job in jobs {
        tale.claim(job);
        tale.opened(job);
        let outcome = Creation::Task { task: "t", running: 1, created_in_window: 1 };
        tale.tell(Kind::Created { job: Some(job), account: Some(AccountNo(0)), outcome, answered: true });
    }
    tale.breaks("provider_limits");
}

#[test]
fn a_task_without_an_attempt() {
    let (mut tale, job) = prepared();
    tale.claim(job);
    tale.opened(job);
    tale.created(job, false);
    tale.created(job, true);
    tale.breaks("provider_bill");
}

#[test]
fn a_lost_answer_that_counts_as_a_refusal() {
    let (mut tale, job) = prepared();
    tale.claim(job);
    let attempt = tale.opened(job);
    tale.created(job, false);
    tale.step(job, Happening::Refused { attempt, failure: failure(Reason::ProviderFault) });
    tale.breaks("provider_bill");
}

#[test]
fn a_lost_answer_that_is_not_waited_for() {
    let (mut tale, job) = prepared();
    tale.claim(job);
    let attempt = tale.opened(job);
    tale.created(job, false);
    let grace = tale.rules.retry.lost_answer_grace;
    Arc::make_mut(&mut tale.rules.retry).lost_answer_grace = s(1);
    tale.wait(s(2));
    tale.step(job, Happening::AnswerMissing { attempt });
    Arc::make_mut(&mut tale.rules.retry).lost_answer_grace = grace;
    tale.breaks("provider_bill");
}

#[test]
fn a_third_submission_after_lost_answers() {
    let (mut tale, job) = prepared();
    Arc::make_mut(&mut tale.rules.retry).lost_answers_max = 9;
    for _ in 0..2 {
        tale.claim(job);
        let attempt = tale.opened(job);
        tale.wait(s(120));
        tale.step(job, Happening::AnswerMissing { attempt });
    }
    tale.claim(job);
    tale.opened(job);
    tale.breaks("provider_bill");
}

#[test]
fn a_task_that_is_not_the_one_that_was_made() {
    let (mut tale, job) = prepared();
    tale.claim(job);
    let attempt = tale.opened(job);
    tale.created(job, true);
    let task = domain::id::TaskId::new("another").unwrap();
    tale.step(job, Happening::Accepted { attempt, task });
    tale.breaks("provider_bill");
}

#[test]
fn a_charge_that_nothing_explains() {
    let (mut tale, job) = one();
    tale.delivered(job);
    tale.bill.charged_tasks += 1;
    tale.end();
    tale.breaks("provider_bill");
}

/// Runs a render into this failure and bends what follows.
fn render_fails(reason: Reason, bend: impl FnOnce(&mut job::Step)) -> Tale {
    let (mut tale, job) = prepared();
    let attempt = tale.rendering(job);
    tale.claim(job);
    tale.bent(job, Happening::RenderFailed { attempt, failure: failure(reason) }, bend);
    tale
}

fn just_before(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.as_millis() - 1)
}

#[test]
fn a_retry_that_is_not_what_was_promised() {
    let bends: [fn(&mut job::Step); 5] = [
        // The counter is lost.
        |step| step.job.retries = 0,
        // Too early, and too late.
        |step| step.next_run_at = step.next_run_at.map(just_before),
        |step| step.next_run_at = step.next_run_at.map(|at| at.after(s(1))),
        // Not announced, or with another delay.
        |step| step.notices.clear(),
        |step| {
            let kind = NoticeKind::Retrying { retry: 1, of: 3, delay: s(20) };
            step.notices[0].kind = kind;
        },
    ];
    for bend in bends {
        render_fails(Reason::ProviderFault, bend).breaks("retry_discipline");
    }
}

#[test]
fn a_fault_of_the_users_that_is_retried() {
    let as_temporary = failure(Reason::ProviderFault);
    let (mut tale, job) = prepared();
    let attempt = tale.rendering(job);
    tale.claim(job);
    tale.bent(job, Happening::RenderFailed { attempt, failure: as_temporary }, |step| {
        if let Some(change) = &mut step.attempt {
            change.failure = Some(failure(Reason::Nudity));
        }
    });
    tale.breaks("retry_discipline");
}

#[test]
fn back_pressure_or_billing_that_uses_up_a_retry_or_keeps_its_key() {
    for reason in [Reason::RateLimit, Reason::AccountCredits, Reason::KeyRejected] {
        render_fails(reason, |step| step.job.retries += 1).breaks("retry_discipline");
        render_fails(reason, |step| step.cooling = None).breaks("retry_discipline");
        render_fails(reason, |step| step.job.avoid_key = Some(key(2))).breaks("retry_discipline");
    }
}

#[test]
fn a_refund_before_its_time() {
    let (mut tale, job) = prepared();
    Arc::make_mut(&mut tale.rules.retry).patience = s(1);
    tale.wait(s(2));
    let until = tale.now;
    tale.act(job, Happening::KeysBusy { until });
    tale.breaks("retry_discipline");

    let (mut tale, job) = prepared();
    Arc::make_mut(&mut tale.rules.retry).delays.clear();
    let attempt = tale.rendering(job);
    tale.act(job, Happening::RenderFailed { attempt, failure: failure(Reason::ProviderFault) });
    tale.breaks("retry_discipline");

    let (mut tale, job) = prepared();
    tale.act(job, Happening::Abandoned);
    tale.breaks("retry_discipline");
}

#[test]
fn a_job_taken_up_before_it_is_due() {
    let mut tale = render_fails(Reason::ProviderFault, |_| {});
    tale.wait(s(9));
    tale.actor(JobNo(0)).due_at = None;
    tale.claim(JobNo(0));
    tale.breaks("retry_discipline");
}

#[test]
fn a_delivery_tried_again_at_once() {
    let (mut tale, job) = prepared();
    let attempt = tale.rendered(job);
    tale.claim(job);
    let passing = Happening::DeliveryFailed { attempt, failure: DeliveryFailure::Passing };
    let now = tale.now;
    tale.bent(job, passing, |step| step.next_run_at = Some(now));
    tale.breaks("retry_discipline");
}

#[test]
fn a_video_or_text_before_its_time() {
    let (mut tale, job) = one();
    tale.video(job, SendEnd::Sent, true);
    tale.breaks("no_premature_message");

    let mut tale = Tale::new();
    tale.text(ORDER, TO_USER, SendEnd::Sent);
    tale.order(USER, Quantity::One);
    tale.breaks("no_premature_message");

    let (mut tale, job) = prepared();
    tale.act(job, Happening::CancelRequested);
    tale.video(job, SendEnd::Sent, true);
    tale.breaks("no_premature_message");
}

#[test]
fn a_render_announced_without_a_task() {
    let (mut tale, job) = prepared();
    tale.claim(job);
    let attempt = tale.opened(job);
    let task = domain::id::TaskId::new("dreamt").unwrap();
    tale.step(job, Happening::Accepted { attempt, task });
    tale.breaks("no_premature_message");
}

#[test]
fn a_prompt_or_photo_that_changes_on_the_way() {
    let bends: [fn(&mut job::Step); 4] = [
        |step| step.job.prompt = None,
        |step| step.job.prompt = Some(Prompt::stored("a mug, fast".to_owned())),
        |step| step.job.photo = None,
        |step| step.job.photo.iter_mut().for_each(|photo| photo.url.push('?')),
    ];
    for bend in bends {
        render_fails(Reason::ProviderFault, bend).breaks("context_kept");
    }
}

#[test]
fn an_attempt_that_is_not_the_jobs() {
    let tale = render_fails(Reason::ProviderFault, |step| {
        if let Some(change) = &mut step.attempt {
            change.id = domain::id::AttemptId::new(99);
        }
    });
    tale.breaks("legal_transitions");
    let tale = render_fails(Reason::ProviderFault, |step| {
        if let Some(change) = &mut step.attempt {
            change.status = AttemptStatus::Rendered;
        }
    });
    assert!(matches!(tale.jobs[0].job.state, State::Submitting { .. }));
    tale.breaks("legal_transitions");
}
