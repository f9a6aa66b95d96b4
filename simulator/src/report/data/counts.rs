//! How often things happened.

use std::collections::BTreeMap;

use domain::notice::RefundCause;
use serde::{Deserialize, Serialize};

use super::SampleGroup;

/// Counts over a whole run. Maps leave out what never happened.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Orders that were placed.
    pub orders: u64,
    /// Those of them with so many videos.
    pub orders_by_size: BTreeMap<u8, u64>,
    /// Confirmations that were sent again and answered with the order they had placed before.
    pub duplicates: u64,
    /// Orders refused for want of credits.
    pub refused: u64,
    /// Videos ordered.
    pub videos: u64,
    /// Videos delivered.
    pub delivered: u64,
    /// Videos refunded.
    pub refunded: u64,
    /// Those by their cause.
    pub refunded_by_cause: BTreeMap<String, u64>,
    /// Videos cancelled.
    pub cancelled: u64,
    /// Requests to cancel that came too late.
    pub cancels_refused: u64,
    /// Videos that ended without ever having been rendered: they have no `wait_s`.
    pub never_rendered: u64,
    /// Videos that had not ended when the run did.
    pub unfinished: u64,
    /// How videos ended, by window and order size.
    pub by_group: Vec<GroupCount>,
    /// Retries, by which one it was.
    pub retries: BTreeMap<u8, u64>,
    /// Changes of a submission's record, by the new status.
    pub attempts: BTreeMap<String, u64>,
    /// Submissions that were recorded.
    pub submissions: u64,
    /// Submissions that were given up without an answer.
    pub lost_submissions: u64,
    /// Tasks the provider created for a job although an earlier task of the same job is not known to have failed: the
    /// price of lost answers.
    pub double_submissions: u64,
    /// The provider's callbacks by what came of them.
    #[serde(default)]
    pub callbacks: BTreeMap<String, u64>,
    /// Calls to outside services.
    pub calls: Vec<Calls>,
    /// Failures of submissions, renders and uploads, by class.
    pub failures: Vec<FailureCount>,
    /// Attempts to hand a finished video over that failed and were put off.
    pub deliveries_put_off: u64,
    /// Faults the plan injected.
    pub faults: Vec<FaultCount>,
    /// Jobs taken by workers.
    pub claims: u64,
    /// Steps that were stored.
    pub steps: u64,
    /// Jobs freed from dead workers.
    pub rescues_dead: u64,
    /// Jobs freed from hung workers.
    pub rescues_hung: u64,
    /// Jobs given back by stopping workers.
    pub given_back: u64,
    /// Worker processes started.
    pub starts: u64,
    /// Worker processes killed.
    pub kills: u64,
    /// Those of them within a call.
    pub kills_in_call: u64,
    /// Writes refused because the lease was lost.
    pub outdated_writes: u64,
    /// Texts, by how sending them ended.
    pub texts: BTreeMap<String, u64>,
    /// Sendings of videos, by how they ended.
    pub videos_sent: BTreeMap<String, u64>,
    /// Messages that were given up.
    pub notices_given_up: u64,
}

impl Counts {
    /// The share of videos ordered that were refunded; nothing without videos.
    #[must_use]
    pub fn refunded_ratio(&self) -> Option<f64> {
        ratio(self.refunded, self.videos)
    }

    /// The share of videos ordered that were refunded because of the provider; nothing without videos.
    #[must_use]
    pub fn provider_refunded_ratio(&self) -> Option<f64> {
        let causes = self.refunded_by_cause.iter();
        let providers =
            causes.filter(|(code, _)| RefundCause::from_code(code).is_some_and(RefundCause::is_providers));
        ratio(providers.map(|(_, count)| count).sum(), self.videos)
    }

    /// The share of videos ordered that were delivered; nothing without videos.
    #[must_use]
    pub fn delivered_ratio(&self) -> Option<f64> {
        ratio(self.delivered, self.videos)
    }

    /// The share of submissions given up without an answer; nothing without submissions.
    #[must_use]
    pub fn lost_submission_ratio(&self) -> Option<f64> {
        ratio(self.lost_submissions, self.submissions)
    }
}

/// `part` of `whole`; nothing of nothing is nothing.
#[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^52")]
pub(in crate::report) fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// How the videos of one group ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupCount {
    /// Which videos.
    pub group: SampleGroup,
    /// Ordered.
    pub videos: u64,
    /// Delivered.
    pub delivered: u64,
    /// Refunded.
    pub refunded: u64,
    /// Cancelled.
    pub cancelled: u64,
}

/// A number as reports keep it: six decimals are enough, and short numbers are read back as they were written.
pub(in crate::report) fn short(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// Calls of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calls {
    /// Which call.
    pub call: String,
    /// Those answered with yes.
    pub yes: u64,
    /// Those answered with no, or with a render that failed.
    pub no: u64,
    /// Those without an answer that can be read.
    pub unknown: u64,
    /// The longest, in seconds.
    pub longest_s: f64,
}

/// Failures of one class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureCount {
    /// The class.
    pub class: String,
    /// All of them.
    pub total: u64,
    /// Those after which the job was tried again, at the price of a retry.
    pub retried: u64,
    /// Those after which it was sent again at once, without using up a retry.
    pub sent_again: u64,
    /// Those after which its credit went back.
    pub refunded: u64,
}

/// Injected faults of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultCount {
    /// Where.
    pub site: String,
    /// What.
    pub fault: String,
    /// How many.
    pub count: u64,
}

/// Credits of all users, as the events tell them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Money {
    /// Given or bought.
    pub granted: i64,
    /// Set aside for orders.
    pub held_ever: i64,
    /// Spent on delivered videos.
    pub captured: i64,
    /// Given back.
    pub released: i64,
    /// Still set aside.
    pub open_holds: i64,
    /// What users may spend.
    pub available: i64,
}

/// What the provider did and charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ProviderBill {
    /// Tasks it created.
    pub tasks: u64,
    /// Those it charged.
    pub charged_tasks: u64,
    /// What it charged, in hundredths of a provider credit.
    pub charged_hundredths: i64,
}

impl ProviderBill {
    /// Provider credits charged for each delivered video; nothing without one.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a bill is far below 2^52 hundredths of a credit")]
    pub fn credits_per_video(&self, delivered: u64) -> Option<f64> {
        (delivered > 0).then(|| self.charged_hundredths as f64 / 100.0 / delivered as f64)
    }
}
