//! KIE.AI as a pure model: accounts and keys, tasks that take time and money, files, and a plan of what goes wrong.
//!
//! Nothing here reads a clock or a socket. `now` is an argument, chance is drawn from a seed by the name or number
//! of what it is for, and so the same calls always give the same answers.

mod account;
mod catalogue;
mod credit;
mod files;
mod plan;
mod render;
mod spec;
mod specs;
mod task;
#[cfg(test)]
mod tests;
mod weather;
pub mod words;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use domain::time::Timestamp;
use rustc_hash::FxHashMap;
use serde_json::Value;

use self::{account::Account, files::Files, spec::Spec, task::Task, weather::Asked, words::No};
pub use self::{
    account::AccountPlan,
    credit::KieCredits,
    files::StoredFile,
    plan::{Call, FailPlan, Fate, Trouble, When},
    render::{RenderTime, ResultFile},
    task::{Api, Progress, TaskView},
    weather::{ARTICLE, Storm, UNSEEN_MAX, Weather, article_of},
};
use crate::time::bits_of;

/// How long an exchanged address of a result is good for (KIE docs, common/download-url).
const FRESH_LINK_FOR: Duration = Duration::from_secs(20 * 60);
/// How long a result's first address is good for: 24 hours by one of KIE's pages, 14 days by another.
const RESULT_LINK_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// What the simulated provider is like.
#[derive(Debug, Clone, PartialEq)]
pub struct KieSettings {
    /// Where chance comes from.
    pub seed: u64,
    /// The accounts.
    pub accounts: Vec<AccountPlan>,
    /// Slugs that are switched off.
    pub paused: BTreeSet<String>,
    /// Whether every model is switched off.
    pub all_paused: bool,
    /// How long renders take.
    pub render_time: RenderTime,
    /// What goes wrong, call by call.
    pub plan: FailPlan,
    /// What goes wrong by chance and by the clock, where the plan says nothing.
    pub weather: Weather,
    /// Whether results are a few bytes that begin like a clip, for days with thousands of them.
    pub short_results: bool,
}

impl KieSettings {
    /// A provider with these accounts on which nothing goes wrong.
    #[must_use]
    pub fn healthy(seed: u64, accounts: Vec<AccountPlan>) -> Self {
        Self {
            seed,
            accounts,
            paused: BTreeSet::new(),
            all_paused: false,
            render_time: RenderTime::default(),
            plan: FailPlan::default(),
            weather: Weather::default(),
            short_results: false,
        }
    }
}

/// An answer, and whether the other side gets to see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer<T> {
    /// What the provider says.
    pub said: Result<T, No>,
    /// How it arrives.
    pub arrives: Arrival,
}

/// How an answer arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// Whole.
    Whole,
    /// Not at all: the connection drops.
    Never,
    /// Its first half.
    Cut,
    /// As a gateway's page of HTML instead of the provider's words.
    GatewayPage,
}

/// One createTask call, as the provider remembers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Creation {
    /// When.
    pub at: Timestamp,
    /// Its account, counted from 0; `None` for an unknown key.
    pub account: Option<usize>,
    /// The task, or the code of the refusal.
    pub came_of_it: Result<String, i64>,
    /// Tasks the account ran afterwards.
    pub running: usize,
    /// Tasks the account had created within the ten seconds before, this one included.
    pub created_in_window: usize,
    /// Whether the answer is sent whole.
    pub answered: bool,
}

/// Something a plan or the weather made of an answer, or of a task's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oddity {
    /// A refusal that the request had not deserved.
    Refused,
    /// A gateway's page.
    GatewayPage,
    /// The work was done and the answer never came.
    AnswerLost,
    /// The work was done and the answer broke off.
    AnswerCut,
    /// A task was shown in a state nobody has documented.
    StrangeState,
}

/// A success that was charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// Its account, counted from 0.
    pub account: usize,
    /// How much.
    pub price: KieCredits,
}

/// A task whose end its creator wants to be told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// The task.
    pub task: String,
    /// Where to tell it.
    pub url: String,
    /// When it was created.
    pub created: Timestamp,
    /// When it ends, well or badly.
    pub ends: Timestamp,
}

