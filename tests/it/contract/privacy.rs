//! Forgetting what users sent.

use domain::{
    failure::Reason,
    id::{AttemptId, JobId, OrderId, PhotoId, UserId},
    job::Event,
    ledger::Entry,
    money::Credits,
    order::{OrderRequest, Placement, Quantity},
    photo::PhotoFormat,
    prompt::Brief,
};
use ports::{
    ErrorKind, Photo,
    bot::{Chat, SentVideo, StatusMessage},
};

use super::{
    chats::{chat, message},
    inbox::OTHER,
    laws,
};
use crate::{
    make::{USER, at, failure, placement_by, roster, rules},
    stores::Stores,
};

laws![
    a_users_finished_orders_are_forgotten_and_their_ids_and_credits_stay,
    an_order_that_is_not_finished_keeps_everything_it_needs,
    a_photo_stays_while_an_order_that_is_not_forgotten_names_it,
    a_forgotten_photo_can_be_stored_again,
    a_users_dialogue_and_messages_are_forgotten_and_nobody_elses,
    what_was_finished_long_ago_is_forgotten_a_limited_number_at_a_time,
    a_photo_nobody_ordered_with_is_forgotten_once_it_is_old,
];

fn picture(n: u8) -> Photo {
    Photo { bytes: vec![0xff, 0xd8, n, 0xff, 0xd9].into(), format: PhotoFormat::Jpeg }
}

impl Stores {
    async fn picture(&self, n: u8, second: u64) -> PhotoId {
        self.photos.put(&picture(n), at(second)).await.unwrap()
    }

    async fn has(&self, photo: PhotoId) -> bool {
        self.photos.get(photo).await.unwrap().is_some()
    }

    /// An order of one video with wishes.
    async fn order_by(&self, user: UserId, n: u8, photo: PhotoId, second: u64) -> Placement {
        let entry = Entry::grant(user, Credits::of(1), &format!("for order {n}"), at(0));
        self.ledger.post(&entry).await.unwrap();
        let mut placement = placement_by(user, n, Quantity::One, photo, at(second));
        placement.order.request.wishes = Some(Brief::new("slowly").unwrap());
        self.orders.place(&placement).await.unwrap();
        placement
    }

    /// Brings the only open job to its refund, with a prompt and evidence, and keeps what was sent about it.
    async fn finish(&self, n: u8, second: u64) {
        let (order, job, now) = (OrderId::new(n.into()), JobId::new(u128::from(n) * 100 + 1), at(second));
        let leased = self.until_submitting(now).await;
        assert_eq!(leased.job.id, job);
        let attempt = AttemptId::new(n.into());
        let step = self.jobs.open_attempt(&leased, attempt, &roster(), &rules(), now).await.unwrap();
        let refused = Event::Refused { attempt, failure: failure(Reason::Nudity) };
        let step = domain::job::apply(&step.job, refused, &rules(), now).unwrap();
        let release = ports::AfterStep::Release;
        self.jobs.store_step(leased.lease, &step, release, Some("your mug is nude"), now).await.unwrap();
        let status = StatusMessage { message: 7, text: "a ceramic mug".to_owned(), changed_at: now };
        self.order_messages.keep_status(order, USER, &status).await.unwrap();
        let video = SentVideo { message: 8, file: Some("BAAC".to_owned()) };
        self.order_messages.keep_video(job, &video, now).await.unwrap();
    }

    async fn request(&self, n: u8) -> OrderRequest {
        self.orders.order(OrderId::new(n.into())).await.unwrap().unwrap().request
    }

    async fn assert_forgotten(&self, n: u8) {
        let job = JobId::new(u128::from(n) * 100 + 1);
        let request = self.request(n).await;
        assert_eq!((request.brief, request.wishes), (Brief::forgotten(), None), "order {n}");
        let record = self.jobs.job(job).await.unwrap().unwrap();
        assert_eq!((&record.job.prompt, &record.job.photo), (&None, &None));
        assert!(record.job.state.is_terminal());
        let attempts = self.jobs.attempts(job).await.unwrap();
        assert!(attempts.iter().all(|attempt| attempt.evidence.is_none()) && attempts.len() == 1);
        let status = self.order_messages.status(OrderId::new(n.into())).await.unwrap().unwrap();
        assert_eq!((status.message, status.text.as_str()), (7, ""));
        let video = self.order_messages.video(job).await.unwrap().unwrap();
        assert_eq!(video, SentVideo { message: 8, file: None });
    }

    async fn assert_remembered(&self, n: u8) {
        let request = self.request(n).await;
        assert_eq!(request.brief, Brief::new("a ceramic mug").unwrap(), "order {n}");
        assert!(request.wishes.is_some() && self.has(request.photo).await, "order {n}");
    }
}

async fn a_users_finished_orders_are_forgotten_and_their_ids_and_credits_stay(stores: Stores) {
    let photo = stores.picture(1, 0).await;
    let placed = stores.order_by(USER, 1, photo, 1).await;
    stores.finish(1, 2).await;
    let before = stores.ledger.history(USER, 10).await.unwrap();
    for _ in 0..2 {
        stores.privacy.forget_user(USER).await.unwrap();
        stores.assert_forgotten(1).await;
        assert!(!stores.has(photo).await);
    }
    let order = stores.orders.orders_of(USER, 10).await.unwrap().remove(0);
    assert_eq!((order.id, order.request.photo, order.placed_at), (placed.order.id, photo, at(1)));
    assert_eq!(stores.ledger.history(USER, 10).await.unwrap(), before);
    stores.assert_audit_is_clean().await;
}

