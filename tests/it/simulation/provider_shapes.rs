//! The simulated provider from the view of a client that has never heard of Kadr: plain requests, and the whole shape
//! of each answer, so that a program which works here does not stumble over the real one.
//!
//! What is compared are keys and JSON types, and with them the provider's peculiarities: refusals at HTTP 200, a result
//! that is JSON inside a string, seconds where milliseconds are documented, a balance with a fraction.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use adapters::http::{self, HttpOptions};
use domain::time::Timestamp;
use ports::Clock;
use reqwest::{RequestBuilder, multipart};
use serde_json::{Value, json};
use simulator::provider::{
    kie_model::{
        AccountPlan, Call, FailPlan, Fate, KieCredits, KieSettings, RenderTime, Trouble, When, words,
    },
    wire::{KieServer, KieSockets},
};

use crate::make::s;

const KEY: &str = "key-of-a";
const START: i64 = 1_767_900_000_000;
const RENDER: u64 = 100;
const LOOK: &str = "/api/v1/jobs/recordInfo";
const VEO_LOOK: &str = "/api/v1/veo/record-info";

/// A clock that a test sets by hand.
#[derive(Default)]
struct HandClock(AtomicI64);

#[async_trait::async_trait]
impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(START + self.0.load(Ordering::SeqCst))
    }

    async fn sleep_until(&self, _at: Timestamp) {}
}

/// HTTP status and body.
type Said = (u16, Value);

struct Provider {
    server: KieServer,
    clock: Arc<HandClock>,
    client: reqwest::Client,
}

impl Provider {
    async fn with(change: impl FnOnce(&mut KieSettings)) -> Self {
        let accounts = [KEY, "key-of-b"].map(AccountPlan::with_key).into();
        let mut settings = KieSettings::healthy(7, accounts);
        settings.render_time = RenderTime::Fixed(s(RENDER));
        change(&mut settings);
        let clock = Arc::new(HandClock::default());
        let sockets = KieSockets::anywhere().unwrap();
        let server = KieServer::start(settings, clock.clone(), sockets, None).await.unwrap();
        Self { server, clock, client: http::client(&HttpOptions::default()).unwrap() }
    }

    async fn planned(plan: FailPlan) -> Self {
        Self::with(|settings| settings.plan = plan).await
    }

    fn wait(&self, seconds: u64) {
        self.clock.0.fetch_add(i64::try_from(seconds).unwrap() * 1_000, Ordering::SeqCst);
    }

    fn url(&self, path: &str) -> String {
        let is_upload = path.starts_with("/api/file-");
        let base = if is_upload { self.server.upload_base() } else { self.server.api_base() };
        format!("{base}{path}")
    }

    async fn send(request: RequestBuilder) -> Said {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/json;charset=UTF-8");
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn get(&self, path: &str) -> Said {
        Self::send(self.client.get(self.url(path)).bearer_auth(KEY)).await
    }

    async fn post(&self, path: &str, body: &Value) -> Said {
        Self::send(self.client.post(self.url(path)).bearer_auth(KEY).json(body)).await
    }

    /// Creates a task and returns its name.
    async fn task(&self, path: &str, body: &Value) -> String {
        let (status, body) = self.post(path, body).await;
        assert_eq!((status, &body["code"]), (200, &json!(200)), "{body}");
        body["data"]["taskId"].as_str().unwrap().to_owned()
    }

    async fn market_task(&self) -> String {
        self.task("/api/v1/jobs/createTask", &market()).await
    }

    async fn look(&self, path: &str, task: &str) -> Said {
        self.get(&format!("{path}?taskId={task}")).await
    }

    async fn refusal(&self, body: &Value) -> (i64, String) {
        refusal(&self.post("/api/v1/jobs/createTask", body).await)
    }
}

/// Keys and JSON types. `whole` and `fraction` are numbers without and with a decimal point; a string that holds a JSON
/// object is shown with what it holds.
fn shape(value: &Value) -> Value {
    match value {
        Value::Null => json!("null"),
        Value::Bool(_) => json!("bool"),
        Value::Number(number) if number.is_f64() => json!("fraction"),
        Value::Number(_) => json!("whole"),
        Value::String(text) if text.is_empty() => json!("empty"),
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(inner @ Value::Object(_)) => json!({ "string of": shape(&inner) }),
            _ => json!("text"),
        },
        Value::Array(items) => items.iter().map(shape).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), shape(value))).collect(),
    }
}

