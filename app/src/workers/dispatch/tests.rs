use std::sync::Mutex;

use ports::ErrorKind;

use super::*;
use crate::fixtures::{self, EagerClock, Mocks, Silence};

/// Pieces of work that do what they are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Short,
    Panics,
    Endless,
}

/// A script instead of a store.
#[derive(Default)]
struct Script {
    due: Mutex<Vec<Piece>>,
    claims_failing: Mutex<u32>,
    lost: bool,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default, Clone, PartialEq)]
struct Seen {
    limits: Vec<u32>,
    done: u32,
    extended: u32,
    given_back: usize,
}

#[async_trait]
impl Work for Script {
    type Item = (usize, Piece);
    type Lease = usize;

    const NAME: &'static str = "script";
    const TOPIC: Topic = Topic::Jobs;

    fn lease(item: &Self::Item) -> usize {
        item.0
    }

    async fn claim(&self, limit: u32, _now: Timestamp) -> Result<Claimed<Self::Item>, PortError> {
        let mut failing = self.claims_failing.lock().unwrap();
        if *failing > 0 {
            *failing -= 1;
            return Err(PortError::new(ErrorKind::Transient, "no connection"));
        }
        self.seen.lock().unwrap().limits.push(limit);
        let mut due = self.due.lock().unwrap();
        let count = due.len().min(limit as usize);
        let left = due.len();
        let items = due.drain(..count).enumerate().map(|(n, piece)| (left * 100 + n, piece)).collect();
        Ok(Claimed { items, next_due_at: None })
    }

    async fn step(&self, (_, piece): Self::Item) {
        match piece {
            Piece::Short => self.seen.lock().unwrap().done += 1,
            Piece::Panics => panic!("a bug"),
            Piece::Endless => std::future::pending().await,
        }
    }

    async fn extend(&self, leases: &[usize], _now: Timestamp) -> Result<Vec<usize>, PortError> {
        self.seen.lock().unwrap().extended += 1;
        Ok(if self.lost { leases.to_vec() } else { Vec::new() })
    }

    async fn give_back(&self, leases: &[usize], _now: Timestamp) -> Result<(), PortError> {
        self.seen.lock().unwrap().given_back += leases.len();
        Ok(())
    }
}

/// Runs the loop for `virtual_s` seconds, then stops it; returns what the script saw.
async fn seen_after(script: Script, slots: u32, virtual_s: u64) -> Seen {
    let ports = Ports { signal: Arc::new(Silence), ..Mocks::default().into_ports() };
    let clock = Arc::new(EagerClock::new());
    let ports = Ports { clock: clock.clone(), ..ports };
    let seen = Arc::clone(&script.seen);
    let stop = Stop::new();
    let loop_ = Dispatcher::new(script, &ports, slots, &fixtures::policy());
    let until = fixtures::START.after(Duration::from_secs(virtual_s));
    let watch = async {
        // The loop itself moves the clock; this only watches it.
        while clock.now() < until {
            tokio::task::yield_now().await;
        }
        stop.ask();
    };
    tokio::join!(loop_.run(&stop), watch);
    std::mem::take(&mut *seen.lock().unwrap())
}

#[tokio::test]
async fn a_panic_in_a_step_does_not_end_the_loop() {
    let due = Mutex::new(vec![Piece::Panics, Piece::Short, Piece::Panics, Piece::Short]);
    let seen = seen_after(Script { due, ..Script::default() }, 1, 100).await;
    assert_eq!((seen.done, seen.given_back), (2, 0));
}

#[tokio::test]
async fn no_more_is_claimed_than_slots_are_free() {
    let due = Mutex::new(vec![Piece::Endless, Piece::Endless, Piece::Short, Piece::Short, Piece::Short]);
    let seen = seen_after(Script { due, ..Script::default() }, 3, 100).await;
    assert_eq!(seen.done, 3);
    assert_eq!(seen.limits[0], 3);
    assert!(seen.limits[1..].iter().all(|limit| *limit == 1), "{:?}", seen.limits);
}

#[tokio::test]
async fn what_runs_is_confirmed_four_times_in_a_leases_length() {
    let due = Mutex::new(vec![Piece::Endless]);
    let seen = seen_after(Script { due, ..Script::default() }, 1, 80).await;
    // 80 s at a lease of 40 s, and the grace period of 100 s afterwards.
    assert!((16..=19).contains(&seen.extended), "{seen:?}");
    assert_eq!(seen.given_back, 1);
}

#[tokio::test]
async fn a_step_whose_lease_is_lost_is_aborted_and_not_given_back() {
    let due = Mutex::new(vec![Piece::Endless]);
    let seen = seen_after(Script { due, lost: true, ..Script::default() }, 1, 100).await;
    assert_eq!((seen.extended, seen.given_back), (1, 0));
}

#[tokio::test]
async fn a_store_that_is_away_is_waited_for() {
    let due = Mutex::new(vec![Piece::Short]);
    let script = Script { due, claims_failing: Mutex::new(6), ..Script::default() };
    assert_eq!(seen_after(script, 1, 100).await.done, 1);
}

#[tokio::test]
async fn an_idle_loop_asks_seldom() {
    let seen = seen_after(Script::default(), 5, 300).await;
    assert!((10..=12).contains(&seen.limits.len()), "{seen:?}");
}
