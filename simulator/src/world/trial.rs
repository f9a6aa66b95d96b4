//! One order, from the confirmation to its last message, in virtual time.

use std::{
    collections::BTreeMap,
    io,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use adapters::{
    kie::{Catalogue, CatalogueError, KieConfig, KieError, KieKey, KieVideoApi},
    llm::{ChatPromptWriter, LlmConfig},
    postgres::PgStores,
};
use app::{
    Policy, Ports,
    policy::{DeliveryTerms, Models, SendingTerms, WorkerTerms},
    services::{
        account,
        place_order::{NewOrder, OrderPlaced, PlaceOrderError, place_order},
    },
    texts::Language,
    workers::{Stop, work},
};
use bytes::Bytes;
use domain::{
    decision::RetryPolicy,
    id::{AccountId, KeyId, ModelId, OrderId, UserId},
    job::StateName,
    ledger::{Balance, EntryKind},
    money::Credits,
    notice::{Audience, RefundCause},
    order::Quantity,
    prompt::{Brief, Template},
    time::Timestamp,
};
use ports::{AuditReport, Clock, KeyRoster, LeaseTerms, Messenger, PortError};
use secrecy::SecretString;
use tokio::signal::unix::{SignalKind, signal};

use super::{
    Expected, Mishap, Outside, OutsideSettings, Watcher,
    checks::{self, Check},
    decorators::{Line, SimMessenger, SimStores, SimVideo, SimWriter},
    trace::{Record, Trace},
};
use crate::{
    provider::kie_model::{Bill, Creation},
    time::{InFlight, SeededEntropy, SimClock, SimError, SimRuntime},
};

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
    fn setup<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
        what: &'static str,
    ) -> impl FnOnce(E) -> Self {
        move |source| Self::Setup { what, source: source.into() }
    }
}

/// A retry of one video.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetrySeen {
    /// Which one, from 1.
    pub number: u8,
    /// The delay that was promised.
    pub delay: Duration,
    /// When the failure was stored.
    pub failed_at: Timestamp,
    /// How long after that the job was worked on again.
    pub waited: Option<Duration>,
}

/// How one video ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoOutcome {
    /// Its number, from 1.
    pub number: u8,
    /// The job's last state.
    pub state: StateName,
    /// Why the credit came back, if it did.
    pub cause: Option<RefundCause>,
    /// Its retries.
    pub retries: Vec<RetrySeen>,
    /// Keys it was submitted with, in order.
    pub keys: Vec<KeyId>,
    /// When it was handed over.
    pub handed_over: Option<Timestamp>,
}

/// What was done with one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    /// Its fingerprint.
    pub key: KeyId,
    /// Its account.
    pub account: AccountId,
    /// Submissions.
    pub submitted: usize,
    /// Submissions the provider accepted.
    pub accepted: usize,
    /// What the provider said to the others: code and how often.
    pub refused: BTreeMap<i64, usize>,
}

/// How a trial ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The order.
    pub order: OrderId,
    /// The video model.
    pub model: ModelId,
    /// The videos.
    pub videos: Vec<VideoOutcome>,
    /// Credits held, captured and released.
    pub held: i64,
    /// Credits captured.
    pub captured: i64,
    /// Credits released.
    pub released: i64,
    /// The user's balance before the order.
    pub before: Balance,
    /// The user's balance at the end.
    pub after: Balance,
    /// What the ledger's own audit says.
    pub audit: AuditReport,
    /// The keys.
    pub keys: Vec<KeyUse>,
    /// The provider's bill.
    pub bill: Bill,
    /// Answers the language model gave.
    pub prompts_written: u64,
    /// The prompt of every task the provider created.
    pub prompts: Vec<String>,
    /// Every text that was sent: when, to whom, what.
    pub texts: Vec<(Timestamp, Audience, String)>,
    /// Messages that were given up.
    pub messages_given_up: usize,
    /// When the order was placed.
    pub began: Timestamp,
    /// When the last message was out.
    pub ended: Timestamp,
    /// Calls to the real world: statements, HTTP exchanges, files.
    pub real_calls: usize,
    /// What had to hold, and whether it did.
    pub checks: Vec<Check>,
}

impl Outcome {
    /// Whether everything held that had to.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.checks.iter().all(|check| check.problem.is_none())
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
        let house =
            House::build(self, &outside, &stores, &trace, &shared_clock, &in_flight, work_dir.path().into())?;
        let ended = house.serve(&order, &trace, &outside, &in_flight).await;
        in_flight.during(stores.close()).await;
        ended
    }
}

/// Kadr, put together for a trial.
struct House {
    ports: Ports,
    policy: Arc<Policy>,
}

