//! What strangers at the callbacks' door cost the workers, measured in real time.
//!
//! The house is put together as `kadr run` does it: PostgreSQL, the HTTP clients, the worker loops and the server in one
//! process, with the simulated provider and language model outside. The same orders are placed twice, first in quiet and
//! then with garbage coming in, and both times every video has to be delivered. The flood's own work (a thread of this
//! process) is part of what is measured, so the ratio is an upper bound.

mod garbage;
mod watched;

use std::{collections::BTreeMap, io, path::Path, sync::Arc, time::Duration};

use adapters::system::SystemClock;
use app::{
    Policy, Ports,
    compose::{self, House},
    config::{Config, Sources},
    services::{
        account,
        await_order::jobs_of,
        place_order::{NewOrder, OrderPlaced, place_order},
    },
    workers::{Stop, work},
};
use bytes::Bytes;
use domain::{
    id::UserId,
    job::StateName,
    money::Credits,
    order::Quantity,
    prompt::{Brief, Template},
};
use ports::Clock;
use secrecy::{ExposeSecret, SecretString};

pub use self::garbage::Garbage;
use self::{
    garbage::{Flood, Genuine},
    watched::{Seen, WatchedJobs},
};
use crate::{
    provider::kie_model::RenderTime,
    sample,
    world::{Outside, OutsideSettings},
};

/// Who orders.
const USER: UserId = UserId::new(700_100_200);
/// What callbacks are signed with.
const WEBHOOK_KEY: &str = "the-simulated-webhook-key";
/// How long a render takes.
const RENDER: Duration = Duration::from_millis(500);
/// How long the last order may take after it was placed.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is measured.
#[derive(Debug, Clone, Copy)]
pub struct FloodPlan {
    /// Orders of one video, each time.
    pub orders: u32,
    /// The time over which they are placed.
    pub over: Duration,
    /// Requests of strangers a second.
    pub per_second: u32,
}

/// What was measured in quiet, or in the flood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phase {
    /// How many videos ended how.
    pub ends: BTreeMap<&'static str, usize>,
    /// Steps, from the claim or the step before until they were stored.
    pub steps: Spread,
    /// Videos, from the order on.
    pub videos: Spread,
}

/// Some times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spread {
    /// How many.
    pub count: usize,
    /// The one in the middle.
    pub median: Duration,
    /// All but one in twenty are at most so long.
    pub p95: Duration,
    /// The mean.
    pub mean: Duration,
}

impl Spread {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |share: usize| times.get((times.len() * share / 100).min(times.len().saturating_sub(1)));
        let total: Duration = times.iter().sum();
        Self {
            count: times.len(),
            median: at(50).copied().unwrap_or_default(),
            p95: at(95).copied().unwrap_or_default(),
            mean: u32::try_from(times.len())
                .ok()
                .and_then(|count| total.checked_div(count))
                .unwrap_or_default(),
        }
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FloodReport {
    /// Without strangers.
    pub quiet: Phase,
    /// With them.
    pub flooded: Phase,
    /// What they sent, and what they were told.
    pub garbage: Garbage,
    /// How often the store was asked on their behalf.
    pub store_calls: u64,
    /// What the audit found wrong with the ledger.
    pub findings: usize,
}

impl FloodReport {
    /// Whether all videos were delivered both times, and the strangers cost the store nothing.
    #[must_use]
    pub fn is_right(&self, plan: &FloodPlan) -> bool {
        let all = usize::try_from(plan.orders).unwrap_or(usize::MAX);
        let delivered = |phase: &Phase| phase.ends == BTreeMap::from([(StateName::Done.as_str(), all)]);
        delivered(&self.quiet) && delivered(&self.flooded) && self.store_calls == 0 && self.findings == 0
    }
}

/// Nothing could be measured.
#[derive(Debug, thiserror::Error)]
pub enum FloodError {
    /// Orders did not end in time.
    #[error("{phase}: not all orders ended within a minute of the last one")]
    Slow {
        /// When.
        phase: &'static str,
    },
    /// Something did not come up.
    #[error("{what}")]
    Setup {
        /// What was tried.
        what: &'static str,
        /// Its own words.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl FloodError {
    fn setup<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
        what: &'static str,
    ) -> impl FnOnce(E) -> Self {
        move |source| Self::Setup { what, source: source.into() }
    }
}

/// Measures, on an empty database.
///
/// # Errors
/// [`FloodError`]; a flood that had an effect is not an error but [`FloodReport::is_right`].
pub fn run(plan: &FloodPlan, database: &SecretString) -> Result<FloodReport, FloodError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(FloodError::setup("no runtime could be started"))?;
    runtime.block_on(Box::pin(in_a_house(*plan, database)))
}

