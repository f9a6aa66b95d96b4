//! Counters of every decision, for whoever watches from outside.
//!
//! Decisions are read off the steps that were stored, in one place ([`CountedJobs`]): what is counted has happened, and
//! neither the domain nor the services know that anybody counts. A write whose answer was lost is not counted.

mod counted_jobs;
#[cfg(test)]
mod tests;

use domain::{
    id::KeyId,
    job::{AttemptStatus, State, StateName, Step},
    notice::{NoticeKind, RefundCause},
};
use ports::Census;
use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::services::hear_callback::Heard;

pub use counted_jobs::CountedJobs;

type Label = (&'static str, String);
type By<const N: usize, M = Counter> = Family<[Label; N], M>;

/// The counters of one process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    attempts: By<1>,
    looks: Counter,
    double_submissions: Counter,
    failures: By<2>,
    retries: Counter,
    delivered: Counter,
    refunds: By<1>,
    cancelled: Counter,
    cooled: By<1>,
    callbacks: By<1>,
    jobs: By<1, Gauge>,
    due: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All at zero.
    #[must_use]
    pub fn new() -> Self {
        let mut new = Self {
            registry: Registry::with_prefix("kadr"),
            attempts: Family::default(),
            looks: Counter::default(),
            double_submissions: Counter::default(),
            failures: Family::default(),
            retries: Counter::default(),
            delivered: Counter::default(),
            refunds: Family::default(),
            cancelled: Counter::default(),
            cooled: Family::default(),
            callbacks: Family::default(),
            jobs: Family::default(),
            due: Gauge::default(),
        };
        new.register();
        new
    }

    fn register(&mut self) {
        let r = &mut self.registry;
        r.register("attempts", "Submissions by the status they reached", self.attempts.clone());
        r.register("looks", "Looks at renders that were written down", self.looks.clone());
        r.register(
            "double_submissions",
            "Submissions given up unanswered and followed by another: each may be paid twice",
            self.double_submissions.clone(),
        );
        r.register(
            "failures",
            "Submissions and renders the provider refused, by class and reason",
            self.failures.clone(),
        );
        r.register("retries", "Retries decided on", self.retries.clone());
        r.register("delivered", "Videos handed over", self.delivered.clone());
        r.register("refunds", "Credits given back, by cause", self.refunds.clone());
        r.register("cancelled", "Videos cancelled", self.cancelled.clone());
        r.register("cooled_keys", "Keys taken out of use for a while, by cause", self.cooled.clone());
        r.register("callbacks", "Callbacks of the provider, by what came of them", self.callbacks.clone());
        r.register("jobs", "Unfinished jobs by state, in the whole database", self.jobs.clone());
        r.register("due_jobs", "Jobs that are due and wait for a worker", self.due.clone());
    }

    /// A step was stored.
    pub fn stored(&self, step: &Step) {
        if let Some(change) = &step.attempt {
            self.attempts.get_or_create(&[("status", change.status.as_str().to_owned())]).inc();
            let is_looked_at = matches!(change.status, AttemptStatus::Rendered | AttemptStatus::Failed);
            self.looks.inc_by(u64::from(is_looked_at));
            let goes_again = matches!(step.job.state, State::Submitting { open: None });
            self.double_submissions.inc_by(u64::from(change.status == AttemptStatus::Lost && goes_again));
            if let Some(failure) = change.failure {
                let labels = [
                    ("class", failure.class.as_str().to_owned()),
                    ("reason", failure.reason.code().to_owned()),
                ];
                self.failures.get_or_create(&labels).inc();
            }
        } else if step.job.state.name() == StateName::Rendering {
            self.looks.inc();
        }
        let is_retry = |kind: &NoticeKind| matches!(kind, NoticeKind::Retrying { .. });
        self.retries.inc_by(u64::from(step.notices.iter().any(|notice| is_retry(&notice.kind))));
        match &step.job.state {
            State::Done { .. } => {
                self.delivered.inc();
            }
            State::Cancelled { .. } => {
                self.cancelled.inc();
            }
            State::Refunded { cause, .. } => {
                self.refunds.get_or_create(&[("cause", cause_word(*cause))]).inc();
            }
            State::Queued
            | State::Prompting
            | State::Submitting { .. }
            | State::Rendering { .. }
            | State::Delivering { .. } => {}
        }
        // A key on trial is out of use already.
        let is_trial = |key: &KeyId| {
            step.attempt.as_ref().is_some_and(|c| c.status == AttemptStatus::Sent && c.key == *key)
        };
        if let Some((key, cooling)) = &step.cooling
            && !is_trial(key)
        {
            self.cooled.get_or_create(&[("cause", cooling.cause.as_str().to_owned())]).inc();
        }
    }

    /// A lost answer's task was adopted, by a callback or by a late worker.
    pub fn adopted(&self, step: &Step) {
        self.attempts.get_or_create(&[("status", "adopted".to_owned())]).inc();
        self.stored(step);
    }

    /// A verified callback was acted on.
    pub fn heard(&self, heard: Heard) {
        self.callback(heard.as_str());
    }

    /// A callback came to something, in a word.
    pub fn callback(&self, result: &'static str) {
        self.callbacks.get_or_create(&[("result", result.to_owned())]).inc();
    }

    /// The whole page, with what the database counted.
    #[must_use]
    pub fn page(&self, census: Option<&Census>) -> String {
        self.jobs.clear();
        if let Some(census) = census {
            let gauge = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
            for (state, count) in &census.by_state {
                self.jobs.get_or_create(&[("state", state.as_str().to_owned())]).set(gauge(*count));
            }
            self.due.set(gauge(census.due));
        }
        let mut page = String::new();
        // Writing into a string cannot fail.
        encode(&mut page, &self.registry).ok();
        page
    }
}

/// The cause without its reason, which the failures are counted by.
fn cause_word(cause: RefundCause) -> String {
    let code = cause.code();
    code.split(':').next().unwrap_or(&code).to_owned()
}
