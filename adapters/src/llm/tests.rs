use std::time::Duration;

use bytes::Bytes;
use domain::{photo::PhotoFormat, prompt::WritingTask};
use ports::{ErrorKind, Photo, PortError, PromptWriter};
use proptest::prelude::*;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{body_json, header, method, path},
};

use super::*;

const SECRET: &str = "sk-llm-very-secret";

fn config(base: &str) -> LlmConfig {
    let mut config = LlmConfig::new(Url::parse(base).unwrap(), SecretString::from(SECRET), "gpt-x");
    config.http.total_timeout = Some(Duration::from_millis(300));
    config
}

fn task() -> WritingTask {
    WritingTask { system: "You write prompts.".to_owned(), user: "A mug.".to_owned() }
}

fn photo() -> Photo {
    Photo { bytes: Bytes::from_static(b"abc"), format: PhotoFormat::Png }
}

async fn write_at(base: &str) -> Result<String, PortError> {
    ChatPromptWriter::new(config(base)).unwrap().write(&task(), &photo()).await
}

async fn answered(answer: ResponseTemplate) -> Result<String, PortError> {
    let server = MockServer::start().await;
    Mock::given(method("POST")).respond_with(answer).mount(&server).await;
    write_at(&server.uri()).await
}

fn choice(message: &Value) -> ResponseTemplate {
    let body =
        json!({ "id": "c1", "choices": [{ "index": 0, "message": message, "finish_reason": "stop" }] });
    ResponseTemplate::new(200).set_body_json(body)
}

#[tokio::test]
async fn the_photo_travels_inside_the_request() {
    let server = MockServer::start().await;
    let expected = json!({
        "model": "gpt-x",
        "messages": [
            { "role": "system", "content": "You write prompts." },
            { "role": "user", "content": [
                { "type": "text", "text": "A mug." },
                { "type": "image_url", "image_url": { "url": "data:image/png;base64,YWJj" } },
            ]},
        ],
        "max_completion_tokens": 50,
        "temperature": 0.5,
    });
    Mock::given(method("POST"))
        .and(path("/gpt-5-2/v1/chat/completions"))
        .and(header("authorization", format!("Bearer {SECRET}")))
        .and(body_json(expected))
        .respond_with(choice(&json!({ "role": "assistant", "content": "A mug turns." })))
        .expect(2)
        .mount(&server)
        .await;
    for slash in ["", "/"] {
        let mut config = config(&format!("{}/gpt-5-2/v1{slash}", server.uri()));
        config.answer_tokens_max = Some((AnswerLimitField::MaxCompletionTokens, 50));
        config.temperature = Some(0.5);
        let writer = ChatPromptWriter::new(config).unwrap();
        assert_eq!(writer.write(&task(), &photo()).await.unwrap(), "A mug turns.");
    }
}

#[tokio::test]
async fn what_is_not_limited_is_not_sent() {
    let server = MockServer::start().await;
    Mock::given(method("POST")).respond_with(choice(&json!({ "content": "x" }))).mount(&server).await;
    let mut config = config(&server.uri());
    config.answer_tokens_max = None;
    config.temperature = None;
    ChatPromptWriter::new(config).unwrap().write(&task(), &photo()).await.unwrap();
    let sent: Value = serde_json::from_slice(&server.received_requests().await.unwrap()[0].body).unwrap();
    assert_eq!(sent.as_object().unwrap().keys().collect::<Vec<_>>(), ["messages", "model"]);
}

#[tokio::test]
async fn an_answer_may_come_in_parts() {
    let parts =
        json!({ "content": [{ "type": "text", "text": "A mug " }, { "type": "text", "text": "turns." }] });
    assert_eq!(answered(choice(&parts)).await.unwrap(), "A mug turns.");
}

