//! Orders: all or nothing, once.

use domain::{id::OrderId, money::Credits, order::Quantity, prompt::Brief};
use ports::{ErrorKind, JobFilter, Placed, Topic};

use super::laws;
use crate::{
    make::{USER, at, photo, placement},
    stores::Stores,
};

laws![
    placing_holds_the_whole_price_and_queues_every_video,
    an_order_beyond_the_balance_writes_nothing,
    two_confirmations_at_the_same_moment_hold_once,
    a_confirmation_reused_for_another_order_is_a_conflict,
    a_stranger_cannot_order,
    a_placed_order_is_read_back_unchanged,
    a_hint_given_before_the_wait_is_not_lost,
];

async fn placing_holds_the_whole_price_and_queues_every_video(stores: Stores) {
    stores.grant("more", 2).await;
    let placed = stores.order(1, Quantity::Three, at(0)).await;
    let balance = stores.ledger.balance(USER).await.unwrap();
    assert_eq!((balance.available, balance.held), (Credits::of(2), Credits::of(3)));
    let filter = JobFilter { order: Some(placed.order.id), limit: 10, ..JobFilter::default() };
    let mut jobs: Vec<_> = stores.jobs.list(&filter).await.unwrap().into_iter().map(|r| r.job).collect();
    jobs.sort_by_key(|job| job.id);
    assert_eq!(jobs, placed.jobs);
    stores.assert_audit_is_clean().await;
}

async fn an_order_beyond_the_balance_writes_nothing(stores: Stores) {
    stores.grant("three", 3).await;
    let id = stores.photos.put(&photo(), at(0)).await.unwrap();
    let order = placement(1, Quantity::Five, id, at(0));
    let answer = stores.orders.place(&order).await.unwrap();
    let expected = Placed::InsufficientCredits { needed: Credits::of(5), available: Credits::of(3) };
    assert_eq!(answer, expected);
    assert_eq!(stores.orders.order(order.order.id).await.unwrap(), None);
    assert_eq!(stores.ledger.history(USER, 10).await.unwrap().len(), 1, "only the grant");
    assert!(stores.claim(10, at(1)).await.is_empty());
    stores.assert_audit_is_clean().await;
}

async fn two_confirmations_at_the_same_moment_hold_once(stores: Stores) {
    stores.grant("ten", 10).await;
    let id = stores.photos.put(&photo(), at(0)).await.unwrap();
    let first = placement(1, Quantity::Three, id, at(0));
    let mut second = placement(2, Quantity::Three, id, at(0));
    second.order.request = first.order.request.clone();
    let (one, two) = tokio::join!(stores.orders.place(&first), stores.orders.place(&second));
    let answers = [one.unwrap(), two.unwrap()];
    let placed = answers.iter().filter(|answer| matches!(answer, Placed::Placed { .. })).count();
    assert_eq!(placed, 1, "{answers:?}");
    let duplicate = answers.iter().find_map(|answer| match answer {
        Placed::Duplicate { order } => Some(*order),
        _ => None,
    });
    let stored = duplicate.expect("the other one is told which order it placed");
    assert!(stores.orders.order(stored).await.unwrap().is_some());
    assert_eq!(stores.ledger.balance(USER).await.unwrap().held, Credits::of(3));
    assert_eq!(stores.orders.orders_of(USER, 10).await.unwrap().len(), 1);
    stores.assert_audit_is_clean().await;
}

async fn a_confirmation_reused_for_another_order_is_a_conflict(stores: Stores) {
    let first = stores.order(1, Quantity::One, at(0)).await;
    stores.grant("more", 5).await;
    let mut other = placement(2, Quantity::One, first.order.request.photo, at(1));
    other.order.request.confirmation = first.order.request.confirmation.clone();
    other.order.request.brief = Brief::new("a different mug").unwrap();
    assert_eq!(stores.orders.place(&other).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(stores.ledger.balance(USER).await.unwrap().held, Credits::of(1));
}

async fn a_stranger_cannot_order(stores: Stores) {
    let id = stores.photos.put(&photo(), at(0)).await.unwrap();
    let answer = stores.orders.place(&placement(1, Quantity::One, id, at(0))).await.unwrap();
    assert_eq!(answer, Placed::InsufficientCredits { needed: Credits::of(1), available: Credits::ZERO });
}

async fn a_placed_order_is_read_back_unchanged(stores: Stores) {
    let placed = stores.order(1, Quantity::Five, at(3)).await;
    assert_eq!(stores.orders.order(placed.order.id).await.unwrap(), Some(placed.order));
    assert_eq!(stores.orders.order(OrderId::new(99)).await.unwrap(), None);
}

async fn a_hint_given_before_the_wait_is_not_lost(stores: Stores) {
    stores.order(1, Quantity::One, at(0)).await;
    stores.signal.notified(Topic::Jobs).await;
    stores.signal.notified(Topic::Outbox).await;
}
