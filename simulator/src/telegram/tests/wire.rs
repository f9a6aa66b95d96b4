//! Through real sockets, without any bot's library.

use std::sync::Arc;

use adapters::{
    http::{HttpOptions, client},
    system::SystemClock,
};
use reqwest::{Client, multipart};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers};

use crate::{
    sample,
    telegram::{
        TelegramServer,
        model::{Fault, Outcome, Plan, Rule, TelegramSettings},
    },
};

fn server() -> TelegramServer {
    TelegramServer::start(TelegramSettings::healthy(1), Arc::new(SystemClock::new())).unwrap()
}

fn http() -> Client {
    client(&HttpOptions::default()).unwrap()
}

fn url(server: &TelegramServer, method: &str) -> String {
    format!("{}/bot{}/{method}", server.api_base(), server.token().expose_secret())
}

async fn call(server: &TelegramServer, method: &str, params: &Value) -> Value {
    let answer = http().post(url(server, method)).json(params).send().await.unwrap();
    answer.json().await.unwrap()
}

#[tokio::test]
async fn parameters_come_in_a_query_a_form_a_form_with_files_or_json() {
    let server = server();
    let olga = server.person(42);
    olga.write("/start");
    let (http, url) = (http(), url(&server, "SendMessage"));
    let fields = |text: &str| [("chat_id", "42".to_owned()), ("text", text.to_owned())];
    let parts = multipart::Form::new().text("chat_id", "42").text("text", "a form with files");
    for request in [
        http.get(&url).query(&fields("a query & more")),
        http.post(&url).form(&fields("a form")),
        http.post(&url).multipart(parts),
        http.post(format!("{url}?chat_id=42")).json(&json!({ "text": "json" })),
    ] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    for text in ["a query & more", "a form", "a form with files", "json"] {
        assert_eq!(olga.next(|_| true).await.text(), text);
    }
    let broken = http.post(&url).header("Content-Type", "application/json").body("{").send().await.unwrap();
    assert_eq!(broken.status(), 400);
}

#[tokio::test]
async fn a_poll_is_held_until_somebody_writes() {
    let server = server();
    let poll = http().get(url(&server, "getUpdates")).query(&[("timeout", "50")]).send();
    let olga = server.person(42);
    let writes = async {
        // The poll is there first, or this proves nothing.
        server.until(|model| model.has_open_poll().then_some(())).await;
        olga.write("hello");
    };
    let (answer, ()) = tokio::join!(poll, writes);
    let body: Value = answer.unwrap().json().await.unwrap();
    assert_eq!(body["result"][0]["message"]["text"], "hello");
}

#[tokio::test]
async fn the_older_of_two_polls_is_sent_away() {
    let server = server();
    let older = http().get(url(&server, "getUpdates")).query(&[("timeout", "50")]).send();
    let newer = async {
        server.until(|model| model.has_open_poll().then_some(())).await;
        call(&server, "getUpdates", &json!({ "timeout": 0 })).await
    };
    let (older, newer) = tokio::join!(older, newer);
    assert_eq!(older.unwrap().status(), 409);
    assert_eq!(newer, json!({ "ok": true, "result": [] }));
    assert_eq!(server.violations()[0].rule, Rule::OnePoller);
}

#[tokio::test]
async fn a_poller_that_hangs_up_leaves_no_poll_behind() {
    let server = server();
    {
        let mut poll = Box::pin(http().get(url(&server, "getUpdates")).query(&[("timeout", "50")]).send());
        tokio::select! {
            biased;
            () = server.until(|model| model.has_open_poll().then_some(())) => {}
            _ = &mut poll => panic!("nobody wrote"),
        }
    }
    server.until(|model| (!model.has_open_poll()).then_some(())).await;
}

#[tokio::test]
async fn a_connection_drops_before_or_after_the_deed() {
    let server = server();
    let olga = server.person(42);
    olga.write("/start");
    let (http, url) = (http(), url(&server, "sendMessage"));
    for (fault, outcome, messages) in
        [(Fault::RequestLost, Outcome::RequestLost, 1), (Fault::AnswerLost, Outcome::AnswerLost, 2)]
    {
        server.plan(Plan::next("sendMessage", fault));
        let lost = http.post(&url).json(&json!({ "chat_id": 42, "text": "hello" })).send().await;
        assert!(lost.unwrap_err().is_request());
        assert_eq!(server.calls().last().unwrap().outcome, outcome);
        assert_eq!(olga.messages().len(), messages);
    }
    server.plan(Plan::next("getMe", Fault::Server(503)));
    let answer = http.get(self::url(&server, "getMe")).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert!(answer.text().await.unwrap().starts_with("<html>"));
}

#[tokio::test]
async fn other_paths_and_other_tokens_are_refused_as_telegram_does() {
    let server = server();
    for (path, status, text) in [
        ("/", 404, "Not Found"),
        ("/bot", 404, "Not Found"),
        ("/bot1:other/getMe", 401, "Unauthorized"),
        ("/file/bot1:other/photos/x", 404, "Not Found"),
    ] {
        let answer = http().get(format!("{}{path}", server.api_base())).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        let body: Value = answer.json().await.unwrap();
        assert_eq!((&body["ok"], &body["description"]), (&json!(false), &json!(text)), "{path}");
    }
}

