//! Which request goes where.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use domain::time::Timestamp;
use serde_json::{Value, json};
use wiremock::Request;

use super::{KieService, answers, multipart};
use crate::provider::{
    http::{Reply, bearer},
    kie_model::{Api, Call, KieModel, Upload},
};

/// The kind of call a path is, for delays.
pub(super) fn call_of(path: &str) -> Option<Call> {
    match path {
        "/api/v1/jobs/createTask" | "/api/v1/veo/generate" => Some(Call::Create),
        "/api/v1/jobs/recordInfo" | "/api/v1/veo/record-info" => Some(Call::Look),
        "/api/file-stream-upload" | "/api/file-base64-upload" | "/api/file-url-upload" => Some(Call::Upload),
        "/api/v1/chat/credit" => Some(Call::Balance),
        "/api/v1/common/download-url" => Some(Call::FreshLink),
        _ if path.starts_with("/f/") => Some(Call::Download),
        _ => None,
    }
}

/// Answers one request.
pub(super) fn route(service: &KieService, model: &mut KieModel, request: &Request, now: Timestamp) -> Reply {
    if !request.headers.contains_key("user-agent") {
        return Reply::text(403, "text/plain", answers::NO_USER_AGENT);
    }
    let (method, path, key) = (request.method.as_str(), request.url.path(), bearer(request));
    match (method, path) {
        ("POST", "/api/v1/jobs/createTask") => create(Api::Market, model, key, request, now),
        ("POST", "/api/v1/veo/generate") => create(Api::Veo, model, key, request, now),
        ("GET", "/api/v1/jobs/recordInfo") => look(Api::Market, service, model, key, request, now),
        ("GET", "/api/v1/veo/record-info") => look(Api::Veo, service, model, key, request, now),
        ("GET", "/api/v1/chat/credit") => answers::enveloped(model.balance(key, now), answers::balance),
        ("POST", "/api/v1/common/download-url") => fresh_link(service, model, key, request, now),
        ("POST", "/api/file-stream-upload") => stored(service, model, key, stream_upload(request), now),
        ("POST", "/api/file-base64-upload") => stored(service, model, key, base64_upload(request), now),
        ("POST", "/api/file-url-upload") => stored(service, model, key, url_upload(request), now),
        ("GET", path) if path.starts_with("/api/v1/models/") => described(model, key, path, now),
        ("GET", path) if path.starts_with("/f/") => download(model, request, now),
        ("GET", path) if path.starts_with("/kieai/") => uploaded_file(model, path, now),
        (_, path) if call_of(path) == Some(Call::Upload) => answers::upload_not_by_post(),
        (_, path) if call_of(path).is_some() => {
            Reply::json(405, &json!({ "code": 405, "msg": "Method Not Allowed", "data": null }))
        }
        _ => Reply::json(404, &json!({ "status": 404, "error": "Not Found", "path": path })),
    }
}

/// A model's description or price. The slash in its name is a slash of the path.
fn described(model: &mut KieModel, key: Option<&str>, path: &str, now: Timestamp) -> Reply {
    let named = path.trim_start_matches("/api/v1/models/").rsplit_once('/');
    match named {
        Some((slug, "schema")) => answers::enveloped(model.schema(key, slug, now), |said| said),
        Some((slug, "price")) => answers::enveloped(model.price(key, slug, now), |said| said),
        _ => Reply::json(404, &json!({ "status": 404, "error": "Not Found", "path": path })),
    }
}

fn create(api: Api, model: &mut KieModel, key: Option<&str>, request: &Request, now: Timestamp) -> Reply {
    // A body that is not JSON has no fields: the provider names the first one it misses.
    let body: Value = request.body_json().unwrap_or_default();
    answers::enveloped(model.create(api, key, body, now), |task| answers::created(api, &task))
}

fn look(
    api: Api,
    service: &KieService,
    model: &mut KieModel,
    key: Option<&str>,
    request: &Request,
    now: Timestamp,
) -> Reply {
    let task = query(request, "taskId").unwrap_or_default();
    let answer = model.look(api, key, &task, now);
    answers::enveloped(answer, |view| answers::record(api, &view, &service.api_base))
}

