//! Kadr, put together for a simulated day.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use adapters::{
    kie::{Catalogue, KieConfig, KieKey, KieVideoApi},
    llm::{ChatPromptWriter, LlmConfig},
    memory::MemStores,
    postgres::PgStores,
};
use app::{
    Policy, Ports,
    policy::{BotTerms, DeliveryTerms, LOST_ANSWER_GRACE_WITH_CALLBACKS, Models, SendingTerms, WorkerTerms},
    texts::Language,
};
use domain::{
    decision::RetryPolicy,
    id::{AccountId, KeyId, ModelId},
    key::AccountLimits,
    model::VideoModel,
    time::Timestamp,
};
use ports::{
    CALLBACK_PATH, Clock, Entropy, JobStore, KeyRoster, LeaseTerms, LedgerStore, OrderStore, Outbox,
    PhotoStore, PromptWriter, RosterKey, VideoApi, WorkSignal,
};
use tokio::sync::mpsc;

use super::DayError;
use crate::{
    provider::{
        kie_model::{
            AccountPlan, Announced, FailPlan, KieCredits, KieModel, KieSettings, RenderTime, Storm, Weather,
        },
        llm::LlmTrouble,
        memory::{MemPromptWriter, MemVideoApi},
    },
    scenario::{Calendar, RenderTimes, Scenario},
    time::{InFlight, SimClock},
    trace::ProcessNo,
    world::{
        Outside, OutsideSettings,
        faults::{Death, Faults, Passage, Surroundings},
        log::Log,
        services::{SharedKie, SimMessenger, SimVideo, SimWriter},
        stores::SimStores,
        studio::AsSent,
    },
};

/// The provider's keys: each account's number, fingerprint and secret.
struct Keys(Vec<(AccountId, KieKey, String)>);

impl Keys {
    fn of(scenario: &Scenario) -> Result<Self, DayError> {
        let mut keys = Vec::new();
        for account in &scenario.accounts {
            let id = AccountId::new(account.name.clone())
                .map_err(DayError::setup("an account has no usable name"))?;
            for number in 0..account.keys {
                let secret = secret_of(&account.name, number);
                let key = KieKey::new(id.clone(), &secret.clone().into());
                keys.push((id.clone(), key.map_err(DayError::setup("a simulated key is unusable"))?, secret));
            }
        }
        Ok(Self(keys))
    }

    fn roster(&self, scenario: &Scenario) -> KeyRoster {
        let limit = |of: &dyn Fn(&crate::scenario::Account) -> u32| {
            scenario.accounts.iter().map(of).min().unwrap_or(1).max(1)
        };
        // A tenth below what the provider allows, as Kadr's own default is.
        let limits = AccountLimits {
            running_max: limit(&|account| account.running_max),
            creates_max: (limit(&|account| account.new_per_10s) * 9 / 10).max(1),
            window: Duration::from_secs(10),
        };
        let keys = self.0.iter();
        let keys = keys
            .map(|(account, key, _)| RosterKey { key: key.fingerprint().clone(), account: account.clone() });
        KeyRoster { keys: keys.collect(), limits }
    }

    fn secrets(&self) -> Vec<(KeyId, String)> {
        self.0.iter().map(|(_, key, secret)| (key.fingerprint().clone(), secret.clone())).collect()
    }
}

/// The keys every process of a scenario knows, and the limits it keeps for them.
pub(super) fn roster(scenario: &Scenario) -> Result<KeyRoster, DayError> {
    Ok(Keys::of(scenario)?.roster(scenario))
}

fn secret_of(account: &str, number: u16) -> String {
    let name: String = account.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("simulated-key-{number}-of-{name}")
}

