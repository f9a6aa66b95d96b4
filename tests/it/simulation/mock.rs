//! `kadr-sim mock` and `kadr-sim flood` as processes.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use adapters::{
    http::{self, HttpOptions},
    kie::{CallbackVerifier, SIGNATURE_HEADER, Seal, TIMESTAMP_HEADER},
    system::SystemClock,
};
use ports::Clock;
use serde_json::{Value, json};

const KEY: &str = "a-key-of-the-mock";
const WEBHOOK_KEY: &str = "a-webhook-key";

fn kadr_sim(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kadr-sim-under-test"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// A running mock; killed when dropped.
struct Mock(Child);

impl Drop for Mock {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Takes one request, answers it, and returns its headers and body.
fn take_one(listener: &TcpListener, status: &str) -> (Vec<(String, String)>, Vec<u8>) {
    let (stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").unwrap().1.parse().unwrap();
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    reader.get_mut().write_all(answer.as_bytes()).unwrap();
    (headers, body)
}

#[test]
fn the_mock_calls_back_as_its_options_say() {
    let house = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/kie/callback/7", house.local_addr().unwrap());
    let mut mock = kadr_sim(&["mock", "--kie-port", "0", "--upload-port", "0", "--llm-port", "0"]);
    mock.args(["--key", KEY, "--webhook-key", WEBHOOK_KEY, "--render-seconds", "0"]).stdout(Stdio::piped());
    let mut mock = Mock(mock.spawn().unwrap());
    let mut lines = BufReader::new(mock.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let said = lines.find(|line| line.contains("KADR_KIE__API_BASE=")).unwrap();
    let api = said.split_once('=').unwrap().1.to_owned();

    let body = json!({ "model": "sora-2-image-to-video", "callBackUrl": url,
        "input": { "prompt": "The mug turns.", "image_urls": ["https://h/mug.jpg"] } });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let created: Value = runtime.block_on(async {
        let client = http::client(&HttpOptions::default()).unwrap();
        let request = client.post(format!("{api}/api/v1/jobs/createTask")).bearer_auth(KEY).json(&body);
        request.send().await.unwrap().json().await.unwrap()
    });
    let (headers, body) = take_one(&house, "200 OK");
    let header =
        |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let seal =
        Seal::read(header(TIMESTAMP_HEADER), header(SIGNATURE_HEADER), SystemClock::new().now()).unwrap();
    let task = CallbackVerifier::new(vec![WEBHOOK_KEY.into()]).verify(&seal, &body).unwrap();
    assert_eq!(created["data"]["taskId"], task.as_str());
    let told = lines.find(|line| line.contains("callback of")).unwrap();
    assert!(told.contains(task.as_str()) && told.ends_with("200") && !told.contains(WEBHOOK_KEY), "{told}");
}

#[test]
fn garbage_at_the_door_changes_nothing_about_the_orders_and_fills_no_log() {
    let flood = kadr_sim(&["flood", "--orders", "4", "--seconds", "1", "--rate", "170", "--json"])
        .env("RUST_LOG", "warn")
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&flood.stderr).into_owned();
    assert_eq!(flood.status.code(), Some(0), "{log}\n{}", String::from_utf8_lossy(&flood.stdout));
    let report: Value = serde_json::from_slice(&flood.stdout).unwrap();
    println!("{report:#}");
    let done = json!({ "done": 4 });
    assert_eq!((&report["quiet"]["ends"], &report["flooded"]["ends"]), (&done, &done));
    assert_eq!((&report["store_calls"], &report["findings"]), (&json!(0), &json!(0)));
    let sent = report["garbage"]["sent"].as_u64().unwrap();
    assert!(sent > 100, "there was a flood: {report:#}");
    let statuses = report["garbage"]["statuses"].as_object().unwrap();
    assert!(
        statuses.contains_key("401") && statuses.contains_key("429"),
        "it was looked into, and then not: {report:#}"
    );
    // One line a minute stands for all of it.
    let about_it = log.lines().filter(|line| line.contains("callback")).count();
    assert!((1..=2).contains(&about_it), "{about_it} lines for {sent} requests:\n{log}");
}
