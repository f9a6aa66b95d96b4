//! What a user meets when nothing breaks.

use domain::{id::UserId, money::Credits, prompt::Template};
use ports::bot::{Chat, ChatAction, EventKind, FileRef};

use super::house::{House, USER};
use crate::{
    bot::{Handled, buttons::Button},
    fixtures::START,
};

const SOMEBODY_ELSE: UserId = UserId::new(77);

fn other_chat(has_accepted: bool) -> Chat {
    Chat {
        user: SOMEBODY_ELSE,
        version: 3,
        dialogue: String::new(),
        language: "en".to_owned(),
        terms_accepted_at: has_accepted.then_some(START),
        referrer: None,
        since: START,
        blocked_since: None,
        banned_since: None,
    }
}

#[tokio::test]
async fn a_newcomer_accepts_the_terms_and_gets_the_starter_credit_once() {
    let mut house = House::new();
    house.text("/start").await;
    house.tap_label("Принимаю").await;
    assert!(house.newest().text.contains("Дарим вам 1 кредит"), "{}", house.newest().text);
    house.tap(&Button::AcceptTerms).await;
    assert!(!house.newest().text.contains("Дарим"));
    house.look(|state| {
        assert_eq!(state.granted.iter().collect::<Vec<_>>(), [(&"grant:starter:5".to_owned(), &1)]);
        assert_eq!(state.chat.as_ref().unwrap().terms_accepted_at, Some(START));
    });
}

#[tokio::test]
async fn whoever_invited_a_newcomer_is_thanked_once_and_nobody_invites_themselves() {
    for (argument, has_accepted, thanked) in [
        ("r77", true, 1),
        ("r77", false, 0),
        ("r5", true, 0),
        ("77", true, 0),
        ("r-1", true, 0),
        ("rx", true, 0),
    ] {
        let mut house = House::new();
        house.policy.bot.referral = Credits::of(2);
        house.look(|state| state.others.push(other_chat(has_accepted)));
        house.text(&format!("/start {argument}")).await;
        house.text("/start r77").await;
        house.tap(&Button::AcceptTerms).await;
        house.look(|state| {
            assert_eq!(state.pushed.len(), thanked, "{argument}");
            assert_eq!(state.granted.contains_key("grant:referrer:5"), thanked == 1, "{argument}");
        });
    }
}

#[tokio::test]
async fn the_language_is_guessed_and_then_the_users_own() {
    let mut house = House::new();
    house.client_language = Some("de-AT");
    house.text("/start").await;
    assert!(house.newest().text.starts_with("Hello!"), "{}", house.newest().text);
    house.text("/language").await;
    house.tap_label("Русский").await;
    assert!(house.newest().text.starts_with("Теперь говорим по-русски."), "{}", house.newest().text);
    house.text("/help@kadr_bot").await;
    assert!(house.newest().text.contains("Как это работает"));
}

#[tokio::test]
async fn an_answer_takes_the_place_of_its_question_and_other_buttons_are_answered_below() {
    let mut house = House::at_confirmation().await;
    assert!(matches!(&house.replies_now()[..], [ChatAction::Edit { message: 40, .. }]));
    house.tap(&Button::Menu).await;
    assert!(matches!(&house.replies_now()[..], [ChatAction::Send(_)]));
}

#[tokio::test]
async fn a_double_tap_orders_once_and_the_second_is_told_in_passing() {
    let mut house = House::at_confirmation().await;
    let confirm = House::tap_event(house.data_of("Создать"));
    house.event(confirm.clone()).await.unwrap();
    assert!(house.newest().text.contains("Заказ принят"));
    house.event(confirm).await.unwrap();
    assert!(house.replies_now().is_empty());
    house.look(|state| {
        assert_eq!(state.holds, 1);
        assert_eq!(state.calls.last().unwrap(), "tap answered: Эта кнопка уже не действует.");
    });
}

#[tokio::test]
async fn a_stale_button_is_told_in_a_message_when_the_tap_cannot_be_answered_any_more() {
    let mut house = House::at_confirmation().await;
    house.look(|state| state.failures.push(("tap", ports::ErrorKind::Rejected)));
    house.event(House::tap_event("answer:confirm:1".to_owned())).await.unwrap();
    assert_eq!(house.newest().text, "Эта кнопка уже не действует.");
}

#[tokio::test]
async fn a_tap_is_answered_before_anything_that_takes_time() {
    let mut house = House::at_confirmation().await;
    house.look(|state| state.calls.clear());
    house.tap_label("Создать").await;
    house.look(|state| assert_eq!(state.calls, ["tap answered: ", "download photo-1"]));
}

#[tokio::test]
async fn buttons_about_somebody_elses_order_find_nothing() {
    let mut house = House::in_menu().await;
    let theirs = house.add_order(70, SOMEBODY_ELSE, Template::AdVideo);
    for button in [Button::Again(theirs), Button::TryAgain(theirs), Button::CancelOrder(theirs)] {
        house.tap(&button).await;
        assert!(house.newest().text.starts_with("Такого заказа я не нашёл."), "{}", house.newest().text);
    }
    house.look(|state| assert!(!state.calls.iter().any(|call| call.starts_with("cancel"))));
}

