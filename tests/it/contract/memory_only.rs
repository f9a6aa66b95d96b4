//! What only the stores in memory can do.

use adapters::memory::MemStores;
use domain::{
    id::{JobId, OrderId},
    job::Event,
    order::Quantity,
};

use crate::{
    make::{at, rules},
    stores,
};

#[tokio::test]
async fn a_forgotten_order_leaves_its_sums_behind() {
    let memory = MemStores::default();
    let stores = stores::of_memory(&memory);
    let placed = stores.order(1, Quantity::One, at(0)).await;
    stores.order(2, Quantity::One, at(1)).await;
    let (order, jobs) = (placed.order.id, [placed.jobs[0].id]);
    assert!(!memory.forget_order(order, &jobs), "its job is not finished");

    let leased = stores.claim(1, at(2)).await.remove(0);
    assert_eq!(leased.job.id, jobs[0], "the elder order goes first");
    stores.step(&leased, Event::Abandoned, at(2)).await.unwrap();
    let before = stores.ledger.audit().await.unwrap();
    assert!(memory.forget_order(order, &jobs));

    let after = stores.ledger.audit().await.unwrap();
    assert_eq!(after, before, "the audit finds the same sums and nothing missing");
    assert_eq!(stores.orders.order(order).await.unwrap(), None);
    assert_eq!(stores.jobs.job(jobs[0]).await.unwrap(), None);
    let other = stores.claim_one(at(60)).await;
    stores.jobs.give_back(&[other.lease], at(60)).await.unwrap();
    assert!(stores.jobs.cancel(other.job.id, &rules(), at(61)).await.is_ok(), "the other order is as it was");
    assert!(!memory.forget_order(OrderId::new(99), &[JobId::new(99)]), "there is no such order");
}
