//! Running a day.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use adapters::system::SystemClock;
use app::{Policy, Ports, workers::Stop};
use domain::time::Timestamp;
use ports::{Clock, Entropy};
use tokio::{sync::mpsc, task::JoinSet};

use super::{
    DayError, DayOptions, DayOutcome,
    callbacks::Postman,
    compose::{Land, Stores, View},
    fleet::{self, Member},
    users::Users,
};
use crate::{
    scenario::{ArrivalStream, Calendar, Scenario},
    search::{Mutant, mutants::infect},
    time::{InFlight, SeededEntropy, SimClock, SimRuntime},
    trace::{Kind, ProcessNo},
    world::{
        faults::Death,
        log::{Forgotten, Log},
    },
};

/// Runs one day of a scenario to its end, on this thread.
///
/// # Errors
/// [`DayError`] when it cannot be run. A day that goes badly is no error: the observers see it.
pub fn run(scenario: &Scenario, options: DayOptions) -> Result<DayOutcome, DayError> {
    let wall = SystemClock::new();
    let began = wall.now();
    let calendar = Calendar::of(&scenario.day)?;
    let clock = SimClock::starting_at(calendar.from());
    let in_flight = InFlight::default();
    let runtime = match options.database {
        Some(_) => SimRuntime::new(&clock, &in_flight),
        None => SimRuntime::in_memory(&clock),
    };
    let runtime = runtime.map_err(DayError::setup("the simulation's runtime could not be started"))?;
    let day = Day { scenario: scenario.clone(), calendar, clock, in_flight };
    let outcome = runtime.run(Box::pin(async move { Box::pin(day.live(options)).await }))??;
    Ok(DayOutcome { wall: wall.now().since(began), ..outcome })
}

struct Day {
    scenario: Scenario,
    calendar: Calendar,
    clock: SimClock,
    in_flight: InFlight,
}

impl Day {
    async fn live(self, options: DayOptions) -> Result<DayOutcome, DayError> {
        let (scenario, calendar, seed) = (&self.scenario, &self.calendar, options.seed);
        let work_dir =
            tempfile::tempdir().map_err(DayError::setup("no temporary directory could be made"))?;
        let land = match &options.database {
            None => Land::in_memory(scenario, calendar, seed, &self.clock)?,
            Some(database) => {
                Land::on_the_wire(scenario, calendar, seed, &self.clock, &self.in_flight, database).await?
            }
        };
        let policy = land.policy(scenario, work_dir.path().join("videos"))?;
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        let log = Log::new(Arc::clone(&clock), options.observers, forgetting(&land, &self.clock));
        let (post, posted) = mpsc::unbounded_channel();
        let view = View {
            land: &land,
            scenario,
            seed,
            clock: Arc::clone(&clock),
            entropy: Arc::new(SeededEntropy::new(seed)) as Arc<dyn Entropy>,
            log: log.clone(),
            faults_until: calendar.to(),
            post: scenario.callbacks.heard.then_some(post),
        };
        let stop = Stop::new();
        let mut beside = JoinSet::new();
        let fleet = self.start_fleet(&view, &policy, options.mutant, &stop, &mut beside);
        self.announce_outages(&log, &mut beside);
        self.free_memory(&land, &mut beside);

        let (ports, policy) = infected(options.mutant, view.ports(None, None), policy);
        let policy = Arc::new(policy);
        if scenario.callbacks.heard {
            let (ports, policy, log) = (ports.clone(), Arc::clone(&policy), log.clone());
            let postman = Postman::new(ports, policy, log, scenario.callbacks.clone(), seed);
            beside.spawn(postman.deliver(posted));
        }
        let users = Arc::new(Users {
            ports,
            policy,
            habits: scenario.users.clone(),
            log: log.clone(),
            seed,
            purses: Mutex::default(),
        });
        users.live(ArrivalStream::new(scenario, seed)?).await;
        clock.sleep_until(self.healed_at()).await;
        log.tell(Kind::Healed);
        let patience = clock.now().after(Duration::from_secs_f64(scenario.day.settle_within_s));
        let is_settled = tokio::select! {
            biased;
            () = log.settled() => true,
            () = clock.sleep_until(patience) => false,
        };
        if is_settled {
            log.tell(Kind::Settled);
        }
        let ended = clock.now();
        stop.ask();
        fleet.join_all().await;
        beside.shutdown().await;
        log.close();

        let audit = land
            .passage
            .through(land.stores.audit())
            .await
            .map_err(DayError::setup("the ledger could not be audited"))?;
        let bill = land.kie.lock().unwrap_or_else(PoisonError::into_inner).bill(ended);
        if let Stores::Postgres(stores) = &land.stores {
            self.in_flight.during(stores.close()).await;
        }
        Ok(DayOutcome {
            ended,
            is_settled,
            tally: log.tally(),
            audit,
            bill,
            real_calls: self.in_flight.total(),
            wall: Duration::ZERO,
        })
    }

