//! A scenario's parts. Plain numbers are seconds or shares (0 to 1) as their names say; unknown keys are refused.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::time_of_day::{DayWindow, TimeOfDay};

/// A day to simulate: who orders what when, with which fleet, against which provider, and what goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// A short name, also the file's.
    pub name: String,
    /// What it shows, in a sentence or two.
    pub about: String,
    /// When.
    #[serde(default)]
    pub day: Day,
    /// Who orders what.
    pub arrivals: Arrivals,
    /// How users behave.
    #[serde(default)]
    pub users: Users,
    /// Kadr's own processes.
    #[serde(default)]
    pub fleet: Fleet,
    /// The video model and when to look at its renders.
    #[serde(default)]
    pub model: Model,
    /// Provider accounts.
    #[serde(default = "one_account", rename = "account")]
    pub accounts: Vec<Account>,
    /// How long renders take at the provider.
    #[serde(default)]
    pub render: Render,
    /// How long calls take.
    #[serde(default)]
    pub latency: Latency,
    /// What goes wrong at the provider, by chance.
    #[serde(default)]
    pub errors: Errors,
    /// What goes wrong at the provider, at a time.
    #[serde(default, rename = "outage")]
    pub outages: Vec<Outage>,
    /// Worker processes killed at a time.
    #[serde(default, rename = "kill")]
    pub kills: Vec<Kill>,
    /// What the provider tells by itself.
    #[serde(default)]
    pub callbacks: Callbacks,
    /// Worker processes killed by chance.
    #[serde(default)]
    pub crashes: Crashes,
    /// What goes wrong in the database.
    #[serde(default)]
    pub database: Database,
    /// What goes wrong at the language model.
    #[serde(default)]
    pub llm: Llm,
    /// What goes wrong on the way to people.
    #[serde(default)]
    pub messenger: MessengerFaults,
    /// What has to be reached: metric, optionally with a label as `{window=NAME}`, to expressions such as `p(95) < 60`.
    #[serde(default)]
    pub thresholds: BTreeMap<String, Vec<String>>,
    /// Goals ("sometimes") that the run must reach, by name; a campaign must reach each in at least one seed.
    #[serde(default)]
    pub goals: Vec<String>,
    /// Inputs nobody has measured, by key, and where they come from.
    #[serde(default)]
    pub assumptions: BTreeMap<String, String>,
}

fn one_account() -> Vec<Account> {
    vec![Account { name: "first".to_owned(), ..Account::default() }]
}

/// The simulated day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Day {
    /// `Europe/Moscow`, `UTC`, or an offset such as `+03:00`. No daylight saving.
    pub timezone: String,
    /// The date, `YYYY-MM-DD`.
    pub date: String,
    /// When arrivals begin.
    pub from: TimeOfDay,
    /// When they end; the run goes on until everything is settled.
    pub to: TimeOfDay,
    /// Windows to report apart, by name.
    pub windows: BTreeMap<String, DayWindow>,
    /// How long after the last order and the last fault everything has to be settled.
    pub settle_within_s: f64,
}

impl Default for Day {
    fn default() -> Self {
        Self {
            timezone: "Europe/Moscow".to_owned(),
            date: "2026-12-01".to_owned(),
            from: TimeOfDay::MIDNIGHT,
            to: TimeOfDay::END,
            windows: BTreeMap::from([("peak".to_owned(), DayWindow::PEAK)]),
            settle_within_s: 6.0 * 3_600.0,
        }
    }
}

/// Orders as they come: open arrivals, which do not wait for one another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arrivals {
    /// The expected number of orders in 24 hours.
    pub orders_per_day: f64,
    /// How they come.
    #[serde(default)]
    pub process: ArrivalProcess,
    /// The weight of the arrival rate from each time of day on. Empty: the same all day.
    #[serde(default)]
    pub curve: Vec<(TimeOfDay, f64)>,
    /// Weights of the order sizes 1, 3 and 5.
    #[serde(default = "sizes")]
    pub size: BTreeMap<String, f64>,
    /// Weights of the templates `ugc`, `ad` and `own`.
    #[serde(default = "templates")]
    pub template: BTreeMap<String, f64>,
}

fn sizes() -> BTreeMap<String, f64> {
    BTreeMap::from([("1".to_owned(), 60.0), ("3".to_owned(), 25.0), ("5".to_owned(), 15.0)])
}

fn templates() -> BTreeMap<String, f64> {
    BTreeMap::from([("ugc".to_owned(), 60.0), ("ad".to_owned(), 30.0), ("own".to_owned(), 10.0)])
}

/// How arrivals come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArrivalProcess {
    /// A Poisson process whose rate follows the curve.
    #[default]
    Poisson,
    /// Evenly spaced along the curve.
    Even,
}

