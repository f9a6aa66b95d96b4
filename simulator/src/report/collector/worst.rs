//! The jobs that took longest.

use crate::report::data::WorstJob;

/// Jobs that are kept, and of those that were refunded.
const KEPT: (usize, usize) = (20, 5);

/// Sorted lists, longest first, of those that took longest and of the refunded ones that did.
#[derive(Debug, Clone, Default)]
pub(super) struct Worst {
    all: Vec<WorstJob>,
    refunded: Vec<WorstJob>,
}

impl Worst {
    /// Whether a job of this length would be kept; cheap, so that the others need not be drawn up.
    pub(super) fn wants(&self, settle_s: f64, is_refunded: bool) -> bool {
        let beats = |list: &[WorstJob], kept: usize| {
            list.len() < kept || list.last().is_some_and(|last| settle_s > last.settle_s)
        };
        beats(&self.all, KEPT.0) || (is_refunded && beats(&self.refunded, KEPT.1))
    }

    pub(super) fn add(&mut self, job: &WorstJob) {
        insert(&mut self.all, job, KEPT.0);
        if job.state == "refunded" {
            insert(&mut self.refunded, job, KEPT.1);
        }
    }

    /// All of them, longest first, each once.
    pub(super) fn finish(self) -> Vec<WorstJob> {
        let mut jobs = self.all;
        for job in self.refunded {
            if jobs.iter().all(|known| known.job != job.job) {
                jobs.push(job);
            }
        }
        jobs
    }
}

/// Keeps a list sorted and short; among equals the earlier number goes first.
fn insert(list: &mut Vec<WorstJob>, job: &WorstJob, kept: usize) {
    let place = list.partition_point(|known| {
        known.settle_s > job.settle_s || (known.settle_s >= job.settle_s && known.job < job.job)
    });
    if place < kept {
        list.insert(place, job.clone());
        list.truncate(kept);
    }
}
