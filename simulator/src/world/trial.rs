//! One order, from the confirmation to its last message, in virtual time.

use std::{io, sync::Arc, time::Duration};

use adapters::postgres::PgStores;
use app::{
    services::{
        account,
        place_order::{NewOrder, OrderPlaced, PlaceOrderError, place_order},
    },
    texts::Language,
    workers::{Stop, work},
};
use bytes::Bytes;
use domain::{
    id::{ModelId, UserId},
    ledger::EntryKind,
    money::Credits,
    order::Quantity,
    prompt::{Brief, Template},
    time::Timestamp,
};
use ports::{Clock, Messenger, PortError};
use secrecy::SecretString;
use tokio::signal::unix::{SignalKind, signal};

use super::{
    Expected, Mishap, Outcome, Outside, OutsideSettings, Watcher, checks,
    house::House,
    log::Log,
    outcome::{key_uses, videos},
    trace::Trace,
};
use crate::time::{InFlight, SimClock, SimError, SimRuntime};

/// When every trial begins: 2026-12-01, 20:00 in Moscow, the first minute of the evening peak.
const BEGINS: Timestamp = Timestamp::from_millis(1_796_144_400_000);
/// A trial that is not over by then never will be.
const PATIENCE: Duration = Duration::from_secs(48 * 60 * 60);
/// Who orders.
const USER: UserId = UserId::new(700_100_200);

/// What is ordered, and what goes wrong.
#[derive(Debug, Clone)]
pub struct TrialOrder {
    /// The product photo.
    pub photo: Bytes,
    /// How the videos are written.
    pub template: Template,
    /// What the product is.
    pub brief: Brief,
    /// How many videos.
    pub quantity: Quantity,
    /// The video model; the catalogue's default when none is named.
    pub model: Option<ModelId>,
    /// The credits the user is given before.
    pub credits: Credits,
    /// The language of messages.
    pub language: Language,
    /// What goes wrong.
    pub mishap: Option<Mishap>,
    /// Where chance comes from.
    pub seed: u64,
}

/// Why a trial came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// The order was refused, before anything was stored.
    #[error(transparent)]
    Refused(#[from] PlaceOrderError),
    /// Virtual time broke down.
    #[error(transparent)]
    Time(#[from] SimError),
    /// The order did not end.
    #[error("after {hours} simulated hours the order is still not settled: {open} of its jobs are open")]
    NotSettled {
        /// How long.
        hours: u64,
        /// Jobs that are not finished.
        open: usize,
    },
    /// Somebody pressed Ctrl-C, or the process was asked to end.
    #[error("interrupted; nothing is left behind but the videos that were saved")]
    Interrupted,
    /// Something real failed.
    #[error("{what}")]
    Setup {
        /// What was tried.
        what: &'static str,
        /// Its own words.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl TrialError {
    pub(super) fn setup<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
        what: &'static str,
    ) -> impl FnOnce(E) -> Self {
        move |source| Self::Setup { what, source: source.into() }
    }
}

/// A trial, ready to run.
pub struct Trial {
    /// What is ordered.
    pub order: TrialOrder,
    /// An empty database or one with Kadr's schema.
    pub database: SecretString,
    /// Where texts and videos go in the end.
    pub messenger: Arc<dyn Messenger>,
    /// Who is told what happens while it happens.
    pub watcher: Watcher,
}

impl std::fmt::Debug for Trial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trial").field("order", &self.order).finish_non_exhaustive()
    }
}

impl Trial {
    /// Runs it to its end on this thread.
    ///
    /// # Errors
    /// [`TrialError`]; a trial that ends otherwise than it should is not an error but [`Outcome::checks`].
    pub fn run(self) -> Result<Outcome, TrialError> {
        let clock = SimClock::starting_at(BEGINS);
        let in_flight = InFlight::default();
        let runtime = SimRuntime::new(&clock, &in_flight)
            .map_err(TrialError::setup("the simulation's runtime could not be started"))?;
        runtime.run(Box::pin(async move { Box::pin(self.live(clock, in_flight)).await }))?
    }

