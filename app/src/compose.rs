//! The composition root: the only place where adapters meet ports.

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use adapters::{
    folder::FolderMessenger,
    http::HttpOptions,
    kie::{CallbackVerifier, Catalogue, KieConfig, KieKey, KieTimeouts, KieVideoApi, ModelState},
    llm::{ChatPromptWriter, LlmConfig},
    photo::ImageStudio,
    postgres::{
        PgStores,
        server::{PostgresServer, ServerOptions},
    },
    system::{OsEntropy, SystemClock},
    web::{WebPages, serve},
};
use domain::{
    decision::RetryPolicy,
    id::{AccountId, ModelId, OrderId},
    model::VideoModel,
};
use ports::{CALLBACK_PATH, Clock, ErrorKind, KeyRoster, LeaseTerms, PortError, PromptWriter, VideoApi};
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpListener;
use url::Url;

use crate::{
    Policy, Ports,
    config::{Config, HttpAddress},
    metrics::{CountedJobs, Metrics},
    no_provider::NoProvider,
    policy::{DeliveryTerms, LOST_ANSWER_GRACE_WITH_CALLBACKS, Models, SendingTerms, WorkerTerms},
    texts::Language,
};

mod bot;
mod desk;

pub use bot::Bot;
use desk::HouseDesk;

/// OpenAI's API (OpenAI API reference).
const OPENAI_BASE: &str = "https://api.openai.com/v1";

/// Nothing could be put together.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// A setting cannot work; the text names it and the fix.
    #[error("{0}")]
    Setting(String),
    /// Something Kadr needs did not come up.
    #[error("{what}")]
    Start {
        /// What, and what to do.
        what: String,
        /// Its own words.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl ComposeError {
    fn setting(error: impl std::fmt::Display) -> Self {
        Self::Setting(error.to_string())
    }

    fn start(what: impl Into<String>, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Start { what: what.into(), source: source.into() }
    }
}

/// A model of the catalogue, for showing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelInfo {
    /// What orders need to know.
    pub video: VideoModel,
    /// Whether orders that name no model get it.
    pub is_default: bool,
    /// The provider's name for it.
    pub slug: String,
    /// When its entry was last compared with the provider's documentation, as `YYYY-MM-DD`.
    pub checked: String,
    /// What an operator should know before using it.
    pub notice: Option<String>,
    /// What the provider takes for one clip, in its own credits and in US dollars, as decimal text.
    pub price: (String, String),
}

/// The models of the configured catalogue. Needs no database and no key.
///
/// # Errors
/// [`ComposeError::Setting`] for a catalogue that cannot be used or a default model that is not in it.
pub fn models(config: &Config) -> Result<Vec<ModelInfo>, ComposeError> {
    let catalogue = catalogue(config)?;
    let default = policy_models(config, &catalogue)?.default_model().id.clone();
    let info = catalogue.models().map(|model| ModelInfo {
        video: model.video.clone(),
        is_default: model.video.id == default,
        slug: model.slug.clone(),
        checked: model.checked.clone(),
        notice: model.notice.clone(),
        price: (model.price.to_string(), model.price.usd()),
    });
    Ok(info.collect())
}

/// A model of the catalogue beside what the provider says of it today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelCheck {
    /// Our name for it.
    pub id: ModelId,
    /// Whether orders may choose it.
    pub enabled: bool,
    /// `ok`, `paused`, `unknown` or `unclear`.
    pub state: &'static str,
    /// What was seen, where that is unclear.
    pub seen: Option<String>,
    /// Where our request does not fit the provider's description, in words.
    pub fields: Vec<String>,
    /// The provider's words about the price, when they do not name the entry's.
    pub price: Option<String>,
    /// Whether the provider described its fields.
    pub is_described: bool,
}

