//! The calls themselves.

use std::{fmt, path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use domain::{
    failure::Reason,
    id::{AttemptId, KeyId, ModelId, TaskId},
};
use ports::{Photo, RenderStatus, Reply, VideoApi, VideoRequest};
use reqwest::{
    Client, RequestBuilder,
    multipart::{Form, Part},
};
use serde_json::json;

use super::{
    catalogue::{Catalogue, CatalogueModel},
    config::{KieConfig, KieError, KieKey},
    download, map,
    wire::Envelope,
};
use crate::http::{self, Answer, ExchangeError, HttpOptions};

/// KIE's folder for our uploads.
const UPLOAD_PATH: &str = "kadr";

/// KIE.AI as the video provider.
pub struct KieVideoApi {
    config: KieConfig,
    catalogue: Arc<Catalogue>,
    /// For KIE itself, with a key. Follows no redirects: a redirected POST is sent again as a GET, and the key is
    /// nobody else's business.
    api: Client,
    /// For result hosts, without a key.
    results: Client,
}

/// Leaves the HTTP clients out: they would show the proxy's credentials.
impl fmt::Debug for KieVideoApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KieVideoApi").field("config", &self.config).finish_non_exhaustive()
    }
}

impl KieVideoApi {
    /// Checks the configuration and makes the HTTP clients; nothing is sent.
    ///
    /// # Errors
    /// [`KieError`] when the configuration cannot work.
    pub fn new(config: KieConfig, catalogue: Arc<Catalogue>) -> Result<Self, KieError> {
        config.check()?;
        let times = config.timeouts;
        let api = http::client(&HttpOptions {
            read_timeout: times.create.max(times.poll).max(times.upload),
            total_timeout: None,
            redirects_max: 0,
            ..config.http.clone()
        })?;
        let results = http::client(&HttpOptions {
            read_timeout: times.download_read,
            total_timeout: Some(times.download_total),
            ..config.http.clone()
        })?;
        Ok(Self { config, catalogue, api, results })
    }

    fn key<T>(&self, id: &KeyId) -> Result<&KieKey, Reply<T>> {
        self.config.keys.iter().find(|key| key.fingerprint() == id).ok_or_else(|| {
            map::not_sent(Reason::KeyRejected, &format!("the key {id} is not configured here: add it again"))
        })
    }

    fn model<T>(&self, id: &ModelId) -> Result<&CatalogueModel, Reply<T>> {
        self.catalogue.model(id).ok_or_else(|| {
            let why = format!(
                "`{id}` is not in the catalogue: keep its entry, switched off, while tasks of it run"
            );
            map::not_sent(Reason::ModelUnavailable, &why)
        })
    }

    pub(super) fn first_key(&self) -> Option<&KieKey> {
        self.config.keys.first()
    }

    pub(super) fn entry(&self, id: &ModelId) -> Option<&CatalogueModel> {
        self.catalogue.model(id)
    }

    pub(super) const fn poll_timeout(&self) -> Duration {
        self.config.timeouts.poll
    }

    pub(super) fn get(&self, path: &str) -> RequestBuilder {
        self.api.get(http::join(&self.config.api_base, path))
    }

    pub(super) fn post(&self, path: &str, body: &serde_json::Value) -> RequestBuilder {
        self.api.post(http::join(&self.config.api_base, path)).json(body)
    }

    /// Sends a request with a key and waits at most `timeout` for the whole answer.
    pub(super) async fn call(
        &self,
        call: &'static str,
        key: &KieKey,
        request: RequestBuilder,
        timeout: Duration,
    ) -> Result<Answer, ExchangeError> {
        let request = request.bearer_auth(key.expose()).timeout(timeout);
        let outcome = http::exchange(request, self.config.answer_bytes_max).await;
        match &outcome {
            Ok(answer) => tracing::debug!(
                call,
                key = %key.fingerprint(),
                http_status = answer.status,
                code = Envelope::read(&answer.body).and_then(|envelope| envelope.code),
                bytes = answer.body.len(),
                "KIE answered"
            ),
            Err(error) => tracing::debug!(call, key = %key.fingerprint(), %error, "KIE did not answer"),
        }
        outcome.map(|answer| Answer { body: without_key(answer.body, key), ..answer })
    }
}

