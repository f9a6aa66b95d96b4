//! Leases: who holds a job, and who may write.

use domain::time::Timestamp;

use super::{
    doubts::Doubt,
    jobs::{Hold, Live, Stage, Told, mark},
    roll::{Place, Roll},
    tally::{Law, Scene, Tally},
    watch::Oracle,
};
use crate::trace::{JobNo, ProcessNo};

impl Oracle {
    pub(super) fn claimed(&mut self, scene: Scene, job: JobNo, process: ProcessNo, lease: i64) {
        self.idle_claim(scene, job);
        let Some(live) = find(&mut self.jobs, &mut self.tally, scene, job, "was claimed") else { return };
        let is_known = process.0 < self.setup.processes;
        self.tally.hold(scene, Law::OneHolder, is_known && lease > live.newest, || {
            format!("process {} claimed it under lease {lease} after lease {}", process.0, live.newest)
        });
        let hold = Hold { process, lease, since: scene.at, heard_at: scene.at };
        match live.hold.replace(hold) {
            Some(former) => {
                // The step that let go of it may be told a moment later, and only then is it known when it was due.
                live.superseded = Some((former, scene.at));
                self.doubts.push((scene, Doubt::Overlap { job, lease: former.lease }));
            }
            None => {
                self.leases_out += 1;
                let due_at = live.due_at;
                let is_due = due_at.is_none_or(|due_at| scene.at >= due_at);
                self.tally.hold(scene, Law::RetryDiscipline, is_due, || {
                    format!("taken up {} ms before it was due", lead(scene.at, due_at))
                });
            }
        }
        live.newest = live.newest.max(lease);
        live.confirmed_in_hold = false;
        self.fairness(scene, job);
    }

    /// A look that was put off is due now. Whoever holds the job keeps it, so that nobody loses a step to a callback.
    pub(super) fn hastened(&mut self, scene: Scene, job: JobNo, asked_at: Timestamp) {
        let Some(live) = find(&mut self.jobs, &mut self.tally, scene, job, "was hastened") else { return };
        let is_put_off = live.due_at.is_some_and(|due_at| due_at > asked_at);
        let is_right = live.stage == Stage::Rendering && live.hold.is_none() && is_put_off;
        self.tally.hold(scene, Law::LegalTransitions, is_right, || {
            format!("hastened while {:?}, held by {:?} and due at {:?}", live.stage, live.hold, live.due_at)
        });
        live.due_at = Some(scene.at);
        self.queue(job);
    }

    pub(super) fn rescued(&mut self, scene: Scene, job: JobNo, hung: bool) {
        let (lease, deadline) = (self.setup.lease.lease, self.setup.lease.deadline);
        let Some(live) = find(&mut self.jobs, &mut self.tally, scene, job, "was rescued") else { return };
        let held_for = live.hold.map(|hold| scene.at.since(hold.since));
        // A claim may take a quarter of a lease to come back, and its time counts from its beginning.
        let least = (if hung { deadline } else { lease }).saturating_sub(lease / 4);
        self.tally.hold(scene, Law::OneHolder, held_for.is_some_and(|time| time >= least), || {
            let kind = if hung { "hung" } else { "dead" };
            format!("rescued from a {kind} worker that held it for {held_for:?}")
        });
        live.rescues = live.rescues.saturating_add(1);
        live.was_rescued = true;
        self.free(scene.at, job);
    }

    pub(super) fn given_back(&mut self, scene: Scene, job: JobNo, lease: i64) {
        // The store passes over leases that are lost, and says nothing.
        if self.jobs.get(job.0).and_then(|live| live.hold).is_some_and(|hold| hold.lease == lease) {
            self.free(scene.at, job);
        }
    }

    /// The job's holder loses it, and the lease number grows.
    fn free(&mut self, at: Timestamp, job: JobNo) {
        if let Some(live) = self.jobs.get_mut(job.0) {
            live.newest += 1;
            live.changed_hands |= live.stage == Stage::Delivering;
            if let Some(hold) = live.hold.take() {
                live.superseded = Some((hold, at));
                self.let_go(at);
            }
        }
        self.queue(job);
    }

    pub(super) fn outdated(&mut self, scene: Scene, job: JobNo, lease: i64) {
        let hold = self.jobs.get(job.0).and_then(|live| live.hold);
        if hold.is_some_and(|hold| hold.lease == lease) {
            self.doubts.push((scene, Doubt::Refused { job, lease }));
        } else {
            self.tally.hold(scene, Law::OneHolder, true, String::new);
        }
    }

    pub(super) fn cancel_asked(&mut self, scene: Scene, job: JobNo, granted: bool) {
        let place = self.jobs.place(job.0);
        let is_cancelled = place == Place::Over(mark::CANCELLED);
        self.tally.hold(scene, Law::LegalTransitions, !granted || is_cancelled, || {
            format!("a cancellation was granted and the job is {place:?}")
        });
    }

    /// A step was stored: its holder lets go, unless it goes on.
    pub(super) fn after_step(&mut self, at: Timestamp, job: JobNo, keeps: bool, lease: Option<i64>) {
        let Some(live) = self.jobs.get_mut(job.0) else { return };
        if live.superseded.is_some_and(|(hold, since)| Some(hold.lease) == lease && since == at) {
            // Told late: somebody else has the job already.
            live.superseded = None;
        } else if lease.is_none() || !keeps {
            live.newest += i64::from(lease.is_none());
            if live.hold.take().is_some() {
                self.let_go(at);
            }
        }
        self.queue(job);
    }

    fn let_go(&mut self, at: Timestamp) {
        self.leases_out = self.leases_out.saturating_sub(1);
        if self.leases_out == 0 {
            self.idle_since = at;
        }
    }
}

/// The live job of that number; what happens to any other is found broken.
pub(super) fn find<'a>(
    jobs: &'a mut Roll<Live>,
    tally: &mut Tally,
    scene: Scene,
    job: JobNo,
    what: &str,
) -> Option<&'a mut Live> {
    let place = jobs.place(job.0);
    tally.hold(scene, Law::LegalTransitions, place == Place::Live, || match place {
        Place::Unknown => format!("a job that nobody ordered {what}"),
        Place::Live | Place::Over(_) => format!("a finished job {what}"),
    });
    jobs.get_mut(job.0)
}

/// Whether a step is stored by whoever holds the job.
pub(super) fn check(tally: &mut Tally, scene: Scene, live: &Live, told: &Told<'_>) {
    let Some(lease) = told.lease else { return };
    let holds = |hold: Hold| hold.lease == lease && told.process == Some(hold.process);
    let is_present = live.hold.is_some_and(holds);
    let is_late_told = live.superseded.is_some_and(|(hold, at)| holds(hold) && at == told.at);
    tally.hold(scene, Law::OneHolder, is_present || is_late_told, || {
        let (by, held) = (told.process.map(|p| p.0), live.hold.map(|h| (h.process.0, h.lease)));
        format!(
            "stored by process {by:?} under lease {lease}; held (process, lease): {held:?}; newest {}",
            live.newest
        )
    });
}

fn lead(at: Timestamp, due_at: Option<Timestamp>) -> u128 {
    due_at.map_or(0, |due_at| due_at.since(at).as_millis())
}
