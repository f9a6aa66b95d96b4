//! Updates as they are stored: unread, so that what cannot be read is not lost either.

use domain::id::UserId;
use ports::bot::IncomingUpdate;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Head {
    update_id: i64,
}

/// An update to be stored; `None` for what has no `update_id` and so is no update.
pub(super) fn incoming(body: &str) -> Option<IncomingUpdate> {
    let Head { update_id } = serde_json::from_str(body).ok()?;
    // Whose it is decides only which updates wait for each other; what nobody can be found in waits for its like.
    let chat = serde_json::from_str::<Value>(body).ok().as_ref().and_then(whose).unwrap_or(0);
    Some(IncomingUpdate { id: update_id, chat: UserId::new(chat), body: body.to_owned() })
}

/// The chat an update belongs to: what is beside `update_id` has a chat, hangs on a message that has one, or has a
/// sender (Bot API, Update).
fn whose(update: &Value) -> Option<i64> {
    let what = update.as_object()?.iter().find(|(key, value)| *key != "update_id" && value.is_object())?.1;
    ["/chat/id", "/message/chat/id", "/from/id", "/user/id"]
        .iter()
        .find_map(|place| what.pointer(place).and_then(Value::as_i64))
}
