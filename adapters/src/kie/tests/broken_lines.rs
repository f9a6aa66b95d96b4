//! Connections that are refused, silent, or end in the middle of a word.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};

use super::*;

/// A server that reads each request and then says `words` before it hangs up; or keeps silent, given none.
async fn saying(words: Option<&'static [u8]>) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let mut silent = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 65_536]).await;
            match words {
                Some(words) => drop(stream.write_all(words).await),
                None => silent.push(stream),
            }
        }
    });
    (base, server)
}

async fn assert_all_unknown(base: &str, row: &str) {
    let api = api(base);
    assert_unknown(&create(&api).await, row);
    assert_unknown(&upload(&api).await, row);
    assert_unknown(&api.status(&key(), &sora(), &task()).await, row);
    assert_unknown(&api.fresh_link(&key(), "https://h/r.mp4").await, row);
    assert_unknown(&api.balance(&key()).await, row);
}

#[tokio::test]
async fn a_closed_port_has_seen_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let api = api(&base);
    assert_eq!(reason_of(&create(&api).await), Reason::ProviderFault);
    assert_eq!(reason_of(&upload(&api).await), Reason::ProviderFault);
    assert_eq!(reason_of(&api.status(&key(), &sora(), &task()).await), Reason::ProviderFault);
}

#[tokio::test]
async fn silence_leaves_the_outcome_unknown() {
    let (base, server) = saying(None).await;
    assert_all_unknown(&base, "silence").await;
    server.abort();
}

#[tokio::test]
async fn a_line_that_drops_before_the_answer_leaves_the_outcome_unknown() {
    let (base, server) = saying(Some(b"")).await;
    assert_all_unknown(&base, "hung up").await;
    server.abort();
}

#[tokio::test]
async fn an_answer_cut_off_in_the_body_leaves_the_outcome_unknown() {
    let (base, server) = saying(Some(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{\"code\":200,\"msg\":\"suc",
    ))
    .await;
    assert_all_unknown(&base, "cut off").await;
    server.abort();
}

#[tokio::test]
async fn something_that_is_not_http_leaves_the_outcome_unknown() {
    let (base, server) = saying(Some(b"220 mail.example ESMTP ready\r\n")).await;
    assert_all_unknown(&base, "not HTTP").await;
    server.abort();
}

#[tokio::test]
async fn an_endless_answer_is_not_read_to_its_end() {
    let (_server, api) = answering(raw(200, &" ".repeat(1_100_000))).await;
    assert_unknown(&create(&api).await, "too large");
}
