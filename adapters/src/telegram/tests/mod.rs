//! Against a Bot API of our own making. Its answers have the form the Bot API's documentation gives them.

mod chat;
mod messenger;
mod pace;
mod polling;
mod reader;
mod webhook;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, Ordering},
};

use async_trait::async_trait;
use domain::{id::UserId, time::Timestamp};
use ports::Clock;
use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers};

use super::{TelegramClient, TelegramConfig};

const TOKEN: &str = "123456:ABC-DEF_ghijklmnopqrstuvwxyz01234567";
const USER: UserId = UserId::new(77);
const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

/// A clock that stands where it is put; whoever sleeps wakes up later.
#[derive(Debug)]
struct Hand(AtomicI64);

impl Hand {
    fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(NOW.as_millis())))
    }

    fn advance(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }

    async fn sleep_until(&self, at: Timestamp) {
        self.0.fetch_max(at.as_millis(), Ordering::SeqCst);
    }
}

/// Telegram: answers in the order they were given, the last one for ever, and a record of what was asked.
struct Stub {
    server: MockServer,
    answers: Arc<Mutex<Vec<ResponseTemplate>>>,
}

impl Stub {
    async fn answering(answers: impl IntoIterator<Item = ResponseTemplate>) -> Self {
        let answers: Vec<_> = answers.into_iter().collect();
        let server = MockServer::start().await;
        let answers = Arc::new(Mutex::new(answers));
        let next = Arc::clone(&answers);
        Mock::given(matchers::any())
            .respond_with(move |_: &Request| {
                let mut answers = next.lock().unwrap();
                if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() }
            })
            .mount(&server)
            .await;
        Self { server, answers }
    }

    fn now_answers(&self, answer: ResponseTemplate) {
        *self.answers.lock().unwrap() = vec![answer];
    }

    fn client(&self, clock: &Arc<Hand>) -> TelegramClient {
        let config = TelegramConfig {
            base_url: self.server.uri().parse().unwrap(),
            ..TelegramConfig::new(TOKEN.to_owned().into())
        };
        TelegramClient::new(config, Arc::clone(clock) as _).unwrap()
    }

    /// What was asked: the method and its arguments. Every address has the token.
    async fn asked(&self) -> Vec<(String, Value)> {
        let requests = self.server.received_requests().await.unwrap();
        let read = |request: &Request| {
            let path = request.url.path().strip_prefix(&format!("/bot{TOKEN}/")).unwrap().to_owned();
            (path.to_lowercase(), serde_json::from_slice(&request.body).unwrap_or(Value::Null))
        };
        requests.iter().map(read).collect()
    }

    async fn methods(&self) -> Vec<String> {
        self.asked().await.into_iter().map(|(method, _)| method).collect()
    }
}

fn yes(result: impl Into<Value>) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({ "ok": true, "result": result.into() }))
}

fn no(code: u16, description: &str) -> ResponseTemplate {
    let body = json!({ "ok": false, "error_code": code, "description": description });
    ResponseTemplate::new(code).set_body_json(body)
}

fn slow_down(seconds: u64) -> ResponseTemplate {
    ResponseTemplate::new(429).set_body_json(json!({
        "ok": false,
        "error_code": 429,
        "description": format!("Too Many Requests: retry after {seconds}"),
        "parameters": { "retry_after": seconds },
    }))
}

/// A message as Telegram returns it.
fn sent(id: i64) -> ResponseTemplate {
    yes(json!({
        "message_id": id,
        "from": { "id": 123_456, "is_bot": true, "first_name": "Kadr" },
        "chat": { "id": 77, "type": "private", "first_name": "U" },
        "date": 1_790_000_000,
        "text": "text",
    }))
}
