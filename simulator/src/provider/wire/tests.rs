//! The simulated provider as clients meet it: first raw, then through Kadr's own adapter.

use std::sync::atomic::{AtomicI64, Ordering};

use adapters::{
    http::{self, HttpOptions},
    kie::{Catalogue, KieConfig, KieKey, KieVideoApi},
};
use async_trait::async_trait;
use bytes::Bytes;
use domain::{
    failure::{FailureClass, Reason},
    id::{AccountId, AttemptId, KeyId, TaskId},
    photo::PhotoFormat,
};
use ports::{Photo, RenderStatus, Reply as PortReply, VideoApi, VideoRequest};
use serde_json::{Value, json};

use super::*;
use crate::{
    provider::kie_model::{AccountPlan, FailPlan, Fate, KieCredits, Trouble, When, words},
    sample,
};

const KEYS: [&str; 2] = ["key-of-a", "key-of-b"];
const START: i64 = 1_767_900_000_000;

/// A clock that a test sets by hand.
#[derive(Default)]
struct HandClock(AtomicI64);

#[async_trait]
impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(START + self.0.load(Ordering::SeqCst) * 1_000)
    }

    async fn sleep_until(&self, _at: Timestamp) {}
}

/// Path, HTTP status, the body's code.
type Line = (String, Option<u16>, Option<i64>);

struct World {
    server: KieServer,
    clock: Arc<HandClock>,
    lines: Arc<Mutex<Vec<Line>>>,
    client: std::sync::OnceLock<reqwest::Client>,
}

impl World {
    async fn start(settings: KieSettings) -> Self {
        let (clock, lines) = (Arc::new(HandClock::default()), Arc::new(Mutex::new(Vec::new())));
        let heard = Arc::clone(&lines);
        let log: RequestLog =
            Arc::new(move |line| heard.lock().unwrap().push((line.path.clone(), line.status, line.code)));
        let sockets = KieSockets::anywhere().unwrap();
        let server = KieServer::start(settings, clock.clone(), sockets, Some(log)).await.unwrap();
        Self { server, clock, lines, client: std::sync::OnceLock::new() }
    }

    async fn planned(plan: FailPlan) -> Self {
        let settings = KieSettings::healthy(7, KEYS.map(AccountPlan::with_key).into());
        Self::start(KieSettings { plan, ..settings }).await
    }

