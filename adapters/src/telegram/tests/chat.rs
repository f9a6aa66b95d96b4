use std::{sync::Arc, time::Duration};

use ports::{
    ErrorKind, PortError,
    bot::{ChatAction, ChatButton, ChatClient, ChatMessage, FileRef, Invoice, PreCheckout, StarCharge},
};
use wiremock::ResponseTemplate;

use super::{super::BulkClient, *};

fn message(text: &str) -> ChatMessage {
    let button = ChatButton { label: "Go".to_owned(), data: "go:1:2".to_owned() };
    ChatMessage { text: text.to_owned(), keyboard: vec![vec![button], Vec::new()] }
}

fn send(text: &str) -> ChatAction {
    ChatAction::Send(message(text))
}

fn edit() -> ChatAction {
    ChatAction::Edit { message: 5, to: message("new") }
}

/// What comes of sending a message that is answered so.
async fn outcome(answer: ResponseTemplate, action: ChatAction) -> Result<(), PortError> {
    let (stub, clock) = (Stub::answering([answer]).await, Hand::new());
    stub.client(&clock).act(USER, &action).await
}

#[tokio::test]
async fn each_action_is_the_call_the_bot_api_documents() {
    let (stub, clock) = (Stub::answering([sent(9)]).await, Hand::new());
    let client = stub.client(&clock);
    let invoice = Invoice {
        title: "10 videos".to_owned(),
        description: "Ten credits".to_owned(),
        payload: "pack-10".to_owned(),
        stars: 250,
    };
    for action in
        [send("hello"), edit(), ChatAction::RemoveButtons { message: 5 }, ChatAction::Invoice(invoice)]
    {
        client.act(USER, &action).await.unwrap();
        clock.advance(1_000);
    }
    client.answer_tap("tap", Some("я".repeat(300))).await.unwrap();
    client.answer_pre_checkout("q", &PreCheckout::Accept).await.unwrap();
    client.answer_pre_checkout("q", &PreCheckout::Refuse("too late".to_owned())).await.unwrap();
    client.refund_stars(USER, "charge").await.unwrap();
    let keyboard = json!({ "inline_keyboard": [[{ "text": "Go", "callback_data": "go:1:2" }]] });
    let shown = format!("{}…", "я".repeat(199));
    let expected = [
        ("sendmessage", json!({ "chat_id": 77, "text": "hello", "reply_markup": keyboard })),
        (
            "editmessagetext",
            json!({ "chat_id": 77, "message_id": 5, "text": "new", "reply_markup": keyboard }),
        ),
        ("editmessagereplymarkup", json!({ "chat_id": 77, "message_id": 5 })),
        (
            "sendinvoice",
            json!({
                "chat_id": 77,
                "title": "10 videos",
                "description": "Ten credits",
                "payload": "pack-10",
                "currency": "XTR",
                "prices": [{ "label": "10 videos", "amount": 250 }],
            }),
        ),
        ("answercallbackquery", json!({ "callback_query_id": "tap", "text": shown })),
        ("answerprecheckoutquery", json!({ "pre_checkout_query_id": "q", "ok": true })),
        (
            "answerprecheckoutquery",
            json!({ "pre_checkout_query_id": "q", "ok": false, "error_message": "too late" }),
        ),
        ("refundstarpayment", json!({ "user_id": 77, "telegram_payment_charge_id": "charge" })),
    ];
    assert_eq!(stub.asked().await, expected.map(|(method, body)| (method.to_owned(), body)));
}

#[tokio::test]
async fn each_refusal_says_what_the_caller_can_do() {
    let html = |status| ResponseTemplate::new(status).set_body_string("<html>nginx</html>");
    for (answer, kind) in [
        (no(403, "Forbidden: bot was blocked by the user"), ErrorKind::Unreachable),
        (no(403, "Forbidden: user is deactivated"), ErrorKind::Unreachable),
        (no(400, "Bad Request: message text is empty"), ErrorKind::Rejected),
        (no(400, "Bad Request: BUTTON_DATA_INVALID"), ErrorKind::Rejected),
        (no(401, "Unauthorized"), ErrorKind::Transient),
        (no(404, "Not Found"), ErrorKind::Transient),
        (no(500, "Internal Server Error"), ErrorKind::Transient),
        (html(502), ErrorKind::Transient),
        (html(403), ErrorKind::Transient),
        (html(200), ErrorKind::AnswerLost),
        (yes(json!({ "no": "message" })), ErrorKind::AnswerLost),
        (ResponseTemplate::new(200).set_body_json(json!({ "ok": true })), ErrorKind::AnswerLost),
    ] {
        let told = format!("{answer:?}");
        assert_eq!(outcome(answer, send("hello")).await.unwrap_err().kind(), kind, "{told}");
    }
}

