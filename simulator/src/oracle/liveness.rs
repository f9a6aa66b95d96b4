//! Everything ends, and ends well, once nothing goes wrong any more.

use super::{
    tally::{Law, Scene},
    watch::{End, Oracle},
};
use crate::trace::JobNo;

impl Oracle {
    /// A due job was claimed by workers that had nothing else to do: how long did it lie?
    pub(super) fn idle_claim(&mut self, scene: Scene, job: JobNo) {
        let (Some(healed_at), 0) = (self.healed_at, self.leases_out) else { return };
        let Some(live) = self.jobs.get(job.0) else { return };
        let due_at = live.due_at.unwrap_or(scene.at).max(live.free_since);
        let waited = scene.at.since(due_at.max(self.idle_since).max(healed_at));
        let bound = self.setup.fairness_bound;
        self.tally.hold(scene, Law::Liveness, waited <= bound, || {
            format!("due, and left lying for {} s by workers that had nothing else to do", waited.as_secs())
        });
    }

    /// The time that was allowed after healing is over.
    pub(super) fn overdue(&mut self, scene: Scene) {
        let Some(healed_at) = self.healed_at.filter(|_| self.settled_at.is_none()) else { return };
        if self.is_overdue || scene.at <= healed_at.after(self.setup.settle_within) {
            return;
        }
        self.is_overdue = true;
        let scene = Scene { job: self.jobs.first_live().map(JobNo), order: None, ..scene };
        let open = self.open();
        let within = self.setup.settle_within.as_secs();
        self.tally
            .hold(scene, Law::Liveness, false, || format!("not settled {within} s after healing: {open}"));
    }

    pub(super) fn settled(&mut self, scene: Scene) {
        self.settled_at = Some(scene.at);
        let first = self.jobs.first_live().map(JobNo);
        let is_settled = self.jobs.live() == 0
            && self.orders.live() == 0
            && self.open_messages == 0
            && self.leases_out == 0
            && self.purses.held() == 0;
        let open = if is_settled { String::new() } else { self.open() };
        let scene = Scene { job: first, ..scene };
        self.tally.hold(scene, Law::Liveness, is_settled, || format!("said to be settled: {open}"));
    }

    fn open(&self) -> String {
        format!(
            "{} jobs, {} orders and {} messages are open, {} leases are out, {} credits are held",
            self.jobs.live(),
            self.orders.live(),
            self.open_messages,
            self.leases_out,
            self.purses.held()
        )
    }

    /// The checks that only the end of a run allows.
    pub fn end(&mut self, end: &End) {
        self.judge(domain::time::Timestamp::from_millis(i64::MAX));
        let scene = Scene { at: end.now, seq: self.seq, job: None, order: None };
        self.overdue(scene);
        if !self.is_overdue {
            let is_settled = self.settled_at.is_some();
            let open = if is_settled { String::new() } else { self.open() };
            self.tally.hold(scene, Law::Liveness, is_settled, || format!("the run ended unsettled: {open}"));
        }
        self.audit(scene, &end.audit);
        self.bill(scene, end.bill);
    }
}
