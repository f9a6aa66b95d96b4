//! What strangers send to an address for callbacks.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, thread::JoinHandle, time::Duration};

use adapters::{
    kie::{SIGNATURE_HEADER, TIMESTAMP_HEADER, signature},
    system::SystemClock,
};
use domain::{
    id::{AttemptId, TaskId},
    time::Timestamp,
};
use ports::{CALLBACK_PATH, Clock};
use secrecy::SecretString;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Semaphore, oneshot},
    task::JoinSet,
};

use crate::time::bits_of;

/// Requests under way at once; further ones are left out.
const UNDER_WAY_MAX: usize = 256;
/// How long a stranger waits for an answer.
const WAITS: Duration = Duration::from_secs(3);
/// A signature this old is stale.
const STALE_S: i64 = 400;

/// One genuine callback, as somebody on the way may have recorded it.
#[derive(Debug, Clone)]
pub(super) struct Genuine {
    pub(super) house: SocketAddr,
    pub(super) key: SecretString,
    pub(super) attempt: AttemptId,
    pub(super) task: TaskId,
    pub(super) signed_at: Timestamp,
}

/// What became of the garbage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Garbage {
    /// Requests sent.
    pub sent: u64,
    /// HTTP statuses they were answered with.
    pub statuses: BTreeMap<u16, u64>,
    /// Cut off without an answer.
    pub cut_off: u64,
    /// Not answered within three seconds.
    pub given_up: u64,
    /// Not sent, because too many were under way.
    pub left_out: u64,
}

#[derive(Debug, Clone, Copy)]
enum End {
    Status(u16),
    CutOff,
    GivenUp,
}

impl Garbage {
    fn count(&mut self, end: End) {
        self.sent += 1;
        match end {
            End::Status(status) => *self.statuses.entry(status).or_default() += 1,
            End::CutOff => self.cut_off += 1,
            End::GivenUp => self.given_up += 1,
        }
    }
}

/// A flood that goes on until it is stopped. It runs on a thread of its own and takes nothing of the house but its
/// processor.
#[derive(Debug)]
pub(super) struct Flood {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<std::io::Result<Garbage>>,
}

impl Flood {
    pub(super) fn start(genuine: Genuine, per_second: u32) -> Self {
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            Ok(runtime.block_on(pour(Arc::new(genuine), per_second, stopped)))
        });
        Self { stop, thread }
    }

    /// Stops it; whatever is under way is dropped.
    pub(super) fn stop(self) -> std::io::Result<Garbage> {
        // A thread that has gone already says why in its result.
        self.stop.send(()).ok();
        self.thread.join().unwrap_or_else(|_| Err(std::io::Error::other("the flood's thread panicked")))
    }
}

async fn pour(genuine: Arc<Genuine>, per_second: u32, mut stopped: oneshot::Receiver<()>) -> Garbage {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let room = Arc::new(Semaphore::new(UNDER_WAY_MAX));
    let mut garbage = Garbage::default();
    let mut under_way = JoinSet::new();
    let began = clock.now();
    for number in 0_u64.. {
        let at = began.after(Duration::from_micros(number * 1_000_000 / u64::from(per_second.max(1))));
        tokio::select! {
            biased;
            _ = &mut stopped => break,
            () = clock.sleep_until(at) => {}
        }
        while let Some(ended) = under_way.try_join_next() {
            garbage.count(ended.unwrap_or(End::CutOff));
        }
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
            garbage.left_out += 1;
            continue;
        };
        let (genuine, clock) = (Arc::clone(&genuine), Arc::clone(&clock));
        under_way.spawn(async move {
            let _place = place;
            let now = clock.now();
            let garbage = genuine.garbage(number, now);
            tokio::select! {
                biased;
                end = send(genuine.house, &garbage) => end,
                () = clock.sleep_until(now.after(WAITS)) => End::GivenUp,
            }
        });
    }
    under_way.abort_all();
    while let Some(ended) = under_way.join_next().await {
        garbage.count(ended.unwrap_or(End::GivenUp));
    }
    garbage
}

async fn send(house: SocketAddr, bytes: &[u8]) -> End {
    let Ok(mut stream) = TcpStream::connect(house).await else { return End::CutOff };
    // The other side may have said no and hung up already.
    stream.write_all(bytes).await.ok();
    let mut answer = Vec::new();
    stream.take(1_024).read_to_end(&mut answer).await.ok();
    let status = answer.strip_prefix(b"HTTP/1.1 ").and_then(|rest| rest.get(..3));
    let status = status.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
    status.map_or(End::CutOff, End::Status)
}

impl Genuine {
    /// Sends it once, as the provider would, and returns the HTTP status.
    pub(super) async fn deliver(&self) -> Option<u16> {
        match send(self.house, &self.letter()).await {
            End::Status(status) => Some(status),
            End::CutOff | End::GivenUp => None,
        }
    }

    fn letter(&self) -> Vec<u8> {
        let seconds = seconds(self.signed_at);
        post(&self.path(self.attempt), seconds, &self.signed(&self.key, seconds), &self.body())
    }

    fn path(&self, attempt: AttemptId) -> String {
        format!("{CALLBACK_PATH}{attempt}")
    }

    fn signed(&self, key: &SecretString, seconds: i64) -> String {
        signature(key, self.task.as_str(), seconds)
    }

    fn body(&self) -> Vec<u8> {
        json!({ "code": 200, "data": { "taskId": self.task.as_str(), "state": "success" } })
            .to_string()
            .into_bytes()
    }

    /// The kinds take turns, some more often than others.
    fn garbage(&self, number: u64, now: Timestamp) -> Vec<u8> {
        let now = seconds(now);
        let guess = SecretString::from("a guess");
        let path = self.path(self.attempt);
        match number % 20 {
            // Forged: everything is right but the key.
            0..=6 => post(&path, now, &self.signed(&guess, now), &self.body()),
            // Replayed: recorded on the way, and sent again about this attempt and about others.
            7..=10 => {
                let other = AttemptId::new(bits_of(number, "attempt"));
                let path = self.path(if number.is_multiple_of(2) { self.attempt } else { other });
                let seconds = seconds(self.signed_at);
                post(&path, seconds, &self.signed(&self.key, seconds), &self.body())
            }
            // Replayed long after.
            11..=12 => post(&path, now - STALE_S, &self.signed(&self.key, now - STALE_S), &self.body()),
            // Oversized.
            13..=14 => post(&path, now, &self.signed(&guess, now), &vec![b' '; 200_000]),
            // Not HTTP at all.
            15..=16 => {
                (0..16).flat_map(|part| bits_of(number ^ (part << 40), "noise").to_le_bytes()).collect()
            }
            // Unsigned, and without an attempt.
            17 => post(CALLBACK_PATH, now, "", &self.body()),
            // JSON that is deep instead of long.
            18 => post(&path, now, &self.signed(&guess, now), &[b'['; 60_000]),
            // Slow: half a head, and then nothing.
            _ => format!("POST {path} HTTP/1.1\r\nhost: h\r\n{TIMESTAMP_HEADER}: ").into_bytes(),
        }
    }
}

const fn seconds(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(1_000)
}

fn post(path: &str, seconds: i64, signature: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\n{TIMESTAMP_HEADER}: {seconds}\r\n\
         {SIGNATURE_HEADER}: {signature}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}