/// The provider as a scenario describes it.
pub(super) fn kie_settings(
    scenario: &Scenario,
    catalogue: &Catalogue,
    calendar: &Calendar,
    seed: u64,
) -> KieSettings {
    let accounts = scenario.accounts.iter().map(|account| AccountPlan {
        keys: (0..account.keys).map(|number| secret_of(&account.name, number)).collect(),
        balance: KieCredits::nearest(account.credits),
        accepted: account.accepted,
        creates_per_window: account.new_per_10s as usize,
        running_max: account.running_max as usize,
    });
    let storms = scenario.outages.iter().map(|outage| {
        let from = calendar.at(outage.at);
        Storm {
            from,
            to: from.after(Duration::from_secs_f64(outage.minutes * 60.0)),
            what: outage.what,
            share: outage.share,
            account: outage
                .account
                .as_ref()
                .and_then(|name| scenario.accounts.iter().position(|a| a.name == *name)),
            model: outage.model.as_ref().map(|id| slug_of(catalogue, id)),
        }
    });
    KieSettings {
        render_time: RenderTime::Drawn(RenderTimes::of(&scenario.render)),
        plan: FailPlan::default(),
        weather: Weather { seed, errors: scenario.errors.clone(), storms: storms.collect() },
        short_results: true,
        ..KieSettings::healthy(seed, accounts.collect())
    }
}

/// What the provider calls a model; one it does not know is hit by nothing.
fn slug_of(catalogue: &Catalogue, id: &str) -> String {
    let found = catalogue.models().find(|model| model.video.id.as_str() == id);
    found.map_or_else(|| id.to_owned(), |model| model.slug.clone())
}

/// The ordered model of a scenario and those that may stand in for it.
pub(super) fn ordered_and_fallback(scenario: &Scenario) -> Result<Vec<VideoModel>, DayError> {
    let catalogue = catalogue()?;
    let ids = std::iter::once(&scenario.model.id).chain(&scenario.model.fallback);
    let found = ids.filter_map(|id| catalogue.models().find(|model| model.video.id.as_str() == id));
    Ok(found.map(|model| model.video.clone()).collect())
}

/// What lies outside Kadr's processes: the stores and the services, as every process reaches them.
pub(super) struct Land {
    pub(super) kie: SharedKie,
    pub(super) stores: Stores,
    pub(super) servers: Option<Arc<Outside>>,
    pub(super) roster: KeyRoster,
    pub(super) passage: Passage,
    video: Arc<dyn VideoApi>,
    writer: Arc<dyn PromptWriter>,
    catalogue: Arc<Catalogue>,
}

/// The stores of a day.
#[derive(Clone)]
pub(super) enum Stores {
    Memory(MemStores),
    Postgres(PgStores),
}

impl Stores {
    pub(super) async fn audit(&self) -> Result<ports::AuditReport, ports::PortError> {
        match self {
            Self::Memory(stores) => stores.audit().await,
            Self::Postgres(stores) => stores.audit().await,
        }
    }
}

impl Land {
    /// Everything in memory.
    pub(super) fn in_memory(
        scenario: &Scenario,
        calendar: &Calendar,
        seed: u64,
        clock: &SimClock,
    ) -> Result<Self, DayError> {
        let keys = Keys::of(scenario)?;
        let catalogue = catalogue()?;
        let kie: SharedKie =
            Arc::new(Mutex::new(KieModel::new(kie_settings(scenario, &catalogue, calendar, seed))));
        let video = MemVideoApi::new(
            Arc::clone(&kie),
            Arc::clone(&catalogue),
            Arc::new(clock.clone()),
            keys.secrets(),
        );
        Ok(Self {
            kie,
            stores: Stores::Memory(MemStores::default()),
            servers: None,
            roster: keys.roster(scenario),
            passage: Passage::Instant,
            video: Arc::new(video),
            writer: Arc::new(MemPromptWriter),
            catalogue,
        })
    }

