//! The simulated services without sockets: the same models, called directly, answering what Kadr's own adapters would
//! have made of their HTTP answers.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use adapters::kie::{Catalogue, CatalogueModel};
use async_trait::async_trait;
use domain::{
    failure::{ProviderAnswer, Reason, classify},
    id::{AttemptId, KeyId, ModelId, TaskId},
    prompt::WritingTask,
};
use ports::{
    Clock, Photo, PortError, PromptWriter, ProviderRefusal, RenderStatus, Reply, VideoApi, VideoRequest,
};

use super::{
    kie_model::{Answer, Api, Arrival, KieModel, Progress, Upload, words::No},
    llm,
};

/// Where uploaded photos and results would lie; nobody fetches them.
const HOST: &str = "https://kie.simulated";

/// The provider as a port, in memory.
pub struct MemVideoApi {
    kie: Arc<Mutex<KieModel>>,
    catalogue: Arc<Catalogue>,
    clock: Arc<dyn Clock>,
    /// Each key with its secret.
    keys: Vec<(KeyId, String)>,
}

impl std::fmt::Debug for MemVideoApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemVideoApi").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

impl MemVideoApi {
    /// The provider `kie`, asked for the catalogue's models with these keys.
    #[must_use]
    pub fn new(
        kie: Arc<Mutex<KieModel>>,
        catalogue: Arc<Catalogue>,
        clock: Arc<dyn Clock>,
        keys: Vec<(KeyId, String)>,
    ) -> Self {
        Self { kie, catalogue, clock, keys }
    }

    fn kie(&self) -> MutexGuard<'_, KieModel> {
        self.kie.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn secret(&self, key: &KeyId) -> Option<&str> {
        self.keys.iter().find(|(id, _)| id == key).map(|(_, secret)| secret.as_str())
    }

    fn model<T>(&self, id: &ModelId) -> Result<(&CatalogueModel, Api), Reply<T>> {
        let model = self.catalogue.model(id).filter(|model| model.video.enabled).ok_or_else(|| {
            let evidence = format!("`{id}` takes no orders");
            Reply::No(ProviderRefusal {
                failure: Reason::ModelUnavailable.into(),
                evidence,
                retry_after: None,
            })
        })?;
        Ok((model, if model.api == "veo" { Api::Veo } else { Api::Market }))
    }
}

/// What an adapter makes of an answer's arrival and words.
fn reply<T>(answer: Answer<T>) -> Reply<T> {
    match (answer.arrives, answer.said) {
        (Arrival::Whole, Ok(said)) => Reply::Yes(said),
        (Arrival::Whole, Err(no)) => Reply::No(refusal(&no)),
        (Arrival::Never, _) => Reply::Unknown("the connection was dropped".to_owned()),
        (Arrival::Cut, _) => Reply::Unknown("the answer broke off".to_owned()),
        (Arrival::GatewayPage, _) => Reply::Unknown("HTTP 502: a page of HTML".to_owned()),
    }
}

fn refusal(no: &No) -> ProviderRefusal {
    let verdict = classify(&ProviderAnswer {
        http_status: Some(no.http),
        code: Some(no.code),
        fail_code: None,
        message: &no.msg,
    });
    let evidence = format!("HTTP {}, code {}: {}", no.http, no.code, no.msg);
    ProviderRefusal { failure: verdict.failure, evidence, retry_after: None }
}

/// The file host's no: an HTTP status says something about the link, and nothing about our key.
fn link_refusal(what: &str) -> ProviderRefusal {
    ProviderRefusal {
        failure: Reason::ProviderFault.into(),
        evidence: format!("download: {what}"),
        retry_after: None,
    }
}

fn status(progress: &Progress) -> RenderStatus {
    match progress {
        Progress::Waiting | Progress::Generating | Progress::Strange(_) => RenderStatus::Running,
        Progress::Succeeded { results, .. } => match results.first() {
            Some(path) => RenderStatus::Finished { url: format!("{HOST}/{path}") },
            None => RenderStatus::Failed(ProviderRefusal {
                failure: Reason::ProviderFault.into(),
                evidence: "finished without a usable address".to_owned(),
                retry_after: None,
            }),
        },
        Progress::Failed { code, msg, .. } => {
            let said = ProviderAnswer { http_status: None, code: None, fail_code: Some(code), message: msg };
            RenderStatus::Failed(ProviderRefusal {
                failure: classify(&said).failure,
                evidence: format!("failed, {code}: {msg}"),
                retry_after: None,
            })
        }
    }
}

