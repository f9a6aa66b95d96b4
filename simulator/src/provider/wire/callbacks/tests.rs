//! Callbacks, received over HTTP by somebody who checks them.

use std::sync::atomic::{AtomicI64, Ordering};

use adapters::kie::{CallbackVerifier, Seal};
use async_trait::async_trait;
use ports::Clock;
use tokio::sync::mpsc;
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::any};

use super::*;
use crate::provider::{
    kie_model::{AccountPlan, FailPlan, Fate, KieSettings, RenderTime, When},
    wire::KieSockets,
};

const KEY: &str = "key-of-a";
const WEBHOOK_KEY: &str = "the webhook key";

/// A clock on which every sleep is over at once and has taken its time.
struct JumpingClock(AtomicI64);

#[async_trait]
impl Clock for JumpingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }

    async fn sleep_until(&self, at: Timestamp) {
        self.0.fetch_max(at.as_millis(), Ordering::SeqCst);
        tokio::task::yield_now().await;
    }
}

struct World {
    provider: Arc<KieServer>,
    house: MockServer,
    lines: mpsc::UnboundedReceiver<CallbackLine>,
}

impl World {
    /// A provider that calls back, and a house that answers with these statuses, the last one for ever.
    async fn start(plan: FailPlan, key: Option<&str>, statuses: &[u16]) -> Self {
        let mut settings = KieSettings::healthy(7, vec![AccountPlan::with_key(KEY)]);
        settings.plan = plan;
        settings.render_time = RenderTime::Fixed(Duration::from_secs(100));
        let clock = Arc::new(JumpingClock(AtomicI64::new(1_767_900_000_000)));
        let sockets = KieSockets::anywhere().unwrap();
        let provider = Arc::new(KieServer::start(settings, clock, sockets, None).await.unwrap());
        let house = MockServer::start().await;
        for (number, status) in statuses.iter().enumerate() {
            let mock = Mock::given(any()).respond_with(ResponseTemplate::new(*status));
            let is_last = number + 1 == statuses.len();
            let mock = if is_last { mock } else { mock.up_to_n_times(1) };
            mock.mount(&house).await;
        }
        let (tell, lines) = mpsc::unbounded_channel();
        let terms = CallbackTerms { key: key.map(SecretString::from), anywhere: false };
        let told: CallbackLog = Arc::new(move |line| tell.send(line.clone()).unwrap_or_default());
        let sender = CallbackSender::new(terms, told).unwrap();
        let calling = Arc::clone(&provider);
        tokio::spawn(async move { calling.send_callbacks(sender).await });
        Self { provider, house, lines }
    }

    async fn create(&self, path: &str, mut body: Value) -> String {
        body["callBackUrl"] = json!(format!("{}/kie/callback/7?x=1", self.house.uri()));
        let client = http::client(&HttpOptions::default()).unwrap();
        let url = format!("{}{path}", self.provider.api_base());
        let answer = client.post(url).bearer_auth(KEY).json(&body).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        answer["data"]["taskId"].as_str().unwrap().to_owned()
    }

    async fn received(&self) -> Vec<Request> {
        self.house.received_requests().await.unwrap()
    }
}

fn market() -> Value {
    json!({ "model": "sora-2-image-to-video", "input": {
        "prompt": "The mug turns slowly.", "image_urls": ["https://files.example.org/mug.jpg"] } })
}

fn veo() -> Value {
    json!({ "model": "veo3_lite", "prompt": "The mug turns.", "imageUrls": ["https://h/mug.jpg"] })
}

