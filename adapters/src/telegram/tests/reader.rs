use ports::{
    ErrorKind,
    bot::{ChatEvent, EventKind, FileRef, UpdateReader},
};
use proptest::{arbitrary::any, prelude::*};

use super::{super::TelegramReader, *};

fn user() -> Value {
    json!({ "id": 77, "is_bot": false, "first_name": "U", "username": "u", "language_code": "ru-RU" })
}

fn chat() -> Value {
    json!({ "id": 77, "first_name": "U", "username": "u", "type": "private" })
}

/// A message with something in it.
fn message(content: &Value) -> Value {
    let mut message = json!({ "message_id": 5, "from": user(), "chat": chat(), "date": 1_790_000_000_i64 });
    let fields = content.as_object().unwrap().clone();
    message.as_object_mut().unwrap().extend(fields);
    json!({ "update_id": 900, "message": message })
}

fn read(update: &Value) -> Option<ChatEvent> {
    TelegramReader.read(&update.to_string()).unwrap()
}

fn told(kind: EventKind) -> Option<ChatEvent> {
    Some(ChatEvent { user: USER, client_language: Some("ru-RU".to_owned()), kind })
}

fn size(id: &str, width: u32, bytes: u32) -> Value {
    json!({ "file_id": id, "file_unique_id": id, "width": width, "height": width, "file_size": bytes })
}

fn member(status: &str) -> Value {
    let bot = json!({ "id": 123_456, "is_bot": true, "first_name": "Kadr", "username": "kadr_bot" });
    match status {
        "kicked" => json!({ "user": bot, "status": status, "until_date": 0 }),
        _ => json!({ "user": bot, "status": status }),
    }
}

fn change(from: &str, to: &str, chat: &Value) -> Value {
    json!({ "update_id": 900, "my_chat_member": {
        "chat": chat, "from": user(), "date": 1_790_000_000,
        "old_chat_member": member(from), "new_chat_member": member(to),
    } })
}

#[test]
fn what_users_send_is_told_in_our_words() {
    let picture = |id: &str, bytes, mime: Option<&str>, caption: Option<&str>, album: Option<&str>| {
        EventKind::Picture {
            file: FileRef { id: id.to_owned(), size: bytes },
            mime: mime.map(str::to_owned),
            caption: caption.map(str::to_owned),
            album: album.map(str::to_owned),
        }
    };
    let command = json!({
        "text": "/start ref_5",
        "entities": [{ "offset": 0, "length": 6, "type": "bot_command" }],
    });
    let sizes = json!([size("s", 90, 1_000), size("l", 1_280, 90_000), size("m", 320, 20_000)]);
    let document = |mime: Option<&str>| {
        let mut document = json!({ "file_id": "d", "file_unique_id": "d", "file_name": "x", "file_size": 7 });
        if let Some(mime) = mime {
            document["mime_type"] = json!(mime);
        }
        json!({ "document": document })
    };
    let sticker = json!({ "sticker": {
        "file_id": "s", "file_unique_id": "s", "type": "regular", "width": 512, "height": 512,
        "is_animated": false, "is_video": false, "file_size": 9,
    } });
    let video = json!({ "video": {
        "file_id": "v", "file_unique_id": "v", "width": 720, "height": 1280, "duration": 5,
        "mime_type": "video/mp4", "file_size": 9,
    } });
    let voice = json!({ "voice": {
        "file_id": "v", "file_unique_id": "v", "duration": 5, "mime_type": "audio/ogg", "file_size": 9,
    } });
    for (content, kind) in [
        (command, EventKind::Text("/start ref_5".to_owned())),
        (json!({ "text": "😀\u{0}" }), EventKind::Text("😀\u{0}".to_owned())),
        (json!({ "photo": sizes }), picture("l", Some(90_000), None, None, None)),
        (
            json!({ "photo": sizes, "caption": "a mug", "media_group_id": "13" }),
            picture("l", Some(90_000), None, Some("a mug"), Some("13")),
        ),
        (document(Some("image/heic")), picture("d", Some(7), Some("image/heic"), None, None)),
        (document(None), picture("d", Some(7), None, None, None)),
        (document(Some("application/pdf")), EventKind::Other("document")),
        (sticker, EventKind::Other("sticker")),
        (video, EventKind::Other("video")),
        (voice, EventKind::Other("voice")),
        (json!({ "a_kind_of_tomorrow": { "x": 1 } }), EventKind::Other("unknown")),
    ] {
        assert_eq!(read(&message(&content)), told(kind), "{content}");
    }
    let untold = json!([{ "file_id": "l", "file_unique_id": "l", "width": 9, "height": 9 }]);
    assert_eq!(read(&message(&json!({ "photo": untold }))), told(picture("l", None, None, None, None)));
    assert_eq!(
        read(&message(&json!({ "pinned_message": message(&json!({ "text": "x" }))["message"] }))),
        None
    );
}

#[test]
fn taps_are_told_with_whatever_data_they_carry() {
    let shown = message(&json!({ "text": "Ready?" }))["message"].clone();
    let gone = json!({ "chat": chat(), "message_id": 5, "date": 0 });
    let tap = |message: Option<&Value>| {
        let mut tap = json!({ "id": "t", "from": user(), "chat_instance": "1", "data": "go:1:2" });
        if let Some(message) = message {
            tap["message"] = message.clone();
        }
        json!({ "update_id": 900, "callback_query": tap })
    };
    let kind = |message| EventKind::Tap { tap: "t".to_owned(), data: "go:1:2".to_owned(), message };
    assert_eq!(read(&tap(Some(&shown))), told(kind(Some(5))));
    assert_eq!(read(&tap(Some(&gone))), told(kind(Some(5))));
    assert_eq!(read(&tap(None)), told(kind(None)));
    let game = json!({ "id": "t", "from": user(), "chat_instance": "1", "game_short_name": "g" });
    assert_eq!(read(&json!({ "update_id": 900, "callback_query": game })), None);
}

