//! What each kind of failure has to lead to, and when.

use std::time::Duration;

use domain::{
    circuit::CircuitChange,
    decision::RetryPolicy,
    failure::{Failure, FailureClass, Reason},
    job::{AttemptStatus, State},
    key::CoolingCause,
    notice::{NoticeKind, RefundCause},
    time::Timestamp,
};

use super::{
    jobs::{Live, Stage, Told},
    tally::{Law, Scene, Tally},
};

const LAW: Law = Law::RetryDiscipline;

pub(super) fn check(tally: &mut Tally, scene: Scene, live: &Live, told: &Told<'_>, policy: &RetryPolicy) {
    retry(tally, scene, live, told, policy);
    if let Some(failure) = told.failure() {
        let problem = wrong(live, told, policy, failure);
        tally.hold(scene, LAW, problem.is_none(), || {
            format!("{} ({}) {}", failure.class, failure.reason, problem.unwrap_or_default())
        });
    }
    if let State::Refunded { cause, .. } = told.step.job.state {
        let problem = unfounded(live, told, policy, cause);
        tally.hold(scene, LAW, problem.is_none(), || {
            format!("refunded as {}: {}", cause.code(), problem.unwrap_or_default())
        });
    }
    lost_answers(tally, scene, live, told);
    delivery(tally, scene, live, told, policy);
}

/// A retry is announced, counted and due when it was promised.
fn retry(tally: &mut Tally, scene: Scene, live: &Live, told: &Told<'_>, policy: &RetryPolicy) {
    let used = told.step.job.retries.saturating_sub(live.retries);
    let promise = told.step.notices.iter().find_map(|notice| match notice.kind {
        NoticeKind::Retrying { retry, of, delay } => Some((retry, of, delay)),
        _ => None,
    });
    let Some((number, of, delay)) = promise else {
        tally.hold(scene, LAW, used == 0, || format!("{used} retries were used up and none was announced"));
        return;
    };
    let wanted = policy.delays.get(usize::from(number).wrapping_sub(1)).copied();
    let is_right = used == 1
        && number == told.step.job.retries
        && usize::from(of) == policy.delays.len()
        && wanted == Some(delay)
        && told.to == Stage::Ready
        && is_due_after(told, delay);
    tally.hold(scene, LAW, is_right, || {
        format!(
            "retry {number} of {of} after {} s is due {:?} ms after the failure, with {} retries used before",
            delay.as_secs(),
            told.step.next_run_at.map(|at| at.since(told.at).as_millis()),
            live.retries
        )
    });
}

/// The step is due that long after it was decided; a store that was away may have taken it later.
fn is_due_after(told: &Told<'_>, delay: Duration) -> bool {
    let (least, most) = (told.decided_from.after(delay), told.at.after(delay));
    told.step.next_run_at.is_some_and(|at| (least..=most).contains(&at))
}

/// What is wrong with what a failed submission or render led to, if anything.
fn wrong(
    live: &Live,
    told: &Told<'_>,
    policy: &RetryPolicy,
    Failure { class, reason }: Failure,
) -> Option<String> {
    let Told { step, to, .. } = told;
    let refunded_as = match step.job.state {
        State::Refunded { cause, .. } => Some(cause),
        _ => None,
    };
    let must_refund = |cause: RefundCause| {
        (refunded_as != Some(cause))
            .then(|| format!("must be refunded as {} and led to {to:?}", cause.code()))
    };
    match (class, reason) {
        (FailureClass::UserViolation, _) => must_refund(RefundCause::Violation(reason)),
        (FailureClass::InvalidInput, _) => must_refund(RefundCause::Input(reason)),
        (FailureClass::Unavailable, Reason::ModelUnavailable) => another_model(live, told, policy),
        (FailureClass::Unavailable, Reason::KeyRejected) => another_key(live, told, CoolingCause::Rejected),
        (FailureClass::Unavailable, _) => must_refund(RefundCause::OurFault),
        (FailureClass::Billing, _) => another_key(live, told, CoolingCause::Billing),
        // Whether patience is over is checked with the refund's cause.
        (FailureClass::RateLimited, _) if refunded_as == Some(RefundCause::TooBusy) => None,
        (FailureClass::RateLimited, _) => another_key(live, told, CoolingCause::RateLimited),
        // Sent for the sake of all others, while the provider was known to be down.
        (FailureClass::Temporary | FailureClass::Unknown, _) if live.is_probe => {
            let goes_on = *to == Stage::Ready && step.job.retries == live.retries && !step.job.is_probe;
            (!goes_on).then(|| format!("was a probe's, must cost no retry and led to {to:?}"))
        }
        (FailureClass::Temporary | FailureClass::Unknown, _) => {
            if usize::from(live.retries) >= policy.delays.len() {
                return must_refund(RefundCause::RetriesExhausted);
            }
            let is_retried = *to == Stage::Ready && step.job.retries == live.retries + 1;
            (!is_retried).then(|| format!("must be retried and led to {to:?}"))
        }
    }
}