    /// Real HTTP servers and a real database.
    pub(super) async fn on_the_wire(
        scenario: &Scenario,
        calendar: &Calendar,
        seed: u64,
        clock: &SimClock,
        in_flight: &InFlight,
        database: &secrecy::SecretString,
    ) -> Result<Self, DayError> {
        let keys = Keys::of(scenario)?;
        let catalogue = catalogue()?;
        let settings = OutsideSettings {
            kie: kie_settings(scenario, &catalogue, calendar, seed),
            llm: LlmTrouble::default(),
        };
        let servers = in_flight
            .during(Outside::start(settings, Arc::new(clock.clone())))
            .await
            .map_err(DayError::setup("the simulated services could not be started"))?;
        let stores = in_flight
            .during(async {
                let stores = PgStores::connect(database, 8).await?;
                stores.migrate().await?;
                Ok::<_, ports::PortError>(stores)
            })
            .await
            .map_err(DayError::setup("the database could not be prepared"))?;
        let base = |text: String| text.parse().map_err(DayError::setup("a simulated service has no address"));
        let roster = keys.roster(scenario);
        let kie_keys = keys.0.into_iter().map(|(_, key, _)| key).collect();
        let config =
            KieConfig::new(base(servers.kie.api_base())?, base(servers.kie.upload_base())?, kie_keys);
        let video = KieVideoApi::new(config, Arc::clone(&catalogue))
            .map_err(DayError::setup("the provider cannot be reached"))?;
        let llm = LlmConfig::new(base(servers.llm.base())?, "simulated".to_owned().into(), "simulated");
        let writer =
            ChatPromptWriter::new(llm).map_err(DayError::setup("the language model cannot be reached"))?;
        Ok(Self {
            kie: servers.kie.shared_model(),
            stores: Stores::Postgres(stores),
            servers: Some(Arc::new(servers)),
            roster,
            passage: Passage::Real(in_flight.clone()),
            video: Arc::new(video),
            writer: Arc::new(writer),
            catalogue,
        })
    }

    /// The policy every process runs under.
    pub(super) fn policy(&self, scenario: &Scenario, work_dir: PathBuf) -> Result<Policy, DayError> {
        let (fleet, model) = (&scenario.fleet, &scenario.model);
        let id =
            ModelId::new(model.id.clone()).map_err(DayError::setup("the video model has no usable name"))?;
        let seconds = Duration::from_secs_f64;
        let mut all: Vec<_> = self.catalogue.models().map(|model| model.video.clone()).collect();
        for entry in all.iter_mut().filter(|entry| entry.id == id) {
            let timing = &mut entry.timing;
            let times = [
                (model.first_poll_s, &mut timing.first_poll),
                (model.poll_every_s, &mut timing.poll_every),
                (model.typical_s, &mut timing.typical),
                (model.give_up_s, &mut timing.give_up),
            ];
            for (said, time) in times {
                if let Some(said) = said {
                    *time = seconds(said);
                }
            }
            if fleet.hold_worker_during_render {
                timing.first_poll = Duration::from_secs(1);
            }
        }
        let fallback = model.fallback.iter().map(|id| ModelId::new(id.clone()));
        let fallback: Vec<_> = fallback
            .collect::<Result<_, _>>()
            .map_err(DayError::setup("a model to fall back on has no usable name"))?;
        let models = Models::new(all, &id).map_err(DayError::setup("the video model cannot be used"))?;
        let models =
            models.with_fallback(&fallback).map_err(DayError::setup("a model cannot be fallen back on"))?;
        let deadline = deadline(scenario);
        Ok(Policy {
            retry: retry_policy(scenario).into(),
            models,
            roster: self.roster.clone(),
            lease: LeaseTerms { lease: seconds(fleet.lease_s), deadline },
            worker: WorkerTerms {
                job_slots: fleet.workers,
                message_slots: fleet.message_slots,
                safety_poll: seconds(fleet.safety_poll_s),
                ..WorkerTerms::default()
            },
            sending: SendingTerms::default(),
            delivery: DeliveryTerms { work_dir, video_bytes_max: 200_000_000 },
            language: Language::Ru,
            bot: BotTerms::default(),
            callback_base: scenario.callbacks.heard.then(|| format!("https://kadr.simulated{CALLBACK_PATH}")),
        })
    }
}