/// What the provider did and what it charged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bill {
    /// Tasks accepted.
    pub tasks: usize,
    /// Tasks that succeeded and were charged.
    pub charged_tasks: usize,
    /// What was charged.
    pub charged: KieCredits,
}

/// A file to store.
#[derive(Debug, Clone)]
pub struct Upload {
    /// The folder.
    pub folder: Option<String>,
    /// The file's name.
    pub name: Option<String>,
    /// Its bytes; `None` for one named by its address.
    pub bytes: Option<Bytes>,
}

/// The provider.
#[derive(Debug)]
pub struct KieModel {
    settings: KieSettings,
    accounts: Vec<Account>,
    tasks: FxHashMap<String, Task>,
    files: Files,
    calls: BTreeMap<Call, u64>,
    accepted: u64,
    /// createTask calls so far by article, for the weather.
    submissions: FxHashMap<u64, u64>,
    creations: Vec<Creation>,
    charges: Vec<Charge>,
    oddities: Vec<Oddity>,
    announced: Vec<Announced>,
    bill: Bill,
    /// When each account last asked about the catalogue.
    catalogue_asked: BTreeMap<usize, Timestamp>,
}

/// The end of a task that has none.
const NEVER: Timestamp = Timestamp::from_millis(i64::MAX);

/// How many calls and charges are remembered when nobody takes them away: a server runs for long.
const REMEMBERED_MAX: usize = 100_000;

impl KieModel {
    /// A provider that has done nothing yet.
    #[must_use]
    pub fn new(settings: KieSettings) -> Self {
        let accounts = settings.accounts.iter().cloned().map(Account::new).collect();
        Self {
            settings,
            accounts,
            tasks: FxHashMap::default(),
            files: Files::default(),
            calls: BTreeMap::new(),
            accepted: 0,
            submissions: FxHashMap::default(),
            creations: Vec::new(),
            charges: Vec::new(),
            oddities: Vec::new(),
            announced: Vec::new(),
            bill: Bill::default(),
            catalogue_asked: BTreeMap::new(),
        }
    }

    /// createTask: `body` is the whole request. `Ok` is the task's name.
    pub fn create(&mut self, api: Api, key: Option<&str>, body: Value, now: Timestamp) -> Answer<String> {
        let text = if self.settings.plan.reads_bodies() { body.to_string() } else { String::new() };
        let account = self.account_of(key).ok();
        let order =
            input_of(api, &body).get("prompt").and_then(Value::as_str).and_then(article_of).map(|article| {
                let nth = self.submissions.entry(article).or_default();
                *nth += 1;
                (article, *nth)
            });
        let slug = body.get("model").and_then(Value::as_str).unwrap_or_default().to_owned();
        let asked = Asked { call: Call::Create, account, now, about: &slug, order };
        let answer = self.answer(asked, &text, |model| model.accept(api, key, body, &asked, &text));
        if answer.arrives != Arrival::GatewayPage {
            let (running, created_in_window) = account.map_or((0, 0), |number| {
                let account = &self.accounts[number];
                (account.open.len(), account.created_in_window())
            });
            remember(
                &mut self.creations,
                Creation {
                    at: now,
                    account,
                    came_of_it: answer.said.clone().map_err(|no| no.code),
                    running,
                    created_in_window,
                    answered: answer.arrives == Arrival::Whole,
                },
            );
        }
        answer
    }