/// What Kadr's own verifier makes of a request.
fn verified(request: &Request, now: Timestamp) -> Option<String> {
    let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
    let seal = Seal::read(header(TIMESTAMP_HEADER), header(SIGNATURE_HEADER), now).ok()?;
    let verifier = CallbackVerifier::new(vec![WEBHOOK_KEY.into()]);
    verifier.verify(&seal, &request.body).ok().map(|task| task.as_str().to_owned())
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

#[tokio::test]
async fn a_tasks_end_is_told_in_a_callback_that_our_verifier_accepts() {
    let fails = Fate::Fails { after: None, code: "422".to_owned(), msg: words::PEOPLE.to_owned() };
    let plan = FailPlan::default().with_fate(When::Every(2), fails);
    let mut world = World::start(plan, Some(WEBHOOK_KEY), &[200]).await;
    let mut tasks = Vec::new();
    for (path, request) in [
        ("/api/v1/jobs/createTask", market()),
        ("/api/v1/jobs/createTask", market()),
        ("/api/v1/veo/generate", veo()),
        ("/api/v1/veo/generate", veo()),
    ] {
        tasks.push(world.create(path, request).await);
        let line = world.lines.recv().await.unwrap();
        assert_eq!(
            (&line.task, &line.end, line.again),
            (tasks.last().unwrap(), &CallbackEnd::Taken(200), false)
        );
        assert!(line.to.ends_with("/kie/callback/7"), "no query in a log: {}", line.to);
    }
    let received = world.received().await;
    let told: Vec<_> = received.iter().map(|one| verified(one, world.provider.service.clock.now())).collect();
    // All end within five minutes, of each other and of now.
    assert_eq!(told, tasks.iter().cloned().map(Some).collect::<Vec<_>>());
    assert!(received.iter().all(|one| one.headers["content-type"] == "application/json"));

    let bodies: Vec<_> = received.iter().map(body).collect();
    let look = |task: &str, api| {
        let (_, view) = world.provider.model().view_of(task, world.provider.service.clock.now()).unwrap();
        answers::record(api, &view, &world.provider.api_base())
    };
    let mut expected = look(&tasks[0], Api::Market);
    expected["updateTime"] = bodies[0]["data"]["updateTime"].clone();
    assert_eq!(bodies[0], json!({ "code": 200, "msg": words::CALLBACK_OF_SUCCESS, "data": expected }));
    assert!(bodies[0]["data"]["updateTime"].is_i64() && bodies[0]["data"]["resultJson"].is_string());
    let failed = &bodies[1]["data"];
    assert_eq!(
        (&bodies[1]["code"], &failed["state"], &failed["failCode"]),
        (&json!(501), &json!("fail"), &json!("422"))
    );
    assert_eq!((&failed["resultJson"], &failed["costTime"]), (&Value::Null, &json!(0)));
    let response = look(&tasks[2], Api::Veo)["response"].clone();
    let info = json!({ "resultUrls": response["resultUrls"], "originUrls": response["originUrls"], "resolution": "720p" });
    assert_eq!((&bodies[2]["code"], &bodies[2]["data"]["info"]), (&json!(200), &info));
    assert!(
        serde_json::from_str::<Value>(bodies[2]["data"]["promptJson"].as_str().unwrap()).unwrap().is_object()
    );
    let refused =
        json!({ "code": 422, "msg": words::PEOPLE, "data": { "taskId": tasks[3], "fallbackFlag": false } });
    assert_eq!(bodies[3], refused);
}

#[tokio::test]
async fn a_callback_that_is_refused_comes_again_signed_anew_until_it_is_taken() {
    let mut world = World::start(FailPlan::default(), Some(WEBHOOK_KEY), &[500, 503, 200]).await;
    let task = world.create("/api/v1/jobs/createTask", market()).await;
    for (end, again) in [
        (CallbackEnd::Refused(500), true),
        (CallbackEnd::Refused(503), true),
        (CallbackEnd::Taken(200), false),
    ] {
        let line = world.lines.recv().await.unwrap();
        assert_eq!((line.task, line.end, line.again), (task.clone(), end, again));
    }
    let received = world.received().await;
    let signed: Vec<i64> =
        received.iter().map(|one| one.headers[TIMESTAMP_HEADER].to_str().unwrap().parse().unwrap()).collect();
    assert_eq!((signed[1] - signed[0], signed[2] - signed[1]), (15, 15), "{signed:?}");
    for (one, seconds) in received.iter().zip(signed) {
        assert_eq!(verified(one, Timestamp::from_millis(seconds * 1_000)), Some(task.clone()));
    }
}

#[tokio::test]
async fn a_callback_that_nobody_takes_is_given_up_after_three_repetitions() {
    let mut world = World::start(FailPlan::default(), None, &[500]).await;
    let first = world.create("/api/v1/jobs/createTask", market()).await;
    let again: Vec<bool> = [
        world.lines.recv().await,
        world.lines.recv().await,
        world.lines.recv().await,
        world.lines.recv().await,
    ]
    .into_iter()
    .map(|line| line.filter(|line| line.task == first).unwrap().again)
    .collect();
    assert_eq!(again, [true, true, true, false]);
    let received = world.received().await;
    assert_eq!(received.len(), 4);
    let is_signed = |one: &Request| {
        one.headers.contains_key(SIGNATURE_HEADER) || one.headers.contains_key(TIMESTAMP_HEADER)
    };
    assert!(!received.iter().any(is_signed), "without a key there is no signature");
    assert_eq!(verified(&received[0], world.provider.service.clock.now()), None);
}

#[tokio::test]
async fn a_house_that_is_not_there_is_tried_again_too() {
    let mut world = World::start(FailPlan::default(), None, &[200]).await;
    let mut request = market();
    request["callBackUrl"] = json!("http://127.0.0.1:1/kie");
    let now = world.provider.service.clock.now();
    let created = world.provider.model().create(Api::Market, Some(KEY), request, now);
    assert!(created.said.is_ok());
    world.provider.service.created.notify_one();
    let line = world.lines.recv().await.unwrap();
    assert!(matches!(line.end, CallbackEnd::Unanswered(_)) && line.again, "{line:?}");
}

#[tokio::test]
async fn callbacks_stay_on_this_machine_and_private_networks_unless_told_otherwise() {
    for near in [
        "http://127.0.0.1:8080/a",
        "http://10.1.2.3/",
        "http://192.168.0.9/",
        "http://[::1]:9/",
        "http://[fd00::1]/",
    ] {
        assert_eq!(
            target(near, false).await,
            Ok(Target { url: near.parse().unwrap(), host: None }),
            "{near}"
        );
    }
    let pinned = target("http://localhost:8080/kie?x=1", false).await.unwrap();
    assert!(
        pinned.url.host_str() != Some("localhost") && pinned.url.as_str().ends_with(":8080/kie?x=1"),
        "{pinned:?}"
    );
    assert_eq!(pinned.host.as_deref(), Some("localhost:8080"));
    for far in [
        "https://127.0.0.1/",
        "http://8.8.8.8/",
        "http://134744072/",
        "http://169.254.169.254/latest",
        "http://0.0.0.0/",
        "http://[2001:db8::1]/",
        "http://[fe80::1]/",
        "http://[::ffff:8.8.8.8]/",
    ] {
        let why = target(far, false).await.unwrap_err();
        assert!(why.contains("--callbacks-anywhere"), "{far}: {why}");
        assert!(target(far, true).await.is_ok(), "{far}");
    }
    for never in ["", "mug", "ftp://127.0.0.1/", "file:///etc/passwd", "http://"] {
        assert!(target(never, true).await.is_err() && target(never, false).await.is_err(), "{never}");
    }
}
