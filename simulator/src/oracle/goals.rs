//! What must have happened at least once: a run in which nothing went wrong proves nothing.

use std::collections::BTreeMap;

use domain::{
    failure::{Failure, FailureClass, Reason},
    job::{AttemptStatus, State, Step},
    key::CoolingCause,
    notice::{Audience, NoticeKind, RefundCause},
    time::Timestamp,
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::trace::{
    CallEnd, Creation, Event, Injected, JobNo, Kind, Observer, OrderNo, OutsideCall, ProcessNo, SendEnd, Site,
};

/// Every goal: its name and when it counts as reached.
pub const GOALS: &[(&str, &str)] = &[
    ("temporary_failure_retried", "A step announced a retry."),
    ("retries_exhausted_refunded", "A failure came back after the last retry, and the credit with it."),
    (
        "user_violation_refunded",
        "A credit came back because the photo, the text or the result was forbidden.",
    ),
    ("rate_limit_waited", "A submission was refused as too fast, and the job went on."),
    ("billing_switched_key", "A key could not pay, and the job's next submission went to another one."),
    ("no_key_left_refunded", "A credit came back because no key was left that could pay."),
    ("lost_answer_resubmitted", "An answer was given up as lost, and the job was submitted again."),
    ("lost_answer_adopted", "A task whose answer was lost showed itself, and its attempt adopted it."),
    ("lost_answer_refunded", "One answer too many was lost, and the credit came back."),
    ("lease_expired_and_rescued", "A job was freed from a worker that no longer beat."),
    ("killed_mid_step", "A process was killed while it held a job."),
    ("late_write_refused", "A write under a lost lease was refused."),
    ("dead_link_exchanged", "A fresh link was got, and the download after it worked."),
    ("unknown_task_waited", "The provider did not know a task, and its job went on waiting for it."),
    ("render_gave_up", "A render counted as failed although the provider had said nothing of the kind."),
    ("double_tap_deduplicated", "A confirmation came again and was answered with the order it had placed."),
    ("order_refused_no_credits", "An order was refused for want of credits."),
    ("cancelled_before_submission", "A job was cancelled."),
    ("cancel_refused_too_late", "A cancellation was refused."),
    ("recipient_gone_refunded", "A credit came back because the user had blocked the bot."),
    ("message_retried", "A text that had not been confirmed was sent again, and confirmed."),
    ("message_given_up", "A message was closed without being sent."),
    ("prompt_fell_back", "The language model failed or was of no use, and the job went on with a prompt."),
    (
        "commit_answer_lost_survived",
        "The store's answer about a job was lost after the commit, and the job ended.",
    ),
    (
        "write_lost_retried",
        "A store's call about a job failed before the commit, and its next step was stored.",
    ),
    (
        "model_stood_in",
        "The provider did not offer a model, and the job's next submission asked for another one.",
    ),
    ("model_unavailable_refunded", "A credit came back because the provider does not offer the model."),
    ("outage_survived", "A video ordered before the end of an outage was delivered after it."),
    (
        "gateway_page_survived",
        "A gateway's page came in answer to a job's call, and its video was delivered.",
    ),
    ("strange_state_survived", "The provider named an undocumented state, and the video was delivered."),
];

/// What was seen of a job and waits for what comes next. One bit each.
mod seen {
    pub(super) const BILLING: u16 = 1;
    pub(super) const LOST_ANSWER: u16 = 1 << 1;
    pub(super) const FRESH_LINK: u16 = 1 << 2;
    pub(super) const UNKNOWN_TASK: u16 = 1 << 3;
    pub(super) const NO_PROMPT: u16 = 1 << 4;
    pub(super) const COMMIT_UNANSWERED: u16 = 1 << 5;
    pub(super) const WRITE_LOST: u16 = 1 << 6;
    pub(super) const GATEWAY_PAGE: u16 = 1 << 7;
    pub(super) const STRANGE_STATE: u16 = 1 << 8;
    pub(super) const MODEL_OUT: u16 = 1 << 9;
}

/// Counts how often each goal was reached.
///
/// Goals that take more than one event are counted at the last of them. A fault whose job is not known counts for none.
#[derive(Debug, Default)]
pub struct Goals {
    reached: BTreeMap<&'static str, u64>,
    /// Jobs of which something was seen.
    seen: FxHashMap<JobNo, u16>,
    /// Finished jobs, one bit each.
    finished: Vec<u64>,
    holders: FxHashMap<JobNo, ProcessNo>,
    /// Lines whose last text was not confirmed.
    unsent: FxHashSet<(OrderNo, Audience)>,
    /// Ends of outages after which nothing was delivered yet.
    outages: Vec<Timestamp>,
}

impl Goals {
    /// Nothing reached yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How often a goal was reached; 0 also for a name that is none.
    #[must_use]
    pub fn reached(&self, name: &str) -> u64 {
        self.reached.get(name).copied().unwrap_or(0)
    }

    /// How often each goal of [`GOALS`] was reached, those never reached included.
    #[must_use]
    pub fn all(&self) -> BTreeMap<&'static str, u64> {
        GOALS.iter().map(|(name, _)| (*name, self.reached(name))).collect()
    }

    fn reach(&mut self, name: &'static str) {
        *self.reached.entry(name).or_default() += 1;
    }

    fn mark(&mut self, job: JobNo, flag: u16) {
        if self.is_finished(job) {
            // Told after the step whose answer was lost, and that step was the job's last.
            if flag == seen::COMMIT_UNANSWERED {
                self.reach("commit_answer_lost_survived");
            }
            return;
        }
        *self.seen.entry(job).or_default() |= flag;
    }

    fn is_finished(&self, job: JobNo) -> bool {
        self.finished.get(job.0 as usize / 64).is_some_and(|bits| bits >> (job.0 % 64) & 1 == 1)
    }

    fn finish(&mut self, job: JobNo) {
        let place = job.0 as usize / 64;
        if self.finished.len() <= place {
            self.finished.resize(place + 1, 0);
        }
        if let Some(bits) = self.finished.get_mut(place) {
            *bits |= 1 << (job.0 % 64);
        }
        self.seen.remove(&job);
    }

    /// Whether it was seen; it is forgotten.
    fn take(&mut self, job: JobNo, flag: u16) -> bool {
        let Some(flags) = self.seen.get_mut(&job) else { return false };
        let was = *flags & flag != 0;
        *flags &= !flag;
        if *flags == 0 {
            self.seen.remove(&job);
        }
        was
    }

    fn reach_if_seen(&mut self, job: JobNo, flag: u16, name: &'static str) {
        if self.take(job, flag) {
            self.reach(name);
        }
    }

    fn stepped(&mut self, job: JobNo, step: &Step, evidence: Option<&str>) {
        let status = step.attempt.as_ref().map(|change| change.status);
        let failure = step.attempt.as_ref().and_then(|change| change.failure);
        if status != Some(AttemptStatus::Sent) {
            self.holders.remove(&job);
        }
        self.reach_if_seen(job, seen::WRITE_LOST, "write_lost_retried");
        if step.notices.iter().any(|notice| matches!(notice.kind, NoticeKind::Retrying { .. })) {
            self.reach("temporary_failure_retried");
        }
        self.waits(job, step, failure);
        match status {
            Some(AttemptStatus::Sent) => self.submitted(job, step),
            Some(AttemptStatus::Lost) if !step.job.state.is_terminal() => {
                self.mark(job, seen::LOST_ANSWER);
            }
            // What the provider says is kept beside the step; a patience that ran out says nothing.
            Some(AttemptStatus::Failed)
                if evidence.is_none() && failure.is_some_and(|f| f.reason == Reason::ProviderFault) =>
            {
                self.reach("render_gave_up");
            }
            _ => {}
        }
        if step.job.state.is_terminal() {
            self.ended(job, step, status);
        }
    }

    /// What is told by where a job goes on.
    fn waits(&mut self, job: JobNo, step: &Step, failure: Option<Failure>) {
        match (&step.job.state, failure.map(|failure| failure.class)) {
            (State::Submitting { open: None }, Some(FailureClass::Billing)) => {
                self.mark(job, seen::BILLING);
            }
            (State::Submitting { open: None }, Some(FailureClass::Unavailable)) if is_model_out(step) => {
                self.mark(job, seen::MODEL_OUT);
            }
            (State::Submitting { open: None }, Some(FailureClass::RateLimited)) => {
                self.reach("rate_limit_waited");
            }
            (State::Submitting { open: None }, None) => {
                self.reach_if_seen(job, seen::NO_PROMPT, "prompt_fell_back");
                // An upload that was refused leaves no attempt, only its key's cool-down.
                match step.cooling.as_ref().map(|(_, cooling)| cooling.cause) {
                    Some(CoolingCause::RateLimited) => self.reach("rate_limit_waited"),
                    Some(CoolingCause::Billing) => self.mark(job, seen::BILLING),
                    Some(CoolingCause::Rejected | CoolingCause::Faults) | None => {}
                }
            }
            (State::Rendering { .. }, _) => {
                self.reach_if_seen(job, seen::UNKNOWN_TASK, "unknown_task_waited");
            }
            _ => {}
        }
    }

    fn submitted(&mut self, job: JobNo, step: &Step) {
        self.reach_if_seen(job, seen::LOST_ANSWER, "lost_answer_resubmitted");
        let key = step.attempt.as_ref().map(|change| &change.key);
        if self.take(job, seen::BILLING) && step.job.avoid_key.as_ref() != key {
            self.reach("billing_switched_key");
        }
        self.reach_if_seen(job, seen::MODEL_OUT, "model_stood_in");
    }

    fn ended(&mut self, job: JobNo, step: &Step, status: Option<AttemptStatus>) {
        self.reach_if_seen(job, seen::COMMIT_UNANSWERED, "commit_answer_lost_survived");
        match step.job.state {
            State::Done { at } => {
                self.reach_if_seen(job, seen::GATEWAY_PAGE, "gateway_page_survived");
                self.reach_if_seen(job, seen::STRANGE_STATE, "strange_state_survived");
                let open = self.outages.len();
                self.outages.retain(|over| step.job.created_at >= *over || at < *over);
                for _ in self.outages.len()..open {
                    self.reach("outage_survived");
                }
            }
            State::Refunded { cause, .. } => match (cause, status) {
                (RefundCause::RetriesExhausted, Some(AttemptStatus::Lost)) => {
                    self.reach("lost_answer_refunded");
                }
                (RefundCause::RetriesExhausted, _) => self.reach("retries_exhausted_refunded"),
                (RefundCause::Violation(_), _) => self.reach("user_violation_refunded"),
                (RefundCause::NoKey, _) => self.reach("no_key_left_refunded"),
                (RefundCause::ModelUnavailable, _) => self.reach("model_unavailable_refunded"),
                (RefundCause::RecipientGone, _) => self.reach("recipient_gone_refunded"),
                _ => {}
            },
            State::Cancelled { .. } => self.reach("cancelled_before_submission"),
            _ => {}
        }
        self.finish(job);
    }

    fn called(&mut self, job: JobNo, call: OutsideCall, end: CallEnd) {
        match (call, end) {
            (OutsideCall::Write, CallEnd::No(_) | CallEnd::Unknown) => self.mark(job, seen::NO_PROMPT),
            (OutsideCall::FreshLink, CallEnd::Yes) => self.mark(job, seen::FRESH_LINK),
            (OutsideCall::Download, CallEnd::Yes) => {
                self.reach_if_seen(job, seen::FRESH_LINK, "dead_link_exchanged");
            }
            (OutsideCall::Download, _) => {
                self.take(job, seen::FRESH_LINK);
            }
            (OutsideCall::Look, CallEnd::No(failure)) if failure.reason == Reason::UnknownTask => {
                self.mark(job, seen::UNKNOWN_TASK);
            }
            (OutsideCall::Look, _) => {
                self.take(job, seen::UNKNOWN_TASK);
            }
            _ => {}
        }
    }

    fn hit(&mut self, job: JobNo, site: Site, fault: Injected) {
        match (site, fault) {
            (Site::Writer, Injected::Before | Injected::After | Injected::Refusal | Injected::Nonsense) => {
                self.mark(job, seen::NO_PROMPT);
            }
            (Site::Store, Injected::After) => self.mark(job, seen::COMMIT_UNANSWERED),
            (Site::Store, Injected::Before) => self.mark(job, seen::WRITE_LOST),
            (Site::Provider, Injected::GatewayPage) => self.mark(job, seen::GATEWAY_PAGE),
            (Site::Provider, Injected::StrangeState) => self.mark(job, seen::STRANGE_STATE),
            _ => {}
        }
    }

    fn text_sent(&mut self, line: (OrderNo, Audience), end: SendEnd) {
        match end {
            SendEnd::Sent => {
                if self.unsent.remove(&line) {
                    self.reach("message_retried");
                }
            }
            SendEnd::Failed | SendEnd::Unanswered => {
                self.unsent.insert(line);
            }
            SendEnd::Gone => {}
        }
    }
}

