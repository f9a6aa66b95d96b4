//! Whole conversations.

use super::*;

async fn three_videos(way_in: WayIn) {
    let stage = Stage::new(way_in).await;
    let worker = stage.place.start_worker();
    let anna = stage.person(77);
    anna.join().await;
    assert_eq!(stage.balance(77).await, (3, 0), "the starter credits");

    let (question, confirm) = anna.prepare(3).await;
    anna.0.tap_twice(question.id, &confirm).unwrap();
    let jobs = stage.finished(3).await;
    assert_eq!(jobs.len(), 3, "a double tap orders once");

    let (last, _) = anna.offered("again:").await;
    assert!(matches!(last.content, Content::Video { .. }), "{last:?}");
    let videos = anna.videos();
    assert_eq!(videos.len(), 3, "{videos:#?}");
    let with_buttons = videos.iter().filter(|video| !video.keyboard.is_empty()).count();
    assert_eq!(with_buttons, 1, "buttons hang below the last one alone");
    assert_eq!(stage.balance(77).await, (0, 0));
    stage.place.stores.assert_audit_is_clean().await;
    assert_eq!(stage.telegram.violations(), []);
    assert_eq!(worker.stop(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_by_polling_ends_with_videos_and_the_right_balance() {
    three_videos(WayIn::Polling).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_by_webhook_ends_with_videos_and_the_right_balance() {
    three_videos(WayIn::Webhook).await;
}