async fn in_a_house(plan: FloodPlan, database: &SecretString) -> Result<FloodReport, FloodError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let mut settings = OutsideSettings::healthy(1);
    settings.kie.render_time = RenderTime::Fixed(RENDER);
    let outside = Outside::start(settings, Arc::clone(&clock)).await;
    let outside = outside.map_err(FloodError::setup("the simulated services could not be started"))?;
    let dir = tempfile::tempdir().map_err(FloodError::setup("no temporary directory could be made"))?;
    let config = config(&outside, database, dir.path())?;
    let put_together = "the house could not be put together";
    compose::migrate(&config, &mut |_| {}).await.map_err(FloodError::setup(put_together))?;
    let house = House::open(&config, Box::new(io::sink()), &mut |_| {}).await;
    let mut house = house.map_err(FloodError::setup(put_together))?;
    let jobs = Arc::new(WatchedJobs::new(Arc::clone(&house.ports.jobs), clock));
    house.ports.jobs = Arc::clone(&jobs) as _;
    let listener = house.bind_web(&config).await.map_err(FloodError::setup(put_together))?;
    let address = listener.as_ref().and_then(|listener| listener.local_addr().ok());
    let address = address.ok_or("it does not listen").map_err(FloodError::setup(put_together))?;

    let stop = Stop::new();
    let (ports, policy) = (house.ports.clone(), Arc::clone(&house.policy));
    let measuring = tokio::spawn({
        let stop = stop.clone();
        async move {
            let measurement = Measurement { ports, policy, jobs, plan };
            let report = Box::pin(measurement.both(address)).await;
            stop.ask();
            report
        }
    });
    let serving = house.serve_web(&config, listener, stop.asked());
    let ((), (), report) = tokio::join!(work(&house.ports, &house.policy, &stop), serving, measuring);
    house.close().await.map_err(FloodError::setup("the house could not be closed"))?;
    report.map_err(FloodError::setup("the measurement broke off"))?
}

/// Kadr's configuration: the simulated outside, callbacks, and looks every second.
fn config(outside: &Outside, database: &SecretString, dir: &Path) -> Result<Config, FloodError> {
    let models = dir.join("models.toml");
    std::fs::write(&models, impatient_models())
        .map_err(FloodError::setup("the catalogue of models could not be written"))?;
    let own = [
        ("KADR_DATABASE__URL", database.expose_secret().to_owned()),
        ("KADR_MODELS_FILE", models.display().to_string()),
        ("KADR_WORK_DIR", dir.join("work").display().to_string()),
        ("KADR_DELIVERY__DIR", dir.join("out").display().to_string()),
        ("KADR_HTTP__PUBLIC_URL", "http://127.0.0.1:9".to_owned()),
        ("KADR_HTTP__LISTEN", "127.0.0.1:0".to_owned()),
        ("KADR_KIE__WEBHOOK_KEY", WEBHOOK_KEY.to_owned()),
    ];
    let env = outside.env().into_iter().chain(own).map(|(name, value)| (name.to_owned(), value)).collect();
    Config::load(&Sources { file: None, env }).map_err(FloodError::setup("the configuration cannot work"))
}

fn impatient_models() -> String {
    const QUICK: &str = "timing = { first_poll_s = 1, every_s = 1, typical_s = 1, give_up_s = 60 }";
    let text = include_str!("../../../adapters/models.toml");
    let lines = text.lines().map(|line| if line.starts_with("timing = ") { QUICK } else { line });
    lines.collect::<Vec<_>>().join("\n")
}

struct Measurement {
    ports: Ports,
    policy: Arc<Policy>,
    jobs: Arc<WatchedJobs>,
    plan: FloodPlan,
}