/// The key that met the failure is out of use, and the job goes on at once without it.
fn another_key(live: &Live, told: &Told<'_>, cause: CoolingCause) -> Option<String> {
    let step = told.step;
    let key = step.attempt.as_ref().map(|change| &change.key);
    let cools = step.cooling.as_ref().is_some_and(|(cooled, cooling)| {
        Some(cooled) == key && cooling.cause == cause && cooling.until > told.decided_from
    });
    let goes_on = told.to == Stage::Ready && is_due_after(told, Duration::ZERO);
    let is_right = cools && goes_on && step.job.retries == live.retries && step.job.avoid_key.as_ref() == key;
    (!is_right).then(|| {
        format!(
            "must put key {key:?} out of use as {} and go on at once; led to {:?} with cool-down {:?}, retries {} to {}",
            cause.as_str(),
            told.to,
            step.cooling,
            live.retries,
            step.job.retries
        )
    })
}

/// The model's circuit opens, and the job goes on at once without using up a retry; whether a model is left is found out
/// when the next one is chosen.
fn another_model(live: &Live, told: &Told<'_>, policy: &RetryPolicy) -> Option<String> {
    let step = told.step;
    let opens = step.circuits.iter().any(|change| match change {
        CircuitChange::Refused { model, until } => {
            Some(model) == step.job.model.as_ref()
                && (told.decided_from.after(policy.model_cooling)..=told.at.after(policy.model_cooling))
                    .contains(until)
        }
        _ => false,
    });
    let goes_on = told.to == Stage::Ready && is_due_after(told, Duration::ZERO);
    let is_right = opens && goes_on && step.job.retries == live.retries;
    (!is_right).then(|| {
        format!(
            "must open the model's circuit and go on at once; led to {:?} with {:?}",
            told.to, step.circuits
        )
    })
}

/// Why a credit may not come back for this cause yet, if it may not.
fn unfounded(live: &Live, told: &Told<'_>, policy: &RetryPolicy, cause: RefundCause) -> Option<String> {
    let waited = told.at.since(told.step.job.created_at);
    match cause {
        RefundCause::RetriesExhausted if told.status() == Some(AttemptStatus::Lost) => {
            let lost = told.step.job.lost_answers;
            (lost <= policy.lost_answers_max).then(|| format!("only {lost} answers were lost"))
        }
        RefundCause::RetriesExhausted => (usize::from(live.retries) < policy.delays.len())
            .then(|| format!("only {} retries were used", live.retries)),
        RefundCause::TooBusy | RefundCause::ProviderDown => {
            (waited < policy.patience).then(|| format!("after {} s", waited.as_secs()))
        }
        RefundCause::OurFault if told.is_abandoned() => {
            (live.rescues < policy.rescues_max).then(|| format!("after {} rescues", live.rescues))
        }
        RefundCause::ModelUnavailable => {
            (live.stage != Stage::Ready).then(|| "no model was being chosen".to_owned())
        }
        // Without a judgement it can only be an upload's, which leaves no attempt.
        RefundCause::OurFault => {
            let is_right = told.failure().is_some() || live.stage == Stage::Ready;
            (!is_right).then(|| "nothing failed".to_owned())
        }
        RefundCause::Violation(_)
        | RefundCause::Input(_)
        | RefundCause::NoKey
        | RefundCause::Undeliverable
        | RefundCause::RecipientGone => None,
    }
}

fn lost_answers(tally: &mut Tally, scene: Scene, live: &Live, told: &Told<'_>) {
    let counted = told.step.job.lost_answers.saturating_sub(live.lost_answers);
    let is_lost = told.status() == Some(AttemptStatus::Lost) && !told.is_abandoned();
    tally.hold(scene, LAW, counted == u8::from(is_lost), || {
        format!("{counted} answers were counted as lost, attempt {:?}", told.status())
    });
}

fn delivery(tally: &mut Tally, scene: Scene, live: &Live, told: &Told<'_>, policy: &RetryPolicy) {
    let used = told.step.job.delivery_failures.saturating_sub(live.delivery_failures);
    if (live.stage, told.to) != (Stage::Delivering, Stage::Delivering) {
        tally.hold(scene, LAW, used == 0, || format!("{used} failed deliveries were counted out of place"));
        return;
    }
    let delay = policy.delivery_delays.get(usize::from(live.delivery_failures)).copied();
    let is_right = used == 1 && delay.is_some_and(|delay| is_due_after(told, delay));
    tally.hold(scene, LAW, is_right, || {
        let due = told.step.next_run_at.map(|at: Timestamp| at.since(told.at).as_millis());
        let failures = live.delivery_failures;
        format!("delivery failed again after {failures} failures; tried again in {due:?} ms, not {delay:?}")
    });
}