async fn an_order_that_is_not_finished_keeps_everything_it_needs(stores: Stores) {
    let photo = stores.picture(1, 0).await;
    stores.order_by(USER, 1, photo, 1).await;
    stores.privacy.forget_user(USER).await.unwrap();
    assert_eq!(stores.privacy.forget_older(at(1_000), 10).await.unwrap(), 0);
    stores.assert_remembered(1).await;
    stores.finish(1, 2_000).await;
    stores.assert_remembered(1).await;
    let job = stores.jobs.job(JobId::new(101)).await.unwrap().unwrap().job;
    assert!(job.prompt.is_some() && job.photo.is_some(), "so that a forgotten one is known by them");
    assert_eq!(stores.privacy.forget_older(at(2_000), 10).await.unwrap(), 0, "finished then, not before");
    assert_eq!(stores.privacy.forget_older(at(2_001), 10).await.unwrap(), 2, "the order and its photo");
    stores.assert_forgotten(1).await;
}

async fn a_photo_stays_while_an_order_that_is_not_forgotten_names_it(stores: Stores) {
    let photo = stores.picture(1, 0).await;
    stores.order_by(USER, 1, photo, 1).await;
    stores.finish(1, 2).await;
    stores.order_by(OTHER, 2, photo, 3).await;
    stores.finish(2, 4).await;
    stores.order_by(USER, 3, photo, 5).await;
    stores.privacy.forget_user(USER).await.unwrap();
    stores.assert_forgotten(1).await;
    stores.assert_remembered(2).await;
    stores.assert_remembered(3).await;
    stores.finish(3, 6).await;
    stores.privacy.forget_user(USER).await.unwrap();
    stores.assert_forgotten(3).await;
    stores.assert_remembered(2).await;
    stores.privacy.forget_user(OTHER).await.unwrap();
    assert!(!stores.has(photo).await);
}

async fn a_forgotten_photo_can_be_stored_again(stores: Stores) {
    let photo = stores.picture(1, 0).await;
    stores.order_by(USER, 1, photo, 1).await;
    stores.finish(1, 2).await;
    stores.privacy.forget_user(USER).await.unwrap();
    assert_eq!(stores.picture(1, 10).await, photo);
    assert_eq!(stores.photos.get(photo).await.unwrap(), Some(picture(1)));
    stores.order_by(OTHER, 2, photo, 11).await;
    stores.assert_remembered(2).await;
}

async fn a_users_dialogue_and_messages_are_forgotten_and_nobody_elses(stores: Stores) {
    let theirs = stores.turn(1, Chat { referrer: Some(OTHER), ..chat(USER) }, 0).await;
    let others = stores.turn(2, chat(OTHER), 0).await;
    for (key, user) in [("a", USER), ("b", OTHER)] {
        stores.replies.push(key, user, &[message("one"), message("two")], at(1)).await.unwrap();
    }
    let given_up = stores.claim_replies(at(1)).await;
    let update = stores.update_of(3, USER, 1).await;
    for _ in 0..2 {
        stores.privacy.forget_user(USER).await.unwrap();
        let kept = stores.chats.chat(USER).await.unwrap().unwrap();
        assert_eq!(kept, Chat { dialogue: String::new(), ..theirs.clone() });
        assert_eq!(stores.chats.chat(OTHER).await.unwrap(), Some(others.clone()));
    }
    let mine = given_up.iter().find(|reply| reply.chat == USER).unwrap();
    let gone = stores.replies.sent(mine, at(2)).await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::Conflict, "it is not there to be sent");
    let other = given_up.iter().find(|reply| reply.chat == OTHER).unwrap();
    stores.replies.sent(other, at(2)).await.unwrap();
    let left: Vec<_> = stores.claim_replies(at(500)).await.iter().map(|reply| reply.chat).collect();
    assert_eq!(left, [OTHER]);
    // The turn that asked for it goes on.
    let turn = ports::bot::Turn { update, chat: Some(theirs), replies: vec![message("forgotten")] };
    stores.chats.store(&turn, at(3)).await.unwrap();
    assert_eq!(stores.claim_replies(at(3)).await[0].action, message("forgotten"));
    stores.privacy.forget_user(UserId::new(1)).await.unwrap();
}

async fn what_was_finished_long_ago_is_forgotten_a_limited_number_at_a_time(stores: Stores) {
    for n in 1..=3 {
        let photo = stores.picture(n, 0).await;
        let second = u64::from(n) * 100;
        stores.order_by(if n == 2 { OTHER } else { USER }, n, photo, second).await;
        stores.finish(n, second).await;
    }
    assert_eq!(stores.privacy.forget_older(at(100), 10).await.unwrap(), 0);
    assert_eq!(stores.privacy.forget_older(at(250), 1).await.unwrap(), 2, "an order and its photo");
    stores.assert_forgotten(1).await;
    stores.assert_remembered(2).await;
    assert_eq!(stores.privacy.forget_older(at(250), 10).await.unwrap(), 2);
    assert_eq!(stores.privacy.forget_older(at(250), 10).await.unwrap(), 0, "none is left");
    stores.assert_forgotten(2).await;
    stores.assert_remembered(3).await;
    stores.assert_audit_is_clean().await;
}

async fn a_photo_nobody_ordered_with_is_forgotten_once_it_is_old(stores: Stores) {
    let (old, again) = (stores.picture(1, 0).await, stores.picture(2, 0).await);
    stores.picture(2, 200).await;
    assert_eq!(stores.privacy.forget_older(at(0), 10).await.unwrap(), 0);
    assert_eq!(stores.privacy.forget_older(at(100), 10).await.unwrap(), 1);
    assert!(!stores.has(old).await);
    assert!(stores.has(again).await, "it was stored again since");
}
