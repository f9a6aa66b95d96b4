//! What was sent about orders.

use domain::id::{JobId, OrderId};
use ports::bot::{SentVideo, StatusMessage};

use super::laws;
use crate::{
    make::{USER, at},
    stores::Stores,
};

laws![
    the_message_that_follows_an_order_is_read_back,
    the_first_kept_video_of_a_job_stays,
    exactly_one_video_of_an_order_ends_last_however_often_it_asks,
    of_videos_that_end_at_the_same_moment_one_is_the_last,
];

const ORDER: OrderId = OrderId::new(1);

async fn the_message_that_follows_an_order_is_read_back(stores: Stores) {
    assert_eq!(stores.order_messages.status(ORDER).await.unwrap(), None);
    assert!(!stores.order_messages.ends(ORDER, USER, 1, 3).await.unwrap());
    assert_eq!(stores.order_messages.status(ORDER).await.unwrap(), None, "nothing was sent yet");
    for (message, text, second) in [(7, "in work", 1), (7, "rendering", 2), (9, "sent anew", 3)] {
        let status = StatusMessage { message, text: text.to_owned(), changed_at: at(second) };
        stores.order_messages.keep_status(ORDER, USER, &status).await.unwrap();
        assert_eq!(stores.order_messages.status(ORDER).await.unwrap(), Some(status));
    }
    assert_eq!(stores.order_messages.status(OrderId::new(2)).await.unwrap(), None);
    assert!(!stores.order_messages.ends(ORDER, USER, 2, 3).await.unwrap());
    assert!(stores.order_messages.ends(ORDER, USER, 3, 3).await.unwrap(), "the first end was not forgotten");
}

async fn the_first_kept_video_of_a_job_stays(stores: Stores) {
    let job = JobId::new(1);
    assert_eq!(stores.order_messages.video(job).await.unwrap(), None);
    let first = SentVideo { message: 5, file: Some("BAAC".to_owned()) };
    stores.order_messages.keep_video(job, &first, at(0)).await.unwrap();
    let second = SentVideo { message: 6, file: None };
    stores.order_messages.keep_video(job, &second, at(1)).await.unwrap();
    assert_eq!(stores.order_messages.video(job).await.unwrap(), Some(first));
    stores.order_messages.keep_video(JobId::new(2), &second, at(1)).await.unwrap();
    assert_eq!(stores.order_messages.video(JobId::new(2)).await.unwrap(), Some(second));
}

async fn exactly_one_video_of_an_order_ends_last_however_often_it_asks(stores: Stores) {
    let ends = |number| stores.order_messages.ends(ORDER, USER, number, 3);
    assert!(!ends(3).await.unwrap());
    assert!(!ends(3).await.unwrap());
    assert!(!ends(1).await.unwrap());
    for _ in 0..2 {
        assert!(ends(2).await.unwrap());
        assert!(!ends(1).await.unwrap());
        assert!(!ends(3).await.unwrap());
    }
    assert!(stores.order_messages.ends(OrderId::new(2), USER, 1, 1).await.unwrap(), "one of one");
}

async fn of_videos_that_end_at_the_same_moment_one_is_the_last(stores: Stores) {
    for n in 10..20 {
        let ends = (1..=5).map(|number| stores.order_messages.ends(OrderId::new(n), USER, number, 5));
        let answers = futures_util::future::join_all(ends).await;
        assert_eq!(answers.iter().filter(|last| *last.as_ref().unwrap()).count(), 1);
    }
}
