//! The ledger.

use domain::{
    failure::Reason,
    id::UserId,
    job::Event,
    ledger::{Balance, Entry, EntryKind},
    money::Credits,
    order::Quantity,
};
use ports::{ErrorKind, Posting};

use super::laws;
use crate::{
    make::{USER, at, failure, roster, rules},
    stores::Stores,
};

laws![
    a_reference_is_granted_once,
    a_reference_reused_for_another_amount_is_a_conflict,
    a_grant_beyond_the_range_is_refused,
    a_stranger_has_nothing,
    a_history_tells_holds_captures_and_releases_newest_first,
    concurrent_grants_all_count,
];

async fn a_reference_is_granted_once(stores: Stores) {
    let entry = Entry::grant(USER, Credits::of(5), "welcome", at(0));
    let balance = Balance { available: Credits::of(5), held: Credits::ZERO };
    assert_eq!(stores.ledger.post(&entry).await.unwrap(), Posting::Posted(balance));
    let again = Entry { at: at(9), ..entry };
    assert_eq!(stores.ledger.post(&again).await.unwrap(), Posting::Duplicate(balance));
    stores.assert_audit_is_clean().await;
}

async fn a_reference_reused_for_another_amount_is_a_conflict(stores: Stores) {
    stores.grant("welcome", 5).await;
    let other = Entry::grant(USER, Credits::of(6), "welcome", at(0));
    assert_eq!(stores.ledger.post(&other).await.unwrap_err().kind(), ErrorKind::Conflict);
    let stranger = Entry::grant(UserId::new(1), Credits::of(5), "welcome", at(0));
    assert_eq!(stores.ledger.post(&stranger).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(stores.ledger.balance(USER).await.unwrap().available, Credits::of(5));
}

async fn a_grant_beyond_the_range_is_refused(stores: Stores) {
    stores.grant("one", 1).await;
    let error = stores.ledger.post(&Entry::grant(USER, Credits::MAX, "all", at(0))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    assert_eq!(stores.ledger.balance(USER).await.unwrap().available, Credits::of(1));
}

async fn a_stranger_has_nothing(stores: Stores) {
    assert_eq!(stores.ledger.balance(UserId::new(1)).await.unwrap(), Balance::default());
    assert!(stores.ledger.history(UserId::new(1), 10).await.unwrap().is_empty());
}

async fn a_history_tells_holds_captures_and_releases_newest_first(stores: Stores) {
    stores.order(1, Quantity::One, at(0)).await;
    let rendering = stores.until_rendering(7, at(1)).await;
    let leased = stores.claim_one(at(40)).await;
    let attempt = domain::id::AttemptId::new(7);
    stores
        .step(&leased, Event::Rendered { attempt, url: "https://h/v.mp4".to_owned() }, at(40))
        .await
        .unwrap();
    let leased = stores.claim_one(at(41)).await;
    stores.step(&leased, Event::Delivered { attempt }, at(41)).await.unwrap();
    assert_eq!(rendering.job.id, leased.job.id);

    stores.order(2, Quantity::One, at(50)).await;
    let leased = stores.until_submitting(at(50)).await;
    let attempt = domain::id::AttemptId::new(8);
    let step = stores.jobs.open_attempt(&leased, attempt, &roster(), &rules(), at(50)).await.unwrap();
    let refused = Event::Refused { attempt, failure: failure(Reason::Nudity) };
    let opened = ports::LeasedJob { job: step.job, lease: leased.lease };
    stores.step(&opened, refused, at(51)).await.unwrap();

    let kinds: Vec<_> = stores.ledger.history(USER, 10).await.unwrap().iter().map(|e| e.kind).collect();
    use EntryKind::{Capture, Grant, Hold, Release};
    assert_eq!(kinds, [Release, Hold, Grant, Capture, Hold, Grant]);
    assert_eq!(stores.ledger.history(USER, 2).await.unwrap().len(), 2);
    let report = stores.ledger.audit().await.unwrap();
    assert_eq!((report.held_ever, report.captured, report.released, report.held), (2, 1, 1, 0));
    stores.assert_audit_is_clean().await;
}

async fn concurrent_grants_all_count(stores: Stores) {
    let grants = (0..20).map(|n| {
        let stores = stores.clone();
        async move { stores.grant(&n.to_string(), 1).await }
    });
    futures_util::future::join_all(grants).await;
    assert_eq!(stores.ledger.balance(USER).await.unwrap().available, Credits::of(20));
    stores.assert_audit_is_clean().await;
}
