//! Messages of conversations.

use domain::{id::UserId, time::Timestamp};
use ports::{
    ErrorKind, Topic,
    bot::{ChatAction, ChatButton, ChatMessage, Invoice, Reply, ReplyClaim, ReplyQueue},
};

use super::{chats::message, inbox::OTHER, laws};
use crate::{
    make::{USER, WORKER, at, s},
    stores::{Stores, of_postgres, pg_stores},
};

laws![
    messages_of_a_chat_are_claimed_one_at_a_time_in_the_order_they_were_written,
    a_message_that_waits_holds_up_no_other_chats,
    a_key_is_pushed_once,
    every_kind_of_action_is_read_back,
    a_reply_that_is_not_answered_for_is_claimed_again,
    a_write_under_an_older_claim_changes_no_reply,
    a_reply_given_up_lets_the_next_one_go,
    a_queue_tells_when_the_next_reply_is_due,
    a_new_reply_never_gets_an_old_ones_id,
    replies_that_may_go_ring_the_bell,
    senders_that_claim_at_the_same_moment_get_different_chats,
];

impl Stores {
    async fn push(&self, key: &str, chat: UserId, texts: &[&str], second: u64) -> bool {
        let actions: Vec<_> = texts.iter().map(|text| message(text)).collect();
        self.replies.push(key, chat, &actions, at(second)).await.unwrap()
    }

    async fn claim_queue(&self, limit: u32, now: Timestamp) -> ReplyClaim {
        self.replies.claim_due(WORKER, limit, now.after(s(30)), now).await.unwrap()
    }

    pub(super) async fn claim_replies(&self, now: Timestamp) -> Vec<Reply> {
        self.claim_queue(10, now).await.replies
    }
}

fn actions(replies: &[Reply]) -> Vec<ChatAction> {
    replies.iter().map(|reply| reply.action.clone()).collect()
}

async fn messages_of_a_chat_are_claimed_one_at_a_time_in_the_order_they_were_written(stores: Stores) {
    stores.push("a", USER, &["one", "two"], 0).await;
    stores.push("b", USER, &["three"], 0).await;
    for expected in ["one", "two", "three"] {
        let claimed = stores.claim_replies(at(1)).await;
        assert_eq!(actions(&claimed), [message(expected)]);
        assert!(stores.claim_replies(at(1)).await.is_empty(), "and no other beside it");
        stores.replies.sent(&claimed[0], at(1)).await.unwrap();
    }
    assert!(stores.claim_replies(at(500)).await.is_empty());
}

async fn a_message_that_waits_holds_up_no_other_chats(stores: Stores) {
    stores.push("a", USER, &["one", "two"], 0).await;
    stores.push("b", OTHER, &["three"], 0).await;
    let claimed = stores.claim_replies(at(0)).await;
    assert_eq!(actions(&claimed), [message("one"), message("three")]);
    stores.replies.postpone(&claimed[0], at(50), "429").await.unwrap();
    stores.replies.sent(&claimed[1], at(1)).await.unwrap();
    stores.push("c", OTHER, &["four"], 2).await;
    assert_eq!(actions(&stores.claim_replies(at(2)).await), [message("four")]);
    let again = stores.claim_replies(at(50)).await.into_iter().find(|reply| reply.chat == USER).unwrap();
    assert_eq!((again.id, again.failures), (claimed[0].id, 1));
}

async fn a_key_is_pushed_once(stores: Stores) {
    assert!(stores.push("broadcast:1", USER, &["news"], 0).await);
    assert!(!stores.push("broadcast:1", USER, &["news"], 1).await);
    assert!(!stores.push("broadcast:1", OTHER, &["else"], 1).await);
    assert!(stores.push("empty", USER, &[], 1).await);
    let claimed = stores.claim_replies(at(2)).await;
    assert_eq!(actions(&claimed), [message("news")]);
    stores.replies.sent(&claimed[0], at(2)).await.unwrap();
    assert!(!stores.push("broadcast:1", USER, &["news"], 3).await, "also when it is out");
    let both =
        futures_util::future::join_all((0..2).map(|_| stores.push("at once", USER, &["news"], 4))).await;
    assert_eq!(both.iter().filter(|pushed| **pushed).count(), 1);
}

async fn every_kind_of_action_is_read_back(stores: Stores) {
    let button = |label: &str, data: &str| ChatButton { label: label.to_owned(), data: data.to_owned() };
    let full = ChatMessage {
        text: "\u{1f3ac} \"quoted\" \\ \0 text".to_owned(),
        keyboard: vec![vec![button("1", "n:1:7"), button("3", "n:3:7")], vec![button("Menu", "m")]],
    };
    let invoice = Invoice {
        title: "10 credits".to_owned(),
        description: "Ten videos".to_owned(),
        payload: "018f".to_owned(),
        stars: u32::MAX,
    };
    let actions = [
        ChatAction::Send(full.clone()),
        ChatAction::Edit { message: i64::MAX, to: full },
        ChatAction::RemoveButtons { message: 1 },
        ChatAction::Invoice(invoice),
    ];
    stores.replies.push("k", USER, &actions, at(0)).await.unwrap();
    for action in actions {
        let reply = stores.claim_replies(at(0)).await.remove(0);
        assert_eq!((reply.action.clone(), reply.chat), (action, USER));
        stores.replies.sent(&reply, at(0)).await.unwrap();
    }
}