#[test]
fn money_is_told_with_what_identifies_it() {
    let (payload, currency, amount) = ("pack-10".to_owned(), "XTR".to_owned(), 250);
    let query = json!({ "update_id": 900, "pre_checkout_query": {
        "id": "q", "from": user(), "currency": "XTR", "total_amount": 250, "invoice_payload": "pack-10",
    } });
    let asked = EventKind::PreCheckout {
        query: "q".to_owned(),
        payload: payload.clone(),
        currency: currency.clone(),
        amount,
    };
    assert_eq!(read(&query), told(asked));
    let paid = json!({ "successful_payment": {
        "currency": "XTR", "total_amount": 250, "invoice_payload": "pack-10",
        "telegram_payment_charge_id": "stx", "provider_payment_charge_id": "77_0",
    } });
    let charge = "stx".to_owned();
    let kind = EventKind::Paid { charge: charge.clone(), payload, currency, amount };
    assert_eq!(read(&message(&paid)), told(kind));
    let back = json!({ "refunded_payment": {
        "currency": "XTR", "total_amount": 250, "invoice_payload": "pack-10",
        "telegram_payment_charge_id": "stx", "provider_payment_charge_id": "",
    } });
    assert_eq!(read(&message(&back)), told(EventKind::PaidBack { charge }));
}

#[test]
fn who_stopped_the_bot_and_who_came_back_is_told() {
    assert_eq!(read(&change("member", "kicked", &chat())), told(EventKind::Reachable(false)));
    assert_eq!(read(&change("kicked", "member", &chat())), told(EventKind::Reachable(true)));
}

#[test]
fn what_is_not_of_a_private_chat_or_not_for_the_bot_is_nothing() {
    let group = json!({ "id": -100_500, "title": "G", "type": "supergroup" });
    let mut in_group = message(&json!({ "text": "hello" }));
    in_group["message"]["chat"] = group.clone();
    let tap = json!({ "update_id": 900, "callback_query": {
        "id": "t", "from": user(), "chat_instance": "1", "data": "x", "message": in_group["message"],
    } });
    let mut edited = message(&json!({ "text": "hello" }));
    edited["edited_message"] = edited["message"].take();
    edited.as_object_mut().unwrap().remove("message");
    let unknown = json!({ "update_id": 900, "a_kind_of_tomorrow": { "chat": chat() } });
    for update in
        [in_group, tap, edited, unknown, change("member", "left", &group), json!({ "update_id": 1 })]
    {
        assert_eq!(read(&update), None, "{update}");
    }
}

#[test]
fn what_cannot_be_read_of_ours_is_refused_and_not_passed_over() {
    let mut broken = message(&json!({ "successful_payment": { "currency": "XTR" } }));
    broken["message"]["chat"] = json!(5);
    for body in [broken.to_string(), "[]".to_owned(), "{}".to_owned(), String::new(), "[".repeat(50_000)] {
        let error = TelegramReader.read(&body).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Rejected, "{error}");
    }
}

#[test]
fn a_broken_payment_is_no_message_of_an_unknown_kind() {
    let read =
        TelegramReader.read(&message(&json!({ "successful_payment": { "currency": "XTR" } })).to_string());
    assert_eq!(read.unwrap_err().kind(), ErrorKind::Rejected);
}

/// Any JSON, with the names updates are made of.
fn json_of_updates() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(json!(77)),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!("private")),
        Just(chat()),
        Just(user()),
    ];
    let name = prop::sample::select(vec![
        "update_id",
        "message",
        "callback_query",
        "pre_checkout_query",
        "my_chat_member",
        "message_id",
        "from",
        "chat",
        "date",
        "text",
        "photo",
        "document",
        "id",
        "type",
        "data",
        "file_size",
        "successful_payment",
        "new_chat_member",
        "status",
        "until_date",
        "entities",
        "reply_to_message",
    ]);
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..6).prop_map(|fields| {
                fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Value>()
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_upset_the_reader(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let body = String::from_utf8_lossy(&body);
        prop_assert!(TelegramReader.read(&body).is_err());
    }

    #[test]
    fn no_json_upsets_the_reader(
        mut content in json_of_updates(),
        kind in prop::sample::select(vec!["message", "callback_query", "my_chat_member"]),
        places in prop::collection::vec((any::<prop::sample::Index>(), json_of_updates()), 0..3),
    ) {
        // Told either way, and never by a panic.
        TelegramReader.read(&content.to_string()).ok();
        let bent = [
            message(&json!({ "photo": [size("l", 9, 9)], "caption": "x" })),
            message(&json!({ "text": "x", "entities": [{ "offset": 0, "length": 1, "type": "bold" }] })),
            change("kicked", "member", &chat()),
        ];
        for mut update in bent {
            for (at, value) in &places {
                let fields = update.as_object_mut().unwrap().values_mut().filter_map(Value::as_object_mut);
                for field in fields {
                    let at = at.index(field.len());
                    *field.values_mut().nth(at).unwrap() = value.clone();
                }
            }
            TelegramReader.read(&update.to_string()).ok();
        }
        content = json!({ "update_id": 1, kind: content });
        TelegramReader.read(&content.to_string()).ok();
    }
}
