//! What to do about a failure: the second half of failure handling, after [`crate::failure`].

use std::time::Duration;

use crate::{
    breaker::OutagePolicy,
    failure::{Failure, FailureClass, Reason},
    key::CoolingTimes,
    notice::RefundCause,
};

/// The rules of trying again, as data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The delay before each retry; there are as many retries as delays.
    pub delays: Vec<Duration>,
    /// Delays between attempts to hand a finished video over.
    pub delivery_delays: Vec<Duration>,
    /// How long a lost createTask answer is waited for before the job is submitted again. The provider offers no
    /// idempotency key and no list of tasks, so the answer may yet arrive by callback.
    pub lost_answer_grace: Duration,
    /// Lost answers after which a job is submitted again, without using up a retry. One more and its credit comes
    /// back: every lost answer may be a render that is paid for.
    pub lost_answers_max: u8,
    /// How long after its acceptance a task may be unknown to the provider's own lookup. Longer than most renders, so
    /// that one wrong answer does not pay for a second render.
    pub unknown_task_grace: Duration,
    /// How long a job may be put off for lack of room before its user gets the credit back.
    pub patience: Duration,
    /// How often in a row a job may be rescued from dead or hung workers. A step that ends its worker each time must
    /// not hold a credit for ever.
    pub rescues_max: u8,
    /// How long a model the provider stopped offering is left alone before one job tries it again.
    pub model_cooling: Duration,
    /// How long an uploaded photo is good for: the provider keeps inputs for 24 h (KIE docs, file upload).
    pub upload_valid_for: Duration,
    /// Cool-downs of keys.
    pub cooling: CoolingTimes,
    /// When nobody submits because the provider is down; `None` when each job is to find out for itself.
    pub outage: Option<OutagePolicy>,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        let s = Duration::from_secs;
        Self {
            delays: vec![s(10), s(20), s(40)],
            delivery_delays: vec![s(10), s(20), s(40), s(80), s(160), s(320)],
            lost_answer_grace: s(120),
            lost_answers_max: 1,
            unknown_task_grace: s(300),
            patience: s(2 * 60 * 60),
            rescues_max: 8,
            model_cooling: crate::circuit::COOLING,
            upload_valid_for: s(20 * 60 * 60),
            cooling: CoolingTimes::default(),
            outage: Some(OutagePolicy::default()),
        }
    }
}

impl RetryPolicy {
    /// How many retries there are.
    #[must_use]
    pub fn retries_max(&self) -> u8 {
        u8::try_from(self.delays.len()).unwrap_or(u8::MAX)
    }
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Give the credit back and say why.
    Release(RefundCause),
    /// Try again after the delay; uses up one retry.
    Retry {
        /// Which retry this is, from 1.
        retry: u8,
        /// How long to wait.
        delay: Duration,
    },
    /// Submit again with whichever key is usable; uses up no retry.
    Resubmit,
    /// Submit again with another model, if one is left; uses up no retry.
    OtherModel,
}

/// Decides about a failed submission or render. `retries` have been used so far; `waited` is the age of the job.
#[must_use]
pub fn decide(failure: Failure, retries: u8, waited: Duration, policy: &RetryPolicy) -> Decision {
    match failure.class {
        FailureClass::UserViolation => Decision::Release(RefundCause::Violation(failure.reason)),
        FailureClass::InvalidInput => Decision::Release(RefundCause::Input(failure.reason)),
        FailureClass::Billing => Decision::Resubmit,
        FailureClass::RateLimited if waited >= policy.patience => Decision::Release(RefundCause::TooBusy),
        FailureClass::RateLimited => Decision::Resubmit,
        FailureClass::Unavailable => match failure.reason {
            Reason::KeyRejected => Decision::Resubmit,
            Reason::ModelUnavailable => Decision::OtherModel,
            _ => Decision::Release(RefundCause::OurFault),
        },
        FailureClass::Temporary | FailureClass::Unknown => match policy.delays.get(usize::from(retries)) {
            Some(delay) => Decision::Retry { retry: retries.saturating_add(1), delay: *delay },
            None => Decision::Release(RefundCause::RetriesExhausted),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(class: FailureClass, reason: Reason) -> Failure {
        Failure { class, reason }
    }

    #[test]
    fn temporary_failures_are_retried_after_10_20_and_40_seconds_and_no_more() {
        let policy = RetryPolicy::default();
        for class in [FailureClass::Temporary, FailureClass::Unknown] {
            let delays: Vec<_> = (0..5)
                .map(|used| decide(failure(class, Reason::ProviderFault), used, Duration::ZERO, &policy))
                .collect();
            assert_eq!(
                delays,
                [
                    Decision::Retry { retry: 1, delay: Duration::from_secs(10) },
                    Decision::Retry { retry: 2, delay: Duration::from_secs(20) },
                    Decision::Retry { retry: 3, delay: Duration::from_secs(40) },
                    Decision::Release(RefundCause::RetriesExhausted),
                    Decision::Release(RefundCause::RetriesExhausted),
                ]
            );
        }
    }

    #[test]
    fn a_users_fault_is_never_retried() {
        let policy = RetryPolicy::default();
        for class in [FailureClass::UserViolation, FailureClass::InvalidInput] {
            let decision = decide(failure(class, Reason::Nudity), 0, Duration::ZERO, &policy);
            assert!(matches!(decision, Decision::Release(_)), "{class:?}");
        }
    }

    #[test]
    fn back_pressure_and_billing_use_up_no_retry() {
        let policy = RetryPolicy::default();
        for (class, reason) in [
            (FailureClass::RateLimited, Reason::RateLimit),
            (FailureClass::Billing, Reason::AccountCredits),
            (FailureClass::Unavailable, Reason::KeyRejected),
        ] {
            assert_eq!(decide(failure(class, reason), 3, Duration::ZERO, &policy), Decision::Resubmit);
        }
    }

    #[test]
    fn a_model_that_is_not_offered_uses_up_no_retry() {
        let policy = RetryPolicy::default();
        let paused = failure(FailureClass::Unavailable, Reason::ModelUnavailable);
        assert_eq!(decide(paused, 3, policy.patience * 2, &policy), Decision::OtherModel);
    }

    #[test]
    fn back_pressure_ends_when_patience_does() {
        let policy = RetryPolicy::default();
        let busy = failure(FailureClass::RateLimited, Reason::RateLimit);
        assert_eq!(decide(busy, 0, policy.patience, &policy), Decision::Release(RefundCause::TooBusy));
    }
}