/// Asks the provider about models of the configured catalogue, all of them when none is named, and hands each answer
/// to `told`. Creates no task.
///
/// # Errors
/// [`ComposeError::Setting`] for a catalogue, keys or names that cannot be used.
pub async fn check_models(
    config: &Config,
    named: &[ModelId],
    told: &mut (dyn FnMut(ModelCheck) + Send),
) -> Result<(), ComposeError> {
    let catalogue = Arc::new(catalogue(config)?);
    let models = policy_models(config, &catalogue)?;
    let ids = if named.is_empty() {
        models.all().iter().map(|model| &model.id).collect()
    } else {
        named.iter().collect::<Vec<_>>()
    };
    let chosen = ids.into_iter().map(|id| models.get(id).map_err(ComposeError::setting));
    let chosen = chosen.collect::<Result<Vec<_>, _>>()?;
    let Some((api, _)) = kie_api(config, &catalogue)? else {
        let say = "no KIE key is configured, and KIE answers nobody without: set KADR_KIE__KEYS";
        return Err(ComposeError::Setting(say.to_owned()));
    };
    let clock = SystemClock::new();
    for model in chosen {
        let report = api.inspect(&model.id, &clock).await;
        let (state, seen) = match report.state {
            ModelState::Offered => ("ok", None),
            ModelState::Paused => ("paused", None),
            ModelState::Unknown => ("unknown", None),
            ModelState::Unclear(seen) => ("unclear", Some(seen)),
        };
        let (id, enabled) = (model.id.clone(), model.enabled);
        let (fields, price, is_described) = (report.fields, report.price, report.is_described);
        told(ModelCheck { id, enabled, state, seen, fields, price, is_described });
    }
    Ok(())
}

fn catalogue(config: &Config) -> Result<Catalogue, ComposeError> {
    let Some(path) = &config.models_file else { return Catalogue::builtin().map_err(ComposeError::setting) };
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|e| {
        ComposeError::Setting(format!(
            "cannot read {shown}: {e}; name a catalogue with KADR_MODELS_FILE, or none"
        ))
    })?;
    Catalogue::parse(&text).map_err(|e| ComposeError::Setting(format!("{shown}: {e}")))
}

fn policy_models(config: &Config, catalogue: &Catalogue) -> Result<Models, ComposeError> {
    let all = catalogue.models().map(|model| model.video.clone()).collect();
    let default = match &config.model {
        Some(id) => ModelId::new(id).map_err(ComposeError::setting)?,
        None => catalogue.default_model().clone(),
    };
    let models = Models::new(all, &default).map_err(|e| ComposeError::Setting(format!("KADR_MODEL: {e}")))?;
    let chosen = models.default_model();
    if !chosen.enabled {
        let why = chosen.off_reason.as_deref().unwrap_or("switched off");
        let say = format!(
            "KADR_MODEL: `{default}` takes no orders ({why}): choose one that `kadr models` shows without OFF"
        );
        return Err(ComposeError::Setting(say));
    }
    let fallback = config.kie.fallback.0.iter().map(|id| ModelId::new(id).map_err(ComposeError::setting));
    models.with_fallback(&fallback.collect::<Result<Vec<_>, _>>()?).map_err(|e| {
        ComposeError::Setting(format!("kie.fallback (KADR_KIE__FALLBACK in the environment): {e}"))
    })
}

/// Everything, put together and connected.
pub struct House {
    /// The ports, filled with the real adapters.
    pub ports: Ports,
    /// The operator's decisions.
    pub policy: Arc<Policy>,
    /// The database in one line, without secrets.
    pub database: String,
    /// The language model in one line, or nothing when prompts come from the templates.
    pub writer: Option<String>,
    /// The bot, if one is configured and this process serves it.
    pub bot: Option<Bot>,
    metrics: Arc<Metrics>,
    stores: PgStores,
    messenger: Arc<FolderMessenger>,
    server: Option<PostgresServer>,
}

impl std::fmt::Debug for House {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("House").field("database", &self.database).finish_non_exhaustive()
    }
}

