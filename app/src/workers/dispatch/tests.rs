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
    /// What follows from it is due after 7 s.
    Followed,
    /// Takes a few turns.
    Slow,
    /// Ends after the loop was asked to stop, and what follows from it is due at once.
    Last,
}

/// A script instead of a store.
#[derive(Default)]
struct Script<const HOLDS_BACK: bool = false> {
    due: Mutex<Vec<Piece>>,
    clock: Option<Arc<EagerClock>>,
    stop: Stop,
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
    told_others: u32,
    claimed_at_s: Vec<u64>,
}

#[async_trait]
impl<const HOLDS_BACK: bool> Work for Script<HOLDS_BACK> {
    type Item = (usize, Piece);
    type Lease = usize;

    const NAME: &'static str = "script";
    const TOPIC: Topic = Topic::Jobs;
    const HOLDS_BACK: bool = HOLDS_BACK;

    fn lease(item: &Self::Item) -> usize {
        item.0
    }

    async fn claim(&self, limit: u32, now: Timestamp) -> Result<Claimed<Self::Item>, PortError> {
        let mut failing = self.claims_failing.lock().unwrap();
        if *failing > 0 {
            *failing -= 1;
            return Err(PortError::new(ErrorKind::Transient, "no connection"));
        }
        {
            let mut seen = self.seen.lock().unwrap();
            seen.limits.push(limit);
            seen.claimed_at_s.push(now.since(fixtures::START).as_secs());
        }
        let mut due = self.due.lock().unwrap();
        let count = due.len().min(limit as usize);
        let left = due.len();
        let items = due.drain(..count).enumerate().map(|(n, piece)| (left * 100 + n, piece)).collect();
        Ok(Claimed { items, next_due_at: None })
    }

    async fn step(&self, (_, piece): Self::Item) -> Option<Timestamp> {
        let clock = self.clock.as_ref().unwrap();
        let now = clock.now();
        match piece {
            Piece::Short => {}
            Piece::Panics => panic!("a bug"),
            Piece::Endless => std::future::pending().await,
            Piece::Followed => {
                self.seen.lock().unwrap().done += 1;
                return Some(now.after(Duration::from_secs(7)));
            }
            Piece::Slow => {
                for _ in 0..10 {
                    tokio::task::yield_now().await;
                }
            }
            Piece::Last => {
                self.stop.asked().await;
                return Some(clock.now());
            }
        }
        self.seen.lock().unwrap().done += 1;
        None
    }

    async fn extend(&self, leases: &[usize], _now: Timestamp) -> Result<Vec<usize>, PortError> {
        self.seen.lock().unwrap().extended += 1;
        Ok(if self.lost { leases.to_vec() } else { Vec::new() })
    }

    async fn give_back(&self, leases: &[usize], _now: Timestamp) -> Result<(), PortError> {
        let mut seen = self.seen.lock().unwrap();
        seen.given_back += leases.len();
        seen.told_others += 1;
        Ok(())
    }
}

/// Runs the loop for `virtual_s` seconds without a hint, then stops it; returns what the script saw.
async fn seen_after(script: Script, slots: u32, virtual_s: u64) -> Seen {
    seen_with(script, slots, virtual_s, Arc::new(Silence)).await
}

async fn seen_with<const HOLDS_BACK: bool>(
    mut script: Script<HOLDS_BACK>,
    slots: u32,
    virtual_s: u64,
    signal: Arc<dyn WorkSignal>,
) -> Seen {
    let clock = Arc::new(EagerClock::new());
    let ports = Ports { clock: clock.clone(), signal, ..Mocks::default().into_ports() };
    script.clock = Some(clock.clone());
    let seen = Arc::clone(&script.seen);
    let stop = script.stop.clone();
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

/// One hint, when the loop first waits for one.
struct Once(Mutex<bool>);

#[async_trait]
impl WorkSignal for Once {
    async fn notified(&self, _topic: Topic) {
        if std::mem::replace(&mut *self.0.lock().unwrap(), true) {
            std::future::pending::<()>().await;
        }
    }
}

#[tokio::test]
async fn a_step_nothing_follows_from_is_no_reason_to_claim() {
    let due = Mutex::new(vec![Piece::Short, Piece::Short]);
    let seen = seen_after(Script { due, ..Script::default() }, 5, 100).await;
    assert_eq!(seen.done, 2);
    assert_eq!(seen.claimed_at_s[..3], [0, 30, 60], "the safety poll alone");
    assert_eq!(seen.told_others, 0);
}

#[tokio::test]
async fn what_follows_from_a_step_is_claimed_when_it_is_due() {
    let due = Mutex::new(vec![Piece::Followed]);
    let seen = seen_after(Script { due, ..Script::default() }, 5, 100).await;
    assert_eq!(seen.claimed_at_s[..3], [0, 7, 37]);
}

#[tokio::test]
async fn a_full_claim_is_repeated_as_soon_as_a_slot_is_free() {
    let due = Mutex::new(vec![Piece::Slow, Piece::Slow, Piece::Slow]);
    let seen = seen_after(Script { due, ..Script::default() }, 1, 50).await;
    assert_eq!(seen.done, 3);
    assert_eq!(seen.claimed_at_s[..5], [0, 0, 0, 0, 30]);
}

#[tokio::test]
async fn what_a_claim_passed_over_because_it_was_held_back_is_claimed_when_that_ends() {
    let work = || Mutex::new(vec![Piece::Slow]);
    let (hint, again) = (Arc::new(Once(Mutex::new(false))), Arc::new(Once(Mutex::new(false))));
    let held = seen_with(Script::<true> { due: work(), ..Script::default() }, 5, 50, hint).await;
    assert_eq!(held.claimed_at_s[..4], [0, 0, 0, 30], "at once, at the hint, at the end");
    let free = seen_with(Script::<false> { due: work(), ..Script::default() }, 5, 50, again).await;
    assert_eq!(free.claimed_at_s[..3], [0, 0, 30], "nothing is held back");
}

#[tokio::test]
async fn a_loop_that_stops_tells_others_of_what_may_be_due() {
    let due = Mutex::new(vec![Piece::Endless, Piece::Short]);
    let seen = seen_after(Script { due, ..Script::default() }, 2, 20).await;
    assert_eq!((seen.given_back, seen.told_others), (1, 1));
    let due = Mutex::new(vec![Piece::Last]);
    let seen = seen_after(Script { due, ..Script::default() }, 5, 20).await;
    assert_eq!((seen.given_back, seen.told_others), (0, 1), "nobody else knows of the next step");
}
