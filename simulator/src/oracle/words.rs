//! What the provider says, against what it is taken for.
//!
//! The simulated provider's words are few and known, so what each of them means is written down here a second time,
//! without the rules by which the product reads words it has never seen.

use domain::{
    failure::{Failure, FailureClass, Reason},
    job::AttemptStatus,
    key::CoolingCause,
};

use super::{
    jobs::{Live, Stage, Told},
    tally::{Law, Scene, Tally},
};
use crate::provider::kie_model::words::{PEOPLE, PEOPLE_AT_ONCE, SIMILARITY};

const LAW: Law = Law::RetryDiscipline;

pub(super) fn check(
    tally: &mut Tally,
    scene: Scene,
    live: &Live,
    told: &Told<'_>,
    evidence: Option<&str>,
    knows_all_calls: bool,
) {
    cooling(tally, scene, live, told);
    let Some(failure) = told.failure() else { return };
    // A call of an earlier attempt may come in late, and would be taken for this one's.
    let is_its_own = knows_all_calls && !live.unseen_earlier;
    if let (Some(AttemptStatus::Refused), Some(code), true) = (told.status(), live.refused_with, is_its_own) {
        tally.hold(scene, LAW, means(code, failure), || {
            format!(
                "the provider refused with code {code}, and it counts as {} ({})",
                failure.class, failure.reason
            )
        });
    }
    if let Some(evidence) = evidence {
        let is_violation = is_violation(evidence);
        let is_right = is_violation == (failure.class == FailureClass::UserViolation);
        tally.hold(scene, LAW, is_right, || {
            format!("`{evidence}` counts as {} ({})", failure.class, failure.reason)
        });
    }
}

/// Whether a refusal with this code may count as this failure.
fn means(code: i64, Failure { class, reason }: Failure) -> bool {
    match code {
        401 => reason == Reason::KeyRejected,
        402 => class == FailureClass::Billing,
        429 => class == FailureClass::RateLimited,
        _ => true,
    }
}

/// Whether the simulated provider means that the photo, the text or the result is forbidden.
fn is_violation(said: &str) -> bool {
    [PEOPLE, PEOPLE_AT_ONCE, SIMILARITY].iter().any(|words| said.contains(words))
}

/// A key goes out of use only when it is to blame: its account cannot pay, it is not accepted, or it was too fast.
fn cooling(tally: &mut Tally, scene: Scene, live: &Live, told: &Told<'_>) {
    let Some((key, cooling)) = &told.step.cooling else { return };
    let is_right = match &told.step.attempt {
        // A failed upload leaves no attempt that could name its reason.
        None => live.stage == Stage::Ready,
        // A key on trial stays out of use until it is proved; one that fails while others work goes out of use.
        Some(change) if change.status == AttemptStatus::Sent => {
            change.key == *key || cooling.cause == CoolingCause::Faults
        }
        Some(change) => change.key == *key && change.failure.is_some_and(is_the_keys_fault),
    };
    tally.hold(scene, LAW, is_right, || {
        format!(
            "key {key} was put out of use as {} after {:?}",
            cooling.cause.as_str(),
            told.failure().map(|failure| failure.reason)
        )
    });
}

const fn is_the_keys_fault(Failure { class, reason }: Failure) -> bool {
    matches!(class, FailureClass::Billing | FailureClass::RateLimited)
        || matches!(reason, Reason::KeyRejected)
}