#[tokio::test]
async fn a_file_comes_down_whether_or_not_its_path_is_escaped() {
    let server = server();
    let bytes = bytes::Bytes::from_static(b"a file");
    server.person(42).send_file("a.txt", "text/plain", bytes.clone(), "");
    let updates = call(&server, "getUpdates", &json!({})).await;
    let id = updates["result"][0]["message"]["document"]["file_id"].clone();
    let file = call(&server, "getFile", &json!({ "file_id": id })).await;
    let path = file["result"]["file_path"].as_str().unwrap().to_owned();
    for path in [path.replace('/', "%2F"), path] {
        let url = format!("{}/file/bot{}/{path}", server.api_base(), server.token().expose_secret());
        let answer = http().get(url).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.bytes().await.unwrap()), (200, bytes.clone()));
    }
}

#[tokio::test]
async fn a_webhook_is_called_with_its_secret_until_it_answers_well() {
    let server = server();
    let bot = MockServer::start().await;
    let fails = Mock::given(matchers::path("/hook")).respond_with(ResponseTemplate::new(503));
    fails.up_to_n_times(1).mount(&bot).await;
    Mock::given(matchers::path("/hook")).respond_with(ResponseTemplate::new(200)).mount(&bot).await;
    let hook = json!({ "url": format!("{}/hook", bot.uri()), "secret_token": "s3cret" });
    assert_eq!(call(&server, "setWebhook", &hook).await["result"], true);
    server.person(42).write("hello");
    server.until(|model| (model.waiting_updates() == 0).then_some(())).await;
    let requests = bot.received_requests().await.unwrap();
    assert_eq!(requests.len(), 2);
    for request in &requests {
        assert_eq!(request.headers["x-telegram-bot-api-secret-token"], "s3cret");
        let update: Value = request.body_json().unwrap();
        assert_eq!(update["message"]["text"], "hello");
    }
    let info = call(&server, "getWebhookInfo", &json!({})).await;
    assert_eq!(info["result"]["last_error_message"], "Wrong response from the webhook: 503");
}

async fn control(server: &TelegramServer, path: &str, body: Value) -> Value {
    let url = format!("{}/control/{path}", server.api_base());
    let answer = http().post(url).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.json().await.unwrap()
}

async fn shown(server: &TelegramServer, path: &str) -> Value {
    let answer = http().get(format!("{}/control/{path}", server.api_base())).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.json().await.unwrap()
}

#[tokio::test]
async fn users_act_over_http_too() {
    let server = server();
    control(&server, "people", json!({ "id": 42, "name": "Olga", "language": "en" })).await;
    assert_eq!(control(&server, "people/42/text", json!({ "text": "/start" })).await["message"], 1);
    // As curl sends it.
    let photo = http()
        .post(format!("{}/control/people/42/photo?caption=a%20mug", server.api_base()))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(sample::SMALL_PHOTO);
    assert_eq!(photo.send().await.unwrap().status(), 200);
    let updates = call(&server, "getUpdates", &json!({})).await["result"].clone();
    assert_eq!(updates[0]["message"]["from"]["language_code"], "en");
    assert_eq!(updates[1]["message"]["caption"], "a mug");

    control(&server, "faults", json!({ "fault": "too_many", "method": "sendMessage", "seconds": 1 })).await;
    let message = json!({ "chat_id": 42, "text": "choose", "reply_markup": super::one_button("go") });
    assert_eq!(call(&server, "sendMessage", &message).await["parameters"]["retry_after"], 1);
    control(&server, "people", json!({ "id": 43 })).await;
    control(&server, "people/43/text", json!({ "text": "/start" })).await;
    let message = json!({ "chat_id": 43, "text": "choose", "reply_markup": super::one_button("go") });
    let sent = call(&server, "sendMessage", &message).await["result"]["message_id"].clone();
    let seen = shown(&server, "people/43/changes?after=0&timeout=30").await;
    assert_eq!((&seen[0]["deed"], &seen[0]["message"]["message_id"]), (&json!("sent"), &sent));
    let tap =
        control(&server, "people/43/tap", json!({ "message": sent, "button": "Go" })).await["tap"].clone();
    let path = format!("taps/{}", tap.as_str().unwrap());
    assert_eq!(shown(&server, &path).await["state"], "open");
    call(&server, "answerCallbackQuery", &json!({ "callback_query_id": tap, "text": "coming" })).await;
    assert_eq!(shown(&server, &path).await["text"], "coming");
    control(&server, "people/43/block", json!({})).await;
    assert_eq!(call(&server, "sendMessage", &message).await["error_code"], 403);

    let calls = shown(&server, "calls").await;
    assert!(calls.as_array().unwrap().iter().any(|call| call["method"] == "answerCallbackQuery"));
    assert!(!calls.to_string().contains(server.token().expose_secret()));
    assert_eq!(shown(&server, "violations").await, json!([]));
    for (path, status) in [("people/42/dance", 404), ("people/99/text", 404), ("people/42/tap", 400)] {
        let url = format!("{}/control/{path}", server.api_base());
        assert_eq!(http().post(url).json(&json!({})).send().await.unwrap().status(), status, "{path}");
    }
    let help = http().get(format!("{}/control", server.api_base())).send().await.unwrap();
    assert!(help.text().await.unwrap().contains("/control/people/ID/tap"));
}