impl House {
    /// Starts or joins the database, and fills the ports. Messages to people go to `messages`; `note` is told what
    /// takes a while.
    ///
    /// # Errors
    /// [`ComposeError`], naming what to change.
    pub async fn open(
        config: &Config,
        messages: Box<dyn Write + Send>,
        note: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Self, ComposeError> {
        let catalogue = Arc::new(catalogue(config)?);
        let models = policy_models(config, &catalogue)?;
        let (video, roster) = video_api(config, &catalogue)?;
        let (writer, writer_told) = prompt_writer(config)?;
        let policy = Arc::new(policy(config, models, roster));

        let Database { stores, server, told } = Database::open(config, note).await?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let messenger = Arc::new(FolderMessenger::new(&config.delivery.dir, messages, Arc::clone(&clock)));
        let all = Arc::new(stores.clone());
        let metrics = Arc::new(Metrics::new());
        let ports = Ports {
            clock,
            entropy: Arc::new(OsEntropy),
            orders: all.clone(),
            jobs: Arc::new(CountedJobs::new(all.clone(), Arc::clone(&metrics))),
            ledger: all.clone(),
            outbox: all.clone(),
            photos: all,
            studio: Arc::new(ImageStudio::default()),
            video,
            writer,
            messenger: messenger.clone(),
            chats: None,
            signal: stores.signal(),
        };
        let (database, writer) = (told, writer_told);
        Ok(Self { ports, policy, database, writer, bot: None, metrics, stores, messenger, server })
    }

    /// The same house with the configured bot in it, if there is one: users are told in their chats then.
    ///
    /// # Errors
    /// [`ComposeError::Setting`] for a token, an address or a secret that cannot be used.
    pub fn with_bot(mut self, config: &Config) -> Result<Self, ComposeError> {
        self.bot = Bot::new(config, &self.stores, &self.ports.clock)?;
        if let Some(bot) = &self.bot {
            self.ports.messenger = bot.messenger();
            self.ports.chats = Some(Arc::clone(&bot.ports.chats));
        }
        Ok(self)
    }

    /// Makes sure that videos can be saved before one is paid for.
    ///
    /// # Errors
    /// [`ErrorKind::Rejected`] naming the folder.
    pub fn check_delivery(&self) -> Result<(), PortError> {
        self.messenger.check_dir()
    }

    /// Listens for the hints of other processes, for ever. Without it their work is seen at the next safety poll.
    pub async fn listen(&self) {
        const PAUSE: Duration = Duration::from_secs(10);
        loop {
            if let Err(error) = self.stores.listen().await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "hints of other processes are not heard, trying again");
            }
            self.ports.clock.sleep_until(self.ports.clock.now().after(PAUSE)).await;
        }
    }

    /// Takes the port that the server listens on, if there is anything to serve.
    ///
    /// # Errors
    /// [`ComposeError::Start`] naming the address.
    pub async fn bind_web(&self, config: &Config) -> Result<Option<TcpListener>, ComposeError> {
        let address = config.http.listen;
        if !is_served(config) {
            return Ok(None);
        }
        let bound = TcpListener::bind(address).await.map_err(|error| {
            ComposeError::start(
                format!("cannot listen on {address}: set KADR_HTTP__LISTEN to another address"),
                error,
            )
        })?;
        Ok(Some(bound))
    }

    /// Serves callbacks and pages until `stop` returns and what is under way is answered; without a listener at once.
    pub async fn serve_web(
        &self,
        config: &Config,
        listener: Option<TcpListener>,
        stop: impl Future<Output = ()> + Send,
    ) {
        let Some(listener) = listener else { return };
        let (ports, policy) = (self.ports.clone(), Arc::clone(&self.policy));
        let desk = HouseDesk::new(ports, policy, Arc::clone(&self.metrics), config.http.metrics);
        let keys = config.kie.webhook_key.0.clone();
        let verifier = config.http.public_url.as_ref().map(|_| CallbackVerifier::new(keys));
        let mut pages = WebPages::new(Arc::new(desk), verifier, Arc::clone(&self.ports.clock));
        if let Some(hook) = self.bot.as_ref().and_then(Bot::hook) {
            pages = pages.with_updates(hook);
        }
        serve(Arc::new(pages), listener, stop).await;
    }

    /// Closes connections, and stops the private server if nobody else uses it.
    ///
    /// # Errors
    /// When the private server does not stop.
    pub async fn close(self) -> Result<(), ComposeError> {
        self.stores.close().await;
        let Some(server) = self.server else { return Ok(()) };
        let stopped = tokio::task::spawn_blocking(move || server.stop()).await;
        match stopped {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(ComposeError::start("the private PostgreSQL did not stop", error)),
            Err(error) => Err(ComposeError::start("the private PostgreSQL did not stop", error)),
        }
    }
}

/// Whether there is anything to serve.
#[must_use]
pub const fn is_served(config: &Config) -> bool {
    config.http.is_on() || config.telegram.webhook_url.is_some()
}

/// Where a delivered video lies: `(number, of)`.
#[must_use]
pub fn delivered_file(dir: &Path, order: OrderId, video: (u8, u8)) -> PathBuf {
    FolderMessenger::file_of(dir, order, video)
}

