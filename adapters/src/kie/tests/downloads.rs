//! Results on their way into a file.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use wiremock::matchers::path;

use super::*;

fn mp4() -> Vec<u8> {
    playing(4_000)
}

/// A video of so many milliseconds, and of 5 kB.
fn playing(milliseconds: u32) -> Vec<u8> {
    let mut bytes = b"\0\0\0\x18ftypmp42\0\0\0\0isommp42".to_vec();
    bytes.extend(b"\0\0\0\x74moov\0\0\0\x6cmvhd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x03\xe8");
    bytes.extend(milliseconds.to_be_bytes());
    bytes.extend([0; 80]);
    bytes.extend(b"\0\0\x13\x88mdat");
    bytes.extend(std::iter::repeat_n(7, 4_992));
    bytes
}

/// Downloads from a server that gives `answer`; returns the reply and what is in the folder afterwards.
async fn download(answer: ResponseTemplate, bytes_max: u64) -> (Reply<u64>, Vec<(String, Vec<u8>)>) {
    let (server, api) = answering(answer).await;
    fetch(&api, &format!("{}/f/r.mp4?sig=1", server.uri()), bytes_max).await
}

async fn fetch(api: &KieVideoApi, url: &str, bytes_max: u64) -> (Reply<u64>, Vec<(String, Vec<u8>)>) {
    let folder = tempfile::tempdir().unwrap();
    let reply = api.download(url, &folder.path().join("video.mp4"), bytes_max).await;
    let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
    });
    (reply, files.collect())
}

fn bytes(status: u16, bytes: Vec<u8>) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(bytes, "video/mp4")
}

#[tokio::test]
async fn a_video_arrives_whole_and_without_our_key() {
    let (server, api) = answering(bytes(200, mp4())).await;
    let (reply, files) = fetch(&api, &format!("{}/r.mp4", server.uri()), 10_000).await;
    assert_eq!(reply, Reply::Yes(mp4().len() as u64));
    assert_eq!(files, [("video.mp4".to_owned(), mp4())]);
    assert!(!server.received_requests().await.unwrap()[0].headers.contains_key("authorization"));
}

#[tokio::test]
async fn a_folder_is_made_for_a_download_and_one_that_cannot_be_made_is_said() {
    let (server, api) = answering(bytes(200, mp4())).await;
    let (url, folder) = (format!("{}/r.mp4", server.uri()), tempfile::tempdir().unwrap());
    let deep = folder.path().join("var/work/video.mp4");
    assert_eq!(api.download(&url, &deep, 10_000).await, Reply::Yes(mp4().len() as u64));
    assert_eq!(std::fs::read(deep).unwrap(), mp4());
    std::fs::write(folder.path().join("file"), b"in the way").unwrap();
    assert_unknown(&api.download(&url, &folder.path().join("file/video.mp4"), 10_000).await, "cannot write");
}

#[tokio::test]
async fn a_download_follows_a_redirect_but_no_chain_of_them() {
    let server = MockServer::start().await;
    let to = |place: &str| {
        ResponseTemplate::new(302).insert_header("location", format!("{}{place}", server.uri()))
    };
    Mock::given(path("/once")).respond_with(to("/r.mp4")).mount(&server).await;
    Mock::given(path("/round")).respond_with(to("/round")).mount(&server).await;
    Mock::given(path("/r.mp4")).respond_with(bytes(200, mp4())).mount(&server).await;
    let api = api(&server.uri());
    assert_eq!(
        fetch(&api, &format!("{}/once", server.uri()), 10_000).await.0,
        Reply::Yes(mp4().len() as u64)
    );
    assert_unknown(&fetch(&api, &format!("{}/round", server.uri()), 10_000).await.0, "round");
}

#[tokio::test]
async fn what_is_not_a_video_is_refused_and_leaves_no_file() {
    for (row, answer, reason) in [
        ("expired", raw(403, "<Error>Request has expired</Error>"), Reason::ProviderFault),
        ("gone", raw(410, ""), Reason::ProviderFault),
        ("missing", raw(404, "not found"), Reason::ProviderFault),
        ("busy", raw(429, ""), Reason::RateLimit),
        ("broken", raw(500, ""), Reason::ProviderFault),
        ("HTML", raw(200, "<html><body>Just a moment...</body></html>"), Reason::ProviderFault),
        ("empty", bytes(200, vec![]), Reason::ProviderFault),
        ("three bytes", bytes(200, vec![0, 0, 0]), Reason::ProviderFault),
        ("a head alone", bytes(200, mp4()[..24].to_vec()), Reason::ProviderFault),
        ("no header", bytes(200, [&mp4()[..24], &mp4()[140..]].concat()), Reason::ProviderFault),
        ("no time", bytes(200, playing(0)), Reason::ProviderFault),
        ("an end cut off unnoticed", bytes(200, mp4()[..3_000].to_vec()), Reason::ProviderFault),
        ("too large", bytes(200, [mp4(), mp4()].concat()), Reason::Unrecognised),
    ] {
        let (reply, files) = download(answer, 6_000).await;
        assert_eq!(reason_of(&reply), reason, "{row}");
        assert!(refusal_of(&reply).evidence.starts_with("download: "), "{row}: {reply:?}");
        assert!(files.is_empty(), "{row}: {files:?}");
    }
}

#[tokio::test]
async fn a_limit_holds_without_a_length_too() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/r.mp4", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4_096]).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").await.unwrap();
        while stream.write_all(&mp4()).await.is_ok() {}
    });
    let (reply, files) = fetch(&api(&url), &url, 100_000).await;
    assert_eq!(reason_of(&reply), Reason::Unrecognised);
    assert!(files.is_empty());
    server.await.unwrap();
}

#[tokio::test]
async fn a_video_cut_off_on_its_way_is_unknown_and_leaves_no_file() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/r.mp4", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4_096]).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n").await.unwrap();
        stream.write_all(&mp4()).await.unwrap();
    });
    let (reply, files) = fetch(&api(&url), &url, 100_000).await;
    assert_unknown(&reply, "cut off");
    assert!(files.is_empty());
    server.await.unwrap();
}

#[tokio::test]
async fn a_stalled_download_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/r.mp4", listener.local_addr().unwrap());
    let (reply, _) = fetch(&api(&url), &url, 100_000).await;
    assert_unknown(&reply, "stalled");
}

#[tokio::test]
async fn only_web_addresses_are_downloaded_from() {
    let api = api("https://h");
    for url in ["file:///etc/passwd", "ftp://h/r.mp4", "data:video/mp4,x", "", "r.mp4"] {
        assert_eq!(reason_of(&fetch(&api, url, 10).await.0), Reason::ProviderFault, "{url}");
    }
}
