//! The inbox.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use adapters::postgres::PgStores;
use domain::{id::UserId, time::Timestamp};
use ports::{
    ErrorKind, Topic,
    bot::{InboxClaim, InboxUpdate, IncomingUpdate, Turn},
};

use tokio::sync::Mutex;

use super::laws;
use crate::{
    make::{USER, WORKER, at, s},
    stores::{Stores, fresh_database, of_postgres},
};

laws![
    an_update_is_stored_once_also_after_it_was_handled,
    updates_are_received_all_or_none,
    updates_of_a_chat_are_claimed_one_at_a_time_in_the_order_of_their_ids,
    an_earlier_update_that_comes_late_waits_for_the_one_in_work_and_goes_next,
    chats_do_not_wait_for_each_other,
    an_update_that_is_not_answered_for_is_claimed_again,
    a_write_under_an_older_claim_changes_no_update,
    a_postponed_update_holds_back_its_chat_until_then,
    a_parked_update_lets_the_next_one_go,
    an_inbox_tells_when_the_next_update_is_due,
    updates_are_claimed_longest_due_first_and_no_more_than_asked_for,
    the_census_counts_what_waits_and_what_was_put_aside,
    what_was_handled_long_ago_is_forgotten_except_the_newest,
    received_updates_and_those_that_may_go_ring_the_bell,
    hosts_that_claim_at_the_same_moment_get_different_chats,
];

pub(super) const OTHER: UserId = UserId::new(77);

