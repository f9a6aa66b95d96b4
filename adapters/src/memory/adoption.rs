//! What callbacks change: tasks that show themselves, looks that are hastened; and the count of what is unfinished.

use domain::{
    id::{AttemptId, TaskId},
    job::{self, Event, Rules, State, StateName},
    time::Timestamp,
};
use ports::{Adoption, AfterStep, Census, Hastening, PortError, Topic};

use super::{
    MemStores,
    world::{JobRow, World},
};

impl MemStores {
    pub(super) fn adopt_task(
        &self,
        attempt: AttemptId,
        task: &TaskId,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<Adoption, PortError> {
        let mut world = self.lock();
        let Some(row) = world.row_of_attempt(attempt) else { return Ok(Adoption::Refused) };
        if row.job.state.has_task(attempt, task) {
            return Ok(Adoption::Already);
        }
        let number = row.lease_number + 1;
        let event = Event::Adopted { attempt, task: task.clone() };
        let Ok(step) = job::apply(&row.job, event, rules, now) else { return Ok(Adoption::Refused) };
        if world.attempts.values().any(|other| other.record.task.as_ref() == Some(task)) {
            return Ok(Adoption::Refused);
        }
        world.write_step(number, &step, AfterStep::Release, now)?;
        if let Some(change) = &step.attempt {
            world.update_attempt(change, None, now);
        }
        drop(world);
        self.ring_for(&step);
        self.signal.ring(Topic::Jobs);
        Ok(Adoption::Adopted(Box::new(step)))
    }

    pub(super) fn hasten_look(&self, attempt: AttemptId, task: &TaskId, now: Timestamp) -> Hastening {
        let mut world = self.lock();
        let row = world.row_of_attempt(attempt).filter(|row| {
            matches!(row.job.state, State::Rendering { .. }) && row.job.state.has_task(attempt, task)
        });
        let Some(mut row) = row.cloned() else { return Hastening::NotRendering };
        if row.lease.is_some() || row.next_run_at.is_none_or(|due_at| due_at <= now) {
            return Hastening::AlreadyDue;
        }
        row.next_run_at = Some(now);
        world.put_job(row);
        drop(world);
        self.signal.ring(Topic::Jobs);
        Hastening::Hastened
    }
}

impl World {
    /// The job an attempt belongs to.
    pub(super) fn row_of_attempt(&self, attempt: AttemptId) -> Option<&JobRow> {
        self.jobs.get(&self.attempts.get(&attempt)?.job)
    }

    pub(super) fn census(&self, now: Timestamp) -> Census {
        let open = || self.jobs.values().filter(|row| row.next_run_at.is_some());
        let of = |name: StateName| open().filter(|row| row.job.state.name() == name).count() as u64;
        let by_state =
            StateName::ALL.into_iter().map(|name| (name, of(name))).filter(|(_, count)| *count > 0);
        let is_due = |row: &&JobRow| row.lease.is_none() && row.next_run_at.is_some_and(|at| at <= now);
        Census { by_state: by_state.collect(), due: open().filter(is_due).count() as u64 }
    }
}
