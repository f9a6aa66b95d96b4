//! The sections and their defaults.

use std::{net::SocketAddr, path::PathBuf};

use domain::{
    decision::RetryPolicy,
    key::{AccountLimits, CoolingTimes},
};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de::Error};

use super::values::{HttpAddress, KieKeys, NameList, PackageList, Seconds, SecondsList, Secrets, UserList};

/// Everything an operator can set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The video model of orders that name none; the catalogue's own default when unset.
    pub model: Option<String>,
    /// A catalogue of video models instead of the built-in one.
    pub models_file: Option<PathBuf>,
    /// Where videos lie between download and delivery.
    pub work_dir: PathBuf,
    /// The database.
    pub database: DatabaseConfig,
    /// The video provider.
    pub kie: KieSection,
    /// The language model.
    pub llm: LlmSection,
    /// The bot.
    pub telegram: TelegramSection,
    /// The server.
    pub http: HttpConfig,
    /// The loops.
    pub worker: WorkerConfig,
    /// Trying again.
    pub retry: RetryConfig,
    /// Handing over.
    pub delivery: DeliveryConfig,
    /// Logging.
    pub log: LogConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            model: None,
            models_file: None,
            work_dir: PathBuf::from("var/work"),
            database: DatabaseConfig::default(),
            kie: KieSection::default(),
            llm: LlmSection::default(),
            telegram: TelegramSection::default(),
            http: HttpConfig::default(),
            worker: WorkerConfig::default(),
            retry: RetryConfig::default(),
            delivery: DeliveryConfig::default(),
            log: LogConfig::default(),
        }
    }
}

/// The database.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseConfig {
    /// Where it is; a private server is started when unset.
    pub url: Option<SecretString>,
    /// Connections this process may open.
    pub max_connections: u32,
    /// Where the private server keeps its data.
    pub directory: PathBuf,
    /// The folder of the private server's programs; searched when unset.
    pub bin_dir: Option<PathBuf>,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self { url: None, max_connections: 20, directory: PathBuf::from("var/postgres"), bin_dir: None }
    }
}

/// The video provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KieSection {
    /// The keys.
    pub keys: KieKeys,
    /// Models that may stand in for an ordered one the provider does not offer, in the order they are tried.
    pub fallback: NameList,
    /// The API; KIE's own when unset.
    pub api_base: Option<HttpAddress>,
    /// The file host; KIE's own when unset.
    pub upload_base: Option<HttpAddress>,
    /// The proxy for both, and for downloads.
    pub proxy: Option<HttpAddress>,
    /// What callbacks are signed with, one key an account.
    pub webhook_key: Secrets,
    /// Tasks one account may run at once.
    pub running_max: u32,
    /// Tasks one account may create within the window.
    pub creates_max: u32,
    /// The window.
    pub window_s: Seconds,
    /// Longest wait for a connection.
    pub connect_timeout_s: Seconds,
    /// Longest wait for createTask's answer.
    pub create_timeout_s: Seconds,
    /// Longest wait for a look at a task.
    pub poll_timeout_s: Seconds,
    /// Longest upload.
    pub upload_timeout_s: Seconds,
    /// Longest download.
    pub download_timeout_s: Seconds,
}

impl Default for KieSection {
    fn default() -> Self {
        let limits = AccountLimits::default();
        Self {
            keys: KieKeys::default(),
            fallback: NameList::default(),
            api_base: None,
            upload_base: None,
            proxy: None,
            webhook_key: Secrets::default(),
            running_max: limits.running_max,
            creates_max: limits.creates_max,
            window_s: Seconds(limits.window.as_secs()),
            connect_timeout_s: Seconds(10),
            create_timeout_s: Seconds(90),
            poll_timeout_s: Seconds(60),
            upload_timeout_s: Seconds(120),
            download_timeout_s: Seconds(200),
        }
    }
}

