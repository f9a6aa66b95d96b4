//! What goes wrong: each call is done, is not done, or nobody knows.

use std::time::Duration;

use serde_json::json;

use super::{Lab, OLGA, STRANGER};
use crate::telegram::model::{Answer, Fault, Odds, Outcome, Plan, Rule, TelegramModel, TelegramSettings};

fn say(chat: i64) -> serde_json::Value {
    json!({ "chat_id": chat, "text": "hello" })
}

fn count(lab: &Lab) -> usize {
    lab.model.messages(OLGA).iter().filter(|message| message.by_bot).count()
}

#[test]
fn a_planned_429_closes_its_chat_alone_until_its_time_has_come() {
    let mut lab = Lab::new();
    lab.model.write(STRANGER, "/start", lab.now);
    lab.model.plan(Plan::next("SENDMESSAGE", Fault::TooMany(7)).to_chat(OLGA));
    lab.call("sendMessage", &say(STRANGER));
    let refused = (429, "Too Many Requests: retry after 7".to_owned());
    assert_eq!(lab.refused("sendMessage", &say(OLGA)), refused);
    lab.call("sendMessage", &say(STRANGER));
    assert_eq!(lab.broken(), []);
    lab.wait(Duration::from_secs(6));
    let refused = (429, "Too Many Requests: retry after 1".to_owned());
    assert_eq!(lab.refused("sendMessage", &say(OLGA)), refused);
    assert_eq!(lab.broken(), [Rule::RetryAfter]);
    lab.wait(Duration::from_secs(1));
    lab.call("sendMessage", &say(OLGA));
}

#[test]
fn a_lost_answer_is_done_and_a_lost_request_is_not() {
    let mut lab = Lab::new();
    lab.model.plan(Plan::next("sendMessage", Fault::RequestLost));
    assert_eq!(lab.answer("sendMessage", &say(OLGA)), Answer::Nothing);
    assert_eq!(count(&lab), 0);
    lab.model.plan(Plan::next("sendMessage", Fault::AnswerLost));
    assert_eq!(lab.answer("sendMessage", &say(OLGA)), Answer::Nothing);
    assert_eq!(count(&lab), 1);
    let outcomes: Vec<_> = lab.model.calls().iter().skip(1).map(|call| call.outcome.clone()).collect();
    assert_eq!(outcomes, [Outcome::RequestLost, Outcome::AnswerLost]);
}

#[test]
fn a_lost_answer_to_a_poll_leaves_its_updates_waiting_and_its_taps_unheard() {
    let mut lab = Lab::new();
    let message = lab.say_with_button("go");
    lab.model.plan(Plan::next("getUpdates", Fault::AnswerLost));
    let Answer::Waits(poll) = lab.answer("getUpdates", &json!({ "timeout": 50 })) else { panic!() };
    lab.model.tap(OLGA, message, "Go", lab.now).unwrap();
    assert_eq!(lab.model.look(poll, lab.now), Ok(Answer::Nothing));
    assert_eq!(lab.model.calls().last().unwrap().outcome, Outcome::AnswerLost);
    assert_eq!(lab.model.waiting_updates(), 1);
    lab.wait(Duration::from_secs(15));
    assert_eq!(lab.broken(), [], "nobody could have answered");
    assert_eq!(lab.updates(0)[0]["callback_query"]["data"], "go");
}

#[test]
fn a_gateway_in_trouble_and_a_block_do_nothing_as_often_as_planned() {
    let mut lab = Lab::new();
    lab.model.plan(Plan::next("sendMessage", Fault::Server(502)).times(2));
    lab.model.plan(Plan::next("sendMessage", Fault::Blocked));
    for _ in 0..2 {
        assert_eq!(lab.answer("sendMessage", &say(OLGA)), Answer::Page(502));
    }
    assert_eq!(lab.refused("sendMessage", &say(OLGA)).0, 403);
    assert_eq!(count(&lab), 0);
    lab.call("sendMessage", &say(OLGA));
}

/// What becomes of a hundred messages to Olga, with as many to somebody else between them.
fn luck_of_olga(seed: u64, others: usize) -> Vec<Outcome> {
    let settings = TelegramSettings {
        odds: Odds { too_many: 0.1, server: 0.1, request_lost: 0.1, answer_lost: 0.1 },
        ..TelegramSettings::healthy(seed)
    };
    let mut lab = Lab::new();
    lab.model.set_odds(settings.odds);
    let mut model = TelegramModel::new(settings);
    std::mem::swap(&mut lab.model, &mut model);
    for id in [OLGA, STRANGER] {
        lab.model.add_user(model.user(id).unwrap().clone());
        lab.model.write(id, "/start", lab.now);
    }
    for _ in 0..100 {
        lab.wait(Duration::from_secs(10));
        lab.answer("sendMessage", &say(OLGA));
        for _ in 0..others {
            lab.answer("sendMessage", &say(STRANGER));
        }
    }
    let calls = lab.model.calls().iter().filter(|call| call.chat == Some(OLGA));
    calls.map(|call| call.outcome.clone()).collect()
}

#[test]
fn chance_repeats_itself_and_one_chats_calls_do_not_move_anothers_luck() {
    let alone = luck_of_olga(7, 0);
    assert_eq!(alone, luck_of_olga(7, 3));
    assert_ne!(alone, luck_of_olga(8, 0));
    let met = |fits: fn(&Outcome) -> bool| alone.iter().any(fits);
    assert!(met(|outcome| *outcome == Outcome::Done));
    assert!(met(|outcome| *outcome == Outcome::AnswerLost));
    assert!(met(|outcome| *outcome == Outcome::RequestLost));
    assert!(met(|outcome| matches!(outcome, Outcome::Refused(429, _))));
    assert!(met(|outcome| matches!(outcome, Outcome::Refused(502, _))));
}