    /// Starts every worker process, and whatever kills them.
    fn start_fleet(
        &self,
        view: &View<'_>,
        policy: &Policy,
        mutant: Option<Mutant>,
        stop: &Stop,
        beside: &mut JoinSet<()>,
    ) -> JoinSet<()> {
        let scenario = &self.scenario;
        let (fleet, crashes) = (&scenario.fleet, &scenario.crashes);
        let mut running = JoinSet::new();
        for number in 0..fleet.processes {
            let process = ProcessNo(number);
            let (kill, deaths) = mpsc::unbounded_channel();
            let mut policy = policy.clone();
            policy.worker.job_slots = share_of(fleet.workers, fleet.processes, number);
            let (ports, policy) = infected(mutant, view.ports(Some(process), Some(kill.clone())), policy);
            let member = Member {
                process,
                ports,
                policy: Arc::new(policy),
                deaths,
                down: Duration::from_secs_f64(crashes.down_s),
                log: view.log.clone(),
                in_flight: view.land.servers.is_some().then(|| self.in_flight.clone()),
            };
            running.spawn(member.keep_running(stop.clone()));
            if crashes.per_hour > 0.0 {
                let clock = Arc::clone(&view.clock);
                let (seed, per_hour, until) = (view.seed, crashes.per_hour, view.faults_until);
                beside.spawn(fleet::kill_by_chance(clock, seed, process, per_hour, until, kill.clone()));
            }
            for planned in scenario.kills.iter().filter(|k| k.process.is_none_or(|p| p == number)) {
                let (clock, kill) = (Arc::clone(&view.clock), kill.clone());
                let (at, down) = (self.calendar.at(planned.at), Duration::from_secs_f64(planned.down_s));
                beside.spawn(async move {
                    clock.sleep_until(at).await;
                    // The process is gone when the day is over.
                    kill.send(Death { in_call: false, down: Some(down) }).ok();
                });
            }
        }
        running
    }

    fn announce_outages(&self, log: &Log, beside: &mut JoinSet<()>) {
        for (number, outage) in self.scenario.outages.iter().enumerate() {
            let (clock, log) = (self.clock.clone(), log.clone());
            let from = self.calendar.at(outage.at);
            let to = from.after(Duration::from_secs_f64(outage.minutes * 60.0));
            beside.spawn(async move {
                clock.sleep_until(from).await;
                log.tell(Kind::Outage { number, began: true });
                clock.sleep_until(to).await;
                log.tell(Kind::Outage { number, began: false });
            });
        }
    }

    /// When the last planned fault is over and no order comes any more.
    fn healed_at(&self) -> Timestamp {
        let minutes = |m: f64| Duration::from_secs_f64(m * 60.0);
        let outages = self.scenario.outages.iter().map(|o| self.calendar.at(o.at).after(minutes(o.minutes)));
        let kills = self
            .scenario
            .kills
            .iter()
            .map(|k| self.calendar.at(k.at).after(Duration::from_secs_f64(k.down_s)));
        outages.chain(kills).fold(self.calendar.to(), Timestamp::max)
    }

    /// Frees now and then what the servers remember of past requests.
    fn free_memory(&self, land: &Land, beside: &mut JoinSet<()>) {
        const EVERY: Duration = Duration::from_secs(600);
        let Some(servers) = land.servers.clone() else { return };
        let (clock, in_flight) = (self.clock.clone(), self.in_flight.clone());
        beside.spawn(async move {
            loop {
                clock.sleep_until(clock.now().after(EVERY)).await;
                in_flight.during(servers.forget_requests()).await;
            }
        });
    }
}

/// A process's ports and policy with a bug in them, if one is asked for. Each process gets its own: a policy that was
/// infected once must not be infected again.
fn infected(mutant: Option<Mutant>, ports: Ports, mut policy: Policy) -> (Ports, Policy) {
    let ports = match mutant {
        Some(mutant) => infect(mutant, ports, &mut policy),
        None => ports,
    };
    (ports, policy)
}

/// The slots of one process when `workers` are shared out among all.
fn share_of(workers: u32, processes: u16, number: u16) -> u32 {
    let (all, number) = (u32::from(processes.max(1)), u32::from(number));
    workers / all + u32::from(number < workers % all)
}

/// Lets the stores and the provider in memory forget settled orders; a database keeps them.
fn forgetting(land: &Land, clock: &SimClock) -> Box<dyn Fn(&Forgotten) + Send + Sync> {
    let Stores::Memory(stores) = land.stores.clone() else { return Box::new(|_| {}) };
    let (kie, clock) = (Arc::clone(&land.kie), clock.clone());
    Box::new(move |gone| {
        stores.forget_order(gone.order, &gone.jobs);
        let mut kie = kie.lock().unwrap_or_else(PoisonError::into_inner);
        let now = clock.now();
        for task in &gone.tasks {
            kie.forget(task.as_str(), now);
        }
        if let Some(article) = gone.article {
            kie.forget_article(article);
        }
    })
}