/// How users behave. Shares are of orders unless they say otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Users {
    /// How many different users order.
    pub count: u32,
    /// Confirmations sent twice within a second or so.
    pub double_tap: f64,
    /// Orders placed a second time with a confirmation of their own, some seconds later.
    pub repeated_order: f64,
    /// Orders tried without enough credits.
    pub no_credits: f64,
    /// Jobs whose user asks to cancel, a while after ordering.
    pub cancel: f64,
    /// The mean time until they ask to cancel, in seconds.
    pub cancel_after_s: f64,
}

impl Default for Users {
    fn default() -> Self {
        Self {
            count: 700,
            double_tap: 0.0,
            repeated_order: 0.0,
            no_credits: 0.0,
            cancel: 0.0,
            cancel_after_s: 60.0,
        }
    }
}

/// Kadr's own processes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fleet {
    /// Steps worked on at once, over all processes.
    pub workers: u32,
    /// Worker processes; the workers are shared out among them.
    pub processes: u16,
    /// Messages sent at once, in each process.
    pub message_slots: u32,
    /// How long a silent worker keeps its jobs.
    pub lease_s: f64,
    /// How long one step may take.
    pub deadline_s: f64,
    /// How often to look for work although no hint came.
    pub safety_poll_s: f64,
    /// The old way: a worker sleeps through the render it started. Kadr itself cannot do this; it is simulated to
    /// show the difference.
    pub hold_worker_during_render: bool,
    /// Whether submissions stop while the provider is down. Without it each job finds out for itself, as Kadr once did.
    pub outage_breaker: bool,
}

impl Default for Fleet {
    fn default() -> Self {
        Self {
            workers: 20,
            processes: 1,
            message_slots: 8,
            lease_s: 45.0,
            deadline_s: 300.0,
            safety_poll_s: 30.0,
            hold_worker_during_render: false,
            outage_breaker: true,
        }
    }
}

/// The video model, by its name in the catalogue. Times left out are the catalogue's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Model {
    /// Its name.
    pub id: String,
    /// Models that may stand in for it when the provider does not offer it, in the order they are tried.
    pub fallback: Vec<String>,
    /// The first look after the task was accepted.
    pub first_poll_s: Option<f64>,
    /// Between later looks.
    pub poll_every_s: Option<f64>,
    /// What renders usually take.
    pub typical_s: Option<f64>,
    /// When a render is given up.
    pub give_up_s: Option<f64>,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            id: "sora-2".to_owned(),
            fallback: Vec::new(),
            first_poll_s: None,
            poll_every_s: None,
            typical_s: None,
            give_up_s: None,
        }
    }
}

/// A provider account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Its keys.
    pub keys: u16,
    /// What is on it, in the provider's credits.
    pub credits: f64,
    /// Tasks it may run at once.
    pub running_max: u32,
    /// Tasks it may create within ten seconds.
    pub new_per_10s: u32,
    /// Whether its keys are accepted.
    pub accepted: bool,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            name: String::new(),
            keys: 1,
            credits: 1_000_000.0,
            running_max: 100,
            new_per_10s: 20,
            accepted: true,
        }
    }
}

/// How long renders take. Exactly one of the distributions.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Render {
    /// Log-normal.
    pub lognormal: Option<LogNormal>,
    /// Always so many seconds.
    pub fixed_s: Option<f64>,
    /// Exponential with this mean, in seconds: for comparison with formulas.
    pub exponential_mean_s: Option<f64>,
}

/// A log-normal distribution by its mean or its median, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogNormal {
    /// The mean.
    pub mean_s: Option<f64>,
    /// The median.
    pub median_s: Option<f64>,
    /// The standard deviation of the logarithm.
    pub sigma: f64,
}

/// How long calls take, in simulated seconds. The database takes none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Latency {
    /// The language model.
    pub write_s: f64,
    /// The photo's upload.
    pub upload_s: f64,
    /// createTask.
    pub create_s: f64,
    /// A look.
    pub look_s: f64,
    /// The result's download.
    pub download_s: f64,
    /// A message.
    pub text_s: f64,
    /// A video's sending.
    pub video_s: f64,
}

impl Default for Latency {
    /// Medians of recorded calls (`justintanner/apicity`, April 2026); the language model, the download and the
    /// messenger are guesses, which nobody recorded.
    fn default() -> Self {
        Self {
            write_s: 4.0,
            upload_s: 0.705,
            create_s: 0.482,
            look_s: 0.323,
            download_s: 1.5,
            text_s: 0.1,
            video_s: 1.5,
        }
    }
}