impl Observer for Goals {
    fn see(&mut self, event: &Event<'_>) {
        match event.kind {
            Kind::Stepped { job, step, evidence, lease, .. } => {
                let status = step.attempt.as_ref().map(|change| change.status);
                if lease.is_none() && status == Some(AttemptStatus::Running) {
                    self.reach("lost_answer_adopted");
                }
                self.stepped(job, step, evidence);
            }
            Kind::PlacedAgain { .. } => self.reach("double_tap_deduplicated"),
            Kind::Refused { .. } => self.reach("order_refused_no_credits"),
            Kind::CancelAsked { granted: false, .. } => self.reach("cancel_refused_too_late"),
            Kind::Claimed { job, process, .. } => {
                self.holders.insert(job, process);
            }
            Kind::GivenBack { job, .. } => {
                self.holders.remove(&job);
            }
            Kind::Rescued { job, hung } => {
                self.holders.remove(&job);
                if !hung {
                    self.reach("lease_expired_and_rescued");
                }
            }
            Kind::Killed { process, .. } => {
                let held = self.holders.len();
                self.holders.retain(|_, holder| *holder != process);
                if self.holders.len() < held {
                    self.reach("killed_mid_step");
                }
            }
            Kind::Outdated { .. } => self.reach("late_write_refused"),
            Kind::Called { job: Some(job), call, end, .. } => self.called(job, call, end),
            Kind::Created { job: Some(job), outcome: Creation::NeverSeen, .. } => {
                self.mark(job, seen::GATEWAY_PAGE);
            }
            Kind::Fault { site, fault, job: Some(job) } => self.hit(job, site, fault),
            Kind::TextSent { order, audience, end, .. } => self.text_sent((order, audience), end),
            Kind::NoticeClosed { order, audience, given_up: true, .. } => {
                self.unsent.remove(&(order, audience));
                self.reach("message_given_up");
            }
            Kind::Outage { began: false, .. } => self.outages.push(event.at),
            _ => {}
        }
    }
}

/// Whether a step says that the provider does not offer the job's model.
fn is_model_out(step: &Step) -> bool {
    let failure = step.attempt.as_ref().and_then(|change| change.failure);
    failure.is_some_and(|failure| failure.reason == Reason::ModelUnavailable)
}
