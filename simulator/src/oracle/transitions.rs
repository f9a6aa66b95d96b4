//! Where a job may go from where it stands. Written down from the transition table, and held against the machine by a
//! test, so that a change of either shows.

use domain::{
    job::{AttemptStatus, State},
    notice::RefundCause,
};

use super::{
    jobs::{Live, Stage, Told},
    tally::{Law, Scene, Tally},
};

/// Whether a step may lead from one stage to the other.
pub(super) const fn leads(from: Stage, to: Stage) -> bool {
    use Stage::{Awaiting, Cancelled, Delivering, Done, Prompting, Queued, Ready, Refunded, Rendering};
    match from {
        Queued => matches!(to, Prompting | Refunded | Cancelled),
        Prompting => matches!(to, Ready | Refunded | Cancelled),
        Ready => matches!(to, Ready | Awaiting | Refunded | Cancelled),
        Awaiting => matches!(to, Awaiting | Ready | Rendering | Refunded),
        Rendering => matches!(to, Rendering | Ready | Delivering | Refunded),
        Delivering => matches!(to, Delivering | Done | Refunded),
        Done | Refunded | Cancelled => false,
    }
}

/// Whether a credit may come back from this stage for this cause.
pub(super) const fn may_refund(from: Stage, cause: RefundCause) -> bool {
    match cause {
        RefundCause::OurFault => !from.is_end(),
        RefundCause::NoKey | RefundCause::ProviderDown => matches!(from, Stage::Ready),
        RefundCause::Undeliverable | RefundCause::RecipientGone => matches!(from, Stage::Delivering),
        RefundCause::Violation(_)
        | RefundCause::Input(_)
        | RefundCause::ModelUnavailable
        | RefundCause::RetriesExhausted
        | RefundCause::TooBusy => matches!(from, Stage::Ready | Stage::Awaiting | Stage::Rendering),
    }
}

/// What may become of the attempt on the way.
pub(super) const fn may_become(from: Stage, to: Stage, status: Option<AttemptStatus>) -> bool {
    use AttemptStatus::{Failed, Lost, Refused, Rendered, Running, Sent, Unanswered};
    match (from, to) {
        (Stage::Ready, Stage::Awaiting) => matches!(status, Some(Sent)),
        (Stage::Awaiting, Stage::Awaiting) => matches!(status, Some(Unanswered)),
        (Stage::Awaiting, Stage::Ready | Stage::Refunded) => matches!(status, Some(Lost | Refused)),
        (Stage::Awaiting, Stage::Rendering) => matches!(status, Some(Running)),
        (Stage::Rendering, Stage::Ready) => matches!(status, Some(Failed)),
        (Stage::Rendering, Stage::Refunded) => matches!(status, Some(Failed | Lost)),
        (Stage::Rendering, Stage::Delivering) => matches!(status, Some(Rendered)),
        _ => status.is_none(),
    }
}

pub(super) fn check(tally: &mut Tally, scene: Scene, live: &Live, told: &Told<'_>) {
    let (from, to, status) = (live.stage, told.to, told.status());
    let is_legal = leads(from, to)
        && may_become(from, to, status)
        && match &told.step.job.state {
            State::Refunded { cause, .. } => may_refund(from, *cause),
            _ => true,
        };
    tally.hold(scene, Law::LegalTransitions, is_legal, || {
        format!("from {from:?} to {:?}, attempt {status:?}", told.step.job.state)
    });
    let is_adopted = told.lease.is_none() && (from, to) == (Stage::Awaiting, Stage::Rendering);
    let needs_none = to == Stage::Cancelled || is_adopted;
    tally.hold(scene, Law::LegalTransitions, needs_none == told.lease.is_none(), || {
        format!(
            "from {from:?} to {to:?} under lease {:?}: cancelling and adopting have none, everything else has one",
            told.lease
        )
    });
    tally.hold(scene, Law::LegalTransitions, to.is_end() == told.step.next_run_at.is_none(), || {
        format!("{to:?} and next due at {:?}", told.step.next_run_at)
    });
    attempt(tally, scene, live, told);
    identity(tally, scene, live, told);
}

/// The attempt that changes is the job's present one, or a new one that is just sent.
fn attempt(tally: &mut Tally, scene: Scene, live: &Live, told: &Told<'_>) {
    let changed = told.step.attempt.as_ref().map(|change| change.id);
    let present = match &told.step.job.state {
        State::Submitting { open: Some(open) } => Some(open.id),
        State::Rendering { attempt, .. } | State::Delivering { attempt, .. } => Some(*attempt),
        _ => None,
    };
    let is_right = if told.status() == Some(AttemptStatus::Sent) {
        changed == present && changed != live.attempt
    } else {
        changed.is_none_or(|id| Some(id) == live.attempt) && present.is_none_or(|id| Some(id) == live.attempt)
    };
    tally.hold(scene, Law::LegalTransitions, is_right, || {
        format!("about attempt {changed:?}, leading to {present:?}, while the job's is {:?}", live.attempt)
    });
}

/// A job stays itself.
fn identity(tally: &mut Tally, scene: Scene, live: &Live, told: &Told<'_>) {
    let job = &told.step.job;
    let is_same = live.born.is_none_or(|born| born == (job.id, job.created_at))
        && (job.user, job.video) == (live.user, live.video);
    tally.hold(scene, Law::LegalTransitions, is_same, || {
        format!(
            "job {} of user {}, video {:?}, stored where user {}'s video {:?} was",
            job.id, job.user, job.video, live.user, live.video
        )
    });
    let is_forward = job.retries >= live.retries
        && job.lost_answers >= live.lost_answers
        && job.delivery_failures >= live.delivery_failures;
    tally.hold(scene, Law::LegalTransitions, is_forward, || {
        format!(
            "counts went back: retries {} to {}, lost answers {} to {}, delivery failures {} to {}",
            live.retries,
            job.retries,
            live.lost_answers,
            job.lost_answers,
            live.delivery_failures,
            job.delivery_failures
        )
    });
}