impl KieSection {
    /// What each account may do.
    #[must_use]
    pub const fn limits(&self) -> AccountLimits {
        AccountLimits {
            running_max: self.running_max,
            creates_max: self.creates_max,
            window: self.window_s.duration(),
        }
    }
}

/// The language model that writes prompts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LlmSection {
    /// The key; without one the templates' own prompts are used.
    pub api_key: Option<SecretString>,
    /// Address under which `/chat/completions` lies; OpenAI's when unset.
    pub base_url: Option<HttpAddress>,
    /// The model's name; it must read pictures.
    pub model: String,
    /// The proxy.
    pub proxy: Option<HttpAddress>,
    /// Longest wait for an answer.
    pub timeout_s: Seconds,
}

impl Default for LlmSection {
    fn default() -> Self {
        Self {
            api_key: None,
            base_url: None,
            model: "gpt-4o".to_owned(),
            proxy: None,
            timeout_s: Seconds(60),
        }
    }
}

/// The bot. Without a token there is none, and videos are saved to a folder.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TelegramSection {
    /// What @BotFather gave.
    pub token: Option<SecretString>,
    /// The bot's name at Telegram, for invitations; without it nobody is shown how to invite.
    pub username: Option<String>,
    /// The Bot API; Telegram's own when unset.
    pub api_base: Option<HttpAddress>,
    /// The proxy.
    pub proxy: Option<HttpAddress>,
    /// Our address as Telegram reaches it; without one the bot asks for its updates itself.
    pub webhook_url: Option<HttpAddress>,
    /// What Telegram shows with each update it sends there.
    pub webhook_secret: Option<SecretString>,
    /// Who runs the bot, by Telegram's number of the user.
    pub admins: UserList,
    /// Whom users write to.
    pub support: Option<String>,
    /// Where the terms are.
    pub terms_url: Option<HttpAddress>,
    /// Where the privacy policy is.
    pub privacy_url: Option<HttpAddress>,
    /// Where sample clips are.
    pub samples_url: Option<HttpAddress>,
    /// Credits on sale for Telegram Stars.
    pub packages: PackageList,
    /// Credits for accepting the terms, once a user.
    pub starter_credits: u8,
    /// Credits for whoever invited a user who accepts the terms.
    pub referral_credits: u8,
    /// Longest upload of a video and download of a photo.
    pub transfer_timeout_s: Seconds,
}

impl Default for TelegramSection {
    fn default() -> Self {
        Self {
            token: None,
            username: None,
            api_base: None,
            proxy: None,
            webhook_url: None,
            webhook_secret: None,
            admins: UserList::default(),
            support: None,
            terms_url: None,
            privacy_url: None,
            samples_url: None,
            packages: PackageList::default(),
            starter_credits: 1,
            referral_credits: 0,
            transfer_timeout_s: Seconds(200),
        }
    }
}

/// The server of `kadr run`. It listens when there is something to hear or to show: a public address or the metrics.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// Our address as the provider reaches it; without one no callback is asked for.
    pub public_url: Option<HttpAddress>,
    /// Whether `/metrics` is served.
    pub metrics: bool,
    /// Where to listen.
    pub listen: SocketAddr,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self { public_url: None, metrics: false, listen: SocketAddr::from(([127, 0, 0, 1], 8080)) }
    }
}

impl HttpConfig {
    /// Whether there is anything to serve.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.public_url.is_some() || self.metrics
    }
}

/// The worker loops.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorkerConfig {
    /// Jobs worked on at once.
    pub slots: u32,
    /// Messages sent at once.
    pub message_slots: u32,
    /// How long without a heartbeat until a worker counts as dead.
    pub lease_s: Seconds,
    /// How long one step may take at all.
    pub step_deadline_s: Seconds,
    /// How long running steps may go on after a stop was asked for.
    pub grace_s: Seconds,
    /// How often to look for work although no hint came.
    pub safety_poll_s: Seconds,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self {
            slots: 20,
            message_slots: 8,
            lease_s: Seconds(45),
            step_deadline_s: Seconds(300),
            grace_s: Seconds(100),
            safety_poll_s: Seconds(30),
        }
    }
}

