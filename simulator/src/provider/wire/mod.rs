//! KIE.AI over HTTP: the pure model behind wiremock, speaking the protocol as it was recorded.
//!
//! Answers come at HTTP 200 with the number in the body's `code`, refusals included; the file host and unknown
//! routes use real statuses; a client without a User-Agent is cut off at the edge. Of the calls about the model
//! catalogue there are `schema` and `price`. Callbacks are sent for whoever asks for it. Not simulated: progress
//! callbacks, whose shape is not documented, and limits on looks.

mod answers;
mod callbacks;
pub(crate) mod multipart;
mod routes;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    fmt, io,
    net::TcpListener,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::time::Timestamp;
use ports::Clock;
use tokio::sync::Notify;
use wiremock::Request;

pub use self::callbacks::{CallbackEnd, CallbackLine, CallbackLog, CallbackSender, CallbackTerms};

use super::{
    http::{self, Reply, RequestLog, Service, Skin},
    kie_model::{Call, KieModel, KieSettings},
};

/// The sockets a provider listens on.
#[derive(Debug)]
pub struct KieSockets {
    /// The API and the results.
    pub api: TcpListener,
    /// The file host.
    pub upload: TcpListener,
}

impl KieSockets {
    /// Two free ports of this machine.
    ///
    /// # Errors
    /// The operating system gives none.
    pub fn anywhere() -> io::Result<Self> {
        Ok(Self { api: TcpListener::bind("127.0.0.1:0")?, upload: TcpListener::bind("127.0.0.1:0")? })
    }
}

/// The simulated provider, listening.
pub struct KieServer {
    service: Arc<KieService>,
    api: Skin,
    upload: Skin,
}

impl fmt::Debug for KieServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KieServer")
            .field("api", &self.api)
            .field("upload", &self.upload)
            .finish_non_exhaustive()
    }
}

/// The model and what the wire adds to it.
struct KieService {
    model: Arc<Mutex<KieModel>>,
    clock: Arc<dyn Clock>,
    holds: Mutex<BTreeMap<Call, Duration>>,
    /// Told when a task may have been created.
    created: Notify,
    api_base: String,
    upload_base: String,
}

impl KieServer {
    /// Starts listening. `log` is told of every request.
    ///
    /// # Errors
    /// A socket without an address.
    pub async fn start(
        settings: KieSettings,
        clock: Arc<dyn Clock>,
        sockets: KieSockets,
        log: Option<RequestLog>,
    ) -> io::Result<Self> {
        let service = Arc::new(KieService {
            model: Arc::new(Mutex::new(KieModel::new(settings))),
            clock,
            holds: Mutex::default(),
            created: Notify::new(),
            api_base: format!("http://{}", sockets.api.local_addr()?),
            upload_base: format!("http://{}", sockets.upload.local_addr()?),
        });
        let api = Skin::start(sockets.api, Arc::clone(&service) as Arc<dyn Service>, log.clone()).await;
        let upload = Skin::start(sockets.upload, Arc::clone(&service) as Arc<dyn Service>, log).await;
        Ok(Self { service, api, upload })
    }

    /// Where the API is, without a final slash.
    #[must_use]
    pub fn api_base(&self) -> String {
        format!("http://{}", self.api.address())
    }

    /// Where the file host is, without a final slash.
    #[must_use]
    pub fn upload_base(&self) -> String {
        format!("http://{}", self.upload.address())
    }

    /// The model itself, to look at or to change between requests. Keep the lock for a moment only.
    pub fn model(&self) -> MutexGuard<'_, KieModel> {
        self.service.model()
    }

    /// The model itself, for whoever keeps looking behind the server.
    #[must_use]
    pub fn shared_model(&self) -> Arc<Mutex<KieModel>> {
        Arc::clone(&self.service.model)
    }

    /// Holds every answer of one kind of call back for so long, in real time, after the work was done: time in
    /// which a test can kill the client. `Duration::ZERO` ends it.
    pub fn hold(&self, call: Call, time: Duration) {
        let mut holds = self.service.holds.lock().unwrap_or_else(PoisonError::into_inner);
        if time.is_zero() {
            holds.remove(&call)
        } else {
            holds.insert(call, time)
        };
    }

    /// Frees the memory of past requests when much of it has gathered. For servers that run for long.
    pub async fn forget_requests(&self) {
        self.api.forget_requests().await;
        self.upload.forget_requests().await;
    }
}

impl KieService {
    fn model(&self) -> MutexGuard<'_, KieModel> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service for KieService {
    fn reply(&self, request: &Request) -> Reply {
        let now = self.clock.now();
        let mut reply = routes::route(self, &mut self.model(), request, now);
        let call = routes::call_of(request.url.path());
        if call == Some(Call::Create) {
            self.created.notify_one();
        }
        let holds = self.holds.lock().unwrap_or_else(PoisonError::into_inner);
        reply.delay = call.and_then(|call| holds.get(&call).copied());
        reply
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn shown_key(&self, request: &Request) -> Option<String> {
        http::bearer(request).map(http::fingerprint)
    }
}
