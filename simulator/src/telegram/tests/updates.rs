//! Polls and webhooks, on the model.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Lab, OLGA, STRANGER, id_of};
use crate::telegram::model::{Answer, Rule};

fn texts(updates: &[Value]) -> Vec<&str> {
    updates.iter().map(|update| update["message"]["text"].as_str().unwrap()).collect()
}

fn three(lab: &mut Lab) {
    for text in ["one", "two", "three"] {
        lab.model.write(OLGA, text, lab.now);
    }
}

/// The texts of those that are sent to the webhook now, and their numbers.
fn sent(lab: &mut Lab) -> Vec<(u64, String)> {
    let deliveries = lab.model.deliveries(lab.now);
    let text = |body: &Value| body["message"]["text"].as_str().unwrap().to_owned();
    deliveries.iter().map(|delivery| (delivery.number, text(&delivery.body))).collect()
}

#[test]
fn updates_are_given_out_until_an_offset_confirms_them() {
    let mut lab = Lab::new();
    three(&mut lab);
    let first = lab.updates(0);
    assert_eq!(texts(&first), ["one", "two", "three"]);
    assert_eq!(lab.updates(0), first);
    assert_eq!(texts(&lab.updates(id_of(&first[1]))), ["two", "three"]);
    assert_eq!(lab.updates(0).len(), 2);
    let limited = lab.call("getUpdates", &json!({ "limit": 1 }));
    assert_eq!(limited.as_array().unwrap().len(), 1);
    assert_eq!(texts(&lab.updates(-1)), ["three"]);
    assert_eq!(lab.updates(id_of(&first[2]) + 1), Vec::<Value>::new());
}

#[test]
fn updates_are_kept_for_a_day() {
    let mut lab = Lab::new();
    three(&mut lab);
    lab.wait(Duration::from_secs(86_399));
    assert_eq!(lab.updates(0).len(), 3);
    lab.wait(Duration::from_secs(1));
    assert_eq!(lab.updates(0).len(), 0);
}

#[test]
fn what_was_not_subscribed_to_never_comes_and_an_omitted_list_changes_nothing() {
    let mut lab = Lab::new();
    lab.call("getUpdates", &json!({ "allowed_updates": ["callback_query"] }));
    lab.model.write(OLGA, "unheard", lab.now);
    assert_eq!(lab.updates(0).len(), 0);
    lab.call("getUpdates", &json!({ "allowed_updates": [] }));
    lab.model.write(OLGA, "heard", lab.now);
    assert_eq!(texts(&lab.updates(0)), ["heard"]);
    let wrong = lab.bad("getUpdates", &json!({ "allowed_updates": "message" }));
    assert_eq!(wrong, "can't parse allowed_updates JSON array");
}

#[test]
fn a_poll_waits_for_an_update_or_its_end() {
    let mut lab = Lab::new();
    let Answer::Waits(poll) = lab.answer("getUpdates", &json!({ "timeout": 10 })) else { panic!() };
    assert_eq!(lab.model.look(poll, lab.now), Err(lab.now.after(Duration::from_secs(10))));
    lab.model.write(OLGA, "hello", lab.now);
    let Ok(Answer::Said(200, body)) = lab.model.look(poll, lab.now) else { panic!() };
    assert_eq!(body["result"][0]["message"]["text"], "hello");
    let next = id_of(&body["result"][0]) + 1;
    let Answer::Waits(poll) = lab.answer("getUpdates", &json!({ "timeout": 10, "offset": next })) else {
        panic!()
    };
    lab.wait(Duration::from_secs(10));
    let nothing = Answer::Said(200, json!({ "ok": true, "result": [] }));
    assert_eq!(lab.model.look(poll, lab.now), Ok(nothing));
}

#[test]
fn a_second_poll_ends_the_first_with_a_conflict() {
    let mut lab = Lab::new();
    let Answer::Waits(first) = lab.answer("getUpdates", &json!({ "timeout": 10 })) else { panic!() };
    let Answer::Waits(second) = lab.answer("getUpdates", &json!({ "timeout": 10 })) else { panic!() };
    let Ok(Answer::Said(409, body)) = lab.model.look(first, lab.now) else { panic!() };
    let text =
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running";
    assert_eq!(body["description"], text);
    assert!(lab.model.look(second, lab.now).is_err(), "the second one waits");
    assert_eq!(lab.broken(), [Rule::OnePoller]);
}

#[test]
fn a_poller_that_has_gone_is_in_nobodys_way() {
    let mut lab = Lab::new();
    let Answer::Waits(first) = lab.answer("getUpdates", &json!({ "timeout": 10 })) else { panic!() };
    lab.model.leave_poll(first);
    assert!(matches!(lab.answer("getUpdates", &json!({ "timeout": 10 })), Answer::Waits(_)));
    assert_eq!(lab.broken(), []);
}

