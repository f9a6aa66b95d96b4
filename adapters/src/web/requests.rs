//! What each request is answered.

use std::sync::Arc;

use bytes::Bytes;
use domain::id::AttemptId;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::Body,
    header::{ALLOW, CONTENT_TYPE, HeaderValue},
};
use ports::{CALLBACK_PATH, Clock};
use tokio::sync::Semaphore;

use super::{Desk, flood::Patience, heard::Heard};
use crate::{
    kie::{CallbackFault, CallbackVerifier, SIGNATURE_HEADER, Seal, TIMESTAMP_HEADER},
    telegram::{SECRET_HEADER, UpdateHook, WEBHOOK_PATH},
};

/// The largest body of a callback. KIE's hold the task's parameters and stay far below.
const BODY_BYTES_MAX: usize = 64 << 10;
/// The largest body of an update. A text has 4,096 characters, and what surrounds it is not much longer.
const UPDATE_BYTES_MAX: usize = 1 << 20;
/// Verified callbacks and updates that are acted on at once: each takes a connection of the database.
const ACTED_ON_MAX: usize = 4;

/// The pages there are.
pub struct WebPages {
    desk: Arc<dyn Desk>,
    /// Without one there is no address for callbacks.
    verifier: Option<CallbackVerifier>,
    /// Without one there is no address for updates.
    updates: Option<UpdateHook>,
    clock: Arc<dyn Clock>,
    patience: Patience,
    acting: Semaphore,
    heard: Heard,
}

impl std::fmt::Debug for WebPages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebPages")
            .field("callbacks", &self.verifier.is_some())
            .field("updates", &self.updates.is_some())
            .finish_non_exhaustive()
    }
}

impl WebPages {
    /// Pages that ask `desk`; callbacks are heard if there is something to verify them with.
    #[must_use]
    pub fn new(desk: Arc<dyn Desk>, verifier: Option<CallbackVerifier>, clock: Arc<dyn Clock>) -> Self {
        let patience = Patience::new(clock.now());
        let (acting, heard) = (Semaphore::new(ACTED_ON_MAX), Heard::default());
        Self { desk, verifier, updates: None, clock, patience, acting, heard }
    }

    /// The same pages, and an address for Telegram's updates.
    #[must_use]
    pub fn with_updates(self, updates: UpdateHook) -> Self {
        Self { updates: Some(updates), ..self }
    }

