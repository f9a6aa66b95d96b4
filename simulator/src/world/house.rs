//! Kadr, put together from its real parts.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use adapters::{
    kie::{Catalogue, CatalogueError, KieConfig, KieError, KieKey, KieVideoApi},
    llm::{ChatPromptWriter, LlmConfig},
    photo::ImageStudio,
    postgres::PgStores,
};
use app::{
    Policy, Ports,
    policy::{BotTerms, DeliveryTerms, Models, SendingTerms, WorkerTerms},
    services::place_order::PlaceOrderError,
};
use domain::{decision::RetryPolicy, id::AccountId};
use ports::{Clock, KeyRoster, LeaseTerms};

use super::{
    Mishap, Outside, OutsideSettings, Trial, TrialError,
    faults::{Faults, Passage, Surroundings},
    line::{Line, TrialMessenger},
    log::Log,
    services::{SimVideo, SimWriter},
    stores::SimStores,
    studio::SimStudio,
    trace::Trace,
};
use crate::{
    scenario::{Latency, Llm},
    time::{InFlight, SeededEntropy},
};

/// Kadr, put together for a trial.
pub(super) struct House {
    pub(super) ports: Ports,
    pub(super) policy: Arc<Policy>,
}

impl House {
    pub(super) fn build(
        trial: Trial,
        outside: &Outside,
        stores: &PgStores,
        (log, trace): (&Log, &Trace),
        clock: &Arc<dyn Clock>,
        in_flight: &InFlight,
        work_dir: PathBuf,
    ) -> Result<Self, TrialError> {
        let (clock, order) = (Arc::clone(clock), &trial.order);
        let around = Arc::new(Surroundings {
            clock: Arc::clone(&clock),
            passage: Passage::Real(in_flight.clone()),
            log: log.clone(),
            faults: Faults::none(),
        });
        let catalogue: Result<_, CatalogueError> = Catalogue::builtin();
        let catalogue = Arc::new(catalogue.map_err(TrialError::setup("the model catalogue cannot be read"))?);
        let all = catalogue.models().map(|model| model.video.clone()).collect();
        let models = Models::new(all, catalogue.default_model()).map_err(PlaceOrderError::from)?;
        let (video, roster) = provider(outside, &catalogue)?;
        let base =
            outside.llm.base().parse().map_err(TrialError::setup("the language model has no address"))?;
        let writer = ChatPromptWriter::new(LlmConfig::new(base, "simulated".to_owned().into(), "simulated"))
            .map_err(TrialError::setup("the language model cannot be reached"))?;
        let stores = Arc::new(SimStores { real: stores.clone(), around: Arc::clone(&around) });
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
            studio: Arc::new(SimStudio {
                real: ImageStudio::default(),
                passage: Passage::Real(in_flight.clone()),
            }),
            video: Arc::new(SimVideo {
                post: None,
                real: Arc::new(video),
                kie: outside.kie.shared_model(),
                around: Arc::clone(&around),
                latency: Latency::default(),
                holds_for: None,
            }),
            writer: Some(Arc::new(SimWriter {
                real: Arc::new(writer),
                around: Arc::clone(&around),
                latency: Latency::default(),
                llm: Llm::default(),
                seed: order.seed,
            })),
            messenger: Arc::new(TrialMessenger {
                real: trial.messenger,
                around,
                trace: trace.clone(),
                line,
                failed: Mutex::default(),
            }),
            chats: None,
            signal,
        };
        let policy = Policy {
            retry: RetryPolicy::default().into(),
            models,
            roster,
            lease: LeaseTerms { lease: Duration::from_secs(45), deadline: Duration::from_secs(300) },
            worker: WorkerTerms::default(),
            sending: SendingTerms::default(),
            delivery: DeliveryTerms { work_dir, video_bytes_max: 200_000_000 },
            language: order.language,
            bot: BotTerms::default(),
            callback_base: None,
        };
        Ok(Self { ports, policy: Arc::new(policy) })
    }
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
