//! What the bot writes.

use std::time::Duration;

use bytes::Bytes;
use serde_json::json;

use super::{Lab, OLGA, STRANGER, one_button};
use crate::{
    sample,
    telegram::model::{Answer, Deed, Params, Rule, TelegramSettings, Upload},
};

#[test]
fn a_token_or_a_method_that_nobody_knows_is_refused() {
    let mut lab = Lab::new();
    let answer = lab.model.call("1:other", "getMe", &Params::default(), lab.now);
    let unauthorized = json!({ "ok": false, "error_code": 401, "description": "Unauthorized" });
    assert_eq!(answer, Answer::Said(401, unauthorized));
    let unknown = lab.refused("sendNonsense", &json!({}));
    assert_eq!(unknown, (404, "Not Found: method not found".to_owned()));
    assert!(!format!("{:?}", lab.model.calls()).contains(TelegramSettings::TOKEN));
}

#[test]
fn methods_are_known_in_any_letter_case() {
    let mut lab = Lab::new();
    for method in ["getMe", "GetMe", "GETME"] {
        assert_eq!(lab.call(method, &json!({}))["has_main_web_app"], false);
    }
}

#[test]
fn a_text_has_1_to_4096_characters() {
    let mut lab = Lab::new();
    let say = |text: String| json!({ "chat_id": OLGA, "text": text });
    assert_eq!(lab.bad("sendMessage", &say(String::new())), "message text is empty");
    assert_eq!(lab.bad("sendMessage", &say("  \n ".to_owned())), "message text is empty");
    assert_eq!(lab.bad("sendMessage", &say("ы".repeat(4_097))), "message is too long");
    assert_eq!(lab.call("sendMessage", &say("ы".repeat(4_096)))["text"], "ы".repeat(4_096));
    assert_eq!(lab.broken(), [Rule::WellFormed; 3]);
}

#[test]
fn only_users_who_wrote_first_can_be_written_to() {
    let mut lab = Lab::new();
    let say = |chat: i64| json!({ "chat_id": chat, "text": "hello" });
    assert_eq!(lab.bad("sendMessage", &say(777)), "chat not found");
    assert_eq!(lab.bad("sendMessage", &json!({ "text": "hello" })), "chat_id is empty");
    assert_eq!(lab.bad("sendMessage", &json!({ "chat_id": "@channel", "text": "hello" })), "chat not found");
    let (status, text) = lab.refused("sendMessage", &say(STRANGER));
    assert_eq!((status, text.as_str()), (403, "Forbidden: bot can't initiate conversation with a user"));
}

#[test]
fn a_user_who_stopped_the_bot_is_out_of_reach_until_they_are_back() {
    let mut lab = Lab::new();
    lab.model.set_blocked(OLGA, true, lab.now);
    let told = lab.updates(0);
    assert_eq!(told[0]["my_chat_member"]["new_chat_member"]["status"], "kicked");
    let say = json!({ "chat_id": OLGA, "text": "hello" });
    let blocked = (403, "Forbidden: bot was blocked by the user".to_owned());
    assert_eq!(lab.refused("sendMessage", &say), blocked);
    assert_eq!(lab.broken(), []);
    assert_eq!(lab.refused("sendChatAction", &json!({ "chat_id": OLGA, "action": "typing" })), blocked);
    assert_eq!(lab.broken(), [Rule::Blocked]);
    lab.model.write(OLGA, "I am back", lab.now);
    assert_eq!(lab.call("sendMessage", &say)["chat"]["id"], OLGA);
}

#[test]
fn buttons_are_well_formed_and_their_data_has_1_to_64_bytes() {
    let mut lab = Lab::new();
    let mut refused = |markup| {
        let message = json!({ "chat_id": OLGA, "text": "choose", "reply_markup": markup });
        lab.bad("sendMessage", &message)
    };
    let with = |button| json!({ "inline_keyboard": [[button]] });
    let text_button =
        "can't parse inline keyboard button: Text buttons are not allowed in the inline keyboard";
    assert_eq!(refused(one_button(&"ы".repeat(33))), "BUTTON_DATA_INVALID");
    assert_eq!(refused(one_button("")), text_button);
    assert_eq!(refused(with(json!({ "text": "Go" }))), text_button);
    let no_text = "can't parse InlineKeyboardButton: Can't find field \"text\"";
    assert_eq!(refused(with(json!({ "callback_data": "go" }))), no_text);
    assert_eq!(refused(with(json!({ "text": "Go", "pay": true }))), "BUTTON_TYPE_INVALID");
    assert_eq!(refused(with(json!({ "text": "Go", "url": "nowhere" }))), "BUTTON_URL_INVALID");
    let no_array = "Field \"inline_keyboard\" must be of type Array";
    assert_eq!(refused(json!({ "inline_keyboard": null })), no_array);
    assert_eq!(refused(json!("{")), "can't parse reply keyboard markup JSON object");
    let id = lab.say_with_button(&"ы".repeat(32));
    assert_eq!(lab.model.messages(OLGA).last().unwrap().id, id);
}

