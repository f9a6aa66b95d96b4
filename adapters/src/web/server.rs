//! Connections.

use std::{convert::Infallible, sync::Arc, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
};

use super::WebPages;

/// Connections served at once; further ones wait in the system's queue.
const CONNECTIONS_MAX: usize = 64;
/// The longest wait for a request's head.
const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// The longest connection, from the first byte to the last. KIE waits 15 s for an answer.
const CONNECTION_MAX: Duration = Duration::from_secs(15);
/// The largest head, in bytes, and its most headers.
const HEAD_BYTES_MAX: usize = 16 << 10;
const HEADERS_MAX: usize = 64;

/// Answers requests until `stop` returns, then lets those that are under way finish.
///
/// Dropping the future cuts off every connection.
pub async fn serve(pages: Arc<WebPages>, listener: TcpListener, stop: impl Future<Output = ()> + Send) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let next = async {
            let place = Arc::clone(&room).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            biased;
            () = &mut stop => break,
            next = next => next,
        };
        // What has ended is forgotten, or the set would grow for ever.
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, _)) => {
                let pages = Arc::clone(&pages);
                connections.spawn(async move {
                    let _place = place;
                    connection(&pages, stream).await;
                });
            }
            Err(error) => {
                // Out of file descriptors, most likely: it passes, and asking again at once would only spin.
                tracing::warn!(%error, "no connection can be accepted, trying again");
                let clock = pages.clock();
                clock.sleep_until(clock.now().after(Duration::from_secs(1))).await;
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn connection(pages: &WebPages, stream: TcpStream) {
    let clock = pages.clock();
    let service = service_fn(async |request| Ok::<_, Infallible>(pages.answer(request).await));
    let served = http1::Builder::new()
        .keep_alive(false)
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        biased;
        ended = served => {
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended early");
            }
        }
        () = clock.sleep_until(clock.now().after(CONNECTION_MAX)) => {
            tracing::debug!("a connection took too long");
        }
    }
}
