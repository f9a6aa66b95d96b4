//! Callbacks: the provider's own word that a task has ended, sent to the address its creator gave.
//!
//! Each is signed as KIE documents it (`adapters::kie::CallbackVerifier` is the other side), and repeated while it is not
//! answered with a success. KIE's callback pages agree on 15 s for an answer and three repetitions; the time between them
//! is not documented. A try is signed anew, so that none is stale on arrival.
//!
//! A simulated provider is told addresses by whoever has a key, and must not become a way into other networks: it sends
//! to `http://` addresses of this machine and of private networks only, unless told otherwise, and follows no redirect.

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    fmt,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use adapters::{
    http::{self, HttpError, HttpOptions},
    kie::{SIGNATURE_HEADER, TIMESTAMP_HEADER, signature},
};
use domain::time::Timestamp;
use reqwest::{
    Client, Url,
    header::{CONTENT_TYPE, HOST},
};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::{net::lookup_host, task::JoinSet};

use super::{KieServer, KieService, answers};
use crate::provider::kie_model::{Announced, Api, Progress, TaskView, words};

/// The first try and three repetitions.
const TRIES: u32 = 4;
/// The time between them.
const PAUSE: Duration = Duration::from_secs(15);
/// The longest wait for an answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// More than any answer needs: `{"code":200,"msg":"success"}` is asked for, and nothing of it is believed to matter.
const ANSWER_BYTES_MAX: u64 = 64 << 10;

/// How callbacks are sent.
#[derive(Debug, Clone, Default)]
pub struct CallbackTerms {
    /// What they are signed with; unsigned without one, as at KIE until a webhook key is made.
    pub key: Option<SecretString>,
    /// Whether any address will do.
    pub anywhere: bool,
}

/// What came of one try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallbackEnd {
    /// It was taken: a status of the 200s.
    Taken(u16),
    /// Another status.
    Refused(u16),
    /// No whole answer in time.
    Unanswered(String),
    /// It is never sent, for this reason.
    NotSent(String),
}

impl CallbackEnd {
    /// Whether another try may help.
    const fn is_final(&self) -> bool {
        matches!(self, Self::Taken(_) | Self::NotSent(_))
    }
}

/// One try, for a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackLine {
    /// When it was over.
    pub at: Timestamp,
    /// The task it is about.
    pub task: String,
    /// Host and path, without credentials and query.
    pub to: String,
    /// What came of it.
    pub end: CallbackEnd,
    /// Whether it will be repeated.
    pub again: bool,
}

/// Whoever wants to see each try.
pub type CallbackLog = Arc<dyn Fn(&CallbackLine) + Send + Sync>;

/// Sends callbacks.
pub struct CallbackSender {
    client: Client,
    terms: CallbackTerms,
    told: CallbackLog,
}

impl fmt::Debug for CallbackSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallbackSender").field("terms", &self.terms).finish_non_exhaustive()
    }
}

impl CallbackSender {
    /// A sender on these terms; `told` is told of every try.
    ///
    /// # Errors
    /// No HTTP client can be made.
    pub fn new(terms: CallbackTerms, told: CallbackLog) -> Result<Self, HttpError> {
        let client = http::client(&HttpOptions {
            read_timeout: ANSWER_WITHIN,
            total_timeout: Some(ANSWER_WITHIN),
            user_agent: "kadr-sim".to_owned(),
            redirects_max: 0,
            ..HttpOptions::default()
        })?;
        Ok(Self { client, terms, told })
    }

    async fn deliver(&self, service: &KieService, announced: &Announced) {
        for number in 1..=TRIES {
            let end = self.try_once(service, announced).await;
            let again = !end.is_final() && number < TRIES;
            let (at, task) = (service.clock.now(), announced.task.clone());
            (self.told)(&CallbackLine { at, task, to: shown(&announced.url), end, again });
            if !again {
                return;
            }
            service.clock.sleep_until(at.after(PAUSE)).await;
        }
    }

    async fn try_once(&self, service: &KieService, announced: &Announced) -> CallbackEnd {
        let now = service.clock.now();
        let Some((api, view)) = service.model().view_of(&announced.task, now) else {
            return CallbackEnd::NotSent("the task is forgotten".to_owned());
        };
        let Target { url, host } = match target(&announced.url, self.terms.anywhere).await {
            Ok(target) => target,
            Err(why) => return CallbackEnd::NotSent(why),
        };
        let body = letter(api, &view, now, &service.api_base).to_string();
        let mut request = self.client.post(url).header(CONTENT_TYPE, "application/json").body(body);
        if let Some(host) = host {
            request = request.header(HOST, host);
        }
        if let Some(key) = &self.terms.key {
            let seconds = now.as_millis().div_euclid(1_000);
            request = request
                .header(TIMESTAMP_HEADER, seconds)
                .header(SIGNATURE_HEADER, signature(key, &announced.task, seconds));
        }
        match http::exchange(request, ANSWER_BYTES_MAX).await {
            Ok(answer) if (200..300).contains(&answer.status) => CallbackEnd::Taken(answer.status),
            Ok(answer) => CallbackEnd::Refused(answer.status),
            Err(error) => CallbackEnd::Unanswered(error.to_string()),
        }
    }
}

