//! What only a database can promise.

use std::{collections::BTreeMap, sync::Arc};

use adapters::postgres::PgStores;
use domain::{id::JobId, job::Event, ledger::EntryKind, order::Quantity};
use ports::{ErrorKind, LedgerStore, Topic, WorkSignal};
use tokio::sync::Mutex;

use crate::{
    make::{TERMS, USER, WORKER, at, rules},
    stores::{fresh_database, of_postgres, pg_stores},
};

#[tokio::test]
async fn an_operators_update_becomes_a_ledger_entry() {
    let stores = pg_stores().await;
    of_postgres(&stores).grant("start", 5).await;
    sqlx::query("UPDATE users SET credits = credits + 100 WHERE tg_user_id = 5235703016;")
        .execute(stores.pool())
        .await
        .unwrap();
    assert_eq!(stores.balance(USER).await.unwrap().available.value(), 105);
    let newest = stores.history(USER, 1).await.unwrap().remove(0);
    assert_eq!((newest.kind, newest.available), (EntryKind::Adjustment, 100));
    sqlx::query("UPDATE users SET credits = 7 WHERE tg_user_id = $1")
        .bind(USER.value())
        .execute(stores.pool())
        .await
        .unwrap();
    assert_eq!(stores.history(USER, 1).await.unwrap()[0].available, -98);
    of_postgres(&stores).assert_audit_is_clean().await;
}

#[tokio::test]
async fn a_user_opened_by_hand_with_credits_is_in_the_ledger_too() {
    let stores = pg_stores().await;
    sqlx::query("INSERT INTO users (tg_user_id, credits) VALUES (1, 10)")
        .execute(stores.pool())
        .await
        .unwrap();
    of_postgres(&stores).assert_audit_is_clean().await;
}

#[tokio::test]
async fn statements_that_would_break_the_ledger_are_refused() {
    let stores = pg_stores().await;
    of_postgres(&stores).order(1, Quantity::One, at(0)).await;
    for statement in [
        "UPDATE users SET credits = -1",
        "UPDATE users SET held = 0",
        "INSERT INTO users (tg_user_id, held) VALUES (1, 1)",
        "UPDATE ledger_entries SET available = 9",
        "DELETE FROM ledger_entries",
        "TRUNCATE ledger_entries CASCADE",
        "DELETE FROM users",
        "INSERT INTO ledger_entries (tg_user_id, kind, available, held, idempotency_key, at)
         SELECT tg_user_id, 'release', 1, -1, 'made up', at FROM ledger_entries LIMIT 1",
        "INSERT INTO ledger_entries (tg_user_id, kind, available, held, idempotency_key, order_id, at)
         SELECT tg_user_id, 'hold', -1, 1, 'second hold', order_id, at FROM ledger_entries WHERE kind = 'hold'",
    ] {
        let refused = sqlx::query(statement).execute(stores.pool()).await;
        assert!(refused.is_err(), "{statement}");
    }
    of_postgres(&stores).assert_audit_is_clean().await;
}

#[tokio::test]
async fn an_audit_finds_what_was_broken_behind_its_back() {
    let stores = pg_stores().await;
    let placed = of_postgres(&stores).order(1, Quantity::Three, at(0)).await;
    sqlx::query("ALTER TABLE users DISABLE TRIGGER USER").execute(stores.pool()).await.unwrap();
    sqlx::query("UPDATE users SET credits = credits + 1").execute(stores.pool()).await.unwrap();
    sqlx::query(
        "UPDATE jobs SET state = 'done', next_run_at = NULL, sort_at = NULL, finished_at = created_at WHERE id = $1",
    )
    .bind(uuid::Uuid::from_u128(placed.jobs[0].id.value()))
    .execute(stores.pool())
    .await
    .unwrap();
    let report = stores.audit().await.unwrap();
    let found: Vec<_> = report.findings.iter().map(|finding| finding.what.as_str()).collect();
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(found.iter().any(|what| what.starts_with("balance 1, entries add up to 0")), "{found:#?}");
    assert!(found.iter().any(|what| what.contains("is done and its credit is still held")), "{found:#?}");
    assert!(found.iter().any(|what| what.starts_with("held 3, open jobs 2")), "{found:#?}");
}

