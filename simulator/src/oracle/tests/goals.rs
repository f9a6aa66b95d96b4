//! Each goal is reached by what its description says, and by nothing less.

use std::collections::BTreeSet;

use domain::{
    failure::Reason,
    job::{DeliveryFailure, Event as Happening},
    notice::{Audience, NoticeKind},
    order::Quantity,
    prompt::Prompt,
};

use super::tale::{Tale, USER, failure, s};
use crate::{
    oracle::goals::GOALS,
    trace::{
        AccountNo, CallEnd, Creation, Injected, JobNo, Kind, OrderNo, OutsideCall, ProcessNo, SendEnd, Site,
    },
};

const JOB: JobNo = JobNo(0);
const ORDER: OrderNo = OrderNo(0);
const TO_USER: Audience = Audience::User(USER);

fn one() -> Tale {
    let mut tale = Tale::new();
    tale.order(USER, Quantity::One);
    tale
}

fn prepared() -> Tale {
    let mut tale = one();
    tale.prepared(JOB);
    tale
}

fn refused(reason: Reason) -> Tale {
    let mut tale = prepared();
    tale.claim(JOB);
    let attempt = tale.opened(JOB);
    tale.step(JOB, Happening::Refused { attempt, failure: failure(reason) });
    tale
}

fn fault(tale: &mut Tale, site: Site, fault: Injected) {
    tale.tell(Kind::Fault { site, fault, job: Some(JOB) });
}

fn called(tale: &mut Tale, call: OutsideCall, end: CallEnd) {
    tale.tell(Kind::Called { job: Some(JOB), call, end, took_ms: 1 });
}

fn delivering() -> Tale {
    let mut tale = prepared();
    tale.rendered(JOB);
    tale.claim(JOB);
    tale
}

fn confirmed(tale: &mut Tale) {
    let attempt = domain::id::AttemptId::new(1);
    tale.video(JOB, SendEnd::Sent, true);
    tale.step(JOB, Happening::Delivered { attempt });
}

fn lost(tale: &mut Tale) {
    tale.claim(JOB);
    let attempt = tale.opened(JOB);
    tale.act(JOB, Happening::AnswerMissing { attempt });
}

/// Asserts that these goals are reached, once each, and no others.
fn reaches(tale: &Tale, names: &[&str]) {
    let reached = tale.goals.all().into_iter().filter(|(_, times)| *times > 0);
    let wanted = names.iter().map(|name| (*name, 1)).collect::<Vec<_>>();
    assert_eq!(reached.collect::<BTreeSet<_>>(), wanted.into_iter().collect());
}

#[test]
fn goals_have_names_of_their_own_and_an_uneventful_run_reaches_none() {
    let names: BTreeSet<_> = GOALS.iter().map(|(name, _)| *name).collect();
    assert_eq!((names.len(), Tale::new().goals.all().len()), (GOALS.len(), GOALS.len()));
    let mut tale = one();
    tale.delivered(JOB);
    reaches(&tale.ends_well(), &[]);
}

#[test]
fn failures_lead_to_their_goals() {
    reaches(&refused(Reason::ProviderFault), &["temporary_failure_retried"]);
    reaches(&refused(Reason::Nudity), &["user_violation_refunded"]);
    reaches(&refused(Reason::RateLimit), &["rate_limit_waited"]);

    let mut tale = refused(Reason::ModelUnavailable);
    reaches(&tale, &[]);
    tale.claim(JOB);
    let attempt = tale.opened(JOB);
    reaches(&tale, &["model_stood_in"]);
    tale.step(JOB, Happening::Refused { attempt, failure: failure(Reason::ModelUnavailable) });
    tale.claim(JOB);
    tale.opened(JOB);
    reaches(&tale, &["model_stood_in", "model_unavailable_refunded"]);

    reaches(&refused(Reason::BadRequest), &[]);

    let mut tale = refused(Reason::AccountCredits);
    reaches(&tale, &[]);
    tale.rendering(JOB);
    reaches(&tale, &["billing_switched_key"]);

    let mut tale = prepared();
    for _ in 0..4 {
        tale.claim(JOB);
        let attempt = tale.opened(JOB);
        tale.step(JOB, Happening::Refused { attempt, failure: failure(Reason::Unrecognised) });
    }
    assert_eq!(tale.goals.reached("temporary_failure_retried"), 3);
    assert_eq!(tale.goals.reached("retries_exhausted_refunded"), 1);

    let mut tale = prepared();
    tale.act(JOB, Happening::NoKeyLeft);
    reaches(&tale, &["no_key_left_refunded"]);
}

#[test]
fn lost_answers_lead_to_their_goals() {
    let mut tale = prepared();
    lost(&mut tale);
    reaches(&tale, &[]);
    lost(&mut tale);
    reaches(&tale, &["lost_answer_resubmitted", "lost_answer_refunded"]);
}

