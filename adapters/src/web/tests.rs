//! Strangers at the door.

mod updates;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, AtomicUsize, Ordering},
};

use async_trait::async_trait;
use bytes::Bytes;
use domain::{
    id::{AttemptId, TaskId},
    time::Timestamp,
};
use http_body_util::{BodyExt, Full};
use hyper::{Request, StatusCode};
use ports::{Clock, ErrorKind, PortError};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

use super::{Desk, WebPages, serve};
use crate::kie::{CallbackFault, CallbackVerifier, SIGNATURE_HEADER, TIMESTAMP_HEADER, signature};

const NOW_S: i64 = 1_790_000_000;
const KEY: &str = "the webhook key";
const TASK: &str = "281e5b0d3c4f4a6f9be1c0a1d2e3f405";
const ATTEMPT: &str = "01a0c5f0-0000-7000-8000-000000000007";

struct Fixed(AtomicI64);

#[async_trait]
impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }

    async fn sleep_until(&self, _at: Timestamp) {
        std::future::pending::<()>().await;
    }
}

#[derive(Default)]
struct Notes {
    heard: Mutex<Vec<(AttemptId, String)>>,
    refused: Mutex<Vec<CallbackFault>>,
    fails: AtomicUsize,
}

#[async_trait]
impl Desk for Notes {
    async fn callback(&self, attempt: AttemptId, task: &TaskId) -> Result<(), PortError> {
        if self.fails.load(Ordering::SeqCst) > 0 {
            return Err(PortError::new(ErrorKind::Transient, "the database is away"));
        }
        self.heard.lock().unwrap().push((attempt, task.as_str().to_owned()));
        Ok(())
    }

    fn refused(&self, fault: CallbackFault) {
        self.refused.lock().unwrap().push(fault);
    }

    async fn metrics(&self) -> Option<String> {
        Some("# EOF\n".to_owned())
    }
}

struct House {
    pages: Arc<WebPages>,
    notes: Arc<Notes>,
    clock: Arc<Fixed>,
}

fn house() -> House {
    let (notes, clock) = (Arc::new(Notes::default()), Arc::new(Fixed(AtomicI64::new(NOW_S * 1_000))));
    let verifier = CallbackVerifier::new(vec!["another account's".to_owned().into(), KEY.to_owned().into()]);
    let pages = WebPages::new(notes.clone(), Some(verifier), clock.clone());
    House { pages: Arc::new(pages), notes, clock }
}

fn body() -> String {
    json!({ "code": 200, "data": { "taskId": TASK, "state": "success" } }).to_string()
}

struct Letter {
    path: String,
    timestamp: String,
    signature: String,
    body: String,
}

fn letter() -> Letter {
    signed_at(NOW_S)
}

fn signed_at(seconds: i64) -> Letter {
    Letter {
        path: format!("/kie/callback/{ATTEMPT}"),
        timestamp: seconds.to_string(),
        signature: signature(&KEY.to_owned().into(), TASK, seconds),
        body: body(),
    }
}

impl House {
    async fn post(&self, letter: Letter) -> StatusCode {
        let request = Request::post(letter.path)
            .header(TIMESTAMP_HEADER, letter.timestamp)
            .header(SIGNATURE_HEADER, letter.signature)
            .body(Full::new(Bytes::from(letter.body)));
        self.pages.answer(request.unwrap()).await.status()
    }

    async fn get(&self, path: &str) -> (StatusCode, Bytes) {
        let answer = self.pages.answer(Request::get(path).body(Full::<Bytes>::default()).unwrap()).await;
        (answer.status(), answer.into_body().collect().await.unwrap().to_bytes())
    }

    fn heard(&self) -> usize {
        self.notes.heard.lock().unwrap().len()
    }

    fn last_fault(&self) -> Option<CallbackFault> {
        self.notes.refused.lock().unwrap().last().copied()
    }
}

#[tokio::test]
async fn a_signed_callback_is_passed_on_with_its_attempt_in_either_spelling_of_its_task() {
    let house = house();
    let spellings =
        [body(), json!({ "data": { "task_id": TASK } }).to_string(), json!({ "taskId": TASK }).to_string()];
    for (seconds, body) in (NOW_S..).zip(spellings) {
        assert_eq!(house.post(Letter { body, ..signed_at(seconds) }).await, StatusCode::OK);
    }
    let heard = house.notes.heard.lock().unwrap().clone();
    assert_eq!(heard, vec![(ATTEMPT.parse().unwrap(), TASK.to_owned()); 3]);
}

#[tokio::test]
async fn a_forged_stale_unsigned_or_oversized_callback_reaches_nobody() {
    let house = house();
    let other = signature(&"guess".to_owned().into(), TASK, NOW_S);
    let stale = (NOW_S - 301).to_string();
    let old = signature(&KEY.to_owned().into(), TASK, NOW_S - 301);
    let early = (NOW_S + 301).to_string();
    let ahead = signature(&KEY.to_owned().into(), TASK, NOW_S + 301);
    let another_task = body().replace("281e", "381e");
    let large = json!({ "data": { "taskId": TASK, "param": "x".repeat(70_000) } }).to_string();
    for (letter, fault, status) in [
        (Letter { signature: other, ..letter() }, CallbackFault::Forged, 401),
        (Letter { timestamp: (NOW_S + 1).to_string(), ..letter() }, CallbackFault::Forged, 401),
        (Letter { body: another_task, ..letter() }, CallbackFault::Forged, 401),
        (Letter { timestamp: stale, signature: old, ..letter() }, CallbackFault::Stale, 401),
        (Letter { timestamp: early, signature: ahead, ..letter() }, CallbackFault::Stale, 401),
        (Letter { signature: String::new(), ..letter() }, CallbackFault::Unsigned, 401),
        (Letter { timestamp: "-1".to_owned(), ..letter() }, CallbackFault::Unsigned, 401),
        (Letter { body: large, ..letter() }, CallbackFault::TooLarge, 413),
        (Letter { body: "[".repeat(50_000), ..letter() }, CallbackFault::Unreadable, 400),
        (Letter { body: "{}".to_owned(), ..letter() }, CallbackFault::Unreadable, 400),
    ] {
        assert_eq!(house.post(letter).await.as_u16(), status, "{fault:?}");
        assert_eq!(house.last_fault(), Some(fault));
    }
    for (path, status) in
        [("/kie/callback/", 404), ("/kie/callback/7", 404), ("/kie", 404), ("/metrics", 405)]
    {
        assert_eq!(house.post(Letter { path: path.to_owned(), ..letter() }).await.as_u16(), status, "{path}");
    }
    assert_eq!(house.heard(), 0);
}