/// Trying again; what is unset keeps the product's rules ([`RetryPolicy::default`]).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetryConfig {
    /// The delay before each retry; as many retries as delays.
    pub delays_s: Option<SecondsList>,
    /// Delays between attempts to hand a video over.
    pub delivery_delays_s: Option<SecondsList>,
    /// How long a lost createTask answer is waited for.
    pub lost_answer_grace_s: Option<Seconds>,
    /// Lost answers a job survives without using up a retry.
    pub lost_answers_max: Option<u8>,
    /// How long a fresh task may be unknown to the provider's lookup.
    pub unknown_task_grace_s: Option<Seconds>,
    /// How long a job may be put off for lack of room.
    pub patience_s: Option<Seconds>,
    /// How long an uploaded photo is good for.
    pub upload_valid_for_s: Option<Seconds>,
    /// Cool-down of a key whose account cannot pay.
    pub cooling_billing_s: Option<Seconds>,
    /// Cool-down of a key that is not accepted.
    pub cooling_rejected_s: Option<Seconds>,
    /// Cool-down of a key that was used too fast.
    pub cooling_rate_limited_s: Option<Seconds>,
    /// Cool-down of a model the provider does not offer.
    pub cooling_model_s: Option<Seconds>,
    /// Whether submissions stop while the provider is down; `false` lets each job find out for itself.
    pub outage_breaker: Option<bool>,
}

impl RetryConfig {
    /// The rules with what is set here in place.
    #[must_use]
    pub fn policy(&self) -> RetryPolicy {
        let rules = RetryPolicy::default();
        let list = |said: &Option<SecondsList>, rule| said.clone().map_or(rule, |list| list.0);
        let span = |said: Option<Seconds>, rule| said.map_or(rule, Seconds::duration);
        RetryPolicy {
            delays: list(&self.delays_s, rules.delays),
            delivery_delays: list(&self.delivery_delays_s, rules.delivery_delays),
            lost_answer_grace: span(self.lost_answer_grace_s, rules.lost_answer_grace),
            lost_answers_max: self.lost_answers_max.unwrap_or(rules.lost_answers_max),
            unknown_task_grace: span(self.unknown_task_grace_s, rules.unknown_task_grace),
            patience: span(self.patience_s, rules.patience),
            rescues_max: rules.rescues_max,
            model_cooling: span(self.cooling_model_s, rules.model_cooling),
            upload_valid_for: span(self.upload_valid_for_s, rules.upload_valid_for),
            cooling: CoolingTimes {
                billing: span(self.cooling_billing_s, rules.cooling.billing),
                rejected: span(self.cooling_rejected_s, rules.cooling.rejected),
                rate_limited: span(self.cooling_rate_limited_s, rules.cooling.rate_limited),
                ..rules.cooling
            },
            outage: rules.outage.filter(|_| self.outage_breaker.unwrap_or(true)),
        }
    }
}

/// Handing videos over.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeliveryConfig {
    /// Where finished videos are saved.
    pub dir: PathBuf,
    /// The language of messages: `ru` or `en`.
    pub language: String,
    /// The largest video taken from the provider, in bytes.
    pub video_bytes_max: u64,
}

impl Default for DeliveryConfig {
    fn default() -> Self {
        Self { dir: PathBuf::from("out"), language: "ru".to_owned(), video_bytes_max: 200_000_000 }
    }
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines: an object a line.
    Json,
}

impl<'de> Deserialize<'de> for LogFormat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            other => Err(D::Error::custom(format!("`{other}` is no form of log lines: write text or json"))),
        }
    }
}

/// Logging, to stderr.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// The form of lines.
    pub format: LogFormat,
    /// What is logged, such as `info` or `warn,app=debug`. Unset: `info` for `kadr run`, `warn` for other commands.
    pub filter: Option<String>,
}