#[tokio::test]
async fn another_processs_order_rings_the_bell() {
    let url = fresh_database().await;
    let here = PgStores::connect(&url, 2).await.unwrap();
    let there = PgStores::connect(&url, 2).await.unwrap();
    let listener = {
        let here = here.clone();
        tokio::spawn(async move { here.listen().await })
    };
    // The first ring says that LISTEN is up.
    here.signal().notified(Topic::Jobs).await;
    of_postgres(&there).order(1, Quantity::One, at(0)).await;
    here.signal().notified(Topic::Jobs).await;
    listener.abort();
}

#[tokio::test]
async fn a_worker_that_stops_rings_every_other_processs_bell() {
    let url = fresh_database().await;
    let here = PgStores::connect(&url, 2).await.unwrap();
    let there = PgStores::connect(&url, 2).await.unwrap();
    let listener = {
        let here = here.clone();
        tokio::spawn(async move { here.listen().await })
    };
    here.signal().notified(Topic::Jobs).await;
    of_postgres(&there).jobs.give_back(&[], at(0)).await.unwrap();
    here.signal().notified(Topic::Jobs).await;
    listener.abort();
}

#[tokio::test]
async fn a_lost_connection_costs_one_statement_and_is_replaced() {
    let url = fresh_database().await;
    let (stores, other) =
        (PgStores::connect(&url, 1).await.unwrap(), PgStores::connect(&url, 1).await.unwrap());
    let ports = of_postgres(&stores);
    ports.order(1, Quantity::One, at(0)).await;
    let leased = ports.claim_one(at(0)).await;
    // Only those of clients: a vacuum may be at work here too.
    let end = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
    assert_eq!(sqlx::query_scalar::<_, i64>(end).fetch_one(other.pool()).await.unwrap(), 1);
    // Idle when it broke, so that nobody noticed before the next statement.
    let error = ports.step(&leased, Event::Started, at(1)).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Transient | ErrorKind::AnswerLost), "{error:?}");
    ports.step(&leased, Event::Started, at(1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_workers_hammering_one_queue_step_each_job_once() {
    let url = fresh_database().await;
    let stores = of_postgres(&PgStores::connect(&url, 8).await.unwrap());
    for n in 1..=12 {
        stores.order(n, Quantity::Five, at(0)).await;
    }
    let stepped: Arc<Mutex<BTreeMap<JobId, u32>>> = Arc::default();
    let workers = (0..8).map(|_| {
        let (stores, stepped) = (stores.clone(), stepped.clone());
        tokio::spawn(async move {
            loop {
                let claimed = stores.jobs.claim_due(WORKER, 3, TERMS, at(0)).await.unwrap().jobs;
                if claimed.is_empty() {
                    return;
                }
                for leased in claimed {
                    // Each job is lost by its first worker, so that late writes happen.
                    if leased.lease.number == 1 {
                        stores.jobs.give_back(&[leased.lease], at(0)).await.unwrap();
                        assert!(stores.step(&leased, Event::Started, at(0)).await.is_err());
                        continue;
                    }
                    let refusal = domain::job::apply(&leased.job, Event::CancelRequested, &rules(), at(0));
                    if let Ok(step) = refusal {
                        let stored = stores
                            .jobs
                            .store_step(leased.lease, &step, ports::AfterStep::Release, None, at(0))
                            .await;
                        if stored.is_ok() {
                            *stepped.lock().await.entry(leased.job.id).or_default() += 1;
                        }
                    }
                }
            }
        })
    });
    for worker in futures_util::future::join_all(workers).await {
        worker.unwrap();
    }
    let stepped = stepped.lock().await;
    assert_eq!(stepped.len(), 60);
    assert!(stepped.values().all(|times| *times == 1), "{stepped:?}");
    assert_eq!(stores.ledger.balance(USER).await.unwrap().available.value(), 60);
    stores.assert_audit_is_clean().await;
}

#[tokio::test]
async fn an_open_transaction_on_a_user_holds_up_no_heartbeat_and_no_rescue() {
    let stores = pg_stores().await;
    let ports = of_postgres(&stores);
    ports.order(1, Quantity::Three, at(0)).await;
    let held = ports.claim(3, at(0)).await;
    // Somebody types BEGIN; UPDATE users ... and goes to lunch; a step of that user then waits for the row, holding
    // its own job's.
    let mut lunch = stores.pool().begin().await.unwrap();
    sqlx::query("UPDATE users SET credits = credits + 1").execute(&mut *lunch).await.unwrap();
    let stuck = {
        let (ports, leased) = (ports.clone(), held[0].clone());
        tokio::spawn(async move {
            let step = domain::job::apply(&leased.job, Event::CancelRequested, &rules(), at(1)).unwrap();
            ports.jobs.store_step(leased.lease, &step, ports::AfterStep::Release, None, at(1)).await
        })
    };
    let waits = "SELECT count(*) FROM pg_stat_activity
                 WHERE datname = current_database() AND wait_event_type = 'Lock' AND backend_type = 'client backend'";
    while sqlx::query_scalar::<_, i64>(waits).fetch_one(stores.pool()).await.unwrap() == 0 {
        tokio::task::yield_now().await;
    }
    let leases: Vec<_> = held.iter().map(|leased| leased.lease).collect();
    assert!(ports.jobs.extend_leases(&leases, TERMS, at(30)).await.unwrap().is_empty(), "none is lost");
    let rescued = ports.jobs.rescue_dead(at(50)).await.unwrap();
    assert!(rescued.is_empty(), "the other two were extended, the locked one is passed over: {rescued:?}");
    lunch.commit().await.unwrap();
    stuck.await.unwrap().unwrap();
    ports.assert_audit_is_clean().await;
}

#[tokio::test]
async fn a_row_that_cannot_be_read_holds_up_no_other() {
    let stores = pg_stores().await;
    let ports = of_postgres(&stores);
    ports.order(1, Quantity::Three, at(0)).await;
    ports.order(2, Quantity::One, at(0)).await;
    for spoil in [
        "UPDATE jobs SET avoid_key = '' WHERE order_id = '00000000-0000-0000-0000-000000000001' AND video_number = 1",
        "UPDATE outbox SET kind = 'from the future' WHERE order_id = '00000000-0000-0000-0000-000000000001'",
    ] {
        sqlx::query(spoil).execute(stores.pool()).await.unwrap();
    }
    assert_eq!(ports.claim(10, at(0)).await.len(), 3);
    assert_eq!(ports.outbox.claim_due(WORKER, 10, at(30), at(0)).await.unwrap().messages.len(), 1);
}

#[tokio::test]
async fn a_schema_that_does_not_fit_is_said_to_be_older_or_newer() {
    let stores = pg_stores().await;
    stores.check_schema().await.unwrap();
    for (change, says) in [
        ("UPDATE _sqlx_migrations SET version = version + 100", "newer"),
        ("DELETE FROM _sqlx_migrations WHERE version > 101", "newer"),
        ("UPDATE _sqlx_migrations SET version = 1", "older"),
        ("DELETE FROM _sqlx_migrations", "no schema"),
        ("DROP TABLE _sqlx_migrations", "no schema"),
    ] {
        sqlx::query(change).execute(stores.pool()).await.unwrap();
        let error = stores.check_schema().await.unwrap_err();
        assert!(error.to_string().contains(says), "{change}: {error}");
    }
}