    pub(super) const fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Answers one request.
    pub(super) async fn answer<B>(&self, request: Request<B>) -> Response<Full<Bytes>>
    where
        B: Body + Unpin,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let path = request.uri().path();
        match path {
            "/healthz" if request.method() == Method::GET => text(StatusCode::OK, "ok\n"),
            "/metrics" if request.method() == Method::GET => match self.desk.metrics().await {
                // The library writes OpenMetrics, which is Prometheus' own text form with an end mark.
                Some(page) => {
                    reply(StatusCode::OK, "application/openmetrics-text; version=1.0.0; charset=utf-8", page)
                }
                None => not_found(),
            },
            "/healthz" | "/metrics" => not_allowed("GET"),
            WEBHOOK_PATH => match &self.updates {
                Some(hook) if request.method() == Method::POST => self.take(hook, request).await,
                Some(_) => not_allowed("POST"),
                None => not_found(),
            },
            _ => match (&self.verifier, path.strip_prefix(CALLBACK_PATH)) {
                (Some(verifier), Some(attempt)) if request.method() == Method::POST => {
                    let attempt = attempt.parse::<AttemptId>();
                    match attempt {
                        Ok(attempt) => self.hear(verifier, attempt, request).await,
                        Err(_) => not_found(),
                    }
                }
                (Some(_), Some(_)) => not_allowed("POST"),
                _ => not_found(),
            },
        }
    }

    /// Stores an update, and only then says so: Telegram sends again what is not answered with 200.
    async fn take<B>(&self, hook: &UpdateHook, request: Request<B>) -> Response<Full<Bytes>>
    where
        B: Body + Unpin,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let secret = request.headers().get(SECRET_HEADER);
        if !secret.is_some_and(|secret| hook.knows(secret.as_bytes())) {
            return text(StatusCode::UNAUTHORIZED, "not accepted\n");
        }
        let body = match Limited::new(request.into_body(), UPDATE_BYTES_MAX).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => {
                tracing::error!("an update of more than 1 MiB was refused");
                return text(StatusCode::PAYLOAD_TOO_LARGE, "not accepted\n");
            }
            Err(_) => return text(StatusCode::BAD_REQUEST, "not accepted\n"),
        };
        let Ok(_turn) = self.acting.acquire().await else {
            return text(StatusCode::SERVICE_UNAVAILABLE, "closing\n");
        };
        match hook.receive(&body).await {
            Ok(true) => text(StatusCode::OK, "ok\n"),
            Ok(false) => {
                tracing::error!(bytes = body.len(), "what came to the webhook with its secret is no update");
                text(StatusCode::BAD_REQUEST, "not an update\n")
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "an update could not be stored, Telegram sends it again");
                text(StatusCode::INTERNAL_SERVER_ERROR, "try again later\n")
            }
        }
    }

    async fn hear<B>(
        &self,
        verifier: &CallbackVerifier,
        attempt: AttemptId,
        request: Request<B>,
    ) -> Response<Full<Bytes>>
    where
        B: Body + Unpin,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (task, seal) = match self.verified(verifier, request).await {
            Ok(verified) => verified,
            Err(fault) => {
                self.desk.refused(fault);
                let status = match fault {
                    CallbackFault::Flood => StatusCode::TOO_MANY_REQUESTS,
                    CallbackFault::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                    CallbackFault::Unreadable => StatusCode::BAD_REQUEST,
                    CallbackFault::Unsigned | CallbackFault::Stale | CallbackFault::Forged => {
                        StatusCode::UNAUTHORIZED
                    }
                };
                return text(status, "not accepted\n");
            }
        };
        let Ok(_turn) = self.acting.acquire().await else {
            return text(StatusCode::SERVICE_UNAVAILABLE, "closing\n");
        };
        if self.heard.knows(&seal) {
            return taken();
        }
        match self.desk.callback(attempt, &task).await {
            Ok(()) => {
                self.heard.remember(seal);
                taken()
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(attempt.id = %attempt, error, "a callback could not be acted on");
                text(StatusCode::SERVICE_UNAVAILABLE, "try again later\n")
            }
        }
    }

    async fn verified<B>(
        &self,
        verifier: &CallbackVerifier,
        request: Request<B>,
    ) -> Result<(domain::id::TaskId, Seal), CallbackFault>
    where
        B: Body + Unpin,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let now = self.clock.now();
        let headers = request.headers();
        let seal = Seal::read(header(headers, TIMESTAMP_HEADER), header(headers, SIGNATURE_HEADER), now)?;
        if !self.patience.is_left(now) {
            return Err(CallbackFault::Flood);
        }
        let looked_into = async {
            let body =
                Limited::new(request.into_body(), BODY_BYTES_MAX).collect().await.map_err(|error| {
                    if error.is::<LengthLimitError>() {
                        CallbackFault::TooLarge
                    } else {
                        CallbackFault::Unreadable
                    }
                })?;
            verifier.verify(&seal, &body.to_bytes())
        };
        let task = looked_into.await;
        if task.is_err() {
            self.patience.spend(now);
        }
        task.map(|task| (task, seal))
    }
}

/// What KIE asks for (docs.kie.ai, the callback pages of its models).
fn taken() -> Response<Full<Bytes>> {
    reply(StatusCode::OK, "application/json", r#"{"code":200,"msg":"success"}"#)
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn reply(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn text(status: StatusCode, body: &'static str) -> Response<Full<Bytes>> {
    reply(status, "text/plain; charset=utf-8", body)
}

fn not_found() -> Response<Full<Bytes>> {
    text(StatusCode::NOT_FOUND, "not found\n")
}

fn not_allowed(allowed: &'static str) -> Response<Full<Bytes>> {
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "not allowed\n");
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}
