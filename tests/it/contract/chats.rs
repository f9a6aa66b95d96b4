//! Chats and the turns that change them.

use domain::id::UserId;
use ports::{
    ErrorKind, Topic,
    bot::{Chat, ChatAction, ChatMessage, InboxUpdate, Turn},
};

use super::{inbox::OTHER, laws};
use crate::{
    make::{USER, at},
    stores::{Stores, fresh_database, of_postgres},
};

laws![
    a_chat_begins_with_its_first_turn_and_is_read_back,
    a_turn_is_stored_whole,
    a_turn_of_an_outdated_chat_changes_nothing,
    a_turn_whose_lease_is_lost_changes_nothing,
    of_two_first_turns_one_is_stored,
    a_turn_may_leave_the_chat_alone,
    a_referrer_is_never_changed,
    a_turn_leaves_alone_whether_the_user_is_reachable_or_barred,
    only_a_known_user_can_be_barred,
    those_whom_messages_reach_are_paged_by_id,
];

pub(super) fn chat(user: UserId) -> Chat {
    Chat {
        user,
        version: 0,
        dialogue: r#"{"at":"menu"}"#.to_owned(),
        language: "ru".to_owned(),
        terms_accepted_at: None,
        referrer: None,
        since: at(0),
        blocked_since: None,
        banned_since: None,
    }
}

pub(super) fn message(text: &str) -> ChatAction {
    ChatAction::Send(ChatMessage { text: text.to_owned(), keyboard: vec![] })
}

impl Stores {
    /// Receives and claims an update.
    pub(super) async fn update_of(&self, id: i64, user: UserId, second: u64) -> InboxUpdate {
        self.receive(&[(id, user)], at(second)).await;
        let claimed = self.claim_updates(at(second)).await;
        claimed.into_iter().find(|update| update.update.id == id).unwrap()
    }

    /// Stores a turn of a chat and reads the chat.
    pub(super) async fn turn(&self, id: i64, chat: Chat, second: u64) -> Chat {
        let (user, update) = (chat.user, self.update_of(id, chat.user, second).await);
        let turn = Turn { update, chat: Some(chat), replies: vec![] };
        self.chats.store(&turn, at(second)).await.unwrap();
        self.chats.chat(user).await.unwrap().unwrap()
    }

    async fn texts(&self, second: u64) -> Vec<ChatAction> {
        self.claim_replies(at(second)).await.into_iter().map(|reply| reply.action).collect()
    }
}

async fn a_chat_begins_with_its_first_turn_and_is_read_back(stores: Stores) {
    assert_eq!(stores.chats.chat(USER).await.unwrap(), None);
    let first = Chat { referrer: Some(OTHER), terms_accepted_at: Some(at(3)), ..chat(USER) };
    let kept = stores.turn(1, first.clone(), 5).await;
    assert_eq!(kept, Chat { version: 1, since: at(5), ..first });
    let moved = Chat {
        dialogue: "else \u{1f600}".to_owned(),
        language: "en".to_owned(),
        terms_accepted_at: Some(at(6)),
        ..kept
    };
    let kept = stores.turn(2, moved.clone(), 6).await;
    assert_eq!(kept, Chat { version: 2, ..moved }, "the beginning stays");
    assert_eq!(stores.chats.chat(OTHER).await.unwrap(), None);
}

async fn a_turn_is_stored_whole(stores: Stores) {
    let update = stores.update_of(1, USER, 0).await;
    let replies = vec![message("one"), message("two")];
    let turn = Turn { update, chat: Some(chat(USER)), replies: replies.clone() };
    stores.chats.store(&turn, at(1)).await.unwrap();
    stores.signal.notified(Topic::Replies).await;
    assert_eq!(stores.chats.chat(USER).await.unwrap().unwrap().version, 1);
    assert!(stores.claim_updates(at(99)).await.is_empty(), "the update is done");
    assert_eq!(stores.texts(1).await, [message("one")], "in this order");
    let again = stores.chats.store(&turn, at(2)).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Conflict, "once");
    assert_eq!(stores.chats.chat(USER).await.unwrap().unwrap().version, 1);
}