#[test]
fn workers_and_stores_that_fail_lead_to_their_goals() {
    let mut tale = one();
    tale.tell(Kind::Killed { process: ProcessNo(0), in_call: true });
    reaches(&tale, &[]);
    tale.claim(JOB);
    tale.tell(Kind::Killed { process: ProcessNo(0), in_call: false });
    tale.rescued(JOB);
    tale.tell(Kind::Outdated { job: JOB, process: ProcessNo(0), lease: 1 });
    reaches(&tale, &["killed_mid_step", "lease_expired_and_rescued", "late_write_refused"]);

    let mut tale = one();
    tale.claim(JOB);
    fault(&mut tale, Site::Store, Injected::Before);
    reaches(&tale, &[]);
    tale.step(JOB, Happening::Started);
    reaches(&tale, &["write_lost_retried"]);

    let mut tale = delivering();
    fault(&mut tale, Site::Store, Injected::After);
    reaches(&tale, &[]);
    confirmed(&mut tale);
    reaches(&tale, &["commit_answer_lost_survived"]);

    let mut tale = delivering();
    confirmed(&mut tale);
    fault(&mut tale, Site::Store, Injected::After);
    reaches(&tale, &["commit_answer_lost_survived"]);
}

#[test]
fn a_troublesome_provider_leads_to_its_goals() {
    let mut tale = delivering();
    called(&mut tale, OutsideCall::Download, CallEnd::No(failure(Reason::Unrecognised)));
    called(&mut tale, OutsideCall::FreshLink, CallEnd::Yes);
    reaches(&tale, &[]);
    called(&mut tale, OutsideCall::Download, CallEnd::Yes);
    reaches(&tale, &["dead_link_exchanged"]);

    let mut tale = prepared();
    let attempt = tale.rendering(JOB);
    tale.claim(JOB);
    called(&mut tale, OutsideCall::Look, CallEnd::No(failure(Reason::UnknownTask)));
    tale.step(JOB, Happening::TaskUnknown { attempt });
    reaches(&tale, &["unknown_task_waited"]);
    tale.wait(s(1_800));
    tale.act(JOB, Happening::NotReady { attempt });
    reaches(&tale, &["unknown_task_waited", "render_gave_up", "temporary_failure_retried"]);

    let mut tale = one();
    fault(&mut tale, Site::Provider, Injected::StrangeState);
    let (job, account, outcome) = (Some(JOB), Some(AccountNo(0)), Creation::NeverSeen);
    tale.tell(Kind::Created { job, account, outcome, answered: true });
    tale.tell(Kind::Outage { number: 0, began: true });
    tale.wait(s(60));
    tale.tell(Kind::Outage { number: 0, began: false });
    reaches(&tale, &[]);
    tale.delivered(JOB);
    reaches(&tale, &["strange_state_survived", "gateway_page_survived", "outage_survived"]);
}

#[test]
fn users_and_messages_lead_to_their_goals() {
    let mut tale = one();
    tale.tell(Kind::PlacedAgain { order: ORDER });
    tale.tell(Kind::Refused { user: USER, needed: 200, available: 99 });
    tale.step(JOB, Happening::CancelRequested);
    tale.tell(Kind::CancelAsked { job: JOB, granted: true });
    tale.tell(Kind::CancelAsked { job: JOB, granted: false });
    reaches(
        &tale,
        &[
            "double_tap_deduplicated",
            "order_refused_no_credits",
            "cancelled_before_submission",
            "cancel_refused_too_late",
        ],
    );

    let mut tale = delivering();
    let attempt = domain::id::AttemptId::new(1);
    tale.video(JOB, SendEnd::Gone, false);
    tale.step(JOB, Happening::DeliveryFailed { attempt, failure: DeliveryFailure::RecipientGone });
    reaches(&tale, &["recipient_gone_refunded"]);

    let mut tale = one();
    tale.text(ORDER, TO_USER, SendEnd::Unanswered);
    reaches(&tale, &[]);
    tale.text(ORDER, TO_USER, SendEnd::Sent);
    let notice = &NoticeKind::WritingPrompt;
    tale.tell(Kind::NoticeClosed { order: ORDER, job: None, audience: TO_USER, notice, given_up: true });
    reaches(&tale, &["message_retried", "message_given_up"]);
}

#[test]
fn a_prompt_that_fell_back_is_told_from_one_that_was_written() {
    for is_silent in [true, false] {
        let mut tale = one();
        tale.act(JOB, Happening::Started);
        tale.claim(JOB);
        if is_silent {
            called(&mut tale, OutsideCall::Write, CallEnd::Unknown);
        } else {
            fault(&mut tale, Site::Writer, Injected::Nonsense);
            called(&mut tale, OutsideCall::Write, CallEnd::Yes);
        }
        tale.step(JOB, Happening::PromptReady { prompt: Prompt::stored("a mug".to_owned()) });
        reaches(&tale, &["prompt_fell_back"]);
    }
}
