//! What the two simulated services share: a wiremock server that asks one function for every answer.

use std::{
    fmt,
    net::{SocketAddr, TcpListener},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use adapters::kie::KieKey;
use domain::{id::AccountId, time::Timestamp};
use serde_json::Value;
use wiremock::{Match, Mock, MockServer, Request, ResponseTemplate, matchers::any};

/// An answer on its way to the wire.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) mime: &'static str,
    pub(super) body: Vec<u8>,
    /// The body's own code, for the log.
    pub(super) code: Option<i64>,
    /// The connection drops instead.
    pub(super) lost: bool,
    /// Waited for in real time before it is sent.
    pub(super) delay: Option<Duration>,
}

impl Reply {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        let code = body.get("code").and_then(Value::as_i64);
        let mime = "application/json;charset=UTF-8";
        Self { status, mime, body: body.to_string().into_bytes(), code, lost: false, delay: None }
    }

    pub(super) fn bytes(mime: &'static str, body: Vec<u8>) -> Self {
        Self { status: 200, mime, body, code: None, lost: false, delay: None }
    }

    pub(super) fn text(status: u16, mime: &'static str, body: &str) -> Self {
        Self { status, ..Self::bytes(mime, body.as_bytes().to_vec()) }
    }

    fn template(self) -> ResponseTemplate {
        let template = ResponseTemplate::new(self.status).set_body_raw(self.body, self.mime);
        match self.delay {
            Some(delay) => template.set_delay(delay),
            None => template,
        }
    }
}

/// One answered request, for a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestLine {
    /// When, by the simulated service's clock.
    pub at: Timestamp,
    /// The HTTP method.
    pub method: String,
    /// The path, without its query.
    pub path: String,
    /// The key's fingerprint, if one was sent: never the key.
    pub key: Option<String>,
    /// The HTTP status; `None` when the connection was dropped.
    pub status: Option<u16>,
    /// The body's own code.
    pub code: Option<i64>,
}

/// Whoever wants to see each request.
pub type RequestLog = Arc<dyn Fn(&RequestLine) + Send + Sync>;

/// The key a request carries.
pub(super) fn bearer(request: &Request) -> Option<&str> {
    request.headers.get("authorization")?.to_str().ok()?.strip_prefix("Bearer ").map(str::trim)
}

/// A key as Kadr prints it.
pub(super) fn fingerprint(key: &str) -> String {
    let account = AccountId::new("simulated");
    let known = account.ok().and_then(|account| KieKey::new(account, &key.to_owned().into()).ok());
    known.map_or_else(|| "unusable".to_owned(), |key| key.fingerprint().to_string())
}

/// A function that answers requests.
pub(super) trait Service: Send + Sync + 'static {
    fn reply(&self, request: &Request) -> Reply;
    fn now(&self) -> Timestamp;
    /// What a log may show of the request's key.
    fn shown_key(&self, request: &Request) -> Option<String>;
}

/// A service behind a socket.
pub(super) struct Skin {
    server: MockServer,
    service: Arc<dyn Service>,
    log: Option<RequestLog>,
    served: Arc<Served>,
}

impl fmt::Debug for Skin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Skin").field("address", self.server.address()).finish_non_exhaustive()
    }
}

/// What was served since the server last forgot.
#[derive(Debug, Default)]
struct Served {
    requests: AtomicUsize,
    bytes: AtomicUsize,
}

impl Skin {
    pub(super) async fn start(
        listener: TcpListener,
        service: Arc<dyn Service>,
        log: Option<RequestLog>,
    ) -> Self {
        let server = MockServer::builder().listener(listener).disable_request_recording().start().await;
        let skin = Self { server, service, log, served: Arc::default() };
        let (dropping, answering) = skin.mocks();
        skin.server.register(dropping).await;
        skin.server.register(answering).await;
        skin
    }

    pub(super) fn address(&self) -> SocketAddr {
        *self.server.address()
    }

    /// A mounted mock keeps a copy of every request it matched. When many have gathered, mounts it anew. The two
    /// registrations are queued behind the reset, so that hardly a request can come between.
    pub(super) async fn forget_requests(&self) {
        const REQUESTS_MAX: usize = 5_000;
        const BYTES_MAX: usize = 64 << 20;
        let served = &self.served;
        if served.requests.load(Ordering::Relaxed) < REQUESTS_MAX
            && served.bytes.load(Ordering::Relaxed) < BYTES_MAX
        {
            return;
        }
        served.requests.store(0, Ordering::Relaxed);
        served.bytes.store(0, Ordering::Relaxed);
        let (dropping, answering) = self.mocks();
        tokio::join!(
            biased;
            self.server.reset(),
            self.server.register(dropping),
            self.server.register(answering)
        );
    }

    /// Two mocks over one slot. Whether a connection drops is decided by the service, but wiremock decides it by
    /// which mock matches: so the first mock's matcher lets the service answer, keeps the answer for the second
    /// one, and matches only if the connection is to drop. Requests are handled one at a time, so the slot is safe.
    fn mocks(&self) -> (Mock, Mock) {
        let slot: Arc<Mutex<Option<Reply>>> = Arc::default();
        let asking = Asking {
            service: Arc::clone(&self.service),
            log: self.log.clone(),
            served: Arc::clone(&self.served),
            slot: Arc::clone(&slot),
        };
        let dropping = Mock::given(asking).respond_with_err(|_: &Request| AnswerLost).with_priority(1);
        let answering = Mock::given(any()).respond_with(move |_: &Request| {
            let reply = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
            reply.map_or_else(|| ResponseTemplate::new(500), Reply::template)
        });
        (dropping, answering.with_priority(2))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the plan says that this answer is lost")]
struct AnswerLost;

struct Asking {
    service: Arc<dyn Service>,
    log: Option<RequestLog>,
    served: Arc<Served>,
    slot: Arc<Mutex<Option<Reply>>>,
}

impl Match for Asking {
    fn matches(&self, request: &Request) -> bool {
        let reply = self.service.reply(request);
        self.served.requests.fetch_add(1, Ordering::Relaxed);
        self.served.bytes.fetch_add(request.body.len(), Ordering::Relaxed);
        if let Some(log) = &self.log {
            log(&RequestLine {
                at: self.service.now(),
                method: request.method.to_string(),
                path: request.url.path().to_owned(),
                key: self.service.shown_key(request),
                status: (!reply.lost).then_some(reply.status),
                code: reply.code,
            });
        }
        let lost = reply.lost;
        *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(reply);
        lost
    }
}