#[test]
fn an_edit_changes_a_message_and_takes_its_buttons_off_unless_it_brings_some() {
    let mut lab = Lab::new();
    let id = lab.say_with_button("go");
    let edited = lab.call("editMessageText", &json!({ "chat_id": OLGA, "message_id": id, "text": "done" }));
    assert_eq!((&edited["text"], &edited["reply_markup"]), (&json!("done"), &json!(null)));
    assert!(edited["edit_date"].is_i64());
    let deeds: Vec<_> = lab.model.changes(OLGA, 0).iter().map(|change| change.deed).collect();
    assert_eq!(deeds, [Deed::Sent, Deed::Edited]);
}

#[test]
fn an_edit_to_what_a_message_already_is_is_refused() {
    let mut lab = Lab::new();
    let id = lab.say_with_button("go");
    let same =
        json!({ "chat_id": OLGA, "message_id": id, "text": "choose", "reply_markup": one_button("go") });
    let not_modified = "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message";
    assert_eq!(lab.bad("editMessageText", &same), not_modified);
    let buttons = json!({ "chat_id": OLGA, "message_id": id, "reply_markup": one_button("go") });
    assert_eq!(lab.bad("editMessageReplyMarkup", &buttons), not_modified);
    let none = json!({ "chat_id": OLGA, "message_id": id });
    lab.call("editMessageReplyMarkup", &none);
    assert_eq!(lab.bad("editMessageReplyMarkup", &none), not_modified);
    assert_eq!(lab.broken(), []);
}

#[test]
fn only_own_messages_that_are_there_are_edited() {
    let mut lab = Lab::new();
    let edit = |id: i64| json!({ "chat_id": OLGA, "message_id": id, "text": "new" });
    assert_eq!(lab.bad("editMessageText", &edit(99)), "message to edit not found");
    assert_eq!(lab.bad("editMessageText", &edit(1)), "message can't be edited");
    let without = json!({ "chat_id": OLGA, "text": "new" });
    assert_eq!(lab.bad("editMessageText", &without), "message identifier is not specified");
    let id = lab.say("old");
    let caption = json!({ "chat_id": OLGA, "message_id": id, "caption": "new" });
    assert_eq!(lab.bad("editMessageCaption", &caption), "there is no caption in the message to edit");
    assert_eq!(lab.call("deleteMessage", &json!({ "chat_id": OLGA, "message_id": id })), true);
    assert_eq!(lab.bad("editMessageText", &edit(id)), "message to edit not found");
}

#[test]
fn a_message_is_deleted_once_and_within_48_hours() {
    let mut lab = Lab::new();
    let (first, second) = (lab.say("one"), lab.say("two"));
    let delete = |id: i64| json!({ "chat_id": OLGA, "message_id": id });
    assert_eq!(lab.call("deleteMessage", &delete(first)), true);
    assert_eq!(lab.bad("deleteMessage", &delete(first)), "message to delete not found");
    lab.wait(Duration::from_secs(48 * 3_600));
    assert_eq!(lab.bad("deleteMessage", &delete(second)), "message can't be deleted for everyone");
}