    async fn live(self, clock: SimClock, in_flight: InFlight) -> Result<Outcome, TrialError> {
        let order = self.order.clone();
        let work_dir =
            tempfile::tempdir().map_err(TrialError::setup("no temporary directory could be made"))?;
        let mut settings = OutsideSettings::healthy(order.seed);
        if let Some(mishap) = order.mishap {
            mishap.apply(&mut settings);
        }
        let shared_clock: Arc<dyn Clock> = Arc::new(clock.clone());
        let outside = in_flight
            .during(Outside::start(settings, Arc::clone(&shared_clock)))
            .await
            .map_err(TrialError::setup("the simulated services could not be started"))?;
        let stores = in_flight
            .during(async {
                let stores = PgStores::connect(&self.database, 8).await?;
                stores.migrate().await?;
                Ok::<_, PortError>(stores)
            })
            .await
            .map_err(TrialError::setup("the database could not be prepared"))?;
        let trace = Trace::new(Arc::clone(&self.watcher));
        let log = Log::new(Arc::clone(&shared_clock), vec![Box::new(trace.clone())], Box::new(|_| {}));
        let house = House::build(
            self,
            &outside,
            &stores,
            (&log, &trace),
            &shared_clock,
            &in_flight,
            work_dir.path().into(),
        )?;
        let ended = house.serve(&order, (&log, &trace), &outside, &in_flight).await;
        in_flight.during(stores.close()).await;
        ended
    }
}

impl House {
    /// Has the order placed, worked on and settled, and draws the conclusions.
    async fn serve(
        &self,
        order: &TrialOrder,
        (log, trace): (&Log, &Trace),
        outside: &Outside,
        in_flight: &InFlight,
    ) -> Result<Outcome, TrialError> {
        let store = TrialError::setup::<PortError>;
        let (ports, policy) = (&self.ports, &self.policy);
        let began = ports.clock.now();
        account::grant(ports, USER, order.credits, Some("trial"))
            .await
            .map_err(store("credits could not be granted"))?;
        let before = account::balance(ports, USER).await.map_err(store("the balance could not be read"))?;
        let new = NewOrder {
            user: USER,
            confirmation: None,
            photo: order.photo.clone(),
            template: order.template,
            brief: order.brief.clone(),
            wishes: None,
            quantity: order.quantity,
            model: order.model.clone(),
        };
        let (OrderPlaced::Placed { order: id, .. } | OrderPlaced::Duplicate { order: id }) =
            place_order(ports, policy, new).await?;
        let stop = Stop::new();
        let worker = tokio::spawn({
            let (ports, policy, stop) = (ports.clone(), Arc::clone(policy), stop.clone());
            async move { work(&ports, &policy, &stop).await }
        });
        let interrupted = interrupted().map_err(TrialError::setup("signals cannot be heard"))?;
        let in_time = tokio::select! {
            biased;
            () = interrupted => return Err(TrialError::Interrupted),
            () = log.settled() => true,
            () = ports.clock.sleep_until(began.after(PATIENCE)) => false,
        };
        let ended = ports.clock.now();
        stop.ask();
        worker.await.map_err(SimError::from)?;
        let record = trace.record().clone();
        if !in_time {
            let ended = record.steps.iter().filter(|step| step.state.is_terminal()).count();
            let open = usize::from(order.quantity.videos()).saturating_sub(ended);
            return Err(TrialError::NotSettled { hours: PATIENCE.as_secs() / 3_600, open });
        }
        let audit = account::audit(ports).await.map_err(store("the ledger could not be audited"))?;
        let after = account::balance(ports, USER).await.map_err(store("the balance could not be read"))?;
        let (bill, prompts) = {
            let mut model = outside.kie.model();
            let prompts = model.prompts().into_iter().map(str::to_owned).collect();
            (model.bill(ended), prompts)
        };
        let count = |kind| record.steps.iter().flat_map(|s| &s.entries).filter(|k| **k == kind).count();
        let whole = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let mut outcome = Outcome {
            order: id,
            model: order.model.clone().unwrap_or_else(|| policy.models.default_model().id.clone()),
            videos: videos(&record, order.quantity),
            held: audit.held_ever,
            captured: whole(count(EntryKind::Capture)),
            released: whole(count(EntryKind::Release)),
            before,
            after,
            keys: key_uses(&policy.roster, &record),
            audit,
            bill,
            prompts_written: outside.llm.written(),
            prompts,
            texts: record.texts.clone(),
            messages_given_up: record.given_up,
            began,
            ended,
            real_calls: in_flight.total(),
            checks: Vec::new(),
        };
        let expected = order.mishap.map_or(Expected::PLAIN, Mishap::expected);
        outcome.checks = checks::all(&outcome, &record, order, expected);
        Ok(outcome)
    }
}

/// Waits for Ctrl-C or SIGTERM. Time goes on meanwhile.
fn interrupted() -> io::Result<impl Future<Output = ()>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            biased;
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
