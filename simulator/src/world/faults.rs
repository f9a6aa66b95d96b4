//! What goes wrong at a port, on either side of a call: before it nothing has happened, after it everything has and
//! nobody was told.

use std::{future::pending, time::Duration};

use domain::time::Timestamp;
use ports::{Clock, ErrorKind, PortError};
use tokio::sync::mpsc;

use super::log::Log;
use crate::{
    scenario::Database,
    time::{InFlight, luck},
    trace::{Injected, Kind, ProcessNo, Site},
};

/// How calls reach what is behind a port.
#[derive(Debug, Clone)]
pub(crate) enum Passage {
    /// It lies in memory and answers at once.
    Instant,
    /// It is real: virtual time stands still during a call.
    Real(InFlight),
}

impl Passage {
    pub(crate) async fn through<T>(&self, call: impl Future<Output = T>) -> T {
        match self {
            Self::Instant => call.await,
            Self::Real(in_flight) => in_flight.during(call).await,
        }
    }
}

/// A request to kill a process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Death {
    /// Whether it comes from within one of the process's own port calls.
    pub(crate) in_call: bool,
    /// How long it stays down, where that is said.
    pub(crate) down: Option<Duration>,
}

/// What can go wrong at the ports of one process.
pub(crate) struct Faults {
    pub(crate) seed: u64,
    /// Whose; the users' own process has no number.
    pub(crate) process: Option<ProcessNo>,
    pub(crate) database: Database,
    /// The share of calls the process dies in.
    pub(crate) in_call: f64,
    pub(crate) kill: Option<mpsc::UnboundedSender<Death>>,
    /// From then on nothing goes wrong any more.
    pub(crate) until: Timestamp,
}

impl Faults {
    /// None, in a process that nobody kills.
    pub(crate) fn none() -> Self {
        Self {
            seed: 0,
            process: Some(ProcessNo(0)),
            database: Database::default(),
            in_call: 0.0,
            kill: None,
            until: Timestamp::default(),
        }
    }

    fn are_possible(&self, now: Timestamp) -> bool {
        let Database { lost_before_commit, lost_after_commit, slow, slow_s: _ } = self.database;
        now < self.until && lost_before_commit + lost_after_commit + slow + self.in_call > 0.0
    }

    /// A number in `0.0..1.0` for the present call.
    fn draw(&self, what: &str, call: u64) -> f64 {
        luck(self.seed, what, &[self.process.map_or(u64::MAX, |p| u64::from(p.0)), call])
    }

    /// Never returns when the process dies here.
    async fn die(&self, log: &Log, fault: Injected) {
        if let Some(kill) = &self.kill {
            log.tell(Kind::Fault { site: Site::Process, fault, job: log.job_at_work() });
            // Nobody listens only when the process is being taken down anyway.
            kill.send(Death { in_call: true, down: None }).ok();
            pending::<()>().await;
        }
    }
}

/// The surroundings of one process's port calls.
pub(crate) struct Surroundings {
    pub(crate) clock: std::sync::Arc<dyn Clock>,
    pub(crate) passage: Passage,
    pub(crate) log: Log,
    pub(crate) faults: Faults,
}

impl Surroundings {
    /// Makes a call to a store, with whatever goes wrong on its way. `told` is what the log has to hear of a success,
    /// whether or not the caller hears of it.
    ///
    /// `what` names the call and what it is about. Chance is drawn by that and by the time, never by how many calls came
    /// before, so that calls of one instant may change places and meet the same fate.
    pub(crate) async fn store_call<T>(
        &self,
        what: (&'static str, u64),
        call: impl Future<Output = Result<T, PortError>> + Send,
        told: impl FnOnce(&T),
    ) -> Result<T, PortError> {
        if !self.faults.are_possible(self.clock.now()) {
            let answer = self.passage.through(call).await?;
            told(&answer);
            return Ok(answer);
        }
        let faults = &self.faults;
        let number = self.number_of(what);
        let fault = |fault| Kind::Fault { site: Site::Store, fault, job: self.log.job_at_work() };
        let death = faults.draw("death", number);
        if death < faults.in_call / 2.0 {
            faults.die(&self.log, Injected::Before).await;
        }
        if faults.draw("slow", number) < faults.database.slow {
            self.log.tell(fault(Injected::Slow));
            self.pass(faults.database.slow_s).await;
        }
        let loss = faults.draw("loss", number);
        if loss < faults.database.lost_before_commit {
            self.log.tell(fault(Injected::Before));
            return Err(PortError::new(
                ErrorKind::Transient,
                "the simulated connection was lost before the commit",
            ));
        }
        let answer = self.passage.through(call).await?;
        told(&answer);
        if loss < faults.database.lost_before_commit + faults.database.lost_after_commit {
            self.log.tell(fault(Injected::After));
            return Err(PortError::new(
                ErrorKind::AnswerLost,
                "the simulated connection was lost after the commit",
            ));
        }
        if death > 1.0 - faults.in_call / 2.0 {
            faults.die(&self.log, Injected::After).await;
        }
        Ok(answer)
    }

    /// Makes a call to an outside service: the process may die before it or after it.
    pub(crate) async fn outside_call<T>(&self, call: impl Future<Output = T> + Send, takes_s: f64) -> T {
        let faults = &self.faults;
        let mut death = 0.5;
        if faults.in_call > 0.0 && faults.are_possible(self.clock.now()) {
            let job = self.log.job_at_work().map_or(u64::MAX, |job| u64::from(job.0));
            death = faults.draw("death", self.number_of(("outside", job)));
        }
        if death < faults.in_call / 2.0 {
            faults.die(&self.log, Injected::Before).await;
        }
        let answer = self.passage.through(call).await;
        if death > 1.0 - faults.in_call / 2.0 {
            faults.die(&self.log, Injected::After).await;
        }
        self.pass(takes_s).await;
        answer
    }

    /// A number for one call at one time.
    fn number_of(&self, (name, about): (&'static str, u64)) -> u64 {
        let now = u64::try_from(self.clock.now().as_millis()).unwrap_or_default();
        luck(about, name, &[now]).to_bits()
    }

    /// Lets simulated seconds pass.
    pub(crate) async fn pass(&self, seconds: f64) {
        if seconds > 0.0 {
            self.clock.sleep_until(self.clock.now().after(Duration::from_secs_f64(seconds))).await;
        }
    }
}
