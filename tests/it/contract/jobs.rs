//! The queue.

use std::collections::BTreeSet;

use domain::{
    failure::Reason,
    id::{AttemptId, JobId, KeyId},
    job::{AttemptStatus, Event, State, StateName, Task, apply},
    key::{AccountLimits, CoolingCause},
    ledger::Entry,
    notice::RefundCause,
    order::Quantity,
};
use ports::{AfterStep, ErrorKind, JobFilter, KeyRoster, Lease, LeasedJob};

use super::laws;
use crate::{
    make::{TERMS, WORKER, at, failure, placement, roster, rules},
    stores::Stores,
};

laws![
    a_due_job_is_claimed_once,
    first_videos_go_before_further_ones,
    waiting_long_enough_beats_urgency,
    a_job_that_is_put_off_keeps_its_place,
    a_job_is_not_claimed_before_it_is_due_and_the_claim_says_when,
    a_write_under_a_lost_lease_changes_nothing,
    a_refused_attempt_holds_up_no_claim,
    work_in_flight_goes_before_a_backlog,
    a_heartbeat_keeps_a_job_and_silence_loses_it,
    a_heartbeat_for_an_old_lease_is_lost_although_the_same_worker_holds_a_new_one,
    a_hung_step_is_rescued_although_its_worker_still_beats,
    the_first_lease_or_deadline_to_run_out_is_told,
    a_rescued_job_keeps_its_urgency,
    a_job_that_kills_every_worker_is_given_up_and_its_credit_comes_back,
    a_job_given_back_is_due_at_once,
    a_step_is_stored_whole_or_not_at_all,
    a_finished_job_is_never_claimed_again,
    an_account_at_its_create_limit_makes_the_next_one_wait,
    a_billing_failure_moves_the_job_to_another_key,
    without_a_key_that_pays_the_credit_comes_back,
    a_cool_down_only_moves_later,
    every_submission_is_kept_with_what_was_said,
    a_cancelled_job_is_taken_from_its_worker,
    a_job_with_the_provider_cannot_be_cancelled,
    jobs_are_listed_newest_first_and_by_state,
];

async fn a_due_job_is_claimed_once(stores: Stores) {
    stores.order(1, Quantity::Five, at(0)).await;
    let (one, two) = tokio::join!(stores.claim(3, at(0)), stores.claim(3, at(0)));
    let ids: BTreeSet<_> = one.iter().chain(&two).map(|leased| leased.job.id).collect();
    assert_eq!(ids.len(), 5);
    assert_eq!(one.len() + two.len(), 5);
    assert!(stores.claim(3, at(1)).await.is_empty());
}

async fn first_videos_go_before_further_ones(stores: Stores) {
    stores.order(1, Quantity::Five, at(0)).await;
    stores.order(2, Quantity::Three, at(5)).await;
    let claimed = stores.claim(8, at(5)).await;
    let order: Vec<_> = claimed.iter().map(|leased| leased.job.id.value()).collect();
    assert_eq!(order, [101, 201, 102, 103, 104, 105, 202, 203]);
}

async fn waiting_long_enough_beats_urgency(stores: Stores) {
    stores.order(1, Quantity::Three, at(0)).await;
    stores.order(2, Quantity::One, at(51)).await;
    let claimed = stores.claim(4, at(51)).await;
    let order: Vec<_> = claimed.iter().map(|leased| leased.job.id.value()).collect();
    assert_eq!(order, [101, 102, 103, 201], "further videos ordered 50 s earlier go before a first one");
}

async fn work_in_flight_goes_before_a_backlog(stores: Stores) {
    stores.order(1, Quantity::One, at(0)).await;
    stores.until_rendering(1, at(0)).await;
    stores.order(2, Quantity::One, at(5)).await;
    stores.order(3, Quantity::One, at(6)).await;
    let order: Vec<_> = stores.claim(3, at(900)).await.iter().map(|leased| leased.job.id.value()).collect();
    assert_eq!(order, [101, 201, 301], "the look at the render, although it fell due last");
}