/// The task an address of a result names, and the expiry it carries.
fn parts_of(url: &str) -> Option<(&str, Option<i64>)> {
    let (path, query) = url.strip_prefix(HOST)?.split_once('?').unwrap_or((url.strip_prefix(HOST)?, ""));
    let task = path.strip_prefix("/f/")?.strip_suffix("/0.mp4")?;
    Some((task, query.strip_prefix("until=").and_then(|until| until.parse().ok())))
}

macro_rules! or_answer {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(reply) => return reply,
        }
    };
}

#[async_trait]
impl VideoApi for MemVideoApi {
    async fn upload(&self, key: &KeyId, name: AttemptId, photo: &Photo) -> Reply<String> {
        let upload = Upload {
            folder: Some("kadr".to_owned()),
            name: Some(format!("{name}.{}", photo.format.extension())),
            bytes: Some(photo.bytes.clone()),
        };
        let now = self.clock.now();
        reply(self.kie().upload(self.secret(key), upload, now)).map(|file| format!("{HOST}/{}", file.path))
    }

    async fn create<'a>(&self, key: &KeyId, request: VideoRequest<'a>) -> Reply<TaskId> {
        let (model, api) = or_answer!(self.model(request.model));
        let mut body = model.request_body(request.prompt, request.photo_url);
        if let (Some(url), Some(fields)) = (request.callback_url, body.as_object_mut()) {
            fields.insert("callBackUrl".to_owned(), url.into());
        }
        let now = self.clock.now();
        match reply(self.kie().create(api, self.secret(key), body, now)) {
            Reply::Yes(task) => TaskId::new(task)
                .map_or_else(|_| Reply::Unknown("without a usable task id".to_owned()), Reply::Yes),
            Reply::No(refusal) => Reply::No(refusal),
            Reply::Unknown(seen) => Reply::Unknown(seen),
        }
    }

    async fn status(&self, key: &KeyId, model: &ModelId, task: &TaskId) -> Reply<RenderStatus> {
        let (_, api) = or_answer!(self.model(model));
        let now = self.clock.now();
        match reply(self.kie().look(api, self.secret(key), task.as_str(), now)) {
            Reply::No(refusal) if refusal.failure.reason == Reason::UnknownTask => {
                Reply::Yes(RenderStatus::UnknownTask)
            }
            answer => answer.map(|view| status(&view.progress)),
        }
    }

    async fn fresh_link(&self, key: &KeyId, url: &str) -> Reply<String> {
        let task = parts_of(url).map(|(task, _)| task);
        let now = self.clock.now();
        let answer = reply(self.kie().fresh_link(self.secret(key), task, now));
        answer.map(|until| format!("{HOST}/f/{}/0.mp4?until={}", task.unwrap_or_default(), until.as_millis()))
    }

    /// Writes no file: whoever sends the video in memory does not read it.
    async fn download(&self, url: &str, _file: &Path, bytes_max: u64) -> Reply<u64> {
        let Some((task, until)) = parts_of(url) else { return Reply::No(link_refusal("not an address")) };
        let now = self.clock.now();
        let until = until.map(domain::time::Timestamp::from_millis);
        let answer = self.kie().download(task, until, now);
        match (answer.arrives, answer.said) {
            (Arrival::Whole, Ok(file)) if file.size() <= bytes_max => Reply::Yes(file.size()),
            (Arrival::Whole, Ok(_)) => Reply::No(link_refusal("the result is too large")),
            (Arrival::Whole, Err(no)) => Reply::No(link_refusal(&format!("HTTP {}", no.http))),
            (Arrival::GatewayPage, _) => Reply::No(link_refusal("HTTP 502")),
            (Arrival::Never | Arrival::Cut, _) => Reply::Unknown("the download broke off".to_owned()),
        }
    }

    async fn balance(&self, key: &KeyId) -> Reply<f64> {
        let now = self.clock.now();
        let answer = reply(self.kie().balance(self.secret(key), now));
        answer.map(|credits| credits.as_json().as_f64().unwrap_or_default())
    }
}

/// The language model as a port, in memory.
#[derive(Debug, Clone, Copy, Default)]
pub struct MemPromptWriter;

#[async_trait]
impl PromptWriter for MemPromptWriter {
    async fn write(&self, task: &WritingTask, _photo: &Photo) -> Result<String, PortError> {
        Ok(llm::compose(&task.system, &task.user))
    }
}