/// When the fleet tries again: the product's rules, as its composition root makes them.
pub(super) fn retry_policy(scenario: &Scenario) -> RetryPolicy {
    let rules = RetryPolicy::default();
    let lost_answer_grace =
        if scenario.callbacks.heard { LOST_ANSWER_GRACE_WITH_CALLBACKS } else { rules.lost_answer_grace };
    let outage = rules.outage.filter(|_| scenario.fleet.outage_breaker);
    RetryPolicy { lost_answer_grace, outage, ..rules }
}

/// How long one step may take.
pub(super) fn deadline(scenario: &Scenario) -> Duration {
    let fleet = &scenario.fleet;
    if fleet.hold_worker_during_render {
        HELD_FOR_AT_MOST * 2
    } else {
        Duration::from_secs_f64(fleet.deadline_s)
    }
}

/// How long the old way's workers sleep through one render at most.
const HELD_FOR_AT_MOST: Duration = Duration::from_secs(3 * 60 * 60);

fn catalogue() -> Result<Arc<Catalogue>, DayError> {
    Catalogue::builtin().map(Arc::new).map_err(DayError::setup("the model catalogue cannot be read"))
}

/// How one process sees the land.
pub(super) struct View<'a> {
    pub(super) land: &'a Land,
    pub(super) scenario: &'a Scenario,
    pub(super) seed: u64,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) log: Log,
    /// When chance stops striking the database and the processes.
    pub(super) faults_until: Timestamp,
    /// Who carries the provider's callbacks.
    pub(super) post: Option<mpsc::UnboundedSender<Announced>>,
}

impl View<'_> {
    /// The ports of a worker process, or of the users' own process when there is no number.
    pub(super) fn ports(
        &self,
        process: Option<ProcessNo>,
        kill: Option<mpsc::UnboundedSender<Death>>,
    ) -> Ports {
        let scenario = self.scenario;
        let faults = Faults {
            seed: self.seed,
            process,
            database: scenario.database.clone(),
            in_call: if kill.is_some() { scenario.crashes.in_call } else { 0.0 },
            kill,
            until: self.faults_until,
        };
        let around = Arc::new(Surroundings {
            clock: Arc::clone(&self.clock),
            passage: self.land.passage.clone(),
            log: self.log.clone(),
            faults,
        });
        match &self.land.stores {
            Stores::Memory(stores) => self.over(stores.clone(), stores.signal(), &around),
            Stores::Postgres(stores) => self.over(stores.clone(), stores.signal(), &around),
        }
    }

    fn over<S>(&self, real: S, signal: Arc<dyn WorkSignal>, around: &Arc<Surroundings>) -> Ports
    where
        S: OrderStore + JobStore + LedgerStore + Outbox + PhotoStore + 'static,
    {
        let scenario = self.scenario;
        let stores = Arc::new(SimStores { real, around: Arc::clone(around) });
        let holds = scenario.fleet.hold_worker_during_render;
        Ports {
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
            orders: stores.clone(),
            jobs: stores.clone(),
            ledger: stores.clone(),
            outbox: stores.clone(),
            photos: stores,
            studio: Arc::new(AsSent),
            video: Arc::new(SimVideo {
                real: Arc::clone(&self.land.video),
                kie: Arc::clone(&self.land.kie),
                around: Arc::clone(around),
                latency: scenario.latency.clone(),
                holds_for: holds.then_some(HELD_FOR_AT_MOST),
                post: self.post.clone(),
            }),
            writer: Some(Arc::new(SimWriter {
                real: Arc::clone(&self.land.writer),
                around: Arc::clone(around),
                latency: scenario.latency.clone(),
                llm: scenario.llm.clone(),
                seed: self.seed,
            })),
            messenger: Arc::new(SimMessenger {
                around: Arc::clone(around),
                latency: scenario.latency.clone(),
                faults: scenario.messenger.clone(),
                seed: self.seed,
            }),
            chats: None,
            signal,
        }
    }
}