impl Measurement {
    async fn both(&self, house: std::net::SocketAddr) -> Result<FloodReport, FloodError> {
        let store = FloodError::setup::<ports::PortError>;
        let credits = Credits::new(i64::from(self.plan.orders) * 2 + 1)
            .map_err(FloodError::setup("so many orders cannot be paid"))?;
        account::grant(&self.ports, USER, credits, Some("flood"))
            .await
            .map_err(store("credits could not be granted"))?;
        // One order alone: connections and caches are warm afterwards, and its callback can be recorded.
        let genuine = self.recorded(house).await?;
        let quiet = self.phase("in quiet", self.plan.orders).await?;
        self.jobs.take_asked();
        let flood = Flood::start(genuine, self.plan.per_second);
        let flooded = self.phase("in the flood", self.plan.orders).await;
        let garbage = tokio::task::spawn_blocking(|| flood.stop()).await;
        let garbage = garbage.map_err(io::Error::other).and_then(|garbage| garbage);
        let garbage = garbage.map_err(FloodError::setup("the flood broke off"))?;
        let audit = account::audit(&self.ports).await.map_err(store("the ledger could not be audited"))?;
        Ok(FloodReport {
            quiet,
            flooded: flooded?,
            garbage,
            store_calls: self.jobs.take_asked(),
            findings: audit.findings.len(),
        })
    }

    /// Has one video made and its callback delivered.
    async fn recorded(&self, house: std::net::SocketAddr) -> Result<Genuine, FloodError> {
        let what = "the first order's callback could not be recorded";
        let store = FloodError::setup::<ports::PortError>;
        let order = self.order().await?;
        self.all_ended("the first order", 1).await?;
        self.jobs.take();
        let jobs = jobs_of(&self.ports, order).await.map_err(store(what))?;
        let job = jobs.first().ok_or("it has no job").map_err(FloodError::setup(what))?.job.id;
        let attempts = self.ports.jobs.attempts(job).await.map_err(store(what))?;
        let attempt = attempts.into_iter().find_map(|attempt| Some((attempt.id, attempt.task?)));
        let (attempt, task) = attempt.ok_or("it has no task").map_err(FloodError::setup(what))?;
        let genuine =
            Genuine { house, key: WEBHOOK_KEY.into(), attempt, task, signed_at: self.ports.clock.now() };
        match genuine.deliver().await {
            Some(200) => Ok(genuine),
            answer => Err(FloodError::setup(what)(format!("it was answered {answer:?}"))),
        }
    }

    async fn order(&self) -> Result<domain::id::OrderId, FloodError> {
        let brief = sample::brief(app::texts::Language::En, Template::AdVideo);
        let new = NewOrder {
            user: USER,
            confirmation: None,
            photo: Bytes::from_static(sample::PHOTO),
            template: Template::AdVideo,
            brief: Brief::new(brief).map_err(FloodError::setup("the sample brief cannot be used"))?,
            wishes: None,
            quantity: Quantity::One,
            model: None,
        };
        let placed = place_order(&self.ports, &self.policy, new).await;
        let (OrderPlaced::Placed { order, .. } | OrderPlaced::Duplicate { order }) =
            placed.map_err(FloodError::setup("an order could not be placed"))?;
        Ok(order)
    }

    async fn all_ended(&self, phase: &'static str, jobs: usize) -> Result<(), FloodError> {
        let clock = &self.ports.clock;
        tokio::select! {
            biased;
            () = self.jobs.wait_for(jobs) => Ok(()),
            () = clock.sleep_until(clock.now().after(PATIENCE)) => Err(FloodError::Slow { phase }),
        }
    }

    /// Places the orders evenly and waits for the last video.
    async fn phase(&self, name: &'static str, orders: u32) -> Result<Phase, FloodError> {
        let clock = &self.ports.clock;
        let began = clock.now();
        for number in 0..orders {
            clock.sleep_until(began.after(self.plan.over * number / orders)).await;
            self.order().await?;
        }
        self.all_ended(name, usize::try_from(orders).unwrap_or(usize::MAX)).await?;
        let Seen { steps, jobs, .. } = self.jobs.take();
        let mut ends = BTreeMap::new();
        for (_, state) in &jobs {
            *ends.entry(state.as_str()).or_default() += 1;
        }
        let videos = jobs.into_iter().map(|(took, _)| took).collect();
        Ok(Phase { ends, steps: Spread::of(steps), videos: Spread::of(videos) })
    }
}
