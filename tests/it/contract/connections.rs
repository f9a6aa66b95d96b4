//! What becomes of a connection after a statement or a transaction.

use std::collections::BTreeSet;

use adapters::postgres::PgStores;
use domain::{ledger::Entry, money::Credits, order::Quantity};
use futures_util::{FutureExt, future::join_all};
use ports::{ErrorKind, LedgerStore, OrderStore, PhotoStore, Placed, Topic, WorkSignal};
use secrecy::{ExposeSecret, SecretString};
use sqlx::{Connection, PgConnection};

use crate::{
    make::{USER, WORKER, at, photo, placement},
    stores::{Stores, fresh_database, of_postgres},
};

/// A connection beside the stores, to look at theirs and to get in their way.
struct Beside(PgConnection);

impl Beside {
    async fn of(database: &SecretString) -> Self {
        Self(PgConnection::connect(database.expose_secret()).await.unwrap())
    }

    async fn say(&mut self, statement: &'static str) {
        sqlx::raw_sql(statement).execute(&mut self.0).await.unwrap();
    }

    async fn ask(&mut self, question: &'static str) -> i64 {
        sqlx::query_scalar(question).fetch_one(&mut self.0).await.unwrap()
    }

    /// The server processes of the other connections, and not that of a vacuum.
    async fn others(&mut self) -> BTreeSet<i32> {
        let pids: Vec<i32> = sqlx::query_scalar(
            "SELECT pid FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
        )
        .fetch_all(&mut self.0)
        .await
        .unwrap();
        pids.into_iter().collect()
    }

    /// Waits until that many others wait for a lock.
    async fn until_waiting(&mut self, count: i64) {
        let waiting = "SELECT count(*) FROM pg_stat_activity
                       WHERE datname = current_database() AND wait_event_type = 'Lock'
                         AND backend_type = 'client backend'";
        // In a transaction the server would show the same picture again and again.
        while {
            self.say("SELECT pg_stat_clear_snapshot()").await;
            self.ask(waiting).await != count
        } {
            tokio::task::yield_now().await;
        }
    }

    /// Ends the other connections.
    async fn end_others(&mut self) -> i64 {
        self.ask(
            "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
        )
        .await
    }
}

async fn stores_with(connections: u32) -> (PgStores, Stores, Beside) {
    let url = fresh_database().await;
    let stores = PgStores::connect(&url, connections).await.unwrap();
    (stores.clone(), of_postgres(&stores), Beside::of(&url).await)
}

fn grant(reference: impl std::fmt::Display) -> Entry {
    Entry::grant(USER, Credits::of(1), &reference.to_string(), at(0))
}

async fn available(stores: &PgStores) -> i64 {
    stores.balance(USER).await.unwrap().available.value()
}

/// Brings all `connections` into use at once, and leaves them idle.
async fn use_all(stores: &PgStores, beside: &mut Beside, connections: u32) {
    stores.post(&grant("before")).await.unwrap();
    beside.say("BEGIN; UPDATE users SET credits = credits").await;
    let posts: Vec<_> = (0..connections)
        .map(|n| {
            let stores = stores.clone();
            tokio::spawn(async move { stores.post(&grant(n)).await.unwrap() })
        })
        .collect();
    beside.until_waiting(connections.into()).await;
    beside.say("COMMIT").await;
    join_all(posts).await.into_iter().for_each(|post| assert!(post.is_ok()));
    assert_eq!(beside.others().await.len(), connections as usize);
}

#[tokio::test]
async fn a_connection_is_left_to_the_next_statement() {
    let (stores, ports, mut beside) = stores_with(4).await;
    ports.order(1, Quantity::One, at(0)).await;
    let one = beside.others().await;
    assert_eq!(one.len(), 1, "{one:?}");
    for n in 0..25 {
        stores.post(&grant(n)).await.unwrap();
        available(&stores).await;
        stores.orders_of(USER, 3).await.unwrap();
        ports.outbox.claim_due(WORKER, 1, at(30), at(0)).await.unwrap();
        assert_eq!(beside.others().await, one, "after {n} rounds");
    }
}

#[tokio::test]
async fn a_cancelled_statement_leaves_nothing_to_the_next_one() {
    let (stores, ports, mut beside) = stores_with(1).await;
    ports.grant("start", 5).await;
    for n in 0..5 {
        beside.say("BEGIN; LOCK TABLE users").await;
        let stuck = {
            let stores = stores.clone();
            tokio::spawn(async move { stores.balance(USER).await })
        };
        beside.until_waiting(1).await;
        stuck.abort();
        assert!(stuck.await.unwrap_err().is_cancelled());
        beside.say("COMMIT").await;
        // Another statement, whose answer looks unlike the one nobody waits for.
        assert_eq!(stores.history(USER, 9).await.unwrap().len(), 1, "{n}");
        assert_eq!(available(&stores).await, 5, "{n}");
    }
}