async fn a_refused_attempt_holds_up_no_claim(stores: Stores) {
    stores.order(1, Quantity::One, at(0)).await;
    for n in 0..20 {
        let leased = stores.claim_one(at(n)).await;
        stores.jobs.give_back(&[leased.lease], at(n)).await.unwrap();
        // Not where a key is chosen, and its lease has the newest number still.
        let late = LeasedJob { lease: Lease { number: leased.lease.number + 1, ..leased.lease }, ..leased };
        let refused =
            stores.jobs.open_attempt(&late, AttemptId::new(1), &roster(), &rules(), at(n)).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Conflict);
        let again = stores.claim_one(at(n)).await;
        stores.jobs.give_back(&[again.lease], at(n)).await.unwrap();
    }
}

async fn a_job_that_is_put_off_keeps_its_place(stores: Stores) {
    stores.order(1, Quantity::One, at(0)).await;
    let elder = stores.until_submitting(at(0)).await;
    stores.step(&elder, Event::KeysBusy { until: at(100) }, at(0)).await.unwrap();
    stores.order(2, Quantity::One, at(60)).await;
    assert_eq!(stores.claim_one(at(99)).await.job.id.value(), 201, "not before it is due");
    stores.order(3, Quantity::One, at(95)).await;
    let order: Vec<_> = stores.claim(5, at(100)).await.iter().map(|leased| leased.job.id.value()).collect();
    assert_eq!(order, [101, 301], "and then before those who came later");
}

async fn a_job_is_not_claimed_before_it_is_due_and_the_claim_says_when(stores: Stores) {
    stores.order(1, Quantity::One, at(0)).await;
    stores.until_rendering(7, at(0)).await;
    let early = stores.jobs.claim_due(WORKER, 5, TERMS, at(29)).await.unwrap();
    assert!(early.jobs.is_empty());
    assert_eq!(early.next_due_at, Some(at(30)));
    assert_eq!(stores.claim(5, at(30)).await.len(), 1);
}

