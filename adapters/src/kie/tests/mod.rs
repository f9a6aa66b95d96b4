//! The adapter against every answer KIE is known to give, and against some it never should.

mod answers;
mod broken_lines;
mod calls;
mod downloads;
mod lookups;
mod parsers;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use domain::{
    failure::Reason,
    id::{AccountId, AttemptId, KeyId, ModelId, TaskId},
    photo::PhotoFormat,
};
use ports::{Photo, ProviderRefusal, Reply, VideoApi, VideoRequest};
use secrecy::SecretString;
use serde_json::{Value, json};
use url::Url;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use super::*;

const SECRET: &str = "sk-3f8a91-very-secret";
const TASK: &str = "281e5b0d3c4f4a6f9be1c0a1d2e3f405";

fn kie_key() -> KieKey {
    KieKey::new(AccountId::new("main").unwrap(), &SecretString::from(SECRET)).unwrap()
}

fn key() -> KeyId {
    kie_key().fingerprint().clone()
}

fn sora() -> ModelId {
    ModelId::new("sora-2").unwrap()
}

fn task() -> TaskId {
    TaskId::new(TASK).unwrap()
}

/// A configuration for one server with time-outs that a test can wait for.
fn config(base: &str) -> KieConfig {
    let base = Url::parse(base).unwrap();
    let mut config = KieConfig::new(base.clone(), base, vec![kie_key()]);
    let short = Duration::from_millis(300);
    config.timeouts = KieTimeouts {
        create: short,
        poll: short,
        upload: short,
        download_read: short,
        download_total: Duration::from_secs(5),
    };
    config
}

fn api(base: &str) -> KieVideoApi {
    KieVideoApi::new(config(base), Arc::new(Catalogue::builtin().unwrap())).unwrap()
}

/// An adapter whose server answers everything with `answer`.
async fn answering(answer: ResponseTemplate) -> (MockServer, KieVideoApi) {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let api = api(&server.uri());
    (server, api)
}

fn body(status: u16, body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(body)
}

fn raw(status: u16, body: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(body, "text/html")
}

fn success(data: &Value) -> ResponseTemplate {
    body(200, &json!({ "code": 200, "msg": "success", "data": data }))
}

fn refused(code: i64, msg: &str) -> ResponseTemplate {
    body(200, &json!({ "code": code, "msg": msg, "data": null }))
}

fn photo() -> Photo {
    Photo { bytes: Bytes::from_static(b"\xff\xd8\xff jpeg \xff\xd9"), format: PhotoFormat::Jpeg }
}

async fn create(api: &KieVideoApi) -> Reply<TaskId> {
    let model = sora();
    let request = VideoRequest {
        model: &model,
        prompt: "Slow orbit",
        photo_url: "https://h/p.jpg",
        callback_url: None,
    };
    api.create(&key(), request).await
}

async fn upload(api: &KieVideoApi) -> Reply<String> {
    api.upload(&key(), AttemptId::new(0x7f3c), &photo()).await
}

fn reason_of<T: std::fmt::Debug>(reply: &Reply<T>) -> Reason {
    refusal_of(reply).failure.reason
}

fn refusal_of<T: std::fmt::Debug>(reply: &Reply<T>) -> &ProviderRefusal {
    match reply {
        Reply::No(refusal) => refusal,
        other => panic!("expected a no, got {other:?}"),
    }
}

fn assert_unknown<T: std::fmt::Debug>(reply: &Reply<T>, row: &str) {
    match reply {
        Reply::Unknown(seen) => assert!(!seen.is_empty() && seen.chars().count() <= 500, "{row}: {seen}"),
        other => panic!("{row}: expected unknown, got {other:?}"),
    }
}

#[test]
fn keys_are_named_by_a_fingerprint() {
    let roster = config("https://h").roster();
    assert_eq!(roster.keys.len(), 1);
    assert_eq!(roster.keys[0].account.as_str(), "main");
    let name = roster.keys[0].key.as_str();
    assert!(name.len() == 12 && name.starts_with("kie-"), "{name}");
    let padded =
        KieKey::new(AccountId::new("b").unwrap(), &SecretString::from(format!("  {SECRET}\n"))).unwrap();
    assert_eq!(*padded.fingerprint(), key(), "white space is not part of a key");
}

#[test]
fn a_configuration_that_cannot_work_is_refused_with_its_fix() {
    let catalogue = Arc::new(Catalogue::builtin().unwrap());
    let refusal = |config: KieConfig| KieVideoApi::new(config, catalogue.clone()).unwrap_err().to_string();
    let good = config("https://h");
    assert!(refusal(KieConfig { keys: vec![], ..good.clone() }).contains("kie.ai/api-key"));
    let twice = KieConfig { keys: vec![kie_key(), kie_key()], ..good.clone() };
    assert!(refusal(twice).contains("configured twice: remove one"));
    let ftp = Url::parse("ftp://h/").unwrap();
    assert!(refusal(KieConfig { upload_base: ftp, ..good.clone() }).contains("the KIE file host"));
    let mut socks = good;
    socks.http.proxy = Some(Url::parse("socks5://h:1").unwrap());
    assert!(refusal(socks).contains("not an http:// or https:// one"));
    for text in ["", "  ", "two words", "ключ"] {
        let error = KieKey::new(AccountId::new("main").unwrap(), &SecretString::from(text)).unwrap_err();
        assert!(error.to_string().contains("account `main`"), "{error}");
    }
}

#[tokio::test]
async fn no_debug_or_error_text_shows_the_key() {
    let mut config = config("https://h");
    config.http.proxy = Some(Url::parse("http://user:proxy-secret@proxy:1").unwrap());
    let api = KieVideoApi::new(config.clone(), Arc::new(Catalogue::builtin().unwrap())).unwrap();
    let shown = format!("{config:?} {api:?} {:?} {:?}", kie_key(), config.roster());
    assert!(!shown.contains(SECRET) && !shown.contains("proxy-secret"), "{shown}");

    let quoting = format!("Invalid API key: {SECRET}");
    for answer in [refused(401, &quoting), raw(403, &quoting), raw(200, &quoting), raw(502, &quoting)] {
        let (_server, api) = answering(answer).await;
        let shown = format!(
            "{:?} {:?} {:?} {:?} {:?}",
            create(&api).await,
            upload(&api).await,
            api.status(&key(), &sora(), &task()).await,
            api.fresh_link(&key(), "https://h/r.mp4").await,
            api.balance(&key()).await,
        );
        assert!(!shown.contains(SECRET) && shown.contains("Invalid API key: [key]"), "{shown}");
    }
}
