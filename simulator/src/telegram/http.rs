//! Telegram behind a socket.
//!
//! Not wiremock, which serves the other simulated services: it answers at once, and a poll has to wait.

use std::{
    fmt, io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use ports::Clock;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    sync::Semaphore,
    task::{JoinHandle, JoinSet},
};

use super::{
    body::{BodyFault, RawBody},
    control,
    model::{Answer, CallLine, Plan, TelegramModel, TelegramSettings, User, Violation},
    office::Office,
    person::Person,
    webhook,
};

/// Connections served at once; further ones wait in the system's queue.
const CONNECTIONS_MAX: usize = 256;

/// The simulated Telegram, listening. It stops when it is dropped.
pub struct TelegramServer {
    office: Arc<Office>,
    address: SocketAddr,
    token: SecretString,
    serving: JoinHandle<()>,
}

impl fmt::Debug for TelegramServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelegramServer").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for TelegramServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// The connection drops.
#[derive(Debug, thiserror::Error)]
#[error("the answer is lost")]
pub(super) struct AnswerLost;

pub(super) type Reply = Response<Full<Bytes>>;

impl TelegramServer {
    /// Starts listening on a free port of this machine.
    ///
    /// # Errors
    /// The operating system gives none.
    pub fn start(settings: TelegramSettings, clock: Arc<dyn Clock>) -> io::Result<Self> {
        Self::listen(settings, clock, TcpListener::bind("127.0.0.1:0")?)
    }

    /// Starts listening on a socket. Has to be called within a runtime of tokio's.
    ///
    /// # Errors
    /// A socket without an address, or one that cannot be used without blocking.
    pub fn listen(
        settings: TelegramSettings,
        clock: Arc<dyn Clock>,
        listener: TcpListener,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let token = settings.token.clone();
        let office = Arc::new(Office::new(TelegramModel::new(settings), clock));
        let serving = tokio::spawn(serve(Arc::clone(&office), listener));
        Ok(Self { office, address, token, serving })
    }

    /// What stands for `https://api.telegram.org`, without a final slash.
    #[must_use]
    pub fn api_base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The bot's token.
    #[must_use]
    pub const fn token(&self) -> &SecretString {
        &self.token
    }

    /// A user, new or known. Their language is Russian unless the model is told otherwise.
    #[must_use]
    pub fn person(&self, id: i64) -> Person {
        let known = self.office.look(|model, _| model.user(id).cloned());
        let user = known.unwrap_or_else(|| User {
            id,
            first_name: format!("User {id}"),
            username: None,
            language: Some("ru".to_owned()),
        });
        self.person_with(user)
    }

    /// A user of whom more than the id matters.
    #[must_use]
    pub fn person_with(&self, user: User) -> Person {
        let id = user.id;
        self.office.act(|model, _| model.add_user(user));
        Person::new(Arc::clone(&self.office), id)
    }

    /// Plans a fault.
    pub fn plan(&self, plan: Plan) {
        self.office.act(|model, _| model.plan(plan));
    }

    /// Changes the model, and wakes whoever waits for that.
    pub fn with<T>(&self, act: impl FnOnce(&mut TelegramModel) -> T) -> T {
        self.office.act(|model, _| act(model))
    }

    /// Sends the last `count` updates once more, confirmed or not.
    pub fn repeat_updates(&self, count: usize) {
        self.office.act(|model, now| model.repeat_updates(count, now));
    }

    /// All calls so far, the oldest first.
    #[must_use]
    pub fn calls(&self) -> Vec<CallLine> {
        self.office.look(|model, _| model.calls().to_vec())
    }

    /// What the bot should not have done, or left undone, up to now.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        self.office.look(TelegramModel::violations)
    }

    /// Waits until `look` finds something in the model.
    pub async fn until<T>(&self, look: impl Fn(&TelegramModel) -> Option<T>) -> T {
        self.office.wait(|model, _| look(model).ok_or(None)).await
    }

    /// Waits until a call is in the log that `fits`; of those that are there, the first.
    pub async fn called(&self, fits: impl Fn(&CallLine) -> bool) -> CallLine {
        self.until(|model| model.calls().iter().find(|call| fits(call)).cloned()).await
    }
}

