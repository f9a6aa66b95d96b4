//! What a stored step means for the figures.

use domain::{
    failure::Failure,
    job::{AttemptStatus, State, StateName, Step},
    ledger::EntryKind,
    time::Timestamp,
};

use super::{
    Collector,
    distribution::{Ending, Metric, seconds},
    is_waiting,
    live::Live,
    millis,
    tally::Done,
};
use crate::{report::data::WorstJob, trace::JobNo};

impl Collector {
    pub(super) fn stepped(&mut self, at: Timestamp, job: JobNo, step: &Step) {
        self.tally.steps += 1;
        self.move_credits(at, step);
        let Some(mut live) = self.live.remove(&job) else { return };
        self.try_again(&mut live, step);
        self.attempt(at, &mut live, step);
        self.go_on(at, &mut live, step);
        if step.job.state.is_terminal() {
            self.end(at, job, &live, step);
        } else {
            self.live.insert(job, live);
        }
    }

    fn move_credits(&mut self, at: Timestamp, step: &Step) {
        for entry in &step.entries {
            match entry.kind {
                EntryKind::Capture => {
                    self.tally.captured -= entry.held;
                    self.lines.captured.set(at, self.tally.captured);
                }
                EntryKind::Release => {
                    self.tally.released -= entry.held;
                    self.lines.released.set(at, self.tally.released);
                }
                EntryKind::Grant
                | EntryKind::Purchase
                | EntryKind::PurchaseRefund
                | EntryKind::Adjustment
                | EntryKind::Hold => {}
            }
        }
    }

    fn try_again(&mut self, live: &mut Live, step: &Step) {
        if step.job.delivery_failures > live.delivery_failures {
            self.tally.deliveries_put_off += 1;
            live.delivery_failures = step.job.delivery_failures;
        }
    }

    /// Counts the submission's new status, and a failure with what was done about it.
    fn attempt(&mut self, at: Timestamp, live: &mut Live, step: &Step) {
        let mut failure = None;
        match &step.attempt {
            Some(change) => {
                self.tally.attempts[change.status as usize] += 1;
                live.attempts += u32::from(change.status == AttemptStatus::Sent);
                if matches!(change.status, AttemptStatus::Failed | AttemptStatus::Refused) {
                    live.has_task = false;
                }
                failure = change.failure;
            }
            // A cancellation that overtook the worker's step is nothing that was done about the failure.
            None if !matches!(step.job.state, State::Cancelled { .. }) => failure = live.upload_failed.take(),
            None => {}
        }
        if let Some(failure) = failure {
            self.failed(at, live, step, failure);
        }
        if step.job.retries > live.retries {
            live.retries = step.job.retries;
            *self.tally.retries.entry(live.retries).or_default() += 1;
        }
    }

    fn failed(&mut self, at: Timestamp, live: &Live, step: &Step, failure: Failure) {
        let done = if step.job.state.is_terminal() {
            Done::Refunded
        } else if step.job.retries > live.retries {
            Done::Retried
        } else {
            Done::SentAgain
        };
        self.tally.failed(failure.class, done);
        self.lines.failed(at, failure.class);
    }

    /// Follows the job from its state to the next.
    fn go_on(&mut self, at: Timestamp, live: &mut Live, step: &Step) {
        let (from, to) = (live.state, step.job.state.name());
        live.state = to;
        match (is_waiting(from), is_waiting(to)) {
            (true, false) => self.lines.queue.add(at, -1),
            (false, true) => self.lines.queue.add(at, 1),
            (true, true) | (false, false) => {}
        }
        if to == StateName::Rendering && from != to {
            live.running_on = live.account;
            if let Some(account) = live.running_on {
                self.lines.running(at, account, 1);
            }
            if live.rendering_at.is_none() {
                // The provider took it earlier than Kadr wrote that down.
                let taken = live.taken_at.unwrap_or(at);
                live.rendering_at = Some(taken);
                let wait = millis(live.placed_at, taken);
                self.groups.record(live.group, Metric::Wait, wait);
                self.waits.known(live.bin, Some(wait));
            }
        }
        if to != StateName::Rendering
            && let Some(account) = live.running_on.take()
        {
            self.lines.running(at, account, -1);
        }
        if to == StateName::Delivering && live.delivering_at.is_none() {
            live.delivering_at = Some(at);
            if let Some(rendering) = live.rendering_at {
                self.groups.record(live.group, Metric::Render, millis(rendering, at));
            }
        }
    }

    fn end(&mut self, at: Timestamp, job: JobNo, live: &Live, step: &Step) {
        let settle = millis(live.placed_at, at);
        self.groups.record(live.group, Metric::Settle, settle);
        if live.rendering_at.is_none() {
            self.tally.never_rendered += 1;
            self.waits.known(live.bin, None);
        }
        let (ending, cause) = match step.job.state {
            State::Done { .. } => {
                self.tally.delivered += 1;
                self.lines.delivered(at);
                self.groups.record(live.group, Metric::Total, settle);
                if let Some(delivering) = live.delivering_at {
                    self.groups.record(live.group, Metric::Delivery, millis(delivering, at));
                }
                (Ending::Delivered, None)
            }
            State::Refunded { cause, .. } => {
                self.tally.refunded += 1;
                *self.tally.causes.entry(cause).or_default() += 1;
                (Ending::Refunded, Some(cause))
            }
            _ => {
                self.tally.cancelled += 1;
                (Ending::Cancelled, None)
            }
        };
        self.groups.ended(live.group, ending);
        if self.worst.wants(seconds(settle), ending == Ending::Refunded) {
            let job = worst_job(job, live, Some(at), settle, cause.map(|cause| cause.code()));
            self.worst.add(&job);
        }
    }
}

/// What a report tells of a job that took long. `ended_at` is missing for one that had not ended when the run did.
pub(super) fn worst_job(
    job: JobNo,
    live: &Live,
    ended_at: Option<Timestamp>,
    settle_ms: u64,
    cause: Option<String>,
) -> WorstJob {
    WorstJob {
        job: job.0,
        order: live.order,
        size: live.group.size,
        video: live.video,
        placed_at: live.placed_at,
        ended_at,
        wait_s: live.rendering_at.map(|at| seconds(millis(live.placed_at, at))),
        settle_s: seconds(settle_ms),
        state: live.state.as_str().to_owned(),
        cause,
        retries: live.retries,
        attempts: live.attempts,
        timeline: Vec::new(),
    }
}