/// The envelope of the API around a shape.
fn envelope(data: &Value) -> Value {
    json!({ "code": "whole", "msg": "text", "data": data })
}

/// The number and words of a refusal, which comes at HTTP 200 with nothing else in it.
fn refusal((status, body): &Said) -> (i64, String) {
    assert_eq!((*status, shape(body)), (200, envelope(&json!("null"))), "{body}");
    assert_ne!(body["code"], 200, "{body}");
    (body["code"].as_i64().unwrap(), body["msg"].as_str().unwrap().to_owned())
}

/// A change of one key of an object.
fn but(mut body: Value, at: &str, value: Value) -> Value {
    *body.pointer_mut(at).unwrap() = value;
    body
}

fn market() -> Value {
    json!({ "model": "sora-2-image-to-video", "callBackUrl": "http://127.0.0.1:9/kie", "input": {
        "prompt": "The mug turns slowly.", "image_urls": ["https://files.example.org/mug.jpg"],
        "aspect_ratio": "portrait", "n_frames": "10", "remove_watermark": true, "upload_method": "s3" } })
}

fn veo(aspect: &str) -> Value {
    json!({ "model": "veo3_lite", "prompt": "The mug turns slowly.",
        "imageUrls": ["https://files.example.org/mug.jpg"], "generationType": "FIRST_AND_LAST_FRAMES_2_VIDEO",
        "aspect_ratio": aspect, "duration": 4, "resolution": "720p" })
}

/// recordInfo's data: what changes from state to state, within what does not.
fn record(changes: &Value) -> Value {
    let input = json!({ "prompt": "text", "image_urls": ["text"], "aspect_ratio": "text", "n_frames": "whole",
        "remove_watermark": "bool", "upload_method": "text" });
    let input = but(input, "/n_frames", json!("text"));
    let mut data = json!({ "taskId": "text", "model": "text", "state": "text",
        "param": { "string of": { "model": "text", "input": { "string of": input } } },
        "resultJson": "empty", "failCode": "null", "failMsg": "null", "costTime": "null", "completeTime": "null",
        "createTime": "whole", "creditsConsumed": "fraction", "successFlag": "whole", "response": "null" });
    for (name, value) in changes.as_object().unwrap() {
        data[name] = value.clone();
    }
    data
}

#[tokio::test]
async fn a_created_task_is_named_twice_on_the_jobs_api_and_once_on_veos() {
    let provider = Provider::planned(FailPlan::default()).await;
    let (status, body) = provider.post("/api/v1/jobs/createTask", &market()).await;
    assert_eq!((status, &body["code"], &body["msg"]), (200, &json!(200), &json!("success")));
    assert_eq!(shape(&body), envelope(&json!({ "taskId": "text", "recordId": "text" })));
    assert_eq!(body["data"]["taskId"], body["data"]["recordId"]);
    let name = body["data"]["taskId"].as_str().unwrap();
    assert!(name.len() == 32 && name.bytes().all(|b| b"0123456789abcdef".contains(&b)), "{name}");
    let (status, body) = provider.post("/api/v1/veo/generate", &veo("9:16")).await;
    assert_eq!((status, shape(&body)), (200, envelope(&json!({ "taskId": "text" }))));
}