#[tokio::test]
async fn each_failure_has_its_kind() {
    let filtered =
        json!({ "choices": [{ "message": { "content": "A" }, "finish_reason": "content_filter" }] });
    let status = |status: u16| {
        ResponseTemplate::new(status).set_body_json(json!({ "error": { "message": "no\nway" } }))
    };
    for (row, answer, kind) in [
        ("429", status(429), ErrorKind::Transient),
        ("500", status(500), ErrorKind::Transient),
        ("503", ResponseTemplate::new(503).set_body_string("<html>busy</html>"), ErrorKind::Transient),
        ("400", status(400), ErrorKind::Rejected),
        ("401", status(401), ErrorKind::Rejected),
        ("302", ResponseTemplate::new(302).insert_header("location", "http://h/"), ErrorKind::Rejected),
        ("empty", choice(&json!({ "content": " \n" })), ErrorKind::Rejected),
        ("null", choice(&json!({ "content": null })), ErrorKind::Rejected),
        ("refusal", choice(&json!({ "content": null, "refusal": "I can't help" })), ErrorKind::Rejected),
        ("filtered", ResponseTemplate::new(200).set_body_json(filtered), ErrorKind::Rejected),
        (
            "no choice",
            ResponseTemplate::new(200).set_body_json(json!({ "choices": [] })),
            ErrorKind::Rejected,
        ),
        (
            "wrapped 402",
            ResponseTemplate::new(200).set_body_json(json!({ "code": 402, "msg": "top up" })),
            ErrorKind::Rejected,
        ),
        (
            "wrapped 500",
            ResponseTemplate::new(200).set_body_json(json!({ "code": "500", "msg": "x" })),
            ErrorKind::Transient,
        ),
        ("too large", ResponseTemplate::new(200).set_body_string(" ".repeat(1_100_000)), ErrorKind::Rejected),
        ("HTML", ResponseTemplate::new(200).set_body_string("<html>"), ErrorKind::AnswerLost),
        (
            "slow",
            choice(&json!({ "content": "late" })).set_delay(Duration::from_millis(900)),
            ErrorKind::AnswerLost,
        ),
    ] {
        let error = answered(answer).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{row}: {error}");
        assert!(!error.to_string().contains('\n'), "{row}: {error}");
    }
}

#[tokio::test]
async fn a_closed_port_is_worth_another_try() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    assert_eq!(write_at(&base).await.unwrap_err().kind(), ErrorKind::Transient);
}

#[tokio::test]
async fn no_debug_or_error_text_shows_the_key() {
    let writer = ChatPromptWriter::new(config("https://h/v1")).unwrap();
    let shown = format!("{writer:?} {:?}", config("https://h/v1"));
    assert!(!shown.contains(SECRET), "{shown}");
    let quoting = json!({ "error": { "message": format!("Incorrect API key provided: {SECRET}") } });
    let error = answered(ResponseTemplate::new(401).set_body_json(quoting)).await.unwrap_err();
    assert_eq!(error.to_string(), "the language model answered 401: Incorrect API key provided: [key]");
}

#[test]
fn a_configuration_that_cannot_work_is_refused_with_its_fix() {
    let mut bad = config("https://h/v1");
    bad.api_key = SecretString::from("sk-a\n");
    let error = ChatPromptWriter::new(bad).unwrap_err().to_string();
    assert!(
        error.contains("the language model") && error.contains("copy it again") && !error.contains("sk-a")
    );
    assert!(ChatPromptWriter::new(config("ftp://h")).unwrap_err().to_string().contains("the language model"));
}

proptest! {
    #[test]
    fn any_bytes_are_read(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = wire::read(&body);
    }

    #[test]
    fn any_text_that_is_read_is_not_empty(content in "\\PC{0,20}", reason in "[a-z_]{0,8}") {
        let body = json!({ "choices": [{ "message": { "content": content }, "finish_reason": reason }] });
        if let wire::Written::Text(text) = wire::read(body.to_string().as_bytes()) {
            prop_assert!(!text.trim().is_empty());
        }
    }
}