    /// Checks in the order the provider was seen to check: key, model, pause, fields, money, rate.
    fn accept(
        &mut self,
        api: Api,
        key: Option<&str>,
        body: Value,
        asked: &Asked<'_>,
        text: &str,
    ) -> Result<String, No> {
        let now = asked.now;
        let number = self.account_of(key)?;
        self.settle(number, now);
        let model = body.get("model").and_then(Value::as_str).unwrap_or_default().to_owned();
        if model.is_empty() {
            return Err(words::missing("model"));
        }
        let spec = spec_of(api, &model).ok_or_else(|| No::new(422, words::UNKNOWN_MODEL))?;
        if self.settings.all_paused || self.settings.paused.contains(&model) {
            return Err(No::new(500, words::PAUSED));
        }
        let url = body.get("callBackUrl").and_then(Value::as_str).map(str::to_owned);
        let input = into_input(api, body);
        spec.check(&input)?;
        let seconds = spec.clip_seconds(&input);
        let price = spec.price.of(&input, seconds);
        let account = &mut self.accounts[number];
        if account.balance.minus(account.reserved) < price {
            return Err(No::new(402, words::NO_CREDITS));
        }
        if !account.has_room(now) {
            return Err(No::new(429, words::TOO_FAST));
        }
        self.accepted += 1;
        let name = match asked.order {
            Some((article, nth)) => format!("task {nth} of article {article}"),
            None => format!("task {}", self.accepted),
        };
        let id = format!("{:032x}", bits_of(self.settings.seed, &name));
        let fate = self
            .spoiled_by_photo(spec, &input, now)
            .or_else(|| self.settings.plan.fate(self.accepted, text, self.settings.seed).cloned())
            .or_else(|| self.settings.weather.fate(asked));
        let due = now.after(self.settings.render_time.of(&id, seconds, self.settings.seed));
        let input = Arc::new(input);
        let task =
            Task { id: id.clone(), account: number, api, model, input, created: now, due, fate, price };
        let ends = task.ends();
        self.accounts[number].note_creation(id.clone(), ends, price, now);
        if let Some(url) = url.filter(|_| ends != NEVER) {
            remember(&mut self.announced, Announced { task: id.clone(), url, created: now, ends });
        }
        self.tasks.insert(id.clone(), task);
        self.bill.tasks += 1;
        Ok(id)
    }

    /// The failure a task meets when a photo on our own host is gone or not what its name says. Photos elsewhere
    /// are taken on trust: the simulated provider fetches nothing.
    fn spoiled_by_photo(&self, spec: &Spec, input: &Value, now: Timestamp) -> Option<Fate> {
        let after = Some(Duration::from_secs(6));
        spec.photos(input).into_iter().find_map(|url| {
            let path = &url[url.find("/kieai/")? + 1..];
            let msg = match self.files.get(path, now) {
                None => words::PHOTO_UNREACHABLE.to_owned(),
                Some(file) if file.is_what_it_says() => return None,
                Some(_) => "image_urls file type not supported".to_owned(),
            };
            Some(Fate::Fails { after, code: "422".to_owned(), msg })
        })
    }

    /// recordInfo. A task is seen only with a key of the account that created it.
    pub fn look(&mut self, api: Api, key: Option<&str>, task: &str, now: Timestamp) -> Answer<TaskView> {
        let asked =
            Asked { call: Call::Look, account: self.account_of(key).ok(), now, about: task, order: None };
        self.answer(asked, "", |model| {
            let number = model.account_of(key)?;
            model.settle(number, now);
            let unknown = match api {
                Api::Market => words::UNKNOWN_TASK,
                Api::Veo => words::UNKNOWN_VEO_TASK,
            };
            let seen = |found: &&Task| found.account == number && found.api == api && !found.is_unseen(now);
            let found = model.tasks.get(task).filter(seen);
            let view = found.map(|found| found.view(task, now)).ok_or_else(|| No::new(422, unknown))?;
            if matches!(view.progress, Progress::Strange(_)) {
                remember(&mut model.oddities, Oddity::StrangeState);
            }
            Ok(view)
        })
    }

    /// Stores a file.
    pub fn upload(&mut self, key: Option<&str>, upload: Upload, now: Timestamp) -> Answer<StoredFile> {
        let about = upload.name.clone().unwrap_or_default();
        let account = self.account_of(key).ok();
        let asked = Asked { call: Call::Upload, account, now, about: &about, order: None };
        self.answer(asked, "", |model| {
            let number = model.account_of(key).map_err(|_| No::at_status(401, words::UPLOAD_UNAUTHORIZED))?;
            let folder = upload.folder.map(|folder| folder.trim_matches('/').to_owned());
            let folder =
                folder.filter(|f| !f.is_empty()).ok_or_else(|| No::at_status(400, words::NO_UPLOAD_PATH))?;
            let name = upload.name.filter(|name| !name.is_empty());
            let name = name.ok_or_else(|| No::at_status(400, words::NO_FILE))?.replace('/', "_");
            if upload.bytes.as_ref().is_some_and(Bytes::is_empty) {
                return Err(No::at_status(400, words::NO_FILE));
            }
            let path = format!("kieai/{}/{folder}/{name}", 10_000 + number);
            let file = StoredFile { path, mime: files::mime_of(&name), name, bytes: upload.bytes, at: now };
            model.files.put(file.clone());
            Ok(file)
        })
    }