#[tokio::test]
async fn every_refusal_of_a_task_comes_at_http_200_with_its_number_in_the_body() {
    let refuse =
        |nth, code, words: &str| (Call::Create, When::Nth(nth), Trouble::Refuse(words::No::new(code, words)));
    let provider = Provider::with(|settings| {
        settings.paused.insert("kling-2.6/image-to-video".to_owned());
        settings.plan.troubles = vec![
            refuse(1, 400, words::PEOPLE_AT_ONCE),
            refuse(2, 500, words::MAINTENANCE),
            refuse(3, 500, words::INTERNAL),
        ];
    })
    .await;
    assert_eq!(provider.refusal(&market()).await.0, 400, "the photo, at once");
    assert_eq!(provider.refusal(&market()).await.0, 500, "maintenance");
    assert_eq!(provider.refusal(&market()).await.0, 500, "its own fault");
    let url = provider.url("/api/v1/jobs/createTask");
    for request in [provider.client.post(&url), provider.client.post(&url).bearer_auth("wrong")] {
        let (code, words) = refusal(&Provider::send(request.json(&market())).await);
        assert_eq!(code, 401);
        assert!(words.contains("Authorization"), "{words}");
    }
    let input = |name: &str, value: Value| but(market(), &format!("/input/{name}"), value);
    let kling = json!({ "model": "kling-2.6/image-to-video", "input": {} });
    for (body, code, words) in [
        (but(market(), "/model", json!("sora-3")), 422, "not supported"),
        (kling, 500, "temporarily paused"),
        (but(market(), "/input", json!({})), 500, "prompt is required"),
        (json!({ "model": "sora-2-image-to-video" }), 500, "prompt is required"),
        (input("prompt", json!("")), 500, "prompt is required"),
        (input("prompt", json!("x".repeat(10_001))), 500, "10000 characters"),
        (input("image_urls", json!([])), 500, "image_urls is required"),
        (input("image_urls", json!(["https://h/mug.heic"])), 500, "file type not supported"),
        (input("n_frames", json!(10)), 500, "not within the range of allowed options"),
        (input("aspect_ratio", json!("9:16")), 500, "not within the range of allowed options"),
    ] {
        let (got, said) = provider.refusal(&body).await;
        assert!(got == code && said.contains(words), "{body}: {got} {said}");
    }
    assert_eq!(
        provider.get("/api/v1/chat/credit").await.1["data"],
        json!(10_000.0),
        "a refusal costs nothing"
    );
}

#[tokio::test]
async fn fields_are_looked_at_before_money_and_money_before_the_rate() {
    let provider = Provider::with(|settings| settings.accounts[0].balance = KieCredits::whole(30)).await;
    provider.market_task().await;
    assert_eq!(provider.refusal(&but(market(), "/input", json!({}))).await.0, 500);
    let (code, words) = provider.refusal(&market()).await;
    assert_eq!(code, 402);
    assert!(words.contains("isn’t enough"), "with a typographic apostrophe: {words}");
    let provider = Provider::planned(FailPlan::default()).await;
    for _ in 0..20 {
        provider.market_task().await;
    }
    assert_eq!(provider.refusal(&market()).await.0, 429, "the 21st within ten seconds");
    provider.wait(10);
    provider.market_task().await;
}