fn fresh_link(
    service: &KieService,
    model: &mut KieModel,
    key: Option<&str>,
    request: &Request,
    now: Timestamp,
) -> Reply {
    let body: Value = request.body_json().unwrap_or_default();
    let url = body.get("url").and_then(Value::as_str).unwrap_or_default();
    let ours = url.strip_prefix(&service.api_base).and_then(|path| path.split('?').next());
    let task = ours.and_then(task_of);
    let answer = model.fresh_link(key, task, now);
    let path = task.unwrap_or_default();
    answers::enveloped(answer, |until| {
        json!(format!("{}/f/{path}/0.mp4?until={}", service.api_base, until.as_millis()))
    })
}

fn download(model: &mut KieModel, request: &Request, now: Timestamp) -> Reply {
    let task = task_of(request.url.path()).unwrap_or_default();
    let until = query(request, "until").and_then(|until| until.parse().ok()).map(Timestamp::from_millis);
    answers::file(model.download(task, until, now), "video/mp4")
}

fn uploaded_file(model: &KieModel, path: &str, now: Timestamp) -> Reply {
    let found = model.file(path.trim_start_matches('/'), now);
    match found.and_then(|file| Some((file.mime, file.bytes.clone()?))) {
        Some((mime, bytes)) => Reply::bytes(mime, bytes.to_vec()),
        None => Reply::text(404, "text/plain", "Not Found"),
    }
}

/// The task a result's path names.
fn task_of(path: &str) -> Option<&str> {
    path.strip_prefix("/f/")?.strip_suffix("/0.mp4")
}

fn stored(
    service: &KieService,
    model: &mut KieModel,
    key: Option<&str>,
    upload: Upload,
    now: Timestamp,
) -> Reply {
    answers::uploaded(model.upload(key, upload, now), &service.upload_base)
}

fn stream_upload(request: &Request) -> Upload {
    let content_type = request.headers.get("content-type").and_then(|value| value.to_str().ok());
    let parts = multipart::parts(content_type.unwrap_or_default(), &request.body).unwrap_or_default();
    let text = |name: &str| {
        let part = parts.iter().find(|part| part.name == name && part.file_name.is_none())?;
        std::str::from_utf8(part.content).ok().map(str::to_owned)
    };
    let file = parts.iter().find(|part| part.name == "file");
    Upload {
        folder: text("uploadPath"),
        name: text("fileName").or_else(|| file.and_then(|file| file.file_name.clone())),
        bytes: Some(file.map(|file| Bytes::copy_from_slice(file.content)).unwrap_or_default()),
    }
}

/// `base64Data` may be a data URL or bare.
fn base64_upload(request: &Request) -> Upload {
    let body: Value = request.body_json().unwrap_or_default();
    let data = body.get("base64Data").and_then(Value::as_str).unwrap_or_default();
    let (kind, bare) = match data.split_once(";base64,") {
        Some((kind, bare)) => (kind.trim_start_matches("data:"), bare),
        None => ("image/png", data),
    };
    let ending = kind.split('/').nth(1).map_or("png", |ending| if ending == "jpeg" { "jpg" } else { ending });
    let bytes = STANDARD.decode(bare.trim()).unwrap_or_default();
    Upload {
        name: named(&body).or_else(|| Some(format!("upload.{ending}"))),
        bytes: Some(bytes.into()),
        folder: folder(&body),
    }
}

/// Answers as if the file had been fetched; nothing is.
fn url_upload(request: &Request) -> Upload {
    let body: Value = request.body_json().unwrap_or_default();
    let url = body.get("fileUrl").and_then(Value::as_str).unwrap_or_default();
    let last = url.split(['?', '#']).next().and_then(|path| path.rsplit('/').next());
    let name = named(&body).or_else(|| last.map(str::to_owned)).filter(|_| url.starts_with("http"));
    Upload { name, bytes: None, folder: folder(&body) }
}

fn named(body: &Value) -> Option<String> {
    body.get("fileName").and_then(Value::as_str).map(str::to_owned)
}

fn folder(body: &Value) -> Option<String> {
    body.get("uploadPath").and_then(Value::as_str).map(str::to_owned)
}

fn query(request: &Request, name: &str) -> Option<String> {
    request.url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}