async fn a_write_under_a_lost_lease_changes_nothing(stores: Stores) {
    stores.order(1, Quantity::One, at(0)).await;
    let late = stores.claim_one(at(0)).await;
    assert_eq!(stores.jobs.rescue_dead(at(45)).await.unwrap(), [late.job.id]);
    let error = stores.step(&late, Event::Started, at(45)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "between rescue and claim");
    let next = stores.claim_one(at(45)).await;
    assert!(next.lease.number > late.lease.number);
    assert_eq!(stores.step(&late, Event::Started, at(46)).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(stores.jobs.job(late.job.id).await.unwrap().unwrap().job.state, State::Queued);
    stores.step(&next, Event::Started, at(46)).await.unwrap();
    assert_eq!(
        stores.step(&next, Event::Started, at(47)).await.unwrap_err().kind(),
        ErrorKind::Conflict,
        "once"
    );
    let error =
        stores.jobs.open_attempt(&late, AttemptId::new(1), &roster(), &rules(), at(47)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
}

async fn a_heartbeat_keeps_a_job_and_silence_loses_it(stores: Stores) {
    stores.order(1, Quantity::One, at(0)).await;
    let leased = stores.claim_one(at(0)).await;
    assert!(stores.jobs.extend_leases(&[leased.lease], TERMS, at(30)).await.unwrap().is_empty());
    assert!(stores.jobs.rescue_dead(at(74)).await.unwrap().is_empty());
    assert_eq!(stores.jobs.rescue_dead(at(75)).await.unwrap(), [leased.job.id]);
    let lost = stores.jobs.extend_leases(&[leased.lease], TERMS, at(76)).await.unwrap();
    assert_eq!(lost, [leased.lease], "a heartbeat does not bring a lost lease back");
}

async fn a_heartbeat_for_an_old_lease_is_lost_although_the_same_worker_holds_a_new_one(stores: Stores) {
    stores.order(1, Quantity::One, at(0)).await;
    let old = stores.claim_one(at(0)).await.lease;
    stores.jobs.rescue_dead(at(45)).await.unwrap();
    let new = stores.claim_one(at(45)).await.lease;
    assert_eq!(stores.jobs.extend_leases(&[old, new], TERMS, at(46)).await.unwrap(), [old]);
}

async fn a_hung_step_is_rescued_although_its_worker_still_beats(stores: Stores) {
    stores.order(1, Quantity::One, at(0)).await;
    let leased = stores.claim_one(at(0)).await;
    for seconds in (30..300).step_by(30) {
        assert!(stores.jobs.extend_leases(&[leased.lease], TERMS, at(seconds)).await.unwrap().is_empty());
    }
    assert!(stores.jobs.rescue_dead(at(300)).await.unwrap().is_empty());
    assert!(stores.jobs.rescue_hung(at(299)).await.unwrap().is_empty());
    assert_eq!(stores.jobs.rescue_hung(at(300)).await.unwrap(), [leased.job.id]);
}

async fn the_first_lease_or_deadline_to_run_out_is_told(stores: Stores) {
    stores.order(1, Quantity::Three, at(0)).await;
    assert_eq!(stores.jobs.next_expiry().await.unwrap(), None, "nothing is claimed");
    let first = stores.claim(1, at(0)).await.remove(0);
    let second = stores.claim(1, at(10)).await.remove(0);
    assert_eq!(stores.jobs.next_expiry().await.unwrap(), Some(at(45)));
    stores.jobs.extend_leases(&[first.lease], TERMS, at(30)).await.unwrap();
    assert_eq!(stores.jobs.next_expiry().await.unwrap(), Some(at(55)));
    stores.step(&second, Event::Started, at(31)).await.unwrap();
    assert_eq!(stores.jobs.next_expiry().await.unwrap(), Some(at(75)), "a job let go has no lease");
    stores.jobs.extend_leases(&[first.lease], TERMS, at(290)).await.unwrap();
    assert_eq!(stores.jobs.next_expiry().await.unwrap(), Some(at(300)), "its deadline comes first");
    assert_eq!(stores.jobs.rescue_hung(at(300)).await.unwrap(), [first.job.id]);
    assert_eq!(stores.jobs.next_expiry().await.unwrap(), None);
}

async fn a_rescued_job_keeps_its_urgency(stores: Stores) {
    stores.order(1, Quantity::One, at(0)).await;
    stores.claim_one(at(0)).await;
    stores.order(2, Quantity::One, at(20)).await;
    stores.jobs.rescue_dead(at(60)).await.unwrap();
    let order: Vec<_> = stores.claim(5, at(60)).await.iter().map(|leased| leased.job.id.value()).collect();
    assert_eq!(order, [101, 201]);
}

async fn a_job_that_kills_every_worker_is_given_up_and_its_credit_comes_back(stores: Stores) {
    stores.order(1, Quantity::One, at(0)).await;
    for rescue in 0..rules().retry.rescues_max {
        let leased = stores.claim_one(at(u64::from(rescue) * 100)).await;
        assert_eq!(leased.job.task(at(0), &rules().retry), Some(Task::Start));
        stores.jobs.rescue_dead(at(u64::from(rescue) * 100 + 99)).await.unwrap();
    }
    let leased = stores.claim_one(at(10_000)).await;
    assert_eq!(leased.job.task(at(0), &rules().retry), Some(Task::Abandon));
    stores.step(&leased, Event::Abandoned, at(10_000)).await.unwrap();
    assert_eq!(stores.ledger.balance(leased.job.user).await.unwrap().available.value(), 1);
    stores.assert_audit_is_clean().await;
}

async fn a_job_given_back_is_due_at_once(stores: Stores) {
    stores.order(1, Quantity::One, at(0)).await;
    let leased = stores.claim_one(at(0)).await;
    stores.jobs.give_back(&[leased.lease], at(1)).await.unwrap();
    let again = stores.claim_one(at(1)).await;
    assert_eq!(
        (again.job, again.lease.number),
        (leased.job, leased.lease.number + 2),
        "no rescue is counted"
    );
    stores.jobs.give_back(&[leased.lease], at(2)).await.unwrap();
    assert!(stores.claim(1, at(2)).await.is_empty(), "an old lease gives nothing back");
}

async fn a_step_is_stored_whole_or_not_at_all(stores: Stores) {
    stores.order(1, Quantity::One, at(0)).await;
    let leased = stores.claim_one(at(0)).await;
    let mut step = apply(&leased.job, Event::Started, &rules(), at(1)).unwrap();
    // A ledger entry that is already there: the job and the message must not be written either.
    step.entries.push(Entry::hold(leased.job.user, domain::money::Credits::of(1), leased.job.order, at(1)));
    let error =
        stores.jobs.store_step(leased.lease, &step, AfterStep::Release, None, at(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Inconsistent);
    assert_eq!(stores.jobs.job(leased.job.id).await.unwrap().unwrap().job.state, State::Queued);
    let messages = stores.outbox.claim_due(WORKER, 10, at(60), at(2)).await.unwrap().messages;
    assert_eq!(messages.len(), 1, "only the order's own message");
    stores.step(&leased, Event::Started, at(3)).await.unwrap();
    stores.assert_audit_is_clean().await;
}

async fn a_finished_job_is_never_claimed_again(stores: Stores) {
    let placed = stores.order(1, Quantity::One, at(0)).await;
    stores.jobs.cancel(placed.jobs[0].id, &rules(), at(1)).await.unwrap();
    let later = stores.jobs.claim_due(WORKER, 5, TERMS, at(1_000_000)).await.unwrap();
    assert!(later.jobs.is_empty());
    assert_eq!(later.next_due_at, None);
}

async fn an_account_at_its_create_limit_makes_the_next_one_wait(stores: Stores) {
    let one_key = KeyRoster {
        keys: vec![roster().keys.remove(0)],
        limits: AccountLimits { creates_max: 2, ..AccountLimits::default() },
    };
    let mut waits = 0;
    for n in 1..=3_u8 {
        stores.order(n, Quantity::One, at(0)).await;
        let leased = stores.until_submitting(at(0)).await;
        let attempt = AttemptId::new(n.into());
        let step = stores.jobs.open_attempt(&leased, attempt, &one_key, &rules(), at(0)).await.unwrap();
        if matches!(step.job.state, State::Submitting { open: None }) {
            assert_eq!(step.next_run_at, Some(at(10)), "when the window frees a place");
            waits += 1;
        }
    }
    assert_eq!(waits, 1);
    let facts = stores.jobs.provider_facts(&one_key, at(0)).await.unwrap().keys;
    assert_eq!((facts[0].account_created, facts[0].account_running, facts[0].key_running), (2, 2, 2));
    assert_eq!(stores.jobs.provider_facts(&one_key, at(10)).await.unwrap().keys[0].account_created, 0);
}

/// Opens attempt `n` for a job that is about to be submitted and has it refused.
async fn refuse(stores: &Stores, leased: &LeasedJob, n: u128, reason: Reason, now: u64) -> KeyId {
    let attempt = AttemptId::new(n);
    let step = stores.jobs.open_attempt(leased, attempt, &roster(), &rules(), at(now)).await.unwrap();
    let State::Submitting { open: Some(open) } = &step.job.state else {
        panic!("no attempt was opened: {step:?}")
    };
    let key = open.key.clone();
    let opened = LeasedJob { job: step.job, lease: leased.lease };
    stores.step(&opened, Event::Refused { attempt, failure: failure(reason) }, at(now)).await.unwrap();
    key
}

async fn a_billing_failure_moves_the_job_to_another_key(stores: Stores) {
    stores.order(1, Quantity::One, at(0)).await;
    let leased = stores.until_submitting(at(0)).await;
    let first = refuse(&stores, &leased, 1, Reason::AccountCredits, 0).await;
    let leased = stores.claim_one(at(0)).await;
    let second = refuse(&stores, &leased, 2, Reason::ProviderFault, 1).await;
    assert_ne!(first, second);
    let record = stores.jobs.job(leased.job.id).await.unwrap().unwrap();
    assert_eq!(record.job.retries, 1, "the billing failure used up none");
    assert_eq!(record.next_run_at, Some(at(11)));
}

async fn without_a_key_that_pays_the_credit_comes_back(stores: Stores) {
    stores.order(1, Quantity::One, at(0)).await;
    let mut leased = stores.until_submitting(at(0)).await;
    for n in 1..=2 {
        refuse(&stores, &leased, n, Reason::AccountCredits, 0).await;
        leased = stores.claim_one(at(0)).await;
    }
    let step =
        stores.jobs.open_attempt(&leased, AttemptId::new(3), &roster(), &rules(), at(0)).await.unwrap();
    assert!(matches!(step.job.state, State::Refunded { cause: RefundCause::NoKey, .. }));
    assert_eq!(stores.ledger.balance(leased.job.user).await.unwrap().available.value(), 1);
    stores.assert_audit_is_clean().await;
}

async fn a_cool_down_only_moves_later(stores: Stores) {
    stores.order(1, Quantity::One, at(0)).await;
    let leased = stores.until_submitting(at(0)).await;
    let key = refuse(&stores, &leased, 1, Reason::AccountCredits, 0).await;
    let mut step =
        apply(&stores.claim_one(at(0)).await.job, Event::CancelRequested, &rules(), at(1)).unwrap();
    let lease = ports::Lease { job: leased.job.id, number: leased.lease.number + 1 };
    let short = domain::key::Cooling { since: at(1), until: at(5), cause: CoolingCause::RateLimited };
    step.cooling = Some((key.clone(), short));
    stores.jobs.store_step(lease, &step, AfterStep::Release, None, at(1)).await.unwrap();
    let facts = stores.jobs.provider_facts(&roster(), at(1)).await.unwrap().keys;
    let cooling = facts.iter().find(|facts| facts.key == key).unwrap().cooling.unwrap();
    assert_eq!((cooling.until, cooling.cause), (at(1_800), CoolingCause::Billing));
}

async fn every_submission_is_kept_with_what_was_said(stores: Stores) {
    stores.order(1, Quantity::One, at(0)).await;
    let leased = stores.until_submitting(at(0)).await;
    let first = refuse(&stores, &leased, 1, Reason::AccountCredits, 0).await;
    let leased = stores.claim_one(at(0)).await;
    let attempt = AttemptId::new(2);
    let step = stores.jobs.open_attempt(&leased, attempt, &roster(), &rules(), at(3)).await.unwrap();
    let event = Event::Refused { attempt, failure: failure(Reason::Nudity) };
    let step = apply(&step.job, event, &rules(), at(4)).unwrap();
    let said = Some("erotic content");
    stores.jobs.store_step(leased.lease, &step, AfterStep::Release, said, at(4)).await.unwrap();
    let kept = stores.jobs.attempts(leased.job.id).await.unwrap();
    assert_eq!(kept.len(), 2);
    assert_eq!((&kept[0].key, kept[0].failure), (&first, Some(failure(Reason::AccountCredits))));
    assert_eq!((kept[1].id, kept[1].sent_at, kept[1].changed_at), (attempt, at(3), at(4)));
    assert_eq!((kept[1].status, kept[1].evidence.as_deref()), (AttemptStatus::Refused, said));
    assert!(stores.jobs.attempts(JobId::new(99)).await.unwrap().is_empty());
}

async fn a_cancelled_job_is_taken_from_its_worker(stores: Stores) {
    stores.order(1, Quantity::One, at(0)).await;
    let leased = stores.claim_one(at(0)).await;
    let step = stores.jobs.cancel(leased.job.id, &rules(), at(1)).await.unwrap();
    assert!(matches!(step.job.state, State::Cancelled { .. }));
    assert_eq!(stores.step(&leased, Event::Started, at(2)).await.unwrap_err().kind(), ErrorKind::Conflict);
    let again = stores.jobs.cancel(leased.job.id, &rules(), at(3)).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Rejected);
    let unknown = stores.jobs.cancel(JobId::new(99), &rules(), at(3)).await.unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::Rejected);
    stores.assert_audit_is_clean().await;
}

async fn a_job_with_the_provider_cannot_be_cancelled(stores: Stores) {
    let placed = stores.order(1, Quantity::One, at(0)).await;
    stores.until_rendering(7, at(0)).await;
    let error = stores.jobs.cancel(placed.jobs[0].id, &rules(), at(1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    assert_eq!(stores.claim(1, at(30)).await.len(), 1, "nothing changed");
}

async fn jobs_are_listed_newest_first_and_by_state(stores: Stores) {
    stores.order(1, Quantity::One, at(0)).await;
    let id = stores.photos.put(&crate::make::photo(), at(0)).await.unwrap();
    stores.grant("more", 5).await;
    stores.orders.place(&placement(2, Quantity::One, id, at(9))).await.unwrap();
    let leased = stores.claim(1, at(9)).await.remove(0);
    stores.step(&leased, Event::Started, at(9)).await.unwrap();
    let ids = |records: Vec<ports::JobRecord>| records.iter().map(|r| r.job.id.value()).collect::<Vec<_>>();
    let all = JobFilter { limit: 10, ..JobFilter::default() };
    assert_eq!(ids(stores.jobs.list(&all).await.unwrap()), [201, 101]);
    let queued = JobFilter { state: Some(StateName::Queued), ..all.clone() };
    assert_eq!(ids(stores.jobs.list(&queued).await.unwrap()), [201]);
    assert_eq!(ids(stores.jobs.list(&JobFilter { limit: 1, ..all }).await.unwrap()), [201]);
}