#[tokio::test]
async fn a_task_of_the_jobs_api_has_one_shape_from_waiting_to_its_result() {
    let provider = Provider::planned(FailPlan::default()).await;
    let task = provider.market_task().await;
    for (wait, state) in [(0, "waiting"), (90, "generating")] {
        provider.wait(wait);
        let (status, body) = provider.look(LOOK, &task).await;
        assert_eq!((status, &body["code"], &body["data"]["state"]), (200, &json!(200), &json!(state)));
        assert_eq!(shape(&body), envelope(&record(&json!({}))), "{body}");
        assert_eq!((&body["data"]["successFlag"], &body["data"]["createTime"]), (&json!(0), &json!(START)));
    }
    provider.wait(10);
    let (status, body) = provider.look(LOOK, &task).await;
    let result = json!({ "resultUrls": ["text"] });
    let ended = json!({ "resultJson": { "string of": result }, "response": result, "costTime": "whole",
        "completeTime": "whole" });
    assert_eq!((status, shape(&body)), (200, envelope(&record(&ended))), "{body}");
    let data = &body["data"];
    assert_eq!((&data["state"], &data["successFlag"]), (&json!("success"), &json!(1)));
    assert_eq!(data["costTime"], RENDER, "seconds, whatever the documentation says");
    assert_eq!(data["completeTime"], START + 100_000, "milliseconds");
    assert_eq!(data["creditsConsumed"], 30.0);
    let inner: Value = serde_json::from_str(data["resultJson"].as_str().unwrap()).unwrap();
    assert_eq!(inner, data["response"]);
    let video = provider.client.get(inner["resultUrls"][0].as_str().unwrap()).send().await.unwrap();
    assert_eq!(
        (video.status().as_u16(), &video.headers()["content-type"]),
        (200, &"video/mp4".parse().unwrap())
    );
    assert_eq!(&video.bytes().await.unwrap()[4..8], b"ftyp");
    assert_eq!(
        provider.get("/api/v1/chat/credit").await,
        (200, json!({ "code": 200, "msg": "success", "data": 9_970.0 }))
    );
}

#[tokio::test]
async fn queued_failed_and_empty_tasks_differ_in_values_and_not_in_keys() {
    let fails =
        |code: &str| Fate::Fails { after: None, code: code.to_owned(), msg: words::INTERNAL.to_owned() };
    let plan = FailPlan::default()
        .with_fate(When::Nth(1), Fate::StrangeState("queuing".to_owned()))
        .with_fate(When::Nth(2), fails("500"))
        .with_fate(When::Nth(3), fails("GENERATION_FAILED"))
        .with_fate(When::Nth(4), Fate::NoResult)
        .with_fate(When::Nth(5), Fate::UnseenFor(s(30)));
    let provider = Provider::planned(plan).await;
    let mut tasks = Vec::new();
    for _ in 0..5 {
        tasks.push(provider.market_task().await);
    }
    let (_, body) = provider.look(LOOK, &tasks[0]).await;
    assert_eq!((&body["data"]["state"], shape(&body)), (&json!("queuing"), envelope(&record(&json!({})))));
    let unseen = provider.look(LOOK, &tasks[4]).await;
    assert_eq!(refusal(&unseen), (422, "recordInfo is null".to_owned()), "a young task may be unknown");
    provider.wait(RENDER);
    for (task, code) in [(&tasks[1], "500"), (&tasks[2], "GENERATION_FAILED")] {
        let (status, body) = provider.look(LOOK, task).await;
        let failed = json!({ "failCode": "text", "failMsg": "text", "completeTime": "whole" });
        assert_eq!((status, &body["code"]), (200, &json!(200)), "the look succeeded, the task did not");
        assert_eq!(shape(&body), envelope(&record(&failed)), "{body}");
        let data = &body["data"];
        assert_eq!(
            (&data["state"], &data["failCode"]),
            (&json!("fail"), &json!(code)),
            "a string, digits or not"
        );
        assert_eq!((&data["successFlag"], &data["creditsConsumed"]), (&json!(3), &json!(0.0)));
    }
    let (_, body) = provider.look(LOOK, &tasks[3]).await;
    let empty = json!({ "response": { "resultUrls": [] }, "costTime": "whole", "completeTime": "whole" });
    assert_eq!((&body["data"]["state"], shape(&body)), (&json!("success"), envelope(&record(&empty))));
    assert_eq!(provider.look(LOOK, &tasks[4]).await.1["data"]["state"], "success");
}

#[tokio::test]
async fn unknown_tasks_are_told_in_two_wordings_and_strangers_tasks_are_unknown() {
    let provider = Provider::planned(FailPlan::default()).await;
    let (market, veo) =
        (provider.market_task().await, provider.task("/api/v1/veo/generate", &veo("9:16")).await);
    for path in [format!("{LOOK}?taskId=0123"), LOOK.to_owned(), format!("{LOOK}?taskId={veo}")] {
        assert_eq!(refusal(&provider.get(&path).await), (422, "recordInfo is null".to_owned()), "{path}");
    }
    let strangers =
        provider.client.get(provider.url(&format!("{LOOK}?taskId={market}"))).bearer_auth("key-of-b");
    assert_eq!(refusal(&Provider::send(strangers).await).0, 422);
    let (code, words) = refusal(&provider.look(VEO_LOOK, &market).await);
    assert!(code == 422 && words.starts_with("Record not found"), "{code} {words}");
}

