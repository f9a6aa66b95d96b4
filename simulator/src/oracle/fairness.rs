//! The queue as it must be served: by [`domain::job::Job::sort_at`], earliest first, of those that are due.
//!
//! A correct queue may pass over the most urgent job for a moment, while its row is locked or its due time is just
//! reached, but not claim after claim. So the clock of the most urgent due job starts when a less urgent one is taken
//! instead, and stops when it is taken itself.

use std::{cmp::Reverse, collections::BinaryHeap};

use domain::time::Timestamp;

use super::{
    jobs::Live,
    tally::{Law, Scene},
    watch::Oracle,
};
use crate::trace::JobNo;

/// A place in a queue; void once the job's ticket is another one.
type Entry = Reverse<(Timestamp, u32, u32)>;

/// Jobs that nobody holds.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// By the time they fall due.
    later: BinaryHeap<Entry>,
    /// Those that are due, by urgency.
    due: BinaryHeap<Entry>,
}

impl Waiting {
    pub(super) fn put(&mut self, due_at: Timestamp, job: JobNo, ticket: u32) {
        self.later.push(Reverse((due_at, job.0, ticket)));
    }
}

impl Oracle {
    /// Gives a job that nobody holds a new place in the queue, and takes any other one from it.
    pub(super) fn queue(&mut self, job: JobNo) {
        let at = self.now;
        let Some(live) = self.jobs.get_mut(job.0) else { return };
        live.ticket = live.ticket.wrapping_add(1);
        if let (None, Some(due_at)) = (live.hold, live.due_at) {
            live.free_since = at;
            self.waiting.put(due_at, job, live.ticket);
        }
    }

    /// A job was taken: was a more urgent one left lying for too long?
    pub(super) fn fairness(&mut self, scene: Scene, taken: JobNo) {
        let Some(live) = self.jobs.get_mut(taken.0) else { return };
        live.ticket = live.ticket.wrapping_add(1);
        live.passed_over_since = None;
        let taken_sorts_at = live.sort_at;
        while let Some(Reverse((due_at, job, ticket))) = self.waiting.later.peek().copied() {
            if due_at > scene.at {
                break;
            }
            self.waiting.later.pop();
            if let Some(live) = self.jobs.get(job).filter(|live| live.ticket == ticket) {
                self.waiting.due.push(Reverse((live.sort_at, job, ticket)));
            }
        }
        let Some((job, live)) = self.most_urgent() else { return };
        let since = if live.sort_at < taken_sorts_at {
            *live.passed_over_since.get_or_insert(scene.at)
        } else {
            scene.at
        };
        let waited = scene.at.since(since);
        let is_fair = waited <= self.setup.fairness_bound;
        if !is_fair {
            // Said once each bound, not at every claim.
            if let Some(live) = self.jobs.get_mut(job) {
                live.passed_over_since = Some(scene.at);
            }
        }
        let scene = Scene { job: Some(JobNo(job)), ..scene };
        self.tally.hold(scene, Law::Fairness, is_fair, || {
            format!(
                "due and most urgent, and for {} s less urgent ones were taken, last job {}",
                waited.as_secs(),
                taken.0
            )
        });
    }

    /// The first of those that are due and that nobody holds.
    fn most_urgent(&mut self) -> Option<(u32, &mut Live)> {
        while let Some(Reverse((_, job, ticket))) = self.waiting.due.peek().copied() {
            if self.jobs.get(job).is_some_and(|live| live.ticket == ticket) {
                return self.jobs.get_mut(job).map(|live| (job, live));
            }
            self.waiting.due.pop();
        }
        None
    }
}