#[tokio::test]
async fn an_edit_to_what_is_there_or_of_what_is_gone_is_done() {
    let not_modified = "Bad Request: message is not modified: specified new message content and reply markup are \
                        exactly the same as a current content and reply markup of the message";
    for description in [not_modified, "Bad Request: message to edit not found"] {
        for action in [edit(), ChatAction::RemoveButtons { message: 5 }] {
            outcome(no(400, description), action).await.unwrap();
        }
    }
    let other = outcome(no(400, "Bad Request: message can't be edited"), edit()).await.unwrap_err();
    assert_eq!(other.kind(), ErrorKind::Rejected);
    let number = outcome(sent(1), ChatAction::RemoveButtons { message: 1 << 40 }).await.unwrap_err();
    assert_eq!(number.kind(), ErrorKind::Rejected);
}

#[tokio::test]
async fn a_flood_closes_its_chat_and_no_other_without_a_wait() {
    let (stub, clock) = (Stub::answering([slow_down(137), sent(1)]).await, Hand::new());
    let client = stub.client(&clock);
    let error = client.act(USER, &send("a")).await.unwrap_err();
    let free_at = NOW.after(Duration::from_secs(137));
    assert_eq!((error.kind(), error.retry_at()), (ErrorKind::Transient, Some(free_at)));
    let again = client.act(USER, &edit()).await.unwrap_err();
    assert_eq!(again.retry_at(), Some(free_at), "Telegram is not asked again before");
    client.act(UserId::new(78), &send("b")).await.unwrap();
    assert_eq!(clock.now(), NOW, "nobody slept");
    assert_eq!(stub.asked().await.len(), 2);
    clock.advance(137_000);
    client.act(USER, &send("a")).await.unwrap();
}

#[tokio::test]
async fn a_call_that_comes_too_soon_is_refused_before_it_is_sent() {
    let (stub, clock) = (Stub::answering([sent(1)]).await, Hand::new());
    let client = stub.client(&clock);
    for _ in 0..3 {
        client.act(USER, &edit()).await.unwrap();
    }
    let error = client.act(USER, &send("a")).await.unwrap_err();
    let soon = NOW.after(Duration::from_secs(1));
    assert_eq!((error.kind(), error.retry_at()), (ErrorKind::Transient, Some(soon)));
    assert_eq!(stub.asked().await.len(), 3);
}

#[tokio::test]
async fn bulk_messages_have_a_pace_of_their_own() {
    let (stub, clock) = (Stub::answering([sent(1)]).await, Hand::new());
    let client = Arc::new(stub.client(&clock));
    let bulk = BulkClient::new(Arc::clone(&client));
    let mut refused = 0;
    for user in 0..10 {
        refused += usize::from(bulk.act(UserId::new(user), &send("news")).await.is_err());
    }
    assert_eq!(refused, 5);
    client.act(UserId::new(9), &send("an answer")).await.unwrap();
}

#[tokio::test]
async fn nobody_there_is_told_from_an_answer_that_was_lost() {
    let clock = Hand::new();
    let config = |base: &str, limit| TelegramConfig {
        base_url: base.parse().unwrap(),
        http: crate::http::HttpOptions { total_timeout: Some(limit), ..Default::default() },
        ..TelegramConfig::new(TOKEN.to_owned().into())
    };
    let clocked = Arc::clone(&clock) as Arc<dyn Clock>;
    let nobody = config("http://127.0.0.1:1", Duration::from_secs(5));
    let nobody = TelegramClient::new(nobody, Arc::clone(&clocked)).unwrap();
    assert_eq!(nobody.act(USER, &send("a")).await.unwrap_err().kind(), ErrorKind::Transient);

    // One that takes the request and says nothing.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("http://{}", listener.local_addr().unwrap());
    let silent = TelegramClient::new(config(&silent, Duration::from_millis(200)), clocked).unwrap();
    let error = silent.act(USER, &send("a")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AnswerLost);
    assert_eq!(
        silent.act(USER, &edit()).await.unwrap_err().kind(),
        ErrorKind::Transient,
        "an edit says the same"
    );
    let charges = silent.star_charges(0).await.unwrap_err();
    assert_eq!(charges.kind(), ErrorKind::Transient);
}