/// What goes wrong at the provider, by chance. Shares are of submissions, except where a key says otherwise.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Errors {
    /// Renders that fail with the provider's own fault.
    pub temporary: f64,
    /// Renders that fail with words nobody has seen.
    pub unknown: f64,
    /// Orders whose photo is refused seconds after the task was taken.
    pub user_violation: f64,
    /// Orders whose photo is refused by createTask itself.
    pub user_violation_at_once: f64,
    /// Renders whose finished clip resembles something protected.
    pub user_violation_late: f64,
    /// Submissions refused as too fast.
    pub rate_limited: f64,
    /// Submissions refused for want of credits, although there are some.
    pub billing: f64,
    /// createTask answers that never come, although the task exists.
    pub answer_lost: f64,
    /// createTask answers that break off.
    pub answer_cut: f64,
    /// Calls of any kind (of calls) answered with a gateway's page.
    pub gateway_page: f64,
    /// Renders that never end.
    pub never_ends: f64,
    /// Renders that succeed without a result.
    pub no_result: f64,
    /// Results whose first address is dead.
    pub dead_link: f64,
    /// Tasks the lookup does not know at first, for up to 90 s.
    pub unseen: f64,
    /// Tasks in a state nobody has documented.
    pub strange_state: f64,
}

/// What the provider tells by itself when a task has ended. Shares are of callbacks.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Callbacks {
    /// Whether Kadr has a public address and asks for them; without, none is sent.
    pub heard: bool,
    /// Callbacks that never come.
    pub lost: f64,
    /// Callbacks that come half-way to the task's end, and not again.
    pub early: f64,
    /// Callbacks that come a second time.
    pub duplicate: f64,
    /// Callbacks before which a forged one comes to the same address.
    pub forged: f64,
    /// How long after a task's end they come.
    pub late_s: f64,
}

/// Something wrong at the provider from one time to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    /// When it begins.
    pub at: TimeOfDay,
    /// How long it lasts.
    pub minutes: f64,
    /// What is wrong.
    pub what: OutageKind,
    /// The share of calls (renders, for `renders-fail`) it hits.
    #[serde(default = "all")]
    pub share: f64,
    /// The only account it hits; all of them when left out.
    #[serde(default)]
    pub account: Option<String>,
    /// The only model a `model-paused` hits, by its name in the catalogue; all of them when left out.
    #[serde(default)]
    pub model: Option<String>,
}

const fn all() -> f64 {
    1.0
}

/// What is wrong in an outage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutageKind {
    /// createTask refuses: maintenance.
    Maintenance,
    /// Every call is answered by a gateway's page.
    Gateway,
    /// createTask works and its answers never come.
    Silent,
    /// Tasks created meanwhile fail.
    RendersFail,
    /// The account cannot pay.
    NoCredits,
    /// The account's keys are not accepted.
    KeysRefused,
    /// createTask refuses everything as too fast.
    TooFast,
    /// Every model is paused, or one.
    ModelPaused,
}

/// A worker process killed at a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kill {
    /// When.
    pub at: TimeOfDay,
    /// Which process, from 0; every one when left out.
    #[serde(default)]
    pub process: Option<u16>,
    /// How long until it is started again.
    #[serde(default = "half_a_minute")]
    pub down_s: f64,
}

const fn half_a_minute() -> f64 {
    30.0
}

/// Worker processes killed by chance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Crashes {
    /// Kills an hour and process, at any moment.
    pub per_hour: f64,
    /// The share of port calls a process dies in, half of them before the call and half after it.
    pub in_call: f64,
    /// How long until a killed process is started again.
    pub down_s: f64,
}

impl Default for Crashes {
    fn default() -> Self {
        Self { per_hour: 0.0, in_call: 0.0, down_s: half_a_minute() }
    }
}

/// What goes wrong in the database. Shares are of calls.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// Connections lost before the commit: nothing was stored.
    pub lost_before_commit: f64,
    /// Connections lost after the commit: it was stored, and the caller does not know.
    pub lost_after_commit: f64,
    /// Calls that take long.
    pub slow: f64,
    /// How long those take.
    pub slow_s: f64,
}

/// What goes wrong at the language model. Shares are of calls.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Llm {
    /// Answers that are errors.
    pub fails: f64,
    /// Empty answers.
    pub empty: f64,
    /// Refusals in words.
    pub refuses: f64,
    /// Calls that take long.
    pub slow: f64,
    /// How long those take.
    pub slow_s: f64,
}

impl Llm {
    /// Whether anything is to go wrong: drawing by a long text takes its time.
    #[must_use]
    pub fn may_fail(&self) -> bool {
        self.fails + self.empty + self.refuses + self.slow > 0.0
    }
}

/// What goes wrong on the way to people. Shares are of messages, except `blocked`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MessengerFaults {
    /// Messages that are not sent at the first try.
    pub fails: f64,
    /// Messages that arrive, and the confirmation does not.
    pub answer_lost: f64,
    /// Users (of users) who blocked the bot.
    pub blocked: f64,
}