    fn wait(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let url = format!("{}{path}", self.server.api_base());
        let answer = client().get(url).bearer_auth(KEYS[0]).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Over one connection, for many requests.
    async fn get_quietly(&self, path: &str) -> u16 {
        let url = format!("{}{path}", self.server.api_base());
        let client = self.client.get_or_init(client);
        client.get(url).bearer_auth(KEYS[0]).send().await.unwrap().status().as_u16()
    }

    async fn post(&self, base: &str, path: &str, body: &Value) -> (u16, Value) {
        let answer =
            client().post(format!("{base}{path}")).bearer_auth(KEYS[0]).json(body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    fn adapter(&self) -> (KieVideoApi, Vec<KeyId>, Arc<Catalogue>) {
        let keys: Vec<_> = KEYS
            .iter()
            .map(|key| KieKey::new(AccountId::new(*key).unwrap(), &(*key).to_owned().into()).unwrap())
            .collect();
        let fingerprints = keys.iter().map(|key| key.fingerprint().clone()).collect();
        let base = |text: String| text.parse().unwrap();
        let config = KieConfig::new(base(self.server.api_base()), base(self.server.upload_base()), keys);
        let catalogue = Arc::new(Catalogue::builtin().unwrap());
        (KieVideoApi::new(config, Arc::clone(&catalogue)).unwrap(), fingerprints, catalogue)
    }
}

fn client() -> reqwest::Client {
    http::client(&HttpOptions::default()).unwrap()
}

fn request() -> Value {
    json!({ "model": "sora-2-image-to-video", "input": {
        "prompt": "The mug turns slowly.", "image_urls": ["https://files.example.org/mug.jpg"],
        "aspect_ratio": "portrait", "n_frames": "10", "remove_watermark": true, "upload_method": "s3" } })
}

fn photo() -> Photo {
    Photo { bytes: Bytes::from_static(sample::PHOTO), format: PhotoFormat::Jpeg }
}

#[tokio::test]
async fn a_task_goes_from_waiting_to_a_result_that_can_be_fetched() {
    let world = World::planned(FailPlan::default()).await;
    let api = world.server.api_base();
    let (status, created) = world.post(&api, "/api/v1/jobs/createTask", &request()).await;
    let task = created["data"]["taskId"].as_str().unwrap().to_owned();
    assert_eq!(status, 200);
    assert_eq!(
        created,
        json!({ "code": 200, "msg": "success", "data": { "taskId": task, "recordId": task } })
    );
    let look = format!("/api/v1/jobs/recordInfo?taskId={task}");
    let waiting: Value = serde_json::from_str(&world.get(&look).await.1).unwrap();
    let param =
        json!({ "input": request()["input"].to_string(), "model": "sora-2-image-to-video" }).to_string();
    assert_eq!(
        waiting["data"],
        json!({ "taskId": task, "model": "sora-2-image-to-video", "state": "waiting", "param": param,
            "resultJson": "", "failCode": null, "failMsg": null, "costTime": null, "completeTime": null,
            "createTime": START, "creditsConsumed": 0.0, "successFlag": 0, "response": null })
    );
    world.wait(2_000);
    let ended: Value = serde_json::from_str(&world.get(&look).await.1).unwrap();
    let data = &ended["data"];
    assert_eq!((&data["state"], &data["creditsConsumed"]), (&json!("success"), &json!(30.0)));
    let took = data["completeTime"].as_i64().unwrap() - START;
    assert_eq!(data["costTime"].as_i64(), Some(took / 1_000), "seconds");
    let result: Value = serde_json::from_str(data["resultJson"].as_str().unwrap()).unwrap();
    let url = result["resultUrls"][0].as_str().unwrap();
    assert_eq!(url, format!("{api}/f/{task}/0.mp4"));
    let (status, relinked) = world.post(&api, "/api/v1/common/download-url", &json!({ "url": url })).await;
    assert_eq!(status, 200);
    for url in [url, relinked["data"].as_str().unwrap()] {
        let answer = client().get(url).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "video/mp4");
        assert_eq!(&answer.bytes().await.unwrap()[4..8], b"ftyp");
    }
    assert_eq!(world.get("/api/v1/chat/credit").await.1, r#"{"code":200,"data":9970.0,"msg":"success"}"#);
}

#[tokio::test]
async fn refusals_come_at_http_200_and_unknown_routes_do_not() {
    let world = World::planned(FailPlan::default()).await;
    let api = world.server.api_base();
    let keyless = client().get(format!("{api}/api/v1/chat/credit")).send().await.unwrap();
    assert_eq!(keyless.status(), 200);
    let body: Value = keyless.json().await.unwrap();
    assert_eq!((body["code"].as_i64(), &body["data"]), (Some(401), &Value::Null));
    let (status, body) = world.get("/api/v1/jobs/recordInfo?taskId=0123").await;
    assert_eq!((status, body.as_str()), (200, r#"{"code":422,"data":null,"msg":"recordInfo is null"}"#));
    assert_eq!(world.get("/api/v1/jobs/nonsense").await.0, 404);
    assert_eq!(world.get("/api/v1/jobs/createTask").await.0, 405);
    assert_eq!(world.get("/f/0123/0.mp4").await.0, 404);
    assert_eq!(
        world.post(&api, "/api/v1/common/download-url", &json!({ "url": "https://h/x" })).await.1["code"],
        422
    );
    let lines = world.lines.lock().unwrap().clone();
    assert_eq!(lines[0], ("/api/v1/chat/credit".to_owned(), Some(200), Some(401)));
}

#[tokio::test]
async fn a_client_without_a_name_is_cut_off() {
    use std::io::{Read, Write};
    let world = World::planned(FailPlan::default()).await;
    let address = world.server.api_base().replace("http://", "");
    let mut socket = std::net::TcpStream::connect(address).unwrap();
    socket.write_all(b"GET /api/v1/chat/credit HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 403") && answer.ends_with("error code: 1010"), "{answer}");
}

#[tokio::test]
async fn all_three_ways_of_uploading_answer_with_an_address() {
    let world = World::planned(FailPlan::default()).await;
    let base = world.server.upload_base();
    let form = reqwest::multipart::Form::new()
        .text("uploadPath", "kadr")
        .text("fileName", "7f3c.jpg")
        .part("file", reqwest::multipart::Part::bytes(sample::PHOTO).file_name("mug.jpg"));
    let url = format!("{base}/api/file-stream-upload");
    let answer = client().post(&url).bearer_auth(KEYS[0]).multipart(form).send().await.unwrap();
    let body: Value = answer.json().await.unwrap();
    let expected = json!({ "success": true, "code": 200, "msg": "File uploaded successfully", "data": {
        "success": true, "fileName": "7f3c.jpg", "filePath": "kieai/10000/kadr/7f3c.jpg",
        "downloadUrl": format!("{base}/kieai/10000/kadr/7f3c.jpg"), "fileSize": sample::PHOTO.len(),
        "mimeType": "image/jpeg", "uploadedAt": "2026-01-08T19:20:00.000Z" } });
    assert_eq!(body, expected);
    let served = client().get(body["data"]["downloadUrl"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(served.bytes().await.unwrap(), sample::PHOTO);
    let picture = json!({ "base64Data": "data:image/jpeg;base64,/9j/4AAQ", "uploadPath": "kadr" });
    let (_, body) = world.post(&base, "/api/file-base64-upload", &picture).await;
    assert_eq!((&body["data"]["fileName"], &body["data"]["fileSize"]), (&json!("upload.jpg"), &json!(6)));
    let link = json!({ "fileUrl": "https://h/a/mug.webp?x=1", "uploadPath": "kadr" });
    let (_, body) = world.post(&base, "/api/file-url-upload", &link).await;
    assert_eq!(body["data"]["mimeType"], "image/webp");
    let (status, body) = world.post(&base, "/api/file-base64-upload", &json!({ "base64Data": "AAAA" })).await;
    assert_eq!((status, &body["msg"]), (400, &json!(words::NO_UPLOAD_PATH)));
    let nameless = client().post(&url).body("x").send().await.unwrap();
    assert_eq!(nameless.status(), 401);
}

#[tokio::test]
async fn kadrs_adapter_walks_the_whole_path() {
    let world = World::planned(FailPlan::default()).await;
    let (adapter, keys, catalogue) = world.adapter();
    let model = catalogue.default_model();
    let PortReply::Yes(url) = adapter.upload(&keys[0], AttemptId::new(9), &photo()).await else { panic!() };
    let request =
        VideoRequest { model, prompt: "The mug turns slowly.", photo_url: &url, callback_url: None };
    let PortReply::Yes(task) = adapter.create(&keys[0], request).await else { panic!() };
    let looked = adapter.status(&keys[0], model, &task).await;
    assert_eq!(looked, PortReply::Yes(RenderStatus::Running));
    assert_eq!(adapter.status(&keys[1], model, &task).await, PortReply::Yes(RenderStatus::UnknownTask));
    world.wait(2_000);
    let looked = adapter.status(&keys[0], model, &task).await;
    let PortReply::Yes(RenderStatus::Finished { url }) = looked else { panic!("{looked:?}") };
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("clip.mp4");
    let PortReply::Yes(bytes) = adapter.download(&url, &file, 1 << 20).await else { panic!() };
    assert_eq!(std::fs::metadata(&file).unwrap().len(), bytes);
    let PortReply::Yes(fresh) = adapter.fresh_link(&keys[0], &url).await else { panic!() };
    assert!(fresh.contains("until="), "{fresh}");
    assert_eq!(adapter.balance(&keys[0]).await, PortReply::Yes(9_970.0));
}

/// The provider's own list of models is written apart from Kadr's catalogue: each is the other's test.
#[tokio::test]
async fn every_model_of_kadrs_catalogue_is_accepted_as_it_is_asked_for() {
    let world = World::planned(FailPlan::default()).await;
    let (adapter, keys, catalogue) = world.adapter();
    for model in catalogue.models().filter(|model| model.video.enabled) {
        let request = VideoRequest {
            model: &model.video.id,
            prompt: "Slow orbit.",
            photo_url: "https://h.example/p.jpg",
            callback_url: None,
        };
        let created = adapter.create(&keys[0], request).await;
        let PortReply::Yes(task) = created else { panic!("{}: {created:?}", model.video.id) };
        let looked = adapter.status(&keys[0], &model.video.id, &task).await;
        assert_eq!(looked, PortReply::Yes(RenderStatus::Running), "{}", model.video.id);
        world.wait(2_000);
        let looked = adapter.status(&keys[0], &model.video.id, &task).await;
        assert!(
            matches!(looked, PortReply::Yes(RenderStatus::Finished { .. })),
            "{}: {looked:?}",
            model.video.id
        );
    }
}

#[tokio::test]
async fn kadrs_adapter_understands_everything_the_provider_can_say() {
    let refuse = |no| Trouble::Refuse(no);
    let plan = FailPlan::default()
        .with(Call::Create, When::Nth(1), refuse(words::No::new(402, words::NO_CREDITS)))
        .with(Call::Create, When::Nth(2), refuse(words::No::new(429, words::TOO_FAST)))
        .with(Call::Create, When::Nth(3), refuse(words::No::new(500, words::PAUSED)))
        .with(Call::Create, When::Nth(4), refuse(words::No::new(400, words::PEOPLE_AT_ONCE)))
        .with(Call::Create, When::Nth(5), refuse(words::No::new(500, words::INTERNAL)))
        .with(Call::Create, When::Nth(6), refuse(words::No::new(500, words::MAINTENANCE)))
        .with(Call::Create, When::Nth(7), Trouble::AnswerLost)
        .with(Call::Create, When::Nth(8), Trouble::AnswerCut)
        .with(Call::Create, When::Nth(9), Trouble::GatewayPage);
    let world = World::planned(plan).await;
    let (adapter, keys, catalogue) = world.adapter();
    let request = VideoRequest {
        model: catalogue.default_model(),
        prompt: "Slow orbit.",
        photo_url: "https://h.example/p.jpg",
        callback_url: None,
    };
    let expected = [
        Some((FailureClass::Billing, Reason::AccountCredits)),
        Some((FailureClass::RateLimited, Reason::RateLimit)),
        Some((FailureClass::Unavailable, Reason::ModelUnavailable)),
        Some((FailureClass::UserViolation, Reason::PeopleInPhoto)),
        Some((FailureClass::Temporary, Reason::ProviderFault)),
        Some((FailureClass::Temporary, Reason::Maintenance)),
        None,
        None,
        None,
    ];
    for (number, expected) in expected.into_iter().enumerate() {
        let reply: PortReply<TaskId> = adapter.create(&keys[0], request).await;
        let got = match &reply {
            PortReply::No(refusal) => Some((refusal.failure.class, refusal.failure.reason)),
            PortReply::Unknown(_) => None,
            PortReply::Yes(task) => panic!("{number}: {task}"),
        };
        assert_eq!(got, expected, "{number}: {reply:?}");
    }
    assert_eq!(
        world.server.model().bill(Timestamp::from_millis(START)).tasks,
        2,
        "lost and cut answers left tasks"
    );
}

#[tokio::test]
async fn failed_tasks_reach_the_adapter_with_their_class() {
    let fail = |msg: &str| Fate::Fails { after: None, code: "500".to_owned(), msg: msg.to_owned() };
    let plan = FailPlan::default()
        .with_fate(When::Nth(1), fail(words::PEOPLE))
        .with_fate(When::Nth(2), fail(words::SIMILARITY))
        .with_fate(When::Nth(3), fail(words::INTERNAL))
        .with_fate(When::Nth(4), fail(words::NOTHING_SAID))
        .with_fate(When::Nth(5), Fate::NoResult)
        .with_fate(When::Nth(6), Fate::StrangeState("archiving".to_owned()));
    let world = World::planned(plan).await;
    let (adapter, keys, catalogue) = world.adapter();
    let model = catalogue.default_model();
    let request = VideoRequest {
        model,
        prompt: "Slow orbit.",
        photo_url: "https://h.example/p.jpg",
        callback_url: None,
    };
    let mut tasks = Vec::new();
    for _ in 0..6 {
        let PortReply::Yes(task) = adapter.create(&keys[0], request).await else { panic!() };
        tasks.push(task);
    }
    assert_eq!(adapter.status(&keys[0], model, &tasks[5]).await, PortReply::Yes(RenderStatus::Running));
    world.wait(2_000);
    let mut classes = Vec::new();
    for task in &tasks[..5] {
        let looked = adapter.status(&keys[0], model, task).await;
        let PortReply::Yes(RenderStatus::Failed(refusal)) = looked else { panic!("{looked:?}") };
        classes.push(refusal.failure.class);
    }
    let (refused, temporary, unknown) =
        (FailureClass::UserViolation, FailureClass::Temporary, FailureClass::Unknown);
    assert_eq!(classes[..4], [refused, refused, temporary, unknown]);
    assert!([temporary, unknown].contains(&classes[4]), "a success without a result is nobody's refusal");
}

#[tokio::test]
async fn held_answers_come_late_and_the_work_is_done_before() {
    let world = World::planned(FailPlan::default()).await;
    world.server.hold(Call::Create, Duration::from_secs(30));
    let (adapter, keys, catalogue) = world.adapter();
    let model = catalogue.default_model().clone();
    let calling = tokio::spawn(async move {
        let request = VideoRequest {
            model: &model,
            prompt: "x",
            photo_url: "https://h.example/p.jpg",
            callback_url: None,
        };
        adapter.create(&keys[0], request).await
    });
    while world.server.model().creations().is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(!calling.is_finished());
    calling.abort();
    assert_eq!(world.server.model().bill(Timestamp::from_millis(START)).tasks, 1);
}

#[tokio::test]
async fn a_server_that_forgets_requests_goes_on_answering() {
    let mut settings = KieSettings::healthy(7, KEYS.map(AccountPlan::with_key).into());
    settings.accounts[0].balance = KieCredits::whole(77);
    let world = World::start(settings).await;
    let path = "/api/v1/chat/credit";
    for _ in 0..5_100 {
        assert_eq!(world.get_quietly(path).await, 200);
    }
    world.server.forget_requests().await;
    assert_eq!(world.get(path).await, (200, r#"{"code":200,"data":77.0,"msg":"success"}"#.to_owned()));
}