#[tokio::test]
async fn the_token_is_in_no_error_and_no_debug() {
    let clock = Hand::new();
    for base in ["http://127.0.0.1:1", "http://u:secret@127.0.0.1:1/x"] {
        let config = TelegramConfig {
            base_url: base.parse().unwrap(),
            ..TelegramConfig::new(TOKEN.to_owned().into())
        };
        let told = format!("{config:?}");
        assert!(!told.contains("ABC-DEF"), "{told}");
        let client = TelegramClient::new(config, Arc::clone(&clock) as _).unwrap();
        let file = FileRef { id: "f".to_owned(), size: None };
        let errors =
            [client.act(USER, &send("a")).await.unwrap_err(), client.download(&file).await.unwrap_err()];
        for told in [format!("{client:?}"), format!("{errors:?}")] {
            assert!(!told.contains("ABC-DEF") && !told.contains("secret"), "{told}");
        }
    }
    for token in ["", "123456", "123:a b", "123:a/../b", "x123:abc", "123:ab\n"] {
        let config = TelegramConfig::new(token.to_owned().into());
        let error = TelegramClient::new(config, Arc::clone(&clock) as _).unwrap_err();
        assert!(error.to_string().contains("@BotFather"), "{error}");
    }
}

#[tokio::test]
async fn a_file_is_found_and_fetched_within_its_limit() {
    let clock = Hand::new();
    let found = yes(json!({ "file_id": "f", "file_unique_id": "u", "file_path": "photos/file_1.jpg" }));
    let bytes = ResponseTemplate::new(200).set_body_bytes(b"a photo");
    let stub = Stub::answering([found.clone(), bytes]).await;
    let client = stub.client(&clock);
    let file = FileRef { id: "f".to_owned(), size: Some(7) };
    assert_eq!(client.download(&file).await.unwrap(), "a photo");
    let requests = stub.server.received_requests().await.unwrap();
    assert_eq!(requests[1].url.path(), format!("/file/bot{TOKEN}/photos/file_1.jpg"));

    let large = FileRef { size: Some(21 << 20), ..file.clone() };
    assert_eq!(client.download(&large).await.unwrap_err().kind(), ErrorKind::Rejected);
    stub.now_answers(no(400, "Bad Request: file is too big"));
    assert_eq!(client.download(&file).await.unwrap_err().kind(), ErrorKind::Rejected);
    stub.now_answers(yes(json!({ "file_path": "../../other" })));
    assert_eq!(client.download(&file).await.unwrap_err().kind(), ErrorKind::Inconsistent);
    let stub = Stub::answering([found, no(404, "Not Found")]).await;
    assert_eq!(stub.client(&clock).download(&file).await.unwrap_err().kind(), ErrorKind::Transient);
}

#[tokio::test]
async fn stars_are_given_back_once() {
    let clock = Hand::new();
    let stub = Stub::answering([no(400, "Bad Request: CHARGE_ALREADY_REFUNDED")]).await;
    stub.client(&clock).refund_stars(USER, "charge").await.unwrap();
    stub.now_answers(no(400, "Bad Request: CHARGE_ID_INVALID"));
    let error = stub.client(&clock).refund_stars(USER, "charge").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
}

#[tokio::test]
async fn payments_are_listed_with_their_direction_and_none_is_left_out() {
    let clock = Hand::new();
    let user = json!({ "id": 77, "is_bot": false, "first_name": "U" });
    let stub = Stub::answering([yes(json!({ "transactions": [
        {
            "id": "a", "amount": 250, "date": 1_790_000_000,
            "source": {
                "type": "user", "transaction_type": "invoice_payment", "user": user, "invoice_payload": "p",
            },
        },
        { "id": "a", "amount": 250, "date": 1_790_000_001, "receiver": { "type": "user", "user": user } },
        { "id": "w", "amount": 9, "date": 1_790_000_002, "receiver": { "type": "a kind of tomorrow" } },
    ] }))])
    .await;
    let charge = |charge: &str, user, stars, payload: Option<&str>| StarCharge {
        charge: charge.to_owned(),
        user: UserId::new(user),
        stars,
        payload: payload.map(str::to_owned),
    };
    assert_eq!(
        stub.client(&clock).star_charges(3).await.unwrap(),
        [charge("a", 77, 250, Some("p")), charge("a", 77, -250, None), charge("w", 0, -9, None)]
    );
    assert_eq!(
        stub.asked().await,
        [("getstartransactions".to_owned(), json!({ "offset": 3, "limit": 100 }))]
    );
}

#[test]
fn a_text_is_cut_where_it_has_to_be() {
    use super::super::chat::cut;
    assert_eq!(cut("кот", 3), "кот");
    assert_eq!(cut("котик", 3), "ко…");
    assert_eq!(cut("a😀😀", 4), "a😀…");
    for text in ["я".repeat(5_000), "😀".repeat(3_000)] {
        assert!(cut(&text, 4_096).encode_utf16().count() <= 4_096);
    }
}