    /// An uploaded file, as anybody may fetch it.
    #[must_use]
    pub fn file(&self, path: &str, now: Timestamp) -> Option<&StoredFile> {
        self.files.get(path, now)
    }

    /// The balance of a key's account.
    pub fn balance(&mut self, key: Option<&str>, now: Timestamp) -> Answer<KieCredits> {
        let asked =
            Asked { call: Call::Balance, account: self.account_of(key).ok(), now, about: "", order: None };
        self.answer(asked, "", |model| {
            let number = model.account_of(key)?;
            model.settle(number, now);
            Ok(model.accounts[number].balance)
        })
    }

    /// A result, as anybody with its address may fetch it. `until` is the expiry an exchanged address carries.
    pub fn download(&mut self, task: &str, until: Option<Timestamp>, now: Timestamp) -> Answer<ResultFile> {
        let asked = Asked { call: Call::Download, account: None, now, about: task, order: None };
        self.answer(asked, "", |model| {
            let gone = || No::at_status(404, "Not Found");
            let found = model.tasks.get(task).ok_or_else(gone)?;
            let Progress::Succeeded { at, results } = found.progress(task, now) else { return Err(gone()) };
            let is_open = match until {
                Some(until) => now < until,
                None => found.fate != Some(Fate::DeadLink) && now.since(at) < RESULT_LINK_FOR,
            };
            if results.is_empty() || !is_open {
                return Err(gone());
            }
            Ok(ResultFile::of(task, model.settings.short_results))
        })
    }

    /// Exchanges a result's address: `Ok` is the expiry of the fresh one. `task` is the task the address names,
    /// if it is one of ours.
    pub fn fresh_link(&mut self, key: Option<&str>, task: Option<&str>, now: Timestamp) -> Answer<Timestamp> {
        let about = task.unwrap_or_default();
        let account = self.account_of(key).ok();
        let asked = Asked { call: Call::FreshLink, account, now, about, order: None };
        self.answer(asked, "", |model| {
            let number = model.account_of(key)?;
            let known =
                task.and_then(|task| model.tasks.get(task)).is_some_and(|task| task.account == number);
            if known { Ok(now.after(FRESH_LINK_FOR)) } else { Err(No::new(422, words::FOREIGN_LINK)) }
        })
    }

    /// Every createTask call that reached the provider.
    #[must_use]
    pub fn creations(&self) -> &[Creation] {
        &self.creations
    }

    /// The prompt of every task that was created.
    #[must_use]
    pub fn prompts(&self) -> Vec<&str> {
        self.tasks.values().filter_map(|task| task.input.get("prompt")?.as_str()).collect()
    }

    /// What was done and charged until `now`.
    pub fn bill(&mut self, now: Timestamp) -> Bill {
        for number in 0..self.accounts.len() {
            self.settle(number, now);
        }
        self.bill.clone()
    }

    /// Takes away what [`KieModel::creations`] remembers.
    pub fn take_creations(&mut self) -> Vec<Creation> {
        std::mem::take(&mut self.creations)
    }

    /// Takes away what was charged since the last time.
    pub fn take_charges(&mut self) -> Vec<Charge> {
        std::mem::take(&mut self.charges)
    }

    /// Takes away what was odd about the answers since the last time.
    pub fn take_oddities(&mut self) -> Vec<Oddity> {
        std::mem::take(&mut self.oddities)
    }

    /// Takes away whose ends are to be told, of the tasks created since the last time. The model tells nobody itself.
    pub fn take_announced(&mut self) -> Vec<Announced> {
        std::mem::take(&mut self.announced)
    }

    /// A task as whoever is told of its end sees it, whatever the lookup knows of it by then.
    #[must_use]
    pub fn view_of(&self, task: &str, now: Timestamp) -> Option<(Api, TaskView)> {
        self.tasks.get(task).map(|found| (found.api, found.view(task, now)))
    }