pub(super) fn update(id: i64, chat: UserId) -> IncomingUpdate {
    IncomingUpdate { id, chat, body: format!(r#"{{"update_id":{id}}}"#) }
}

impl Stores {
    pub(super) async fn receive(&self, updates: &[(i64, UserId)], now: Timestamp) -> usize {
        let updates: Vec<_> = updates.iter().map(|(id, chat)| update(*id, *chat)).collect();
        self.inbox.receive(&updates, now).await.unwrap()
    }

    async fn claim_inbox(&self, limit: u32, now: Timestamp) -> InboxClaim {
        self.inbox.claim_due(WORKER, limit, now.after(s(30)), now).await.unwrap()
    }

    pub(super) async fn claim_updates(&self, now: Timestamp) -> Vec<InboxUpdate> {
        self.claim_inbox(10, now).await.updates
    }

    pub(super) async fn handled(&self, update: &InboxUpdate, now: Timestamp) {
        let turn = Turn { update: update.clone(), chat: None, replies: vec![] };
        self.chats.store(&turn, now).await.unwrap();
    }
}

fn ids(updates: &[InboxUpdate]) -> Vec<i64> {
    updates.iter().map(|update| update.update.id).collect()
}

async fn an_update_is_stored_once_also_after_it_was_handled(stores: Stores) {
    assert_eq!(stores.inbox.newest().await.unwrap(), None);
    assert_eq!(stores.receive(&[(7, USER), (8, OTHER), (7, USER)], at(0)).await, 2);
    assert_eq!(stores.receive(&[(7, USER), (9, USER)], at(1)).await, 1);
    let claimed = stores.claim_updates(at(2)).await;
    assert_eq!(ids(&claimed), [7, 8]);
    assert_eq!(claimed[0].update, update(7, USER), "as it was received");
    assert_eq!((claimed[0].received_at, claimed[0].failures), (at(0), 0));
    stores.handled(&claimed[0], at(2)).await;
    stores.inbox.park(&claimed[1], at(2), "no update of ours").await.unwrap();
    assert_eq!(stores.receive(&[(7, USER), (8, OTHER)], at(3)).await, 0, "handled and put aside");
    assert_eq!(ids(&stores.claim_updates(at(3)).await), [9]);
    assert_eq!(stores.inbox.newest().await.unwrap(), Some(9));
}

async fn updates_are_received_all_or_none(stores: Stores) {
    assert_eq!(stores.receive(&[], at(0)).await, 0);
    assert_eq!(stores.receive(&[(3, USER), (1, OTHER), (2, USER)], at(0)).await, 3);
    assert_eq!(stores.inbox.census().await.unwrap().waiting, 3);
}

async fn updates_of_a_chat_are_claimed_one_at_a_time_in_the_order_of_their_ids(stores: Stores) {
    stores.receive(&[(3, USER), (1, USER), (2, USER)], at(0)).await;
    for expected in 1..=3 {
        let claimed = stores.claim_updates(at(1)).await;
        assert_eq!(ids(&claimed), [expected], "the head of the line");
        assert!(stores.claim_updates(at(1)).await.is_empty(), "and no other beside it");
        stores.handled(&claimed[0], at(1)).await;
    }
    assert!(stores.claim_updates(at(1)).await.is_empty());
}

async fn an_earlier_update_that_comes_late_waits_for_the_one_in_work_and_goes_next(stores: Stores) {
    stores.receive(&[(5, USER), (6, USER)], at(0)).await;
    let five = stores.claim_updates(at(0)).await.remove(0);
    stores.receive(&[(4, USER)], at(1)).await;
    assert!(stores.claim_updates(at(1)).await.is_empty(), "5 is in somebody's hands");
    stores.handled(&five, at(2)).await;
    assert_eq!(ids(&stores.claim_updates(at(2)).await), [4]);

    // The same when nobody answers for the later one: its holder can write nothing any more.
    stores.receive(&[(12, OTHER)], at(40)).await;
    let twelve = stores.claim_updates(at(40)).await.into_iter().find(|u| u.update.id == 12).unwrap();
    stores.receive(&[(11, OTHER)], at(41)).await;
    let later = stores.claim_updates(at(70)).await;
    assert!(ids(&later).contains(&11) && !ids(&later).contains(&12), "{later:?}");
    let lost = stores.inbox.postpone(&twelve, at(80), "late").await.unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::Conflict);
}

async fn chats_do_not_wait_for_each_other(stores: Stores) {
    stores.receive(&[(1, USER), (2, USER), (3, OTHER)], at(0)).await;
    let claimed = stores.claim_updates(at(0)).await;
    assert_eq!(ids(&claimed), [1, 3]);
    stores.inbox.postpone(&claimed[0], at(50), "the database was away").await.unwrap();
    stores.handled(&claimed[1], at(1)).await;
    stores.receive(&[(4, OTHER)], at(2)).await;
    assert_eq!(ids(&stores.claim_updates(at(2)).await), [4]);
}

async fn an_update_that_is_not_answered_for_is_claimed_again(stores: Stores) {
    stores.receive(&[(1, USER)], at(0)).await;
    let first = stores.claim_updates(at(1)).await.remove(0);
    assert!(stores.claim_updates(at(30)).await.is_empty());
    let again = stores.claim_updates(at(31)).await.remove(0);
    assert_eq!(again.update, first.update);
    assert_ne!(again.lease, first.lease);
}

async fn a_write_under_an_older_claim_changes_no_update(stores: Stores) {
    stores.receive(&[(1, USER), (2, USER)], at(0)).await;
    let first = stores.claim_updates(at(1)).await.remove(0);
    let again = stores.claim_updates(at(31)).await.remove(0);
    let late = stores.inbox.park(&first, at(32), "late").await.unwrap_err();
    assert_eq!(late.kind(), ErrorKind::Conflict);
    let late = stores.inbox.postpone(&first, at(32), "late").await.unwrap_err();
    assert_eq!(late.kind(), ErrorKind::Conflict);
    let turn = Turn { update: first, chat: None, replies: vec![] };
    assert_eq!(stores.chats.store(&turn, at(32)).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert!(stores.claim_updates(at(32)).await.is_empty(), "the second claim still holds");
    stores.handled(&again, at(33)).await;
    let twice = stores.inbox.postpone(&again, at(40), "twice").await.unwrap_err();
    assert_eq!(twice.kind(), ErrorKind::Conflict, "answered for already");
    assert_eq!(ids(&stores.claim_updates(at(33)).await), [2]);
}

async fn a_postponed_update_holds_back_its_chat_until_then(stores: Stores) {
    stores.receive(&[(1, USER), (2, USER)], at(0)).await;
    let first = stores.claim_updates(at(1)).await.remove(0);
    stores.inbox.postpone(&first, at(10), "a \0 in the reason").await.unwrap();
    assert!(stores.claim_updates(at(9)).await.is_empty());
    let again = stores.claim_updates(at(10)).await.remove(0);
    assert_eq!((again.update.id, again.failures), (1, 1));
}

async fn a_parked_update_lets_the_next_one_go(stores: Stores) {
    stores.receive(&[(1, USER), (2, USER)], at(0)).await;
    let first = stores.claim_updates(at(1)).await.remove(0);
    stores.inbox.park(&first, at(1), "five tries").await.unwrap();
    assert_eq!(ids(&stores.claim_updates(at(1)).await), [2]);
    assert!(stores.claim_updates(at(500)).await.iter().all(|update| update.update.id != 1));
}

async fn an_inbox_tells_when_the_next_update_is_due(stores: Stores) {
    assert_eq!(stores.claim_inbox(10, at(0)).await.next_due_at, None, "nothing waits");
    stores.receive(&[(1, USER), (2, USER)], at(0)).await;
    let claim = stores.claim_inbox(10, at(1)).await;
    assert_eq!(claim.next_due_at, Some(at(31)), "the end of its own lease");
    stores.inbox.postpone(&claim.updates[0], at(10), "later").await.unwrap();
    assert_eq!(stores.claim_inbox(10, at(2)).await.next_due_at, Some(at(10)));
    stores.receive(&[(3, OTHER)], at(3)).await;
    let full = stores.claim_inbox(1, at(3)).await;
    assert_eq!((full.updates.len(), full.next_due_at), (1, None), "more may be due");
}

async fn updates_are_claimed_longest_due_first_and_no_more_than_asked_for(stores: Stores) {
    for n in 0..5 {
        // Later ids are due earlier.
        stores.receive(&[(100 - n, UserId::new(n + 1))], at(n.unsigned_abs())).await;
    }
    assert_eq!(ids(&stores.claim_inbox(2, at(9)).await.updates), [99, 100]);
    assert_eq!(ids(&stores.claim_inbox(10, at(9)).await.updates), [96, 97, 98]);
}

async fn the_census_counts_what_waits_and_what_was_put_aside(stores: Stores) {
    assert_eq!(stores.inbox.census().await.unwrap(), ports::bot::InboxCensus::default());
    stores.receive(&[(1, USER)], at(0)).await;
    stores.receive(&[(2, USER), (3, OTHER)], at(1)).await;
    let claimed = stores.claim_updates(at(2)).await;
    let census = stores.inbox.census().await.unwrap();
    assert_eq!(
        (census.waiting, census.parked, census.oldest),
        (3, 0, Some(at(0))),
        "claimed ones still wait"
    );
    stores.inbox.park(&claimed[0], at(2), "broken").await.unwrap();
    stores.handled(&claimed[1], at(2)).await;
    let census = stores.inbox.census().await.unwrap();
    assert_eq!((census.waiting, census.parked, census.oldest), (1, 1, Some(at(1))));
}

async fn what_was_handled_long_ago_is_forgotten_except_the_newest(stores: Stores) {
    for (id, second) in [(1, 0), (2, 1), (3, 2), (4, 3)] {
        stores.receive(&[(id, UserId::new(id))], at(second)).await;
    }
    let claimed = stores.claim_updates(at(5)).await;
    assert_eq!(stores.inbox.forget(at(100), 10).await.unwrap(), 0, "none is handled");
    stores.inbox.park(&claimed[0], at(5), "broken").await.unwrap();
    for update in &claimed[1..] {
        stores.handled(update, at(5)).await;
    }
    assert_eq!(
        stores.inbox.forget(at(1), 10).await.unwrap(),
        0,
        "2 was received then, and no earlier one is handled"
    );
    assert_eq!(stores.inbox.forget(at(100), 1).await.unwrap(), 1, "no more than asked for");
    assert_eq!(stores.inbox.forget(at(100), 10).await.unwrap(), 1);
    assert_eq!(stores.inbox.newest().await.unwrap(), Some(4), "polling goes on where it was");
    assert_eq!(stores.inbox.census().await.unwrap().parked, 1, "what is put aside is the operator's");
    assert_eq!(stores.receive(&[(1, USER), (4, USER)], at(6)).await, 0, "and both are still known");
}

async fn received_updates_and_those_that_may_go_ring_the_bell(stores: Stores) {
    stores.receive(&[(1, USER), (2, USER)], at(0)).await;
    stores.signal.notified(Topic::Inbox).await;
    let first = stores.claim_updates(at(0)).await.remove(0);
    stores.handled(&first, at(0)).await;
    stores.signal.notified(Topic::Inbox).await;
    let second = stores.claim_updates(at(0)).await.remove(0);
    stores.receive(&[(3, USER)], at(1)).await;
    stores.signal.notified(Topic::Inbox).await;
    stores.inbox.park(&second, at(1), "broken").await.unwrap();
    stores.signal.notified(Topic::Inbox).await;
}

async fn hosts_that_claim_at_the_same_moment_get_different_chats(stores: Stores) {
    let updates: Vec<_> = (0..40).map(|n| (n, UserId::new(n % 8))).collect();
    stores.receive(&updates, at(0)).await;
    let mut handled = Vec::new();
    while handled.len() < updates.len() {
        let claims = (0..4).map(|_| stores.claim_inbox(3, at(1)));
        let claims = futures_util::future::join_all(claims).await;
        let claimed: Vec<_> = claims.into_iter().flat_map(|claim| claim.updates).collect();
        let mut chats: Vec<_> = claimed.iter().map(|update| update.update.chat).collect();
        chats.sort_unstable();
        chats.dedup();
        assert_eq!(chats.len(), claimed.len(), "one of a chat: {claimed:?}");
        assert!(!claimed.is_empty(), "some are left, and nobody holds them");
        for update in &claimed {
            stores.handled(update, at(1)).await;
        }
        handled.extend(claimed);
    }
    let of_one = |chat: i64| -> Vec<i64> {
        handled.iter().filter(|u| u.update.chat == UserId::new(chat)).map(|u| u.update.id).collect()
    };
    for chat in 0..8 {
        assert!(of_one(chat).is_sorted() && of_one(chat).len() == 5, "{:?}", of_one(chat));
    }
}

/// What hosts hold and held.
#[derive(Debug, Default)]
struct Taken {
    chats: BTreeSet<UserId>,
    ids: BTreeMap<UserId, Vec<i64>>,
    count: i64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn hosts_take_no_two_updates_of_a_chat_and_lose_none_while_more_arrive() {
    const UPDATES: i64 = 240;
    let stores = of_postgres(&PgStores::connect(&fresh_database().await, 6).await.unwrap());
    let receiver = {
        let stores = stores.clone();
        tokio::spawn(async move {
            for n in 0..UPDATES / 2 {
                let two = [(2 * n, UserId::new(n % 5)), (2 * n + 1, UserId::new(n % 3))];
                stores.receive(&two, at(0)).await;
            }
        })
    };
    let taken: Arc<Mutex<Taken>> = Arc::default();
    let hosts = (0..4).map(|_| {
        let (stores, taken) = (stores.clone(), taken.clone());
        tokio::spawn(async move {
            while taken.lock().await.count < UPDATES {
                for update in stores.claim_inbox(2, at(1)).await.updates {
                    let chat = update.update.chat;
                    let mut now = taken.lock().await;
                    assert!(now.chats.insert(chat), "two updates of chat {chat} at once");
                    now.ids.entry(chat).or_default().push(update.update.id);
                    now.count += 1;
                    drop(now);
                    tokio::task::yield_now().await;
                    taken.lock().await.chats.remove(&chat);
                    stores.handled(&update, at(1)).await;
                }
                tokio::task::yield_now().await;
            }
        })
    });
    futures_util::future::try_join_all(hosts).await.unwrap();
    receiver.await.unwrap();
    let taken = taken.lock().await;
    assert!(taken.ids.values().all(|ids| ids.is_sorted_by(|a, b| a < b)), "in order and once: {taken:?}");
    assert_eq!(stores.inbox.census().await.unwrap(), ports::bot::InboxCensus::default());
}