#[tokio::test]
async fn a_flood_of_garbage_never_reaches_the_house_and_good_callbacks_are_heard_again_soon_after() {
    let house = house();
    for n in 0..10_000 {
        let body = json!({ "data": { "taskId": format!("{n}") } }).to_string();
        house.post(Letter { body, ..letter() }).await;
    }
    let looked_into =
        house.notes.refused.lock().unwrap().iter().filter(|fault| **fault == CallbackFault::Forged).count();
    assert_eq!((house.heard(), looked_into), (0, 60), "the rest is refused by its headers alone");
    assert_eq!(house.post(letter()).await, StatusCode::TOO_MANY_REQUESTS);
    house.clock.0.fetch_add(1_000, Ordering::SeqCst);
    assert_eq!(house.post(letter()).await, StatusCode::OK);
}

#[tokio::test]
async fn good_callbacks_use_up_no_patience() {
    let house = house();
    for seconds in NOW_S..NOW_S + 200 {
        assert_eq!(house.post(signed_at(seconds)).await, StatusCode::OK);
    }
    assert_eq!(house.heard(), 200);
}

#[tokio::test]
async fn copies_of_a_callback_are_taken_and_reach_nobody_whatever_attempt_they_name() {
    let house = house();
    house.notes.fails.store(1, Ordering::SeqCst);
    assert_eq!(house.post(letter()).await, StatusCode::SERVICE_UNAVAILABLE, "not acted on, not remembered");
    house.notes.fails.store(0, Ordering::SeqCst);
    let others = format!("/kie/callback/{}", ATTEMPT.replace("7000", "7001"));
    for path in [format!("/kie/callback/{ATTEMPT}"), format!("/kie/callback/{ATTEMPT}"), others] {
        assert_eq!(house.post(Letter { path, ..letter() }).await, StatusCode::OK);
    }
    assert_eq!(house.heard(), 1);
    assert_eq!(house.post(signed_at(NOW_S + 1)).await, StatusCode::OK);
    assert_eq!(house.heard(), 2, "one that was signed anew is heard");
}

#[tokio::test]
async fn a_callback_that_could_not_be_acted_on_is_asked_for_again() {
    let house = house();
    house.notes.fails.store(1, Ordering::SeqCst);
    assert_eq!(house.post(letter()).await, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn without_a_key_there_is_no_address_for_callbacks() {
    let clock = Arc::new(Fixed(AtomicI64::new(NOW_S * 1_000)));
    let notes = Arc::new(Notes::default());
    let pages = Arc::new(WebPages::new(notes.clone(), None, clock.clone()));
    let house = House { pages, notes, clock };
    assert_eq!(house.post(letter()).await, StatusCode::NOT_FOUND);
    assert_eq!(house.get("/healthz").await, (StatusCode::OK, Bytes::from_static(b"ok\n")));
}

/// Talks to a server of its own, and stops it.
async fn over_a_socket(house: &House, request: &[u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(serve(Arc::clone(&house.pages), listener, async {
        stopped.await.ok();
    }));
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The other side may have said no and hung up already.
    stream.write_all(request).await.ok();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok();
    stop.send(()).unwrap();
    server.await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn one_request_is_served_a_connection_and_the_server_stops() {
    let house = house();
    let answer = over_a_socket(&house, b"GET /healthz HTTP/1.1\r\nhost: h\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("ok\n"), "{answer}");
    let letter = letter();
    let request = format!(
        "POST {} HTTP/1.1\r\nhost: h\r\n{TIMESTAMP_HEADER}: {}\r\n{SIGNATURE_HEADER}: {}\r\ncontent-length: {}\r\n\r\n{}",
        letter.path,
        letter.timestamp,
        letter.signature,
        letter.body.len(),
        letter.body
    );
    let answer = over_a_socket(&house, request.as_bytes()).await;
    assert!(answer.contains(r#"{"code":200,"msg":"success"}"#), "{answer}");
    assert_eq!(house.heard(), 1);
}

#[tokio::test]
async fn a_head_that_is_too_large_or_no_http_is_refused_by_the_connection() {
    let house = house();
    let large = format!("GET /healthz HTTP/1.1\r\nhost: h\r\nx: {}\r\n\r\n", "y".repeat(40_000));
    let many = format!("GET /healthz HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(100));
    for request in
        [large.as_bytes(), many.as_bytes(), b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"]
    {
        let answer = over_a_socket(&house, request).await;
        assert!(!answer.contains(" 200 "), "{answer}");
    }
    assert_eq!(house.heard(), 0);
}