#[tokio::test]
async fn a_transaction_cancelled_while_it_begins_is_none() {
    let (stores, _, mut beside) = stores_with(1).await;
    assert_eq!(available(&stores).await, 0);
    // It waits for the answer to BEGIN; where the server is quicker it may even get as far as the COMMIT.
    let _ = stores.post(&grant("left alone")).now_or_never();
    stores.put(&photo(), at(0)).await.unwrap();
    assert_eq!(
        beside.ask("SELECT count(*) FROM photos").await,
        1,
        "the next statement is part of no transaction"
    );
}

#[tokio::test]
async fn a_transaction_cancelled_half_way_changes_nothing_and_lets_its_locks_go() {
    let (stores, ports, mut beside) = stores_with(1).await;
    ports.grant("start", 5).await;
    beside.say("BEGIN; LOCK TABLE ledger_entries").await;
    let stuck = {
        let stores = stores.clone();
        tokio::spawn(async move { stores.post(&grant("never")).await })
    };
    beside.until_waiting(1).await;
    stuck.abort();
    assert!(stuck.await.unwrap_err().is_cancelled());
    beside.say("COMMIT").await;
    // Nothing more is asked of the stores meanwhile.
    beside.say("SET lock_timeout = '20s'; UPDATE users SET credits = credits").await;
    assert_eq!(available(&stores).await, 5);
    stores.post(&grant("later")).await.unwrap();
    assert_eq!(available(&stores).await, 6);
}

#[tokio::test]
async fn a_transaction_that_was_only_dropped_lets_its_locks_go() {
    let (stores, ports, mut beside) = stores_with(1).await;
    let placed = ports.order(1, Quantity::One, at(0)).await;
    let again = placement(1, Quantity::One, placed.order.request.photo, at(1));
    assert!(matches!(stores.place(&again).await.unwrap(), Placed::Duplicate { .. }));
    beside.say("SET lock_timeout = '20s'; UPDATE users SET credits = credits").await;
    stores.post(&grant("later")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_tasks_than_connections_are_all_served() {
    let (stores, _, mut beside) = stores_with(2).await;
    let tasks = (0..60_u32).map(|n| {
        let stores = stores.clone();
        tokio::spawn(async move {
            for round in 0..5 {
                // Some go away half way, and come again.
                if n % 6 == 0 {
                    let _ = stores.post(&grant(format!("{n} {round}"))).now_or_never();
                }
                stores.post(&grant(format!("{n} {round}"))).await.unwrap();
                assert!(available(&stores).await > 0);
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(available(&stores).await, 300);
    assert!(beside.others().await.len() <= 2);
}

#[tokio::test]
async fn connections_that_broke_while_idle_cost_one_call_in_all() {
    let (stores, _, mut beside) = stores_with(4).await;
    use_all(&stores, &mut beside, 4).await;
    assert_eq!(beside.end_others().await, 4);
    let error = stores.balance(USER).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transient, "{error:?}");
    for _ in 0..10 {
        assert_eq!(available(&stores).await, 5);
    }
}

#[tokio::test]
async fn closing_closes_the_idle_ones_and_lets_nothing_begin() {
    let (stores, _, mut beside) = stores_with(3).await;
    use_all(&stores, &mut beside, 3).await;
    beside.say("BEGIN; LOCK TABLE users").await;
    let [last, closing] = [0, 1].map(|n| {
        let stores = stores.clone();
        tokio::spawn(async move {
            if n == 0 {
                assert_eq!(available(&stores).await, 4);
            } else {
                stores.close().await;
            }
        })
    });
    beside.until_waiting(1).await;
    while stores.history(USER, 1).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!closing.is_finished(), "what is under way may end");
    beside.say("COMMIT").await;
    last.await.unwrap();
    closing.await.unwrap();
    let error = stores.balance(USER).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transient, "{error:?}");
    while !beside.others().await.is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_listener_finds_a_connection_however_many_were_in_use() {
    let (stores, _, mut beside) = stores_with(2).await;
    use_all(&stores, &mut beside, 2).await;
    let listener = {
        let stores = stores.clone();
        tokio::spawn(async move { stores.listen().await })
    };
    // The first ring says that LISTEN is up.
    stores.signal().notified(Topic::Jobs).await;
    assert_eq!(available(&stores).await, 3);
    listener.abort();
}