/// The body with the key blotted out, should an error message quote it.
fn without_key(body: Bytes, key: &KieKey) -> Bytes {
    if memchr::memmem::find(&body, key.expose().as_bytes()).is_none() {
        return body;
    }
    Bytes::from(String::from_utf8_lossy(&body).replace(key.expose(), "[key]"))
}

/// Unwraps, or answers with the reply that says why not.
macro_rules! or_answer {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(reply) => return reply,
        }
    };
}

#[async_trait]
impl VideoApi for KieVideoApi {
    async fn upload(&self, key: &KeyId, name: AttemptId, photo: &Photo) -> Reply<String> {
        let key = or_answer!(self.key(key));
        // The host serves an old file's cached copy under a repeated name, and takes the content type from the
        // extension; so names are unique and end as the bytes demand.
        let file_name = format!("{name}.{}", photo.format.extension());
        let part = Part::stream_with_length(photo.bytes.clone(), photo.bytes.len() as u64)
            .file_name(file_name.clone())
            .mime_str(photo.format.mime());
        let part = or_answer!(part.map_err(|error| map::unanswered(&error.into())));
        let form = Form::new().text("uploadPath", UPLOAD_PATH).text("fileName", file_name).part("file", part);
        let url = http::join(&self.config.upload_base, "/api/file-stream-upload");
        let request = self.api.post(url).multipart(form);
        match self.call("upload", key, request, self.config.timeouts.upload).await {
            Ok(answer) => map::uploaded(&answer),
            Err(error) => map::unanswered(&error),
        }
    }

    async fn create<'a>(&self, key: &KeyId, request: VideoRequest<'a>) -> Reply<TaskId> {
        let key = or_answer!(self.key(key));
        let model = or_answer!(self.model(request.model));
        if !model.video.enabled {
            let off_reason = model.video.off_reason.as_deref().unwrap_or("no reason is given");
            let why = format!("`{}` is switched off in the catalogue: {off_reason}", request.model);
            return map::not_sent(Reason::ModelUnavailable, &why);
        }
        let mut body = model.request_body(request.prompt, request.photo_url);
        if let (Some(url), Some(fields)) = (request.callback_url, body.as_object_mut()) {
            // Beside `model` in every API of KIE's (docs, market and veo3-api/generate-veo-3-video).
            fields.insert("callBackUrl".to_owned(), url.into());
        }
        let call = self.post(&model.endpoint.create, &body);
        match self.call("create", key, call, self.config.timeouts.create).await {
            Ok(answer) => map::created(&answer),
            Err(error) => map::unanswered(&error),
        }
    }

    async fn status(&self, key: &KeyId, model: &ModelId, task: &TaskId) -> Reply<RenderStatus> {
        let key = or_answer!(self.key(key));
        let model = or_answer!(self.model(model));
        let call = self.get(&model.endpoint.poll).query(&[("taskId", task.as_str())]);
        match self.call("status", key, call, self.config.timeouts.poll).await {
            Ok(answer) => map::looked_up(&answer, &model.endpoint),
            Err(error) => map::unanswered(&error),
        }
    }

    async fn fresh_link(&self, key: &KeyId, url: &str) -> Reply<String> {
        let key = or_answer!(self.key(key));
        let call = self.post("/api/v1/common/download-url", &json!({ "url": url }));
        match self.call("fresh_link", key, call, self.config.timeouts.poll).await {
            Ok(answer) => map::relinked(&answer),
            Err(error) => map::unanswered(&error),
        }
    }

    async fn download(&self, url: &str, file: &Path, bytes_max: u64) -> Reply<u64> {
        download::download(&self.results, url, file, bytes_max).await
    }

    async fn balance(&self, key: &KeyId) -> Reply<f64> {
        let key = or_answer!(self.key(key));
        let call = self.get("/api/v1/chat/credit");
        match self.call("balance", key, call, self.config.timeouts.poll).await {
            Ok(answer) => map::balance(&answer),
            Err(error) => map::unanswered(&error),
        }
    }
}
