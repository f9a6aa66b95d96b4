use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use super::*;

fn quick() -> HttpOptions {
    HttpOptions {
        connect_timeout: Duration::from_millis(500),
        read_timeout: Duration::from_millis(200),
        ..HttpOptions::default()
    }
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

#[test]
fn paths_are_joined_whatever_slashes_meet() {
    for (base, path, joined) in [
        ("https://h", "/a/b", "https://h/a/b"),
        ("https://h/", "a/b", "https://h/a/b"),
        ("https://h/gpt-5-2/v1", "chat/completions", "https://h/gpt-5-2/v1/chat/completions"),
        ("https://h:8443/x/", "/a", "https://h:8443/x/a"),
    ] {
        assert_eq!(join(&url(base), path).as_str(), joined);
    }
}

#[test]
fn only_web_addresses_are_bases() {
    assert!(check_base(&url("http://127.0.0.1:9/x"), "it").is_ok());
    for base in ["ftp://h/", "file:///etc", "https://h/?a=1", "https://h/#a", "mailto:a@b"] {
        let error = check_base(&url(base), "the KIE API").unwrap_err().to_string();
        assert!(error.contains("the KIE API") && error.contains("http://"), "{error}");
    }
}

#[test]
fn a_proxy_is_http_or_https() {
    for proxy in ["http://u:secret@proxy:3128", "https://proxy"] {
        assert!(client(&HttpOptions { proxy: Some(url(proxy)), ..quick() }).is_ok(), "{proxy}");
    }
    let error =
        client(&HttpOptions { proxy: Some(url("socks5://u:secret@proxy:1080")), ..quick() }).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the proxy `socks5://proxy:1080` is not an http:// or https:// one: give such a proxy, or none"
    );
}

#[test]
fn options_do_not_show_the_proxys_password() {
    let options = HttpOptions { proxy: Some(url("http://user:secret@proxy:3128")), ..quick() };
    let shown = format!("{options:?}");
    assert!(shown.contains("proxy:3128") && !shown.contains("secret"), "{shown}");
}

#[tokio::test]
async fn requests_carry_our_name_and_go_through_the_proxy() {
    let proxy = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(204)).mount(&proxy).await;
    let options = HttpOptions { proxy: Some(url(&proxy.uri())), ..quick() };
    let request = client(&options).unwrap().get("http://service.invalid/path");
    assert_eq!(exchange(request, 10).await.unwrap().status, 204);
    let seen = proxy.received_requests().await.unwrap();
    let name = seen[0].headers.get("user-agent").unwrap().to_str().unwrap();
    assert!(name.starts_with("Kadr/"), "{name}");
}

#[tokio::test]
async fn a_closed_port_means_the_request_never_left() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let request = client(&quick()).unwrap().get(format!("http://{address}"));
    assert!(matches!(exchange(request, 10).await, Err(ExchangeError::NeverLeft(_))));
}

#[tokio::test]
async fn silence_is_a_time_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let request = client(&quick()).unwrap().get(format!("http://{}", listener.local_addr().unwrap()));
    assert!(matches!(exchange(request, 10).await, Err(ExchangeError::TimedOut(_))));
}

#[tokio::test]
async fn a_body_that_ends_early_is_cut_off() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let request = client(&quick()).unwrap().get(format!("http://{}", listener.local_addr().unwrap()));
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 1024]).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").await.unwrap();
    });
    assert!(matches!(exchange(request, 1_000).await, Err(ExchangeError::CutOff(_))));
    served.await.unwrap();
}

/// 64 kB of zeros, packed by gzip to 96 bytes.
const GZIPPED_ZEROS: &str = "H4sIAAAAAAAC/+3BAQEAAACAkP6v7ggKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAauuOl9cAAAEA";

#[tokio::test]
async fn a_limit_counts_unpacked_bytes() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let server = MockServer::start().await;
    let packed = ResponseTemplate::new(200)
        .insert_header("content-encoding", "gzip")
        .set_body_bytes(STANDARD.decode(GZIPPED_ZEROS).unwrap());
    Mock::given(any()).respond_with(packed).mount(&server).await;
    let client = client(&quick()).unwrap();
    let result = exchange(client.get(server.uri()), 1_000).await;
    assert_eq!(result, Err(ExchangeError::TooLarge { bytes_max: 1_000 }));
    let whole = exchange(client.get(server.uri()), 100_000).await.unwrap();
    assert!(whole.body.len() > 10_000 && whole.body.iter().all(|byte| *byte == 0));
}

#[tokio::test]
async fn redirects_are_followed_only_as_far_as_allowed() {
    let server = MockServer::start().await;
    let back = ResponseTemplate::new(302).insert_header("location", server.uri());
    Mock::given(any()).respond_with(back).mount(&server).await;
    let stay = client(&HttpOptions { redirects_max: 0, ..quick() }).unwrap();
    assert_eq!(exchange(stay.get(server.uri()), 10).await.unwrap().status, 302);
    let follow = client(&HttpOptions { redirects_max: 3, ..quick() }).unwrap();
    assert!(exchange(follow.get(server.uri()), 10).await.is_err());
}
