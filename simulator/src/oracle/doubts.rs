//! What can be judged only when the instant is over.
//!
//! Stores on several connections answer in any order within one instant: a claim may be told before the step that let go
//! of the job, a purchase before the refund that paid for it. What looks wrong in between is written down here, and is
//! wrong only if the rest of the instant does not explain it.

use domain::{id::UserId, time::Timestamp};

use super::{money, outage::BreakerDoubt, tally::Law, watch::Oracle};
use crate::trace::JobNo;

/// Something that may turn out right.
#[derive(Debug)]
pub(super) enum Doubt {
    /// A job was claimed under a lease while this one was out.
    Overlap { job: JobNo, lease: i64 },
    /// A write under this lease was refused although it was not known to be lost.
    Refused { job: JobNo, lease: i64 },
    /// A balance fell below zero.
    Overdrawn { user: UserId },
    /// More attempts are open for this account than the product allows itself.
    Crowded { account: usize },
    /// Something about the breaker.
    Breaker(BreakerDoubt),
    /// An order was refused with another balance than the events add up to.
    Figure { user: UserId, available: i64 },
}

impl Oracle {
    /// Judges the doubts of an instant that lies before `now`.
    pub(super) fn judge(&mut self, now: Timestamp) {
        if self.doubts.first().is_none_or(|(scene, _)| scene.at >= now) {
            return;
        }
        for (scene, doubt) in std::mem::take(&mut self.doubts) {
            match doubt {
                Doubt::Overlap { job, lease } => {
                    let live = self.jobs.get(job.0);
                    let is_open = live
                        .and_then(|live| live.superseded)
                        .is_some_and(|(hold, at)| hold.lease == lease && at == scene.at);
                    self.tally.hold(scene, Law::OneHolder, !is_open, || {
                        format!("job {} was claimed while lease {lease} was out", job.0)
                    });
                }
                Doubt::Refused { job, lease } => {
                    let hold = self.jobs.get(job.0).and_then(|live| live.hold);
                    let is_present = hold.is_some_and(|hold| hold.lease == lease);
                    self.tally.hold(scene, Law::OneHolder, !is_present, || {
                        format!("a write of job {} was refused under its present lease {lease}", job.0)
                    });
                }
                Doubt::Crowded { account } => self.judge_crowd(scene, account),
                Doubt::Breaker(doubt) => self.judge_breaker(scene, doubt),
                Doubt::Overdrawn { user } | Doubt::Figure { user, .. } => {
                    money::settle(&mut self.tally, scene, self.purses.of(user), &doubt);
                }
            }
        }
    }
}