impl House {
    fn build(
        trial: Trial,
        outside: &Outside,
        stores: &PgStores,
        trace: &Trace,
        clock: &Arc<dyn Clock>,
        in_flight: &InFlight,
        work_dir: PathBuf,
    ) -> Result<Self, TrialError> {
        let (in_flight, clock, order) = (in_flight.clone(), Arc::clone(clock), &trial.order);
        let catalogue: Result<_, CatalogueError> = Catalogue::builtin();
        let catalogue = Arc::new(catalogue.map_err(TrialError::setup("the model catalogue cannot be read"))?);
        let all = catalogue.models().map(|model| model.video.clone()).collect();
        let models = Models::new(all, catalogue.default_model()).map_err(PlaceOrderError::from)?;
        let (video, roster) = provider(outside, &catalogue)?;
        let base =
            outside.llm.base().parse().map_err(TrialError::setup("the language model has no address"))?;
        let writer = ChatPromptWriter::new(LlmConfig::new(base, "simulated".to_owned().into(), "simulated"))
            .map_err(TrialError::setup("the language model cannot be reached"))?;
        let stores =
            Arc::new(SimStores { real: stores.clone(), in_flight: in_flight.clone(), trace: trace.clone() });
        let signal = stores.real.signal();
        let line = match order.mishap {
            Some(Mishap::SendingFails) => Line::FailsTwice,
            Some(Mishap::BlockedBot) => Line::Blocked,
            _ => Line::Free,
        };
        let ports = Ports {
            clock: Arc::clone(&clock),
            entropy: Arc::new(SeededEntropy::new(order.seed)),
            orders: stores.clone(),
            jobs: stores.clone(),
            ledger: stores.clone(),
            outbox: stores.clone(),
            photos: stores,
            video: Arc::new(SimVideo {
                real: video,
                in_flight: in_flight.clone(),
                clock: Arc::clone(&clock),
            }),
            writer: Some(Arc::new(SimWriter {
                real: writer,
                in_flight: in_flight.clone(),
                clock: Arc::clone(&clock),
            })),
            messenger: Arc::new(SimMessenger {
                real: trial.messenger,
                in_flight,
                clock,
                trace: trace.clone(),
                line,
                failed: Mutex::default(),
            }),
            signal,
        };
        let policy = Policy {
            retry: RetryPolicy::default(),
            models,
            roster,
            lease: LeaseTerms { lease: Duration::from_secs(45), deadline: Duration::from_secs(300) },
            worker: WorkerTerms::default(),
            sending: SendingTerms::default(),
            delivery: DeliveryTerms { work_dir, video_bytes_max: 200_000_000 },
            language: order.language,
        };
        Ok(Self { ports, policy: Arc::new(policy) })
    }

    async fn serve(
        &self,
        order: &TrialOrder,
        trace: &Trace,
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
            () = trace.settled() => true,
            () = ports.clock.sleep_until(began.after(PATIENCE)) => false,
        };
        let ended = ports.clock.now();
        stop.ask();
        worker.await.map_err(SimError::from)?;
        let record = trace.record().clone();
        if !in_time {
            let open = record.states.values().filter(|state| !state.is_terminal()).count();
            return Err(TrialError::NotSettled { hours: PATIENCE.as_secs() / 3_600, open });
        }
        let audit = account::audit(ports).await.map_err(store("the ledger could not be audited"))?;
        let after = account::balance(ports, USER).await.map_err(store("the balance could not be read"))?;
        let (creations, bill, prompts) = {
            let mut model = outside.kie.model();
            let prompts = model.prompts().into_iter().map(str::to_owned).collect();
            (model.creations().to_vec(), model.bill(ended), prompts)
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
            keys: key_uses(&policy.roster, &creations),
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

fn provider(outside: &Outside, catalogue: &Arc<Catalogue>) -> Result<(KieVideoApi, KeyRoster), TrialError> {
    let unusable = TrialError::setup::<KieError>;
    let mut keys = Vec::new();
    for name in OutsideSettings::ACCOUNTS {
        let account = AccountId::new(name).map_err(TrialError::setup("an account has an unusable name"))?;
        let key = KieKey::new(account, &OutsideSettings::key_of(name).into());
        keys.push(key.map_err(unusable("a simulated key is unusable"))?);
    }
    let base = |text: String| text.parse().map_err(TrialError::setup("the provider has no address"));
    let config = KieConfig::new(base(outside.kie.api_base())?, base(outside.kie.upload_base())?, keys);
    let roster = config.roster();
    let video = KieVideoApi::new(config, Arc::clone(catalogue))
        .map_err(unusable("the provider cannot be reached"))?;
    Ok((video, roster))
}

fn videos(record: &Record, quantity: Quantity) -> Vec<VideoOutcome> {
    (1..=quantity.videos())
        .map(|number| {
            let steps: Vec<_> = record.steps.iter().filter(|step| step.video.0 == number).collect();
            let retries = steps.iter().enumerate().filter_map(|(place, step)| {
                let (retry, delay) = step.retry?;
                let next = steps.get(place + 1);
                let waited = next.map(|next| next.at.since(step.at));
                Some(RetrySeen { number: retry, delay, failed_at: step.at, waited })
            });
            VideoOutcome {
                number,
                state: steps.last().map_or(StateName::Queued, |step| step.state),
                cause: steps.last().and_then(|step| step.cause),
                retries: retries.collect(),
                keys: steps.iter().filter_map(|step| step.submits_with.clone()).collect(),
                handed_over: record.handed_over.iter().find(|(n, _)| *n == number).map(|(_, at)| *at),
            }
        })
        .collect()
}

fn key_uses(roster: &KeyRoster, creations: &[Creation]) -> Vec<KeyUse> {
    let of_account = |number: usize| creations.iter().filter(move |c| c.account == Some(number));
    roster
        .keys
        .iter()
        .enumerate()
        .map(|(number, key)| {
            let mut refused = BTreeMap::new();
            for code in of_account(number).filter_map(|c| c.came_of_it.as_ref().err()) {
                *refused.entry(*code).or_default() += 1;
            }
            KeyUse {
                key: key.key.clone(),
                account: key.account.clone(),
                submitted: of_account(number).count(),
                accepted: of_account(number).filter(|c| c.came_of_it.is_ok()).count(),
                refused,
            }
        })
        .collect()
}
