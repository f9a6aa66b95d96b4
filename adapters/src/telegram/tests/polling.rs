use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use ports::{
    ErrorKind, PortError,
    bot::{IncomingUpdate, MockInbox},
};
use wiremock::ResponseTemplate;

use super::{
    super::{PollTally, poll},
    *,
};

fn update(id: i64, user: i64) -> Value {
    json!({ "update_id": id, "message": { "message_id": 1, "chat": { "id": user, "type": "private" } } })
}

/// An inbox that notes what it is given and fails as often as told.
fn inbox(fails: usize) -> (MockInbox, Arc<Mutex<Vec<IncomingUpdate>>>) {
    let stored = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&stored);
    let left = AtomicUsize::new(fails);
    let mut inbox = MockInbox::new();
    inbox.expect_receive().returning(move |updates, _| {
        if left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Err(PortError::new(ErrorKind::Transient, "the database is away"));
        }
        notes.lock().unwrap().extend_from_slice(updates);
        Ok(updates.len())
    });
    (inbox, stored)
}

/// Polls until so many requests were made, and returns what they were.
async fn poll_for(
    answers: Vec<ResponseTemplate>,
    fails: usize,
    requests: usize,
) -> (PollTally, Vec<Value>, Vec<IncomingUpdate>, i64) {
    let (stub, clock) = (Stub::answering(answers).await, Hand::new());
    let client = stub.client(&clock);
    let (inbox, stored) = inbox(fails);
    let enough = async {
        while stub.server.received_requests().await.unwrap().len() < requests {
            tokio::task::yield_now().await;
        }
    };
    let tally = poll(&client, &inbox, &*clock, enough).await;
    let asked: Vec<_> = stub.asked().await.into_iter().take(requests).map(|(_, body)| body).collect();
    let stored = stored.lock().unwrap().clone();
    (tally, asked, stored, clock.now().as_millis() - NOW.as_millis())
}

fn offsets(asked: &[Value]) -> Vec<Option<i64>> {
    asked.iter().map(|body| body.get("offset").and_then(Value::as_i64)).collect()
}

#[tokio::test]
async fn updates_are_confirmed_once_they_are_stored_and_then_nothing_is_passed_over() {
    let batch = yes(json!([update(7, 77), update(9, 78)]));
    let (tally, asked, stored, _) = poll_for(vec![batch, yes(json!([]))], 0, 4).await;
    // Confirmed once; from then on whatever there is, since numbers may start anew after a silent week.
    assert_eq!(offsets(&asked), [None, Some(10), None, None]);
    assert_eq!((tally.new, tally.failures), (2, 0));
    let ids: Vec<_> = stored.iter().map(|update| (update.id, update.chat.value())).collect();
    assert_eq!(ids, [(7, 77), (9, 78)]);
    let kinds = json!(["message", "callback_query", "pre_checkout_query", "my_chat_member"]);
    assert!(asked.iter().all(|body| body["allowed_updates"] == kinds && body["timeout"] == 25));
}

#[tokio::test]
async fn what_could_not_be_stored_is_not_confirmed() {
    let batch = yes(json!([update(7, 77)]));
    let (tally, asked, stored, waited) = poll_for(vec![batch], 2, 4).await;
    assert_eq!(offsets(&asked), [None, None, None, Some(8)]);
    assert_eq!((tally.failures, waited), (2, 3_000));
    assert_eq!(stored[0].id, 7);
}

#[tokio::test]
async fn an_update_nobody_can_read_is_stored_as_it_came() {
    let strange = json!({ "update_id": 8, "message": 5, "deep": [[["x"]]] });
    let batch = yes(json!([{ "no": "number" }, strange.clone(), update(9, 77)]));
    let (_, asked, stored, _) = poll_for(vec![batch, yes(json!([]))], 0, 2).await;
    assert_eq!(offsets(&asked), [None, Some(10)]);
    assert_eq!(serde_json::from_str::<Value>(&stored[0].body).unwrap(), strange);
    assert_eq!((stored[0].id, stored[0].chat.value(), stored[1].id), (8, 0, 9));
}

#[tokio::test]
async fn failures_wait_ever_longer_and_are_counted() {
    let conflict =
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running";
    let webhook = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the \
                   webhook first";
    let answers = vec![
        no(401, "Unauthorized"),
        no(409, conflict),
        no(409, webhook),
        no(502, "Bad Gateway"),
        slow_down(100),
        yes(json!([])),
        no(404, "Not Found"),
        yes(json!([])),
    ];
    let (tally, _, _, waited) = poll_for(answers, 0, 8).await;
    assert_eq!((tally.failures, tally.conflicts), (6, 2));
    // 1, 2, 4 and 8 s, what Telegram said, and from the beginning after a success.
    assert_eq!(waited, (1 + 2 + 4 + 8 + 100 + 1) * 1_000);
}

#[tokio::test]
async fn garbage_instead_of_updates_is_waited_out() {
    let answers = vec![
        yes(json!([{ "no": "number" }])),
        yes(json!({ "not": "a list" })),
        ResponseTemplate::new(200).set_body_string("<html>"),
        yes(json!([])),
    ];
    let (tally, _, stored, waited) = poll_for(answers, 0, 4).await;
    assert_eq!((tally.failures, stored.len(), waited), (3, 0, 7_000));
}

#[tokio::test]
async fn a_loop_that_is_stopped_stops_at_once() {
    let slow = yes(json!([])).set_delay(std::time::Duration::from_secs(600));
    let (stub, clock) = (Stub::answering([slow]).await, Hand::new());
    let client = stub.client(&clock);
    let (inbox, _) = inbox(0);
    let tally = poll(&client, &inbox, &*clock, tokio::task::yield_now()).await;
    assert_eq!(tally, PollTally::default());
}