async fn a_turn_of_an_outdated_chat_changes_nothing(stores: Stores) {
    let kept = stores.turn(1, chat(USER), 0).await;
    for stale in [chat(USER), Chat { version: kept.version + 1, ..kept.clone() }] {
        let update = stores.update_of(2, USER, 1).await;
        let late = Chat { dialogue: "late".to_owned(), ..stale };
        let turn = Turn { update: update.clone(), chat: Some(late), replies: vec![message("late")] };
        assert_eq!(stores.chats.store(&turn, at(1)).await.unwrap_err().kind(), ErrorKind::Conflict);
        assert_eq!(stores.chats.chat(USER).await.unwrap(), Some(kept.clone()));
        assert!(stores.texts(1).await.is_empty());
        // The update is as it was: its holder may still answer for it.
        stores.inbox.postpone(&update, at(1), "read the chat again").await.unwrap();
    }
    let again = stores.claim_updates(at(2)).await.remove(0);
    assert_eq!((again.update.id, again.failures), (2, 2));
}

async fn a_turn_whose_lease_is_lost_changes_nothing(stores: Stores) {
    let kept = stores.turn(1, chat(USER), 0).await;
    let update = stores.update_of(2, USER, 1).await;
    let again = stores.claim_updates(at(31)).await.remove(0);
    let changed = Chat { dialogue: "late".to_owned(), ..kept.clone() };
    let turn = Turn { update, chat: Some(changed), replies: vec![message("late")] };
    assert_eq!(stores.chats.store(&turn, at(32)).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(stores.chats.chat(USER).await.unwrap(), Some(kept));
    assert!(stores.texts(32).await.is_empty());
    stores.handled(&again, at(32)).await;
}

async fn of_two_first_turns_one_is_stored(stores: Stores) {
    // Two hosts hold updates of two chats and answer both with the same chat.
    let one = stores.update_of(1, USER, 0).await;
    let two = stores.update_of(2, OTHER, 0).await;
    let turns = [(one, "one"), (two, "two")].map(|(update, text)| Turn {
        update,
        chat: Some(Chat { dialogue: text.to_owned(), ..chat(USER) }),
        replies: vec![message(text)],
    });
    let (first, second) =
        tokio::join!(stores.chats.store(&turns[0], at(1)), stores.chats.store(&turns[1], at(1)));
    assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    let stored = stores.chats.chat(USER).await.unwrap().unwrap();
    assert_eq!((stored.dialogue.as_str(), stored.version), (if first.is_ok() { "one" } else { "two" }, 1));
    assert_eq!(stores.texts(1).await, [message(&stored.dialogue)]);
    let lost = first.err().or(second.err()).unwrap();
    assert_eq!(lost.kind(), ErrorKind::Conflict);
}

async fn a_turn_may_leave_the_chat_alone(stores: Stores) {
    let kept = stores.turn(1, chat(USER), 0).await;
    let update = stores.update_of(2, USER, 1).await;
    let turn = Turn { update, chat: None, replies: vec![message("hello")] };
    stores.chats.store(&turn, at(1)).await.unwrap();
    assert_eq!(stores.chats.chat(USER).await.unwrap(), Some(kept));
    assert_eq!(stores.texts(1).await, [message("hello")]);
}

async fn a_referrer_is_never_changed(stores: Stores) {
    let kept = stores.turn(1, Chat { referrer: Some(OTHER), ..chat(USER) }, 0).await;
    let kept = stores.turn(2, Chat { referrer: Some(UserId::new(5)), ..kept }, 1).await;
    assert_eq!(kept.referrer, Some(OTHER));
    let kept = stores.turn(3, Chat { referrer: None, ..kept }, 2).await;
    assert_eq!(kept.referrer, Some(OTHER));
    let uninvited = stores.turn(4, chat(OTHER), 3).await;
    let uninvited = stores.turn(5, Chat { referrer: Some(USER), ..uninvited }, 4).await;
    assert_eq!(uninvited.referrer, None, "nor named later");
}

async fn a_turn_leaves_alone_whether_the_user_is_reachable_or_barred(stores: Stores) {
    let read = stores.turn(1, chat(USER), 0).await;
    stores.chats.set_blocked(USER, Some(at(1))).await.unwrap();
    assert!(stores.chats.set_banned(USER, Some(at(2))).await.unwrap());
    let kept = stores.turn(2, read, 3).await;
    assert_eq!((kept.version, kept.blocked_since, kept.banned_since), (2, Some(at(1)), Some(at(2))));
    stores.chats.set_blocked(USER, None).await.unwrap();
    assert!(stores.chats.set_banned(USER, None).await.unwrap());
    let kept = stores.turn(3, kept, 4).await;
    assert_eq!((kept.version, kept.blocked_since, kept.banned_since), (3, None, None));
}

async fn only_a_known_user_can_be_barred(stores: Stores) {
    assert!(!stores.chats.set_banned(USER, Some(at(0))).await.unwrap());
    stores.chats.set_blocked(USER, Some(at(0))).await.unwrap();
    assert_eq!(stores.chats.chat(USER).await.unwrap(), None);
}

async fn those_whom_messages_reach_are_paged_by_id(stores: Stores) {
    assert!(stores.chats.reachable(None, 10).await.unwrap().is_empty());
    for n in 1..=5 {
        stores.turn(n, chat(UserId::new(60 - n)), 0).await;
    }
    stores.chats.set_blocked(UserId::new(56), Some(at(1))).await.unwrap();
    stores.chats.set_banned(UserId::new(58), Some(at(1))).await.unwrap();
    let page = stores.chats.reachable(None, 2).await.unwrap();
    assert_eq!(page, [UserId::new(55), UserId::new(57)]);
    let page = stores.chats.reachable(page.last().copied(), 2).await.unwrap();
    assert_eq!(page, [UserId::new(59)]);
    assert!(stores.chats.reachable(page.last().copied(), 2).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_turns_of_two_hosts_exactly_one_wins() {
    let url = fresh_database().await;
    let hosts: Vec<Stores> = futures_util::future::join_all(
        (0..2).map(|_| async { of_postgres(&adapters::postgres::PgStores::connect(&url, 2).await.unwrap()) }),
    )
    .await;
    for round in 0_u32..20 {
        let second = u64::from(round) * 100;
        let id = i64::from(round) + 1;
        let late = hosts[0].update_of(id, USER, second).await;
        // The first host is slow; its lease ends and the second one gets the update.
        let again = hosts[1].claim_updates(at(second + 30)).await.remove(0);
        let read = hosts[0].chats.chat(USER).await.unwrap().unwrap_or_else(|| chat(USER));
        let tasks: Vec<_> = [(0, late), (1, again)]
            .into_iter()
            .map(|(host, update)| {
                let changed = Chat { dialogue: format!("host {host}, round {round}"), ..read.clone() };
                let (stores, replies) = (hosts[host].clone(), vec![message("said once")]);
                let turn = Turn { update, chat: Some(changed), replies };
                tokio::spawn(async move { stores.chats.store(&turn, at(second + 31)).await })
            })
            .collect();
        let results: Vec<_> =
            futures_util::future::join_all(tasks).await.into_iter().map(Result::unwrap).collect();
        assert!(results[0].is_err() && results[1].is_ok(), "{results:?}");
        let stored = hosts[0].chats.chat(USER).await.unwrap().unwrap();
        assert_eq!((stored.version, stored.dialogue), (read.version + 1, format!("host 1, round {round}")));
    }
}