#[test]
fn who_has_a_webhook_cannot_poll() {
    let mut lab = Lab::new();
    let Answer::Waits(poll) = lab.answer("getUpdates", &json!({ "timeout": 10 })) else { panic!() };
    let hook = json!({ "url": "https://example.org/hook", "secret_token": "s3cret", "allowed_updates": ["message"] });
    assert_eq!(lab.call("setWebhook", &hook), true);
    let Ok(Answer::Said(409, body)) = lab.model.look(poll, lab.now) else { panic!() };
    assert_eq!(body["description"], "Conflict: terminated by setWebhook request");
    let (status, text) = lab.refused("getUpdates", &json!({}));
    assert_eq!(status, 409);
    assert!(text.starts_with("Conflict: can't use getUpdates method while webhook is active"), "{text}");
    let info = lab.call("getWebhookInfo", &json!({}));
    assert_eq!((&info["url"], &info["max_connections"]), (&hook["url"], &json!(40)));
    assert_eq!(info["allowed_updates"], json!(["message"]));
    assert_eq!(lab.call("deleteWebhook", &json!({})), true);
    assert_eq!(lab.updates(0).len(), 0);
}

#[test]
fn a_webhook_needs_https_a_known_port_and_a_plain_secret() {
    let mut lab = Lab::new();
    let long = "x".repeat(257);
    for (url, secret, refused) in [
        ("http://example.org/", "s", "bad webhook: An HTTPS URL must be provided for webhook"),
        (
            "https://example.org:444/",
            "s",
            "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443",
        ),
        ("nowhere", "s", "invalid webhook URL specified"),
        ("https://example.org/", "not plain", "secret token contains unallowed characters"),
        ("https://example.org/", long.as_str(), "secret token is too long"),
    ] {
        assert_eq!(lab.bad("setWebhook", &json!({ "url": url, "secret_token": secret })), refused);
    }
    assert_eq!(lab.call("setWebhook", &json!({ "url": "http://127.0.0.1:9/hook" })), true);
}

#[test]
fn a_webhook_gets_a_chats_updates_in_order_and_each_until_it_is_confirmed() {
    let mut lab = Lab::new();
    lab.call("setWebhook", &json!({ "url": "https://example.org/hook" }));
    three(&mut lab);
    lab.model.write(STRANGER, "elsewhere", lab.now);
    let first = sent(&mut lab);
    assert_eq!(first.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(), ["one", "elsewhere"]);
    assert_eq!(sent(&mut lab), [], "the first of each chat is on its way");
    lab.model.delivered(first[0].0, &Ok(500), lab.now);
    lab.model.delivered(first[1].0, &Ok(200), lab.now);
    assert_eq!(sent(&mut lab), [], "what failed waits, and what follows it in its chat too");
    let info = lab.call("getWebhookInfo", &json!({}));
    assert_eq!(info["last_error_message"], "Wrong response from the webhook: 500");
    assert_eq!(info["pending_update_count"], 3);
    let again = lab.model.next_delivery_at(lab.now).unwrap();
    assert_eq!(again, lab.now.after(Duration::from_secs(1)));
    lab.now = again;
    let second = sent(&mut lab);
    assert_eq!(second[0].1, "one");
    lab.model.delivered(second[0].0, &Err("no connection".to_owned()), lab.now);
    assert_eq!(lab.model.next_delivery_at(lab.now), Some(lab.now.after(Duration::from_secs(2))));
    lab.wait(Duration::from_secs(2));
    for text in ["one", "two", "three"] {
        let now = sent(&mut lab);
        assert_eq!(now.len(), 1);
        assert_eq!(now[0].1, text);
        lab.model.delivered(now[0].0, &Ok(200), lab.now);
    }
    assert_eq!(lab.model.waiting_updates(), 0);
}

#[test]
fn updates_come_twice_or_in_the_wrong_order_on_demand() {
    let mut lab = Lab::new();
    lab.model.hold_updates();
    three(&mut lab);
    assert_eq!(lab.updates(0).len(), 0);
    lab.model.reverse_updates();
    lab.model.release_updates();
    let reversed = lab.updates(0);
    assert_eq!(texts(&reversed), ["three", "two", "one"]);
    let next = id_of(&reversed[0]) + 1;
    assert_eq!(lab.updates(next).len(), 0);
    lab.model.repeat_updates(2, lab.now);
    let again = lab.updates(next);
    assert_eq!(texts(&again), ["two", "three"], "although they were confirmed");
    assert_eq!(again[1], reversed[0]);
    assert_eq!(lab.updates(next).len(), 0);
}

#[test]
fn waiting_updates_are_not_to_be_thrown_away() {
    let mut lab = Lab::new();
    lab.call("deleteWebhook", &json!({ "drop_pending_updates": true }));
    assert_eq!(lab.broken(), []);
    three(&mut lab);
    lab.call("deleteWebhook", &json!({ "drop_pending_updates": true }));
    assert_eq!(lab.updates(0).len(), 0);
    assert_eq!(lab.broken(), [Rule::NothingDropped]);
}
