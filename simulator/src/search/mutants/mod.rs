//! Classic bugs, on purpose: what an oracle is worth shows in the bugs it finds.
//!
//! Each mutant is a wrong decorator around the ports, or a wrong policy, put between the production services and
//! whatever they run on. The production crates contain no trace of mutants: no flag, no hook, no feature. The
//! services do exactly what they always do, and the world they do it to is no longer what they asked for.
//!
//! A mutant that survives a hunt points at a law that nobody checks.

mod delivery;
mod hunt;
mod jobs;
mod orders;
mod steps;
mod video;

use std::{sync::Arc, time::Duration};

use app::{Policy, Ports};
use clap::ValueEnum;
use domain::{breaker::OutagePolicy, decision::RetryPolicy};

use self::{
    delivery::{WrongMessenger, WrongOutbox},
    jobs::WrongJobs,
    orders::WrongOrders,
    video::WrongVideo,
};

pub use hunt::{Hunted, MutantReport, hunt};

/// A classic bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub enum Mutant {
    /// A refund is a second write after the step, which a crash in between loses
    RefundOutsideTransaction,
    /// Whoever takes a dead worker's job over refunds it a second time, to be safe
    RefundTwiceAfterRestart,
    /// A late worker writes under whatever lease is the newest
    LeaseNotCompared,
    /// Each retry begins to count anew
    RetryCounterLost,
    /// Being too fast uses up a retry
    RateLimitCountsAsRetry,
    /// A createTask answer that never came is taken for a refusal, and the task is created again at once
    LostAnswerIsFailure,
    /// Nobody frees what dead and hung workers hold
    ReaperOff,
    /// The idempotency key of an order is the time of its arrival
    ConfirmationFromClock,
    /// The failure class is the first familiar word of the provider's answer
    ClassBySubstring,
    /// An order holds one credit, whatever it costs
    HoldPerVideo,
    /// The credit is captured when the render is finished, and not when the user has the video
    CaptureBeforeDelivery,
    /// Messages are sent beside the step instead of being stored with it
    NoticeOutsideTransaction,
    /// The video's sending is never awaited, and counts as done
    DoneBeforeSent,
    /// A sending that failed counts as done
    SendFailureIgnored,
    /// A message that was not sent counts as sent
    MessageFailureIgnored,
    /// A render is looked at with a key of another account
    PollsWithAnotherKey,
    /// A retry starts at once
    RetriesWithoutDelay,
    /// The provider's limits are taken for ten times what they are
    LimitIgnored,
    /// A retried job gets another prompt
    PromptLostOnRetry,
    /// A refused photo takes the key out of use, as if the key were to blame
    ViolationCoolsKey,
    /// The breaker never hears that its probe succeeded
    BreakerNeverCloses,
    /// Whoever meets an open breaker probes
    ProbeStorm,
}

impl Mutant {
    /// The word on the command line and in reports.
    #[must_use]
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// The bug in a sentence.
    #[must_use]
    pub fn about(self) -> String {
        let value = self.to_possible_value();
        value.and_then(|value| value.get_help().map(ToString::to_string)).unwrap_or_default()
    }

    /// The invariants that should catch it, any one of which is enough. What catches it in fact may be another
    /// one that looks earlier; a hunt says which it was.
    #[must_use]
    pub const fn expected(self) -> &'static [&'static str] {
        match self {
            Self::RefundOutsideTransaction | Self::RefundTwiceAfterRestart => &["one_end_per_hold"],
            Self::LeaseNotCompared => &["one_holder", "legal_transitions"],
            Self::RetryCounterLost => &["retry_discipline", "legal_transitions"],
            Self::RateLimitCountsAsRetry
            | Self::ClassBySubstring
            | Self::RetriesWithoutDelay
            | Self::ViolationCoolsKey => &["retry_discipline"],
            Self::LostAnswerIsFailure | Self::PollsWithAnotherKey => &["provider_bill"],
            Self::ReaperOff => &["liveness"],
            Self::ConfirmationFromClock | Self::HoldPerVideo => &["money_conserved"],
            Self::CaptureBeforeDelivery => &["captured_only_if_delivered", "one_end_per_hold"],
            Self::NoticeOutsideTransaction => &["refund_told_once", "no_message_twice"],
            Self::DoneBeforeSent | Self::SendFailureIgnored => &["captured_only_if_delivered"],
            Self::MessageFailureIgnored => &["messages_in_order"],
            Self::LimitIgnored => &["provider_limits"],
            Self::PromptLostOnRetry => &["context_kept"],
            Self::BreakerNeverCloses | Self::ProbeStorm => &["outage_discipline"],
        }
    }

    /// The built-in scenario that provokes it.
    #[must_use]
    pub const fn provoked_by(self) -> &'static str {
        match self {
            Self::LeaseNotCompared | Self::ReaperOff => "crash-storm",
            Self::BreakerNeverCloses | Self::ProbeStorm => "provider-outage",
            _ => "swarm",
        }
    }
}

/// Puts a mutant between the services and their ports. To be called for each process of the fleet and for the
/// users' side, on the ports as the services would otherwise get them: what observers are told below them is then
/// what really happened.
#[must_use]
pub fn infect(mutant: Mutant, mut ports: Ports, policy: &mut Policy) -> Ports {
    match mutant {
        Mutant::ConfirmationFromClock | Mutant::HoldPerVideo => {
            ports.orders = Arc::new(WrongOrders { real: ports.orders, mutant });
        }
        Mutant::LostAnswerIsFailure | Mutant::ClassBySubstring | Mutant::PollsWithAnotherKey => {
            ports.video = Arc::new(WrongVideo::new(ports.video, mutant, &policy.roster));
        }
        Mutant::DoneBeforeSent | Mutant::SendFailureIgnored => {
            ports.messenger = Arc::new(WrongMessenger { real: ports.messenger, mutant });
        }
        Mutant::MessageFailureIgnored => {
            ports.outbox = Arc::new(WrongOutbox { real: ports.outbox, clock: Arc::clone(&ports.clock) });
        }
        Mutant::LimitIgnored => {
            let limits = &mut policy.roster.limits;
            limits.running_max = limits.running_max.saturating_mul(10);
            limits.creates_max = limits.creates_max.saturating_mul(10);
        }
        Mutant::ProbeStorm => {
            let mut retry = RetryPolicy::clone(&policy.retry);
            let never = Duration::ZERO;
            retry.outage = retry.outage.map(|outage| OutagePolicy {
                first_probe: never,
                longest_probe: never,
                probe_takes: never,
                probe_given_up: never,
                ..outage
            });
            policy.retry = Arc::new(retry);
        }
        Mutant::RefundOutsideTransaction
        | Mutant::RefundTwiceAfterRestart
        | Mutant::LeaseNotCompared
        | Mutant::RetryCounterLost
        | Mutant::RateLimitCountsAsRetry
        | Mutant::ReaperOff
        | Mutant::CaptureBeforeDelivery
        | Mutant::NoticeOutsideTransaction
        | Mutant::RetriesWithoutDelay
        | Mutant::PromptLostOnRetry
        | Mutant::ViolationCoolsKey
        | Mutant::BreakerNeverCloses => ports.jobs = Arc::new(WrongJobs::new(&ports, mutant, policy)),
    }
    ports
}

#[cfg(test)]
mod tests;