#[test]
fn messages_and_edits_of_a_chat_share_its_pace_and_hold_up_no_other() {
    let mut lab = Lab::new();
    lab.model.write(STRANGER, "/start", lab.now);
    let id = lab.say("0");
    for n in 1..5 {
        lab.call("editMessageText", &json!({ "chat_id": OLGA, "message_id": id, "text": n.to_string() }));
    }
    let say = |chat: i64| json!({ "chat_id": chat, "text": "more" });
    let answer = lab.answer("sendMessage", &say(OLGA));
    let body = json!({
        "ok": false, "error_code": 429, "description": "Too Many Requests: retry after 1",
        "parameters": { "retry_after": 1 },
    });
    assert_eq!(answer, Answer::Said(429, body));
    lab.call("sendMessage", &say(STRANGER));
    assert_eq!(lab.broken(), [Rule::Pace]);
    lab.wait(Duration::from_millis(999));
    assert_eq!(lab.refused("sendMessage", &say(OLGA)).0, 429);
    assert_eq!(lab.broken(), [Rule::Pace, Rule::RetryAfter]);
    lab.wait(Duration::from_millis(1));
    lab.call("sendMessage", &say(OLGA));
}

fn upload(name: &str, bytes: Bytes, fields: &[(&str, &str)]) -> Params {
    let mut params: Params = fields.iter().copied().collect();
    params.set("chat_id", &OLGA.to_string());
    params.attach(name, Upload { name: Some("clip.mp4".to_owned()), bytes });
    params
}

fn send(lab: &mut Lab, method: &str, params: &Params) -> Answer {
    lab.wait(Duration::from_secs(1));
    lab.model.call(TelegramSettings::TOKEN, method, params, lab.now)
}