async fn serve(office: Arc<Office>, listener: tokio::net::TcpListener) {
    let delivering = webhook::deliver(Arc::clone(&office));
    let accepting = async {
        let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let mut connections = JoinSet::new();
        loop {
            let place = Arc::clone(&room).acquire_owned().await;
            // What has ended is forgotten, or the set would grow for ever.
            while connections.try_join_next().is_some() {}
            match listener.accept().await {
                Ok((stream, _)) => {
                    let office = Arc::clone(&office);
                    connections.spawn(async move {
                        let _place = place;
                        connection(office, stream).await;
                    });
                }
                // Out of file descriptors, most likely: a second is long enough for some to come back.
                Err(_) => office.sleep_until(office.now().after(std::time::Duration::from_secs(1))).await,
            }
        }
    };
    tokio::select! {
        () = accepting => {}
        // It ends only when no client can be made.
        ended = delivering => drop(ended),
    }
}

async fn connection(office: Arc<Office>, stream: TcpStream) {
    let service = service_fn(move |request| {
        let office = Arc::clone(&office);
        async move { answer(office, request).await }
    });
    // It ends by an error whenever an answer is lost on purpose or a client goes away.
    http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
}

/// A path without escapes, of the characters that tokens and files have: some clients escape a file's slash.
fn plain(path: &str) -> String {
    [("%2F", "/"), ("%2f", "/"), ("%3A", ":"), ("%3a", ":")]
        .iter()
        .fold(path.to_owned(), |path, (escaped, plain)| path.replace(escaped, plain))
}

async fn answer(office: Arc<Office>, request: Request<Incoming>) -> Result<Reply, AnswerLost> {
    let path = plain(request.uri().path());
    if path == "/control" || path.starts_with("/control/") {
        return Ok(control::answer(&office, &path, request).await);
    }
    if let Some((token, file)) = path.strip_prefix("/file/bot").and_then(|rest| rest.split_once('/')) {
        return respond(&office, office.act(|model, now| model.download(token, file, now))).await;
    }
    let call = path.strip_prefix("/bot").and_then(|rest| rest.split_once('/'));
    let Some((token, method)) = call.filter(|(token, method)| !token.is_empty() && !method.is_empty()) else {
        return Ok(json_reply(404, &json!({ "ok": false, "error_code": 404, "description": "Not Found" })));
    };
    let body = RawBody::read(request).await;
    match body.and_then(|body| body.params()) {
        Ok(params) => {
            let method = method.trim_end_matches('/');
            respond(&office, office.act(|model, now| model.call(token, method, &params, now))).await
        }
        Err(BodyFault::Broken) => Err(AnswerLost),
        Err(BodyFault::TooLarge) => Ok(json_reply(
            413,
            &json!({ "ok": false, "error_code": 413, "description": "Request Entity Too Large" }),
        )),
        Err(BodyFault::Unreadable) => Ok(json_reply(
            400,
            &json!({ "ok": false, "error_code": 400, "description": "Bad Request: can't parse request" }),
        )),
    }
}

/// A poll that is over, whether it was answered or its client went away.
struct Leaving<'a>(&'a Office, u64);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.act(|model, _| model.leave_poll(self.1));
    }
}

async fn respond(office: &Office, answer: Answer) -> Result<Reply, AnswerLost> {
    let answer = match answer {
        Answer::Waits(poll) => {
            let _leaving = Leaving(office, poll);
            office.wait(|model, now| model.look(poll, now).map_err(Some)).await
        }
        other => other,
    };
    match answer {
        Answer::Said(status, body) => Ok(json_reply(status, &body)),
        Answer::Page(status) => {
            let page = format!("<html><head><title>{status}</title></head><body>nginx</body></html>\r\n");
            Ok(reply(status, "text/html", page))
        }
        Answer::File(bytes) => Ok(reply(200, "application/octet-stream", bytes)),
        // A poll that waits was waited for.
        Answer::Nothing | Answer::Waits(_) => Err(AnswerLost),
    }
}

pub(super) fn json_reply(status: u16, body: &Value) -> Reply {
    reply(status, "application/json", body.to_string())
}

pub(super) fn reply(status: u16, kind: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()));
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    reply
}