    /// When a task ends, well or badly; `None` for one that never does, or that is not there.
    #[must_use]
    pub fn ends(&self, task: &str) -> Option<Timestamp> {
        let ends = self.tasks.get(task).map(Task::ends)?;
        (ends != NEVER).then_some(ends)
    }

    /// Forgets a task that nobody will ask for again: for long simulations.
    pub fn forget(&mut self, task: &str, now: Timestamp) {
        if let Some(number) = self.tasks.get(task).map(|task| task.account) {
            self.settle(number, now);
            let is_open = |task: &Task| self.accounts[number].open.contains(&(task.ends(), task.id.clone()));
            if self.tasks.get(task).is_some_and(|task| !is_open(task)) {
                self.tasks.remove(task);
            }
        }
    }

    /// Forgets how often an article was submitted.
    pub fn forget_article(&mut self, article: u64) {
        self.submissions.remove(&article);
    }

    /// Runs one call under the plan.
    fn answer<T>(
        &mut self,
        asked: Asked<'_>,
        body: &str,
        work: impl FnOnce(&mut Self) -> Result<T, No>,
    ) -> Answer<T> {
        let number = self.calls.entry(asked.call).or_default();
        *number += 1;
        let number = *number;
        let settings = &self.settings;
        let trouble = settings.plan.trouble(asked.call, number, body, settings.seed).cloned();
        let trouble = trouble.or_else(|| settings.weather.trouble(&asked));
        let odd = trouble.as_ref().map(|trouble| match trouble {
            Trouble::Refuse(_) => Oddity::Refused,
            Trouble::GatewayPage => Oddity::GatewayPage,
            Trouble::AnswerLost => Oddity::AnswerLost,
            Trouble::AnswerCut => Oddity::AnswerCut,
        });
        if let Some(odd) = odd {
            remember(&mut self.oddities, odd);
        }
        let (said, arrives) = match trouble {
            None => (work(self), Arrival::Whole),
            Some(Trouble::Refuse(no)) => (Err(no), Arrival::Whole),
            Some(Trouble::GatewayPage) => (Err(No::at_status(502, "Bad Gateway")), Arrival::GatewayPage),
            Some(Trouble::AnswerLost) => (work(self), Arrival::Never),
            Some(Trouble::AnswerCut) => (work(self), Arrival::Cut),
        };
        Answer { said, arrives }
    }

    fn account_of(&self, key: Option<&str>) -> Result<usize, No> {
        let holds = |account: &Account| {
            account.plan.accepted && key.is_some_and(|key| account.plan.keys.iter().any(|known| known == key))
        };
        self.accounts.iter().position(holds).ok_or_else(|| No::new(401, words::UNAUTHORIZED))
    }

    /// Charges what has succeeded by now: failures cost nothing (KIE docs, get-task-detail, `creditsConsumed`).
    fn settle(&mut self, number: usize, now: Timestamp) {
        let account = &mut self.accounts[number];
        while account.open.first().is_some_and(|(ends, _)| *ends <= now) {
            let Some((_, id)) = account.open.pop_first() else { return };
            let Some(task) = self.tasks.get(&id) else { continue };
            account.reserved = account.reserved.minus(task.price);
            if !task.fails() {
                account.balance = account.balance.minus(task.price);
                self.bill.charged_tasks += 1;
                self.bill.charged = self.bill.charged.plus(task.price);
                remember(&mut self.charges, Charge { account: number, price: task.price });
            }
        }
    }
}

/// The part of a request that holds its fields.
fn input_of(api: Api, body: &Value) -> &Value {
    match api {
        Api::Market => body.get("input").unwrap_or(&Value::Null),
        Api::Veo => body,
    }
}

fn into_input(api: Api, mut body: Value) -> Value {
    match api {
        Api::Market => body.get_mut("input").map(Value::take).unwrap_or_default(),
        Api::Veo => body,
    }
}

fn remember<T>(list: &mut Vec<T>, item: T) {
    if list.len() >= REMEMBERED_MAX {
        list.drain(..REMEMBERED_MAX / 2);
    }
    list.push(item);
}

fn spec_of(api: Api, slug: &str) -> Option<&'static Spec> {
    let list = match api {
        Api::Market => specs::MARKET,
        Api::Veo => specs::VEO,
    };
    list.iter().find(|spec| spec.slug == slug)
}
