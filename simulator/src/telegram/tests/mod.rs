//! Laws of the simulated Telegram, on the model alone and through sockets.

mod client;
mod faults;
mod messages;
mod stars;
mod taps;
mod updates;
mod wire;

use std::time::Duration;

use domain::time::Timestamp;
use serde_json::{Value, json};

use super::model::{Answer, Params, Rule, TelegramModel, TelegramSettings, User};

/// A user who has written to the bot.
const OLGA: i64 = 42;
/// One who has not.
const STRANGER: i64 = 43;

/// A model and its time.
struct Lab {
    model: TelegramModel,
    now: Timestamp,
}

impl Lab {
    fn new() -> Self {
        let mut lab = Self {
            model: TelegramModel::new(TelegramSettings::healthy(1)),
            now: Timestamp::from_millis(1_790_000_000_000),
        };
        for id in [OLGA, STRANGER] {
            let (first_name, language) = ("Olga".to_owned(), Some("ru".to_owned()));
            lab.model.add_user(User { id, first_name, username: None, language });
        }
        lab.model.write(OLGA, "/start", lab.now);
        lab.call("getUpdates", &json!({ "offset": 1_000_000_000 }));
        lab
    }

    fn wait(&mut self, time: Duration) {
        self.now = self.now.after(time);
    }

    fn answer(&mut self, method: &str, params: &Value) -> Answer {
        self.model.call(TelegramSettings::TOKEN, method, &Params::of_json(params), self.now)
    }

    /// The result of a call that is done.
    #[track_caller]
    fn call(&mut self, method: &str, params: &Value) -> Value {
        match self.answer(method, params) {
            Answer::Said(200, body) => body["result"].clone(),
            other => panic!("{method}: {other:?}"),
        }
    }

    /// The status and the text of a call that is refused.
    #[track_caller]
    fn refused(&mut self, method: &str, params: &Value) -> (u16, String) {
        match self.answer(method, params) {
            Answer::Said(status, body) if status != 200 => {
                assert_eq!(body["ok"], false);
                assert_eq!(body["error_code"], status);
                (status, body["description"].as_str().unwrap().to_owned())
            }
            other => panic!("{method}: {other:?}"),
        }
    }

    /// The text of a call that is refused as a bad request.
    #[track_caller]
    fn bad(&mut self, method: &str, params: &Value) -> String {
        let (status, text) = self.refused(method, params);
        assert_eq!(status, 400, "{text}");
        text.strip_prefix("Bad Request: ").unwrap().to_owned()
    }

    /// Sends a text; each a second later than the last, so that the pace is kept.
    fn say(&mut self, text: &str) -> i64 {
        self.wait(Duration::from_secs(1));
        self.call("sendMessage", &json!({ "chat_id": OLGA, "text": text }))["message_id"].as_i64().unwrap()
    }

    /// Sends a message with one button.
    fn say_with_button(&mut self, data: &str) -> i64 {
        self.wait(Duration::from_secs(1));
        let message = json!({ "chat_id": OLGA, "text": "choose", "reply_markup": one_button(data) });
        self.call("sendMessage", &message)["message_id"].as_i64().unwrap()
    }

    fn updates(&mut self, offset: i64) -> Vec<Value> {
        self.call("getUpdates", &json!({ "offset": offset })).as_array().unwrap().clone()
    }

    fn broken(&mut self) -> Vec<Rule> {
        self.model.violations(self.now).into_iter().map(|broken| broken.rule).collect()
    }
}

fn one_button(data: &str) -> Value {
    json!({ "inline_keyboard": [[{ "text": "Go", "callback_data": data }]] })
}

fn id_of(update: &Value) -> i64 {
    update["update_id"].as_i64().unwrap()
}
