//! The outbox.

use domain::{job::Event, notice::NoticeKind, order::Quantity, time::Timestamp};
use ports::{ErrorKind, OutboxMessage};

use super::laws;
use crate::{
    make::{WORKER, at, s},
    stores::Stores,
};

laws![
    messages_of_an_order_are_claimed_in_the_order_they_were_written,
    a_postponed_message_holds_back_the_later_ones,
    a_message_that_is_not_answered_for_is_claimed_again,
    a_write_under_an_older_claim_changes_nothing,
    a_message_given_up_lets_the_next_one_go,
    the_next_due_time_is_told,
    a_new_message_never_gets_an_old_ones_id,
];

async fn claim(stores: &Stores, now: Timestamp) -> Vec<OutboxMessage> {
    stores.outbox.claim_due(WORKER, 10, now.after(s(30)), now).await.unwrap().messages
}

/// An order whose job was started: two messages in one line.
async fn two_messages(stores: &Stores) {
    stores.order(1, Quantity::One, at(0)).await;
    let leased = stores.claim_one(at(0)).await;
    stores.step(&leased, Event::Started, at(0)).await.unwrap();
}

async fn messages_of_an_order_are_claimed_in_the_order_they_were_written(stores: Stores) {
    two_messages(&stores).await;
    stores.order(2, Quantity::One, at(0)).await;
    let first = claim(&stores, at(1)).await;
    assert_eq!(first.len(), 2, "the head of each order's line");
    let followed: Vec<_> = first.iter().map(|message| message.is_followed).collect();
    assert_eq!(followed, [true, false], "and whether another one waits behind it");
    assert!(matches!(first[0].notice.kind, NoticeKind::OrderAccepted { .. }));
    assert!(claim(&stores, at(1)).await.is_empty(), "claimed once");
    stores.outbox.sent(&first[0], at(1)).await.unwrap();
    let second = claim(&stores, at(1)).await;
    assert_eq!(second.len(), 1);
    assert_eq!(second[0].notice.kind, NoticeKind::WritingPrompt);
    assert_eq!(second[0].notice.video, Some((1, 1)));
}

async fn a_postponed_message_holds_back_the_later_ones(stores: Stores) {
    two_messages(&stores).await;
    let first = claim(&stores, at(1)).await.remove(0);
    stores.outbox.postpone(&first, at(10), "429").await.unwrap();
    assert!(claim(&stores, at(9)).await.is_empty());
    let again = claim(&stores, at(10)).await.remove(0);
    assert_eq!((again.id, again.failures), (first.id, 1));
}

async fn a_message_that_is_not_answered_for_is_claimed_again(stores: Stores) {
    two_messages(&stores).await;
    let first = claim(&stores, at(1)).await.remove(0);
    assert!(claim(&stores, at(30)).await.is_empty());
    let again = claim(&stores, at(31)).await.remove(0);
    assert_eq!(again.id, first.id);
}

async fn a_write_under_an_older_claim_changes_nothing(stores: Stores) {
    two_messages(&stores).await;
    let first = claim(&stores, at(1)).await.remove(0);
    let again = claim(&stores, at(31)).await.remove(0);
    assert_eq!(stores.outbox.sent(&first, at(32)).await.unwrap_err().kind(), ErrorKind::Conflict);
    stores.outbox.sent(&again, at(32)).await.unwrap();
    assert_eq!(stores.outbox.sent(&again, at(33)).await.unwrap_err().kind(), ErrorKind::Conflict);
}

async fn a_message_given_up_lets_the_next_one_go(stores: Stores) {
    two_messages(&stores).await;
    let first = claim(&stores, at(1)).await.remove(0);
    stores.outbox.give_up(&first, at(1), "blocked").await.unwrap();
    assert_eq!(claim(&stores, at(1)).await.len(), 1);
}

async fn the_next_due_time_is_told(stores: Stores) {
    two_messages(&stores).await;
    let first = claim(&stores, at(1)).await.remove(0);
    stores.outbox.postpone(&first, at(10), "429").await.unwrap();
    let empty = stores.outbox.claim_due(WORKER, 10, at(40), at(2)).await.unwrap();
    assert_eq!(empty.next_due_at, Some(at(10)));
}

async fn a_new_message_never_gets_an_old_ones_id(stores: Stores) {
    stores.order(1, Quantity::One, at(0)).await;
    let first = claim(&stores, at(0)).await.remove(0);
    stores.outbox.sent(&first, at(0)).await.unwrap();
    let leased = stores.claim_one(at(0)).await;
    stores.step(&leased, Event::Started, at(0)).await.unwrap();
    let second = claim(&stores, at(0)).await.remove(0);
    assert!(second.id > first.id);
}
