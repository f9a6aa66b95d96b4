//! Telegram at the door.

use std::sync::Mutex;

use ports::bot::{IncomingUpdate, MockInbox};

use super::*;
use crate::telegram::{SECRET_HEADER, UpdateHook, WEBHOOK_PATH};

const SECRET: &str = "a-secret-of-20-signs";

type Stored = Arc<Mutex<Vec<IncomingUpdate>>>;

/// Pages with a hook whose inbox works, or not.
fn hooked(works: bool) -> (WebPages, Stored) {
    let stored = Stored::default();
    let notes = Arc::clone(&stored);
    let mut inbox = MockInbox::new();
    inbox.expect_receive().returning(move |updates, now| {
        assert_eq!(now, Timestamp::from_millis(NOW_S * 1_000));
        if !works {
            return Err(PortError::new(ErrorKind::Transient, "the database is away"));
        }
        notes.lock().unwrap().extend_from_slice(updates);
        Ok(updates.len())
    });
    let clock = Arc::new(Fixed(AtomicI64::new(NOW_S * 1_000)));
    let hook = UpdateHook::new(&SECRET.to_owned().into(), Arc::new(inbox), clock.clone()).unwrap();
    (WebPages::new(Arc::new(Notes::default()), None, clock).with_updates(hook), stored)
}

async fn post(pages: &WebPages, secret: Option<&str>, body: impl Into<Bytes>) -> u16 {
    let mut request = Request::post(WEBHOOK_PATH);
    if let Some(secret) = secret {
        request = request.header(SECRET_HEADER, secret);
    }
    pages.answer(request.body(Full::new(body.into())).unwrap()).await.status().as_u16()
}

fn update() -> String {
    json!({ "update_id": 5, "message": { "chat": { "id": 77, "type": "private" } } }).to_string()
}

#[tokio::test]
async fn an_update_is_stored_as_it_came_before_it_is_acknowledged() {
    let (pages, stored) = hooked(true);
    assert_eq!(post(&pages, Some(SECRET), update()).await, 200);
    let stored = stored.lock().unwrap().clone();
    assert_eq!((stored[0].id, stored[0].chat.value(), stored[0].body.clone()), (5, 77, update()));
}

#[tokio::test]
async fn an_update_that_could_not_be_stored_is_asked_for_again() {
    let (pages, stored) = hooked(false);
    assert_eq!(post(&pages, Some(SECRET), update()).await, 500);
    assert!(stored.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_update_without_the_secret_or_of_no_sense_or_end_reaches_nobody() {
    let (pages, stored) = hooked(true);
    for secret in [None, Some(""), Some("a-secret-of-20-sign"), Some("A-SECRET-OF-20-SIGNS")] {
        assert_eq!(post(&pages, secret, update()).await, 401, "{secret:?}");
    }
    for (body, status) in [
        ("x".repeat((1 << 20) + 1).into_bytes(), 413),
        (b"{}".to_vec(), 400),
        (b"\xff\xfe".to_vec(), 400),
        (br#"{"update_id":"5"}"#.to_vec(), 400),
        ("[".repeat(100_000).into_bytes(), 400),
    ] {
        assert_eq!(post(&pages, Some(SECRET), body).await, status);
    }
    let got = pages.answer(Request::get(WEBHOOK_PATH).body(Full::<Bytes>::default()).unwrap()).await;
    assert_eq!(got.status(), 405);
    assert!(stored.lock().unwrap().is_empty());
    let without = house();
    assert_eq!(post(&without.pages, Some(SECRET), update()).await, 404);
}