impl KieServer {
    /// Sends the callback of each task that was created with an address for it, when the task ends; for ever. Without
    /// this nobody is called.
    pub async fn send_callbacks(&self, sender: CallbackSender) {
        let (sender, service) = (Arc::new(sender), &self.service);
        let mut due: BTreeMap<(Timestamp, u64), Announced> = BTreeMap::new();
        let mut number = 0_u64;
        let mut under_way = JoinSet::new();
        loop {
            for announced in service.model().take_announced() {
                number += 1;
                due.insert((announced.ends, number), announced);
            }
            let now = service.clock.now();
            while let Some(first) = due.first_entry().filter(|first| first.key().0 <= now) {
                let (announced, sender, service) = (first.remove(), Arc::clone(&sender), Arc::clone(service));
                under_way.spawn(async move { sender.deliver(&service, &announced).await });
            }
            // What has ended is forgotten, or the set would grow for ever.
            while under_way.try_join_next().is_some() {}
            let next = due.first_key_value().map(|((at, _), _)| *at);
            let wait = async {
                match next {
                    Some(at) => service.clock.sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = service.created.notified() => {}
                () = wait => {}
            }
        }
    }
}

/// What a callback says.
fn letter(api: Api, view: &TaskView, now: Timestamp, result_base: &str) -> Value {
    let (code, msg, data) = match api {
        Api::Market => market_letter(view, now, result_base),
        Api::Veo => veo_letter(view, result_base),
    };
    json!({ "code": code, "msg": msg, "data": data })
}

/// The lookup's answer, with two changes where the task failed (KIE docs, market/*, callback examples).
fn market_letter(view: &TaskView, now: Timestamp, result_base: &str) -> (i64, String, Value) {
    let mut data = answers::record(Api::Market, view, result_base);
    data["updateTime"] = json!(now.as_millis());
    if !matches!(view.progress, Progress::Failed { .. }) {
        return (200, words::CALLBACK_OF_SUCCESS.to_owned(), data);
    }
    data["resultJson"] = Value::Null;
    data["costTime"] = json!(0);
    (501, words::CALLBACK_OF_FAILURE.to_owned(), data)
}

/// Another shape altogether (KIE docs, veo3-api/generate-veo-3-video-callbacks).
fn veo_letter(view: &TaskView, result_base: &str) -> (i64, String, Value) {
    match &view.progress {
        Progress::Failed { code, msg, .. } => {
            let documented = code.parse().ok().filter(|code| [400, 422, 500, 501].contains(code));
            (documented.unwrap_or(501), msg.clone(), json!({ "taskId": view.id, "fallbackFlag": false }))
        }
        Progress::Succeeded { results, .. } => {
            let data = json!({
                "taskId": view.id,
                "promptJson": view.input.to_string(),
                "info": answers::veo_results(view, results, result_base),
                "fallbackFlag": false,
            });
            (200, words::VEO_CALLBACK_OF_SUCCESS.to_owned(), data)
        }
        // A callback is due when its task has ended.
        Progress::Waiting | Progress::Generating | Progress::Strange(_) => (
            200,
            words::VEO_CALLBACK_OF_SUCCESS.to_owned(),
            json!({ "taskId": view.id, "fallbackFlag": false }),
        ),
    }
}

/// Where a callback goes.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    url: Url,
    /// The name that was looked up, for the header; the address stands in its place, so that a second lookup cannot
    /// lead elsewhere.
    host: Option<String>,
}

/// Checks an address, and looks its name up.
async fn target(address: &str, anywhere: bool) -> Result<Target, String> {
    const FIX: &str = "to send it all the same, start with --callbacks-anywhere";
    let url = Url::parse(address).map_err(|error| format!("`callBackUrl` is no address: {error}"))?;
    let is_web = matches!(url.scheme(), "http" | "https");
    let Some(host) = url.host_str().filter(|_| is_web).map(str::to_owned) else {
        return Err("`callBackUrl` is no http:// or https:// address".to_owned());
    };
    if anywhere {
        return Ok(Target { url, host: None });
    }
    if url.scheme() != "http" {
        return Err(format!("it is an https:// address; {FIX}"));
    }
    if let Ok(ip) = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        return if is_near(ip) {
            Ok(Target { url, host: None })
        } else {
            Err(format!("{ip} is outside of this machine and of private networks; {FIX}"))
        };
    }
    let port = url.port_or_known_default().unwrap_or(80);
    let found = lookup_host((host.as_str(), port)).await;
    let found: Vec<SocketAddr> = found.map_err(|error| format!("{host} has no address: {error}"))?.collect();
    let Some(first) = found.first().filter(|_| found.iter().all(|at| is_near(at.ip()))) else {
        return Err(format!("{host} is outside of this machine and of private networks; {FIX}"));
    };
    let mut pinned = url;
    pinned.set_ip_host(first.ip()).map_err(|()| format!("{host} cannot be called"))?;
    Ok(Target { url: pinned, host: Some(format!("{host}:{port}")) })
}

/// Whether an address is of this machine or of a private network (RFC 1918, RFC 4193). Link-local ones are not: clouds
/// answer with their secrets there.
const fn is_near(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local(),
    }
}

/// Host and path of an address, for a log.
fn shown(address: &str) -> String {
    let Ok(url) = Url::parse(address) else { return "no address".to_owned() };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}{port}{}", url.host_str().unwrap_or_default(), url.path())
}
