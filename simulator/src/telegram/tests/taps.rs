//! Taps.

use std::time::Duration;

use serde_json::json;

use super::{Lab, OLGA, one_button};
use crate::telegram::model::{Rule, TapAnswer};

const TOO_OLD: &str = "query is too old and response timeout expired or query ID is invalid";

#[test]
fn a_tap_carries_its_buttons_data_and_is_answered_once() {
    let mut lab = Lab::new();
    let message = lab.say_with_button("go:7");
    let by_label = lab.model.tap(OLGA, message, "Go", lab.now).unwrap();
    let by_data = lab.model.tap(OLGA, message, "go:7", lab.now).unwrap();
    let updates = lab.updates(0);
    for (update, tap) in updates.iter().zip([&by_label, &by_data]) {
        let query = &update["callback_query"];
        assert_eq!((&query["id"], &query["data"]), (&json!(tap), &json!("go:7")));
        assert_eq!(query["message"]["message_id"], message);
    }
    assert!(lab.model.tap(OLGA, message, "Stop", lab.now).is_err());
    let answer = json!({ "callback_query_id": by_label, "text": "coming", "show_alert": true });
    assert_eq!(lab.call("answerCallbackQuery", &answer), true);
    assert_eq!(lab.bad("answerCallbackQuery", &answer), TOO_OLD);
    let seen = TapAnswer { text: Some("coming".to_owned()), is_alert: true };
    assert_eq!(lab.model.tap_answer(&by_label, lab.now), Ok(Some(seen)));
    assert_eq!(lab.model.open_taps(), 1);
    lab.call("answerCallbackQuery", &json!({ "callback_query_id": by_data }));
    assert_eq!(lab.broken(), []);
}

#[test]
fn a_tap_that_was_given_out_has_to_be_answered_in_time() {
    let mut lab = Lab::new();
    let message = lab.say_with_button("go");
    let heard = lab.model.tap(OLGA, message, "Go", lab.now).unwrap();
    lab.updates(0);
    lab.model.tap(OLGA, message, "Go", lab.now).unwrap();
    lab.wait(Duration::from_millis(14_999));
    assert_eq!(lab.broken(), []);
    lab.wait(Duration::from_millis(1));
    assert_eq!(lab.broken(), [Rule::TapAnswered], "of the one the bot was told of");
    assert_eq!(lab.bad("answerCallbackQuery", &json!({ "callback_query_id": heard })), TOO_OLD);
    assert_eq!(lab.model.tap_answer(&heard, lab.now), Ok(None));
}

#[test]
fn an_answer_has_at_most_200_characters_and_may_be_tried_again() {
    let mut lab = Lab::new();
    let message = lab.say_with_button("go");
    let tap = lab.model.tap(OLGA, message, "Go", lab.now).unwrap();
    let answer = |length| json!({ "callback_query_id": tap, "text": "ы".repeat(length) });
    assert_eq!(lab.bad("answerCallbackQuery", &answer(201)), "MESSAGE_TOO_LONG");
    assert_eq!(lab.call("answerCallbackQuery", &answer(200)), true);
}

#[test]
fn a_forged_tap_may_say_anything_about_a_message_that_is_gone() {
    let mut lab = Lab::new();
    lab.model.tap_data(OLGA, 999, "grant:1000000", lab.now);
    let query = lab.updates(0)[0]["callback_query"].clone();
    assert_eq!((&query["data"], &query["message"]["date"]), (&json!("grant:1000000"), &json!(0)));
}

#[test]
fn a_button_that_was_taken_off_cannot_be_tapped() {
    let mut lab = Lab::new();
    let message = lab.say_with_button("go");
    let other = json!({ "chat_id": OLGA, "message_id": message, "reply_markup": one_button("stop") });
    lab.call("editMessageReplyMarkup", &other);
    assert!(lab.model.tap(OLGA, message, "go", lab.now).is_err());
    assert!(lab.model.tap(OLGA, message, "stop", lab.now).is_ok());
}

#[test]
fn whoever_shows_buttons_subscribes_to_taps() {
    let mut lab = Lab::new();
    lab.call("getUpdates", &json!({ "allowed_updates": ["message"] }));
    let message = lab.say_with_button("go");
    lab.model.tap(OLGA, message, "Go", lab.now).unwrap();
    assert_eq!(lab.broken(), [Rule::Subscribed]);
}