#[tokio::test]
async fn another_one_is_made_of_the_orders_own_photo_and_words() {
    let mut house = House::in_menu().await;
    let order = house.add_order(70, USER, Template::UgcBlogger);
    house.tap(&Button::Again(order)).await;
    house.tap_label("Рекламный ролик").await;
    house.tap_label("Без пожеланий").await;
    house.tap_label("1 видео").await;
    assert!(house.newest().text.contains("A thermos for hikers"));
    house.look(|state| state.calls.clear());
    house.tap_label("Создать").await;
    house.look(|state| {
        assert_eq!(state.holds, 1);
        assert!(!state.calls.iter().any(|call| call.starts_with("download")), "the photo is our own");
        let request = &state.orders.last().unwrap().request;
        assert_eq!((request.brief.as_str(), request.template), ("A thermos for hikers", Template::AdVideo));
    });
}

#[tokio::test]
async fn an_order_is_cancelled_as_far_as_it_is_queued_however_often_it_is_asked_for() {
    let mut house = House::in_menu().await;
    let order = house.add_order(70, USER, Template::AdVideo);
    house.tap(&Button::CancelOrder(order)).await;
    assert!(house.newest().text.starts_with("Заказ отменён, кредиты вернулись."));
    house.tap(&Button::CancelOrder(order)).await;
    assert!(house.newest().text.starts_with("Заказ отменён, кредиты вернулись."));
    house.look(|state| assert_eq!(state.calls.iter().filter(|call| call.starts_with("cancel")).count(), 1));

    let late = house.add_order(71, USER, Template::AdVideo);
    house.look(|state| state.failures.push(("cancel", ports::ErrorKind::Rejected)));
    house.tap(&Button::CancelOrder(late)).await;
    assert!(house.newest().text.starts_with("Отменить уже нельзя"), "{}", house.newest().text);
}

#[tokio::test]
async fn a_picture_that_does_not_do_is_refused_with_its_reason() {
    let mut house = House::in_menu().await;
    house.look(|state| state.file = Some(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".as_slice().into()));
    house.picture("photo-1").await;
    assert!(house.newest().text.starts_with("Это HEIC"), "{}", house.newest().text);

    let why = domain::photo::PhotoError::TooSmall { width: 20, height: 30, min: 300 };
    house.look(|state| {
        state.file = Some(crate::fixtures::PNG.into());
        state.prepared = Some(ports::Prepared::Refused(why));
    });
    house.picture("photo-2").await;
    assert!(house.newest().text.starts_with("Фото слишком маленькое: 20×30."), "{}", house.newest().text);
    assert!(house.newest().text.contains("Пришлите фото товара"));

    house.look(|state| state.calls.clear());
    let file = FileRef { id: "photo-3".to_owned(), size: Some(60_000_000) };
    house.event(EventKind::Picture { file, mime: None, caption: None, album: None }).await.unwrap();
    assert!(house.newest().text.starts_with("Файл слишком большой: можно до 20 МБ."));
    house.look(|state| assert_eq!(state.calls, Vec::<String>::new(), "nothing is fetched"));
}

#[tokio::test]
async fn a_barred_user_reads_one_polite_line_and_nothing_is_done() {
    let mut house = House::at_confirmation().await;
    let confirm = House::tap_event(house.data_of("Создать"));
    house.banned(Some(START));
    assert_eq!(house.event(confirm).await.unwrap(), Handled::Barred);
    let newest = house.newest();
    assert!(newest.text.starts_with("Доступ к боту для вас закрыт.") && newest.keyboard.is_empty());
    assert_eq!(house.text("/start").await, Handled::Barred);
    house.look(|state| assert_eq!(state.holds, 0));
    house.banned(None);
    house.tap_label_after_ban().await;
}

impl House {
    /// Whoever is let in again goes on where they were.
    async fn tap_label_after_ban(&mut self) {
        self.text("/menu").await;
        self.tap_label("Продолжить").await;
        self.tap_label("Создать").await;
        self.look(|state| assert_eq!(state.holds, 1));
    }
}

#[tokio::test]
async fn data_is_deleted_after_a_confirmation_and_the_terms_are_asked_for_again() {
    let mut house = House::at_confirmation().await;
    house.text("/delete_me").await;
    house.tap_label("Да, удалить").await;
    house.look(|state| assert_eq!(state.calls.last().unwrap(), "forgotten"));
    assert!(house.newest().text.starts_with("Ваши данные удалены."), "{}", house.newest().text);
    house.look(|state| {
        let chat = state.chat.as_ref().unwrap();
        assert_eq!(chat.terms_accepted_at, None);
        assert!(!chat.dialogue.contains("thermos"), "{}", chat.dialogue);
    });
    house.text("/new").await;
    assert!(house.newest().text.starts_with("Сначала нужно принять условия"));
}