/// Brings the schema of the configured database up to date and returns the newest version.
///
/// # Errors
/// [`ComposeError`], naming what to change.
pub async fn migrate(config: &Config, note: &mut (dyn FnMut(&str) + Send)) -> Result<i64, ComposeError> {
    let Database { stores, server, .. } = Database::connect(config, note).await?;
    let version = migrate_schema(&stores).await;
    stores.close().await;
    if let Some(server) = server {
        let stopped = tokio::task::spawn_blocking(move || server.stop()).await;
        stopped
            .map_err(|e| ComposeError::start("the private PostgreSQL did not stop", e))?
            .map_err(|e| ComposeError::start("the private PostgreSQL did not stop", e))?;
    }
    version
}

async fn migrate_schema(stores: &PgStores) -> Result<i64, ComposeError> {
    stores
        .migrate()
        .await
        .map_err(|e| ComposeError::start("the database schema cannot be brought up to date", e))
}

struct Database {
    stores: PgStores,
    server: Option<PostgresServer>,
    told: String,
}

impl Database {
    /// A database whose schema fits: a private one is brought up to date, one that was set up by somebody is only
    /// looked at, because others may be using it with an older program.
    async fn open(config: &Config, note: &mut (dyn FnMut(&str) + Send)) -> Result<Self, ComposeError> {
        let database = Self::connect(config, note).await?;
        if database.server.is_some() {
            migrate_schema(&database.stores).await?;
        } else {
            database.stores.check_schema().await.map_err(|error| match error.kind() {
                ErrorKind::Rejected => ComposeError::setting(error),
                _ => ComposeError::start("the database does not answer", error),
            })?;
        }
        Ok(database)
    }

    async fn connect(config: &Config, note: &mut (dyn FnMut(&str) + Send)) -> Result<Self, ComposeError> {
        let limit = config.database.max_connections;
        if let Some(url) = &config.database.url {
            let told = address_of(url);
            let stores = PgStores::connect(url, limit).await.map_err(|error| {
                let hint = "check DATABASE_URL (postgres://user:password@host:5432/database) and that the server runs";
                ComposeError::start(format!("no connection to PostgreSQL at {told}; {hint}"), error)
            })?;
            return Ok(Self { stores, server: None, told: format!("PostgreSQL at {told}") });
        }
        let directory = &config.database.directory;
        // Joining one that runs takes no time worth a line.
        if !directory.join("url").exists() {
            note(&format!(
                "no DATABASE_URL is set: starting a private PostgreSQL in {}",
                directory.display()
            ));
        }
        let options =
            ServerOptions { bin_dir: config.database.bin_dir.clone(), ..ServerOptions::private(directory) };
        let started = tokio::task::spawn_blocking(move || PostgresServer::start(&options)).await;
        let server = started
            .map_err(|e| ComposeError::start("the private PostgreSQL did not start", e))?
            .map_err(|e| ComposeError::start("the private PostgreSQL did not start", e))?;
        let told = server.describe();
        let stores = PgStores::connect(&server.database_url(), limit)
            .await
            .map_err(|e| ComposeError::start("the private PostgreSQL does not answer", e))?;
        Ok(Self { stores, server: Some(server), told })
    }
}

/// Host, port and database of a URL: enough to recognise it, and no password.
fn address_of(url: &SecretString) -> String {
    let Ok(url) = Url::parse(url.expose_secret().trim()) else { return "the given address".to_owned() };
    if url.path().contains('@') || url.fragment().is_some() {
        // An unescaped `/` or `#` in the password: what looks like the path is part of it.
        return "the given address".to_owned();
    }
    let host = url.host_str().unwrap_or("localhost");
    format!("{host}:{}{}", url.port().unwrap_or(5432), url.path())
}