fn text_of(answer: &Answer) -> String {
    let Answer::Said(_, body) = answer else { panic!("{answer:?}") };
    body["description"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn an_uploaded_video_is_sent_again_by_its_file_id_and_as_nothing_else() {
    let mut lab = Lab::new();
    let fields = [("width", "720"), ("height", "1280"), ("duration", "10"), ("supports_streaming", "true")];
    let answer = send(&mut lab, "sendVideo", &upload("video", Bytes::from_static(b"a clip"), &fields));
    let Answer::Said(200, body) = answer else { panic!("{answer:?}") };
    let video = &body["result"]["video"];
    assert_eq!((&video["width"], &video["duration"]), (&json!(720), &json!(10)));
    let id = video["file_id"].as_str().unwrap();
    assert_eq!(lab.call("sendVideo", &json!({ "chat_id": OLGA, "video": id }))["video"], *video);
    let as_photo = lab.bad("sendPhoto", &json!({ "chat_id": OLGA, "photo": id }));
    assert_eq!(as_photo, "can't use file of type Video as Photo");
}

#[test]
fn a_form_may_name_its_file_by_attach() {
    let mut lab = Lab::new();
    let mut params = upload("part7", Bytes::from_static(b"a clip"), &[("video", "attach://part7")]);
    assert!(matches!(send(&mut lab, "sendVideo", &params), Answer::Said(200, _)));
    params.set("video", "attach://another");
    let none = "Bad Request: there is no video in the request";
    assert_eq!(text_of(&send(&mut lab, "sendVideo", &params)), none);
}

#[test]
fn uploads_and_captions_have_their_limits() {
    let mut lab = Lab::new();
    let large = Bytes::from(vec![0; (50 << 20) + 1]);
    let photo = large.slice(..(10 << 20) + 1);
    let mut text = |method: &str, params: &Params| text_of(&send(&mut lab, method, params));
    assert_eq!(text("sendVideo", &upload("video", large, &[])), "Request Entity Too Large");
    assert_eq!(text("sendVideo", &upload("video", Bytes::new(), &[])), "Bad Request: file must be non-empty");
    assert_eq!(text("sendPhoto", &upload("photo", photo, &[])), "Bad Request: file is too big");
    let junk = upload("photo", Bytes::from_static(b"no picture"), &[]);
    assert_eq!(text("sendPhoto", &junk), "Bad Request: IMAGE_PROCESS_FAILED");
    let caption = "ы".repeat(1_025);
    let long = upload("video", Bytes::from_static(b"a clip"), &[("caption", &caption)]);
    assert_eq!(text("sendVideo", &long), "Bad Request: message caption is too long");
    for (given, refused) in [
        ("no-such-id", "wrong remote file identifier specified: can't unserialize it"),
        ("https://example.org/clip.mp4", "failed to get HTTP URL content"),
    ] {
        assert_eq!(lab.bad("sendVideo", &json!({ "chat_id": OLGA, "video": given })), refused);
    }
}

#[test]
fn a_users_photo_comes_in_sizes_and_a_file_as_it_is() {
    let mut lab = Lab::new();
    let bytes = Bytes::from_static(sample::PHOTO);
    lab.model.send_user_photo(OLGA, &bytes, "a mug", None, lab.now).unwrap().unwrap();
    lab.model.send_user_file(OLGA, "mug.jpg", "image/jpeg", bytes.clone(), "", lab.now).unwrap();
    let updates = lab.updates(0);
    let photo = updates[0]["message"]["photo"].as_array().unwrap();
    let heights: Vec<_> = photo.iter().map(|size| size["height"].as_u64().unwrap()).collect();
    assert_eq!(heights, [90, 320, 800, 1_000]);
    assert_eq!(updates[0]["message"]["caption"], "a mug");
    assert_eq!(updates[1]["message"]["document"]["mime_type"], "image/jpeg");
    for id in [&photo[3]["file_id"], &updates[1]["message"]["document"]["file_id"]] {
        let file = lab.call("getFile", &json!({ "file_id": id }));
        let path = file["file_path"].as_str().unwrap();
        assert_eq!(lab.model.download(TelegramSettings::TOKEN, path, lab.now), Answer::File(bytes.clone()));
    }
    assert!(lab.model.send_user_photo(OLGA, &Bytes::from_static(b"no"), "", None, lab.now).is_err());
}

#[test]
fn an_album_comes_as_messages_that_share_a_group() {
    let mut lab = Lab::new();
    let photo = Bytes::from_static(sample::SMALL_PHOTO);
    assert_eq!(lab.model.send_user_album(OLGA, &[photo.clone(), photo], "mugs", lab.now).unwrap().len(), 2);
    let updates = lab.updates(0);
    let [first, second] = [&updates[0]["message"], &updates[1]["message"]];
    assert!(first["media_group_id"].is_string());
    assert_eq!(first["media_group_id"], second["media_group_id"]);
    assert_eq!((&first["caption"], &second["caption"]), (&json!("mugs"), &json!(null)));
}

#[test]
fn a_link_is_good_for_an_hour_for_files_of_at_most_20_mb() {
    let mut lab = Lab::new();
    let large = Bytes::from(vec![0; (20 << 20) + 1]);
    lab.model.send_user_file(OLGA, "large", "video/mp4", large.clone(), "", lab.now);
    lab.model.send_user_file(OLGA, "small", "video/mp4", large.slice(1..), "", lab.now);
    let updates = lab.updates(0);
    let file = |n: usize| json!({ "file_id": updates[n]["message"]["document"]["file_id"] });
    assert_eq!(lab.bad("getFile", &file(0)), "file is too big");
    assert_eq!(lab.bad("getFile", &json!({ "file_id": "unknown" })), "invalid file_id");
    let path = lab.call("getFile", &file(1))["file_path"].as_str().unwrap().to_owned();
    let other = lab.model.download("1:other", &path, lab.now);
    assert!(matches!(other, Answer::Said(404, _)), "{other:?}");
    lab.wait(Duration::from_secs(3_600));
    let late = lab.model.download(TelegramSettings::TOKEN, &path, lab.now);
    assert!(matches!(late, Answer::Said(404, _)), "{late:?}");
}

#[test]
fn commands_and_actions_are_checked() {
    let mut lab = Lab::new();
    let menu = |name: &str| json!({ "commands": [{ "command": name, "description": "Begin" }] });
    assert_eq!(lab.call("setMyCommands", &menu("start")), true);
    assert_eq!(lab.call("getMyCommands", &json!({}))[0]["command"], "start");
    assert_eq!(lab.bad("setMyCommands", &menu("Start!")), "BOT_COMMAND_INVALID");
    let mut russian = menu("start");
    russian["language_code"] = json!("russian");
    assert_eq!(lab.bad("setMyCommands", &russian), "invalid language code specified");
    let action = |what: &str| json!({ "chat_id": OLGA, "action": what });
    assert_eq!(lab.call("sendChatAction", &action("upload_video")), true);
    assert_eq!(lab.bad("sendChatAction", &action("dance")), "wrong parameter action in request");
}

#[test]
fn markup_that_is_not_modelled_is_refused_rather_than_shown_otherwise() {
    let mut lab = Lab::new();
    let message = json!({ "chat_id": OLGA, "text": "<b>hello</b>", "parse_mode": "HTML" });
    assert_eq!(lab.bad("sendMessage", &message), "unsupported parse_mode");
}