#[tokio::test]
async fn a_veo_task_has_flags_for_states_and_its_result_as_an_object() {
    let fails = Fate::Fails { after: None, code: "400".to_owned(), msg: words::PEOPLE.to_owned() };
    let provider = Provider::planned(FailPlan::default().with_fate(When::Nth(3), fails)).await;
    let mut tasks = Vec::new();
    for aspect in ["9:16", "16:9", "9:16"] {
        tasks.push(provider.task("/api/v1/veo/generate", &veo(aspect)).await);
    }
    let input = json!({ "model": "text", "prompt": "text", "imageUrls": ["text"], "generationType": "text",
        "aspect_ratio": "text", "duration": "whole", "resolution": "text" });
    let record = |changes: Value| {
        let mut data = json!({ "taskId": "text", "paramJson": { "string of": input }, "successFlag": "whole",
            "response": "null", "errorCode": "null", "errorMessage": "null", "createTime": "whole",
            "completeTime": "null", "fallbackFlag": "bool" });
        for (name, value) in changes.as_object().unwrap() {
            data[name] = value.clone();
        }
        envelope(&data)
    };
    let (status, body) = provider.look(VEO_LOOK, &tasks[0]).await;
    assert_eq!((status, &body["data"]["successFlag"], shape(&body)), (200, &json!(0), record(json!({}))));
    provider.wait(RENDER);
    for (task, origins) in [(&tasks[0], json!(["text"])), (&tasks[1], json!("null"))] {
        let (_, body) = provider.look(VEO_LOOK, task).await;
        let response =
            json!({ "taskId": "text", "resultUrls": ["text"], "originUrls": origins, "resolution": "text" });
        let done = record(json!({ "response": response, "completeTime": "whole" }));
        assert_eq!((&body["data"]["successFlag"], shape(&body)), (&json!(1), done), "{body}");
    }
    let (_, body) = provider.look(VEO_LOOK, &tasks[2]).await;
    let failed = record(json!({ "errorCode": "whole", "errorMessage": "text", "completeTime": "whole" }));
    assert_eq!((&body["data"]["successFlag"], shape(&body)), (&json!(3), failed), "{body}");
}

#[tokio::test]
async fn a_file_is_stored_by_stream_by_base64_and_by_address_with_one_answer() {
    let provider = Provider::planned(FailPlan::default()).await;
    let part = multipart::Part::bytes(simulator::sample::PHOTO).file_name("mug.jpg");
    let form = multipart::Form::new().text("uploadPath", "kadr").part("file", part);
    let stream =
        provider.client.post(provider.url("/api/file-stream-upload")).bearer_auth(KEY).multipart(form);
    let base64 = json!({ "base64Data": "data:image/png;base64,iVBORw0KGgo=", "uploadPath": "kadr", "fileName": "a.png" });
    let address = json!({ "fileUrl": "https://files.example.org/mug.webp", "uploadPath": "kadr" });
    let data = json!({ "success": "bool", "fileName": "text", "filePath": "text", "downloadUrl": "text",
        "fileSize": "whole", "mimeType": "text", "uploadedAt": "text" });
    let expected = json!({ "success": "bool", "code": "whole", "msg": "text", "data": data });
    for ((status, body), mime) in [
        (Provider::send(stream).await, "image/jpeg"),
        (provider.post("/api/file-base64-upload", &base64).await, "image/png"),
        (provider.post("/api/file-url-upload", &address).await, "image/webp"),
    ] {
        assert_eq!((status, shape(&body)), (200, expected.clone()), "{body}");
        assert_eq!((&body["success"], &body["code"]), (&json!(true), &json!(200)));
        assert_eq!(body["data"]["mimeType"], mime);
        let (path, link) =
            (body["data"]["filePath"].as_str().unwrap(), body["data"]["downloadUrl"].as_str().unwrap());
        assert!(path.starts_with("kieai/") && link.ends_with(path), "{body}");
        let at = body["data"]["uploadedAt"].as_str().unwrap();
        assert!(at.ends_with('Z') && at.len() == "2026-04-20T10:11:12.000Z".len(), "{at}");
    }
}