fn policy(config: &Config, models: Models, roster: KeyRoster) -> Policy {
    let worker = &config.worker;
    let base = config.http.public_url.as_ref();
    let mut retry = config.retry.policy();
    if base.is_some() && config.retry.lost_answer_grace_s.is_none() {
        retry = RetryPolicy { lost_answer_grace: LOST_ANSWER_GRACE_WITH_CALLBACKS, ..retry };
    }
    Policy {
        retry: retry.into(),
        models,
        roster,
        lease: LeaseTerms { lease: worker.lease_s.duration(), deadline: worker.step_deadline_s.duration() },
        worker: WorkerTerms {
            job_slots: worker.slots,
            message_slots: worker.message_slots,
            grace: worker.grace_s.duration(),
            safety_poll: worker.safety_poll_s.duration(),
        },
        sending: SendingTerms::default(),
        delivery: DeliveryTerms {
            work_dir: config.work_dir.clone(),
            video_bytes_max: config.delivery.video_bytes_max,
        },
        language: Language::parse(&config.delivery.language).unwrap_or_default(),
        bot: bot::terms(&config.telegram),
        callback_base: base.map(|url| format!("{}{CALLBACK_PATH}", url.0.as_str().trim_end_matches('/'))),
    }
}

/// The provider with its keys. Without keys there is nothing to call, which commands that call nothing may ignore.
fn video_api(
    config: &Config,
    catalogue: &Arc<Catalogue>,
) -> Result<(Arc<dyn VideoApi>, KeyRoster), ComposeError> {
    Ok(match kie_api(config, catalogue)? {
        Some((api, roster)) => (Arc::new(api), roster),
        None => (Arc::new(NoProvider), KeyRoster { keys: Vec::new(), limits: config.kie.limits() }),
    })
}

/// KIE with its keys, if there are any.
fn kie_api(
    config: &Config,
    catalogue: &Arc<Catalogue>,
) -> Result<Option<(KieVideoApi, KeyRoster)>, ComposeError> {
    let kie = &config.kie;
    if kie.keys.0.is_empty() {
        return Ok(None);
    }
    let keys = kie.keys.0.iter().map(|key| {
        let account = AccountId::new(&key.account).map_err(ComposeError::setting)?;
        KieKey::new(account, &key.secret).map_err(|e| ComposeError::Setting(format!("KADR_KIE__KEYS: {e}")))
    });
    let keys: Vec<_> = keys.collect::<Result<_, _>>()?;
    let api_base = base(kie.api_base.as_ref(), KieConfig::API_BASE)?;
    let upload_base = base(kie.upload_base.as_ref(), KieConfig::UPLOAD_BASE)?;
    let mut settings = KieConfig::new(api_base, upload_base, keys);
    settings.limits = kie.limits();
    settings.http = HttpOptions {
        connect_timeout: kie.connect_timeout_s.duration(),
        proxy: kie.proxy.as_ref().map(|proxy| proxy.0.clone()),
        ..HttpOptions::default()
    };
    let usual = KieTimeouts::default();
    settings.timeouts = KieTimeouts {
        create: kie.create_timeout_s.duration(),
        poll: kie.poll_timeout_s.duration(),
        upload: kie.upload_timeout_s.duration(),
        download_read: usual.download_read.min(kie.download_timeout_s.duration()),
        download_total: kie.download_timeout_s.duration(),
    };
    let roster = settings.roster();
    let api = KieVideoApi::new(settings, Arc::clone(catalogue))
        .map_err(|e| ComposeError::Setting(format!("KADR_KIE__…: {e}")))?;
    Ok(Some((api, roster)))
}

type Writer = (Option<Arc<dyn PromptWriter>>, Option<String>);

fn prompt_writer(config: &Config) -> Result<Writer, ComposeError> {
    let llm = &config.llm;
    let Some(key) = &llm.api_key else { return Ok((None, None)) };
    let base_url = base(llm.base_url.as_ref(), OPENAI_BASE)?;
    let told = format!("{} at {}", llm.model, HttpAddress(base_url.clone()));
    let mut settings = LlmConfig::new(base_url, key.clone(), &llm.model);
    let limit = llm.timeout_s.duration();
    settings.http = HttpOptions {
        read_timeout: limit,
        total_timeout: Some(limit),
        proxy: llm.proxy.as_ref().map(|proxy| proxy.0.clone()),
        ..HttpOptions::default()
    };
    let writer =
        ChatPromptWriter::new(settings).map_err(|e| ComposeError::Setting(format!("KADR_LLM: {e}")))?;
    Ok((Some(Arc::new(writer)), Some(told)))
}

fn base(said: Option<&HttpAddress>, usual: &str) -> Result<Url, ComposeError> {
    said.map_or_else(|| Url::parse(usual).map_err(ComposeError::setting), |address| Ok(address.0.clone()))
}