async fn a_reply_that_is_not_answered_for_is_claimed_again(stores: Stores) {
    stores.push("a", USER, &["one"], 0).await;
    let first = stores.claim_replies(at(1)).await.remove(0);
    assert!(stores.claim_replies(at(30)).await.is_empty());
    let again = stores.claim_replies(at(31)).await.remove(0);
    assert_eq!((again.id, again.failures), (first.id, 0));
}

async fn a_write_under_an_older_claim_changes_no_reply(stores: Stores) {
    stores.push("a", USER, &["one"], 0).await;
    let first = stores.claim_replies(at(1)).await.remove(0);
    let again = stores.claim_replies(at(31)).await.remove(0);
    for late in [
        stores.replies.sent(&first, at(32)).await,
        stores.replies.postpone(&first, at(32), "late").await,
        stores.replies.give_up(&first, at(32), "late").await,
    ] {
        assert_eq!(late.unwrap_err().kind(), ErrorKind::Conflict);
    }
    assert!(stores.claim_replies(at(32)).await.is_empty(), "the second claim still holds");
    stores.replies.sent(&again, at(32)).await.unwrap();
    assert_eq!(stores.replies.sent(&again, at(33)).await.unwrap_err().kind(), ErrorKind::Conflict);
}

async fn a_reply_given_up_lets_the_next_one_go(stores: Stores) {
    stores.push("a", USER, &["one", "two"], 0).await;
    let first = stores.claim_replies(at(1)).await.remove(0);
    stores.replies.give_up(&first, at(1), "blocked").await.unwrap();
    assert_eq!(actions(&stores.claim_replies(at(1)).await), [message("two")]);
}

async fn a_queue_tells_when_the_next_reply_is_due(stores: Stores) {
    assert_eq!(stores.claim_queue(10, at(0)).await, ReplyClaim::default());
    stores.push("a", USER, &["one", "two"], 0).await;
    let claim = stores.claim_queue(10, at(1)).await;
    assert_eq!(claim.next_due_at, Some(at(31)), "the end of its own lease");
    stores.replies.postpone(&claim.replies[0], at(10), "429").await.unwrap();
    assert_eq!(stores.claim_queue(10, at(2)).await.next_due_at, Some(at(10)));
    stores.push("b", OTHER, &["three"], 3).await;
    let full = stores.claim_queue(1, at(3)).await;
    assert_eq!((full.replies.len(), full.next_due_at), (1, None), "more may be due");
}

async fn a_new_reply_never_gets_an_old_ones_id(stores: Stores) {
    stores.push("a", USER, &["one"], 0).await;
    let first = stores.claim_replies(at(0)).await.remove(0);
    stores.replies.sent(&first, at(0)).await.unwrap();
    stores.push("b", USER, &["two"], 0).await;
    assert!(stores.claim_replies(at(0)).await[0].id > first.id);
}

async fn replies_that_may_go_ring_the_bell(stores: Stores) {
    stores.push("a", USER, &["one", "two", "three"], 0).await;
    stores.signal.notified(Topic::Replies).await;
    let first = stores.claim_replies(at(0)).await.remove(0);
    stores.replies.sent(&first, at(0)).await.unwrap();
    stores.signal.notified(Topic::Replies).await;
    let second = stores.claim_replies(at(0)).await.remove(0);
    stores.replies.give_up(&second, at(0), "blocked").await.unwrap();
    stores.signal.notified(Topic::Replies).await;
}

async fn senders_that_claim_at_the_same_moment_get_different_chats(stores: Stores) {
    for chat in 0..8 {
        stores.push(&chat.to_string(), UserId::new(chat), &["one", "two", "three"], 0).await;
    }
    let mut sent = 0;
    while sent < 24 {
        let claims = futures_util::future::join_all((0..4).map(|_| stores.claim_queue(3, at(1)))).await;
        let claimed: Vec<_> = claims.into_iter().flat_map(|claim| claim.replies).collect();
        let mut chats: Vec<_> = claimed.iter().map(|reply| reply.chat).collect();
        chats.sort_unstable();
        chats.dedup();
        assert_eq!(chats.len(), claimed.len(), "one of a chat: {claimed:?}");
        assert!(!claimed.is_empty(), "some are left, and nobody holds them");
        for reply in &claimed {
            stores.replies.sent(reply, at(1)).await.unwrap();
        }
        sent += claimed.len();
    }
    assert!(stores.claim_replies(at(500)).await.is_empty());
}

#[tokio::test]
async fn a_reply_that_cannot_be_read_holds_up_no_other_chats() {
    let stores = pg_stores().await;
    let ports = of_postgres(&stores);
    ports.push("a", USER, &["one", "two"], 0).await;
    ports.push("b", OTHER, &["three"], 0).await;
    let spoil = r#"UPDATE replies SET action = '{"do":"from the future"}' WHERE chat_id = $1"#;
    sqlx::query(spoil).bind(USER.value()).execute(stores.pool()).await.unwrap();
    let claim = ReplyQueue::claim_due(&stores, WORKER, 10, at(30), at(0)).await.unwrap();
    assert_eq!(actions(&claim.replies), [message("three")]);
    assert_eq!(claim.next_due_at, Some(at(0)), "something due was passed over");
    assert!(ports.claim_replies(at(1)).await.is_empty(), "and it is not claimed over and over");
}
