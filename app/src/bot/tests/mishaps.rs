//! What a user meets when something breaks: nothing is done twice, and nothing is lost.

use domain::dialogue::Choice;
use ports::{ErrorKind, PortError, bot::EventKind};

use super::house::House;
use crate::{
    bot::{Handled, buttons::Button},
    fixtures::START,
};

#[tokio::test]
async fn a_crash_between_the_order_and_its_turn_repeats_the_same_order_and_holds_once() {
    let mut house = House::at_confirmation().await;
    let confirm = House::tap_event(house.data_of("Создать"));
    house.look(|state| state.failures.push(("store", ErrorKind::Transient)));
    let turns = house.look(|state| state.turns.len());
    let error = house.event(confirm.clone()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transient);
    house.look(|state| assert_eq!((state.holds, state.turns.len()), (1, turns)));

    house.again(confirm, 1).await.unwrap();
    let placed = house.look(|state| {
        assert_eq!((state.holds, state.orders.len()), (1, 1));
        state.orders[0].id
    });
    let cancel = house.data_of("Отменить заказ");
    assert_eq!(Button::parse(&cancel), Some(Button::CancelOrder(placed)), "the order that was placed");
}

#[tokio::test]
async fn a_chat_that_changed_meanwhile_stores_nothing_and_the_repetition_finds_the_order() {
    let mut house = House::at_confirmation().await;
    let confirm = House::tap_event(house.data_of("Создать"));
    house.look(|state| state.failures.push(("store", ErrorKind::Conflict)));
    let before = house.look(|state| state.chat.clone());
    let error = house.event(confirm.clone()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(house.look(|state| state.chat.clone()), before);
    house.again(confirm, 0).await.unwrap();
    house.look(|state| assert_eq!(state.holds, 1));
    assert!(house.newest().text.contains("Заказ принят"));
}

#[tokio::test]
async fn an_order_whose_answer_was_lost_is_found_by_the_same_confirmation() {
    let mut house = House::at_confirmation().await;
    let confirm = House::tap_event(house.data_of("Создать"));
    house.look(|state| state.failures.push(("place-answer", ErrorKind::AnswerLost)));
    assert!(house.event(confirm.clone()).await.is_err());
    house.again(confirm, 1).await.unwrap();
    assert!(house.newest().text.contains("Заказ принят"));
    house.look(|state| assert_eq!(state.holds, 1));
}

#[tokio::test]
async fn when_patience_ends_the_user_is_told_what_is_not_known_and_may_confirm_again_without_paying_twice() {
    let mut house = House::at_confirmation().await;
    let confirm = House::tap_event(house.data_of("Создать"));
    let patience = house.policy.bot.patience;
    house.look(|state| state.failures.push(("place-answer", ErrorKind::AnswerLost)));
    assert!(house.event(confirm.clone()).await.is_err());
    house.look(|state| state.failures.push(("place", ErrorKind::Transient)));
    house.again(confirm, patience).await.unwrap();
    assert!(house.newest().text.starts_with("Не получилось узнать, принят ли заказ."));

    // Even by way of the menu.
    house.text("/menu").await;
    house.tap_label("Продолжить").await;
    house.tap_label("Создать").await;
    assert!(house.newest().text.contains("Заказ принят"));
    house.look(|state| assert_eq!((state.holds, state.orders.len()), (1, 1)));
}

#[tokio::test]
async fn a_picture_that_does_not_arrive_is_fetched_again_and_then_asked_for_again() {
    for kind in [ErrorKind::Transient, ErrorKind::AnswerLost] {
        let mut house = House::in_menu().await;
        let picture = House::picture_event("photo-1");
        house.look(|state| state.failures.push(("download", kind)));
        assert_eq!(house.event(picture.clone()).await.unwrap_err().kind(), kind);
        house.again(picture.clone(), 1).await.unwrap();
        assert!(house.newest().text.starts_with("✅ Фото подходит."), "{}", house.newest().text);

        house.look(|state| state.failures.push(("download", kind)));
        let patience = house.policy.bot.patience;
        house.event(EventKind::Text("/new".to_owned())).await.unwrap();
        house.again(picture, patience).await.unwrap();
        assert!(house.newest().text.starts_with("Не получилось скачать это фото"));
    }
}

#[tokio::test]
async fn a_picture_telegram_does_not_have_any_more_is_asked_for_again_at_once() {
    let mut house = House::at_confirmation().await;
    house.look(|state| state.file = None);
    house.tap_label("Создать").await;
    assert!(house.newest().text.starts_with("Прежнего фото у нас больше нет."), "{}", house.newest().text);
    house.look(|state| {
        assert_eq!(state.holds, 0);
        state.file = Some(crate::fixtures::PNG.into());
    });
    house.picture("photo-2").await;
    house.tap_label("Создать").await;
    house.look(|state| assert_eq!(state.holds, 1));
}

#[tokio::test]
async fn a_photo_that_is_prepared_otherwise_at_the_second_try_is_still_the_same_order() {
    let mut house = House::at_confirmation().await;
    let confirm = House::tap_event(house.data_of("Создать"));
    house.look(|state| state.failures.push(("store", ErrorKind::Transient)));
    house.event(confirm.clone()).await.unwrap_err();
    let jpeg = ports::Photo { bytes: b"j".as_slice().into(), format: domain::photo::PhotoFormat::Jpeg };
    house.look(|state| state.prepared = Some(ports::Prepared::Ready(jpeg)));
    house.again(confirm, 1).await.unwrap();
    assert!(house.newest().text.contains("Заказ принят"));
    house.look(|state| assert_eq!((state.holds, state.orders.len()), (1, 1)));
}

#[tokio::test]
async fn who_cannot_pay_keeps_the_order_and_chooses_again() {
    let mut house = House::at_confirmation().await;
    house.look(|state| state.credits = 1);
    house.tap_label("Создать").await;
    assert!(house.newest().text.starts_with("Не хватает кредитов: нужно 3, есть 1."));
    house.tap_label("1 видео").await;
    house.tap_label("Создать").await;
    house.look(|state| assert_eq!(state.orders[0].request.quantity, domain::order::Quantity::One));
}

#[tokio::test]
async fn a_dialogue_that_cannot_be_read_begins_in_the_menu_with_an_honest_word() {
    for stored in ["{", r#"{"v":0,"stage":"confirm","step":3}"#, "null"] {
        let mut house = House::at_confirmation().await;
        let confirm = House::tap_event(house.data_of("Создать"));
        house.look(|state| state.chat.as_mut().unwrap().dialogue = stored.to_owned());
        house.event(confirm.clone()).await.unwrap();
        let newest = house.newest();
        assert!(newest.text.starts_with("Бот обновился"), "{}", newest.text);
        assert!(newest.text.contains("На балансе 9 кредитов."), "{}", newest.text);
        house.look(|state| assert_eq!(state.holds, 0));
        house.event(confirm).await.unwrap();
        assert!(house.replies_now().is_empty(), "it is said once");
        house.text("/menu").await;
        assert!(house.newest().text.starts_with("На балансе"));
    }
}

#[tokio::test]
async fn buttons_of_before_a_new_beginning_are_never_taken_for_new_ones() {
    let mut house = House::at_confirmation().await;
    let Some(Button::Choice { step, .. }) = Button::parse(&house.data_of("Создать")) else {
        panic!("an answer")
    };
    house.look(|state| state.chat.as_mut().unwrap().dialogue = "?".to_owned());
    house.text("/menu").await;
    house.picture("photo-1").await;
    house.text("A mug").await;
    for old in 0..=step {
        house.tap(&Button::Choice { step: old, choice: Choice::Confirm }).await;
        house.tap(&Button::Choice { step: old, choice: Choice::OwnPromptInstead }).await;
        assert!(house.replies_now().is_empty(), "{old}");
    }
}

#[tokio::test]
async fn a_deletion_that_broke_off_is_told_of_and_asks_for_the_terms() {
    let mut house = House::at_confirmation().await;
    house.text("/delete_me").await;
    let delete = House::tap_event(house.data_of("Да, удалить"));
    house.look(|state| state.failures.push(("store", ErrorKind::Transient)));
    house.event(delete.clone()).await.unwrap_err();
    house.again(delete, 1).await.unwrap();
    assert!(house.newest().text.starts_with("Ваши данные удалены."), "{}", house.newest().text);
    assert_eq!(house.look(|state| state.chat.as_ref().unwrap().terms_accepted_at), None);
}

#[tokio::test]
async fn what_is_no_part_of_a_conversation_is_done_with_in_silence() {
    let mut house = House::in_menu().await;
    let chat = house.look(|state| state.chat.clone());
    assert_eq!(house.read(Ok(None), 0).await.unwrap(), Handled::Ignored);
    assert!(house.replies_now().is_empty());
    assert_eq!(house.look(|state| state.chat.clone()), chat);
    let no_update = || Err(PortError::new(ErrorKind::Rejected, "no update"));
    assert_eq!(house.read(no_update(), 0).await.unwrap_err().kind(), ErrorKind::Rejected);
}

#[tokio::test]
async fn a_user_who_stopped_the_bot_is_marked_and_unmarked_when_they_write_again() {
    let mut house = House::in_menu().await;
    house.event(EventKind::Reachable(false)).await.unwrap();
    assert_eq!(house.look(|state| state.chat.as_ref().unwrap().blocked_since), Some(START));
    house.text("/menu").await;
    assert_eq!(house.look(|state| state.chat.as_ref().unwrap().blocked_since), None);
}