#[tokio::test]
async fn the_file_host_refuses_with_real_statuses_and_a_flag() {
    let provider = Provider::planned(FailPlan::default()).await;
    let url = provider.url("/api/file-base64-upload");
    let body = json!({ "base64Data": "iVBORw0KGgo=", "uploadPath": "kadr" });
    let without = |name: &str| {
        let mut body = body.clone();
        body.as_object_mut().unwrap().remove(name);
        provider.client.post(&url).bearer_auth(KEY).json(&body)
    };
    for (request, status, words) in [
        (without("uploadPath"), 400, "uploadPath"),
        (without("base64Data"), 400, "Missing required parameter"),
        (provider.client.post(&url).json(&body), 401, "API Key"),
        (provider.client.get(&url).bearer_auth(KEY), 405, "Method"),
    ] {
        let (got, said) = Provider::send(request).await;
        let expected = json!({ "success": "bool", "code": "whole", "msg": "text", "data": "null" });
        assert_eq!((got, &said["code"], &said["success"]), (status, &json!(status), &json!(false)), "{said}");
        assert_eq!(shape(&said), expected);
        assert!(said["msg"].as_str().unwrap().contains(words), "{said}");
    }
}

#[tokio::test]
async fn a_results_address_is_exchanged_for_one_that_lives_twenty_minutes() {
    let provider = Provider::planned(FailPlan::default()).await;
    let task = provider.market_task().await;
    provider.wait(RENDER);
    let (_, body) = provider.look(LOOK, &task).await;
    let url = &body["data"]["response"]["resultUrls"][0];
    let (status, body) = provider.post("/api/v1/common/download-url", &json!({ "url": url })).await;
    assert_eq!((status, shape(&body)), (200, envelope(&json!("text"))), "a bare address");
    let fetch =
        async || provider.client.get(body["data"].as_str().unwrap()).send().await.unwrap().status().as_u16();
    provider.wait(20 * 60 - 1);
    assert_eq!(fetch().await, 200);
    provider.wait(1);
    assert_eq!(fetch().await, 404);
    let foreign = json!({ "url": "https://files.example.org/a.mp4" });
    let (code, words) = refusal(&provider.post("/api/v1/common/download-url", &foreign).await);
    assert_eq!((code, words.as_str()), (422, "url is wrong"));
}

#[tokio::test]
async fn what_is_no_route_or_no_answer_is_told_by_http_alone() {
    let plan = FailPlan::default()
        .with(Call::Balance, When::Nth(1), Trouble::GatewayPage)
        .with(Call::Balance, When::Nth(2), Trouble::AnswerCut)
        .with(Call::Balance, When::Nth(3), Trouble::AnswerLost);
    let provider = Provider::planned(plan).await;
    let ask = || provider.client.get(provider.url("/api/v1/chat/credit")).bearer_auth(KEY).send();
    let page = ask().await.unwrap();
    assert_eq!(
        (page.status().as_u16(), &page.headers()["content-type"]),
        (502, &"text/html".parse().unwrap())
    );
    let half = ask().await.unwrap();
    assert_eq!(half.status(), 200);
    assert!(half.json::<Value>().await.is_err(), "half an answer is not JSON");
    assert!(ask().await.is_err(), "the connection drops");
    assert_eq!(provider.get("/api/v1/jobs/nonsense").await.0, 404);
    assert_eq!(provider.get("/api/v1/jobs/createTask").await.0, 405);
}
