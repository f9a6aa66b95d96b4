use super::{super::UpdateHook, *};
use crate::telegram::WebhookSecretError;

#[tokio::test]
async fn a_webhook_is_set_with_its_secret_and_its_kinds_and_deleted_without_losing_what_waits() {
    let (stub, clock) = (Stub::answering([yes(json!(true))]).await, Hand::new());
    let client = stub.client(&clock);
    let public = "https://bot.example/base/".parse().unwrap();
    client.set_webhook(&public, &"a-secret-of-20-signs".to_owned().into()).await.unwrap();
    client.delete_webhook().await.unwrap();
    let asked = stub.asked().await;
    assert_eq!(stub.methods().await, ["setwebhook", "deletewebhook"]);
    assert_eq!(
        asked[0].1,
        json!({
            "url": "https://bot.example/base/telegram/webhook",
            "secret_token": "a-secret-of-20-signs",
            "allowed_updates": ["message", "callback_query", "pre_checkout_query", "my_chat_member"],
            "max_connections": 40,
        })
    );
    assert_eq!(asked[1].1, json!({ "drop_pending_updates": false }));
    stub.now_answers(no(400, "Bad Request: bad webhook: HTTPS url must be provided for webhook"));
    let error = client.set_webhook(&public, &"a-secret-of-20-signs".to_owned().into()).await.unwrap_err();
    assert_eq!(error.kind(), ports::ErrorKind::Rejected);
}

#[test]
fn a_secret_that_can_be_guessed_or_that_telegram_refuses_is_refused() {
    let hook = |secret: &str| {
        let inbox = Arc::new(ports::bot::MockInbox::new());
        UpdateHook::new(&secret.to_owned().into(), inbox, Hand::new())
    };
    for secret in ["", "short", "with a blank in it all", &"x".repeat(257), "кириллица-кириллица"]
    {
        assert!(matches!(hook(secret), Err(WebhookSecretError)), "{secret}");
    }
    let hook = hook("a-secret-of-20-signs").unwrap();
    assert!(hook.knows(b"a-secret-of-20-signs"));
    assert!(!hook.knows(b"a-secret-of-20-sign") && !hook.knows(b""));
    assert!(!format!("{hook:?}").contains("secret"));
}
