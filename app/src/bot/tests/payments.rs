//! Money: what is offered, asked about, taken and given back.

use domain::{id::PackageId, money::Credits};
use ports::{
    ErrorKind,
    bot::{ChatAction, EventKind, Invoice},
};

use super::house::House;
use crate::{bot::buttons::Button, fixtures::START, policy::Package};

pub(super) fn package() -> Package {
    Package { name: PackageId::new("ten").unwrap(), credits: Credits::of(10), stars: 250 }
}

async fn selling() -> House {
    let mut house = House::in_menu().await;
    house.policy.bot.packages = vec![package()];
    house
}

/// A user who was sent a bill.
async fn billed() -> (House, Invoice) {
    let mut house = selling().await;
    house.text("/buy").await;
    house.tap_label("10 кредитов за 250 ⭐").await;
    let replies = house.replies_now();
    let [ChatAction::Invoice(invoice)] = &replies[..] else { panic!("{replies:?}") };
    (house, invoice.clone())
}

fn asked(payload: &str, currency: &str, amount: u32) -> EventKind {
    let (query, payload, currency) = ("q".to_owned(), payload.to_owned(), currency.to_owned());
    EventKind::PreCheckout { query, payload, currency, amount }
}

fn paid(charge: &str, payload: &str, amount: u32) -> EventKind {
    let (charge, payload) = (charge.to_owned(), payload.to_owned());
    EventKind::Paid { charge, payload, currency: "XTR".to_owned(), amount }
}

fn newest_call(house: &House) -> String {
    house.look(|state| state.calls.last().unwrap().clone())
}

#[tokio::test]
async fn a_bill_names_a_stored_offer_and_is_the_same_when_it_is_written_again() {
    let (mut house, invoice) = billed().await;
    assert!(invoice.title.chars().count() <= 32 && invoice.description.chars().count() <= 255);
    assert_eq!((invoice.title.as_str(), invoice.stars), ("10 кредитов", 250));
    house.look(|state| {
        assert_eq!((state.offers.len(), state.offers[0].credits), (1, Credits::of(10)));
        assert_eq!(state.offers[0].payload, invoice.payload);
    });
    let buy = House::tap_event(Button::Buy(package().name).data());
    house.again(buy, 1).await.unwrap();
    assert_eq!(house.replies_now(), [ChatAction::Invoice(invoice)]);
}

#[tokio::test]
async fn without_packages_nothing_is_sold_and_a_package_that_left_is_told_of() {
    let mut house = House::in_menu().await;
    house.text("/buy").await;
    assert!(house.newest().text.starts_with("Покупка кредитов пока закрыта."));
    house.tap(&Button::Buy(package().name)).await;
    assert!(house.newest().text.starts_with("Такого пакета больше нет."));
    house.look(|state| assert!(state.offers.is_empty()));
    house.text("/menu").await;
    assert!(!house.newest().keyboard.iter().flatten().any(|button| button.label.contains("Купить")));
}

#[tokio::test]
async fn only_the_offered_amount_of_an_open_offer_is_accepted() {
    let (mut house, invoice) = billed().await;
    let payload = invoice.payload.as_str();
    for (event, is_good) in [
        (asked(payload, "XTR", 250), true),
        (asked(payload, "XTR", 1), false),
        (asked(payload, "RUB", 250), false),
        (asked("telegram:1", "XTR", 250), false),
    ] {
        house.event(event.clone()).await.unwrap();
        assert_eq!(newest_call(&house) == "Accept", is_good, "{event:?}");
    }
    house.look(|state| state.offers[0].user = domain::id::UserId::new(77));
    house.event(asked(payload, "XTR", 250)).await.unwrap();
    assert!(newest_call(&house).starts_with("Refuse("), "somebody else's");
    house.look(|state| state.offers[0].user = super::house::USER);
    house.banned(Some(START));
    house.event(asked(payload, "XTR", 250)).await.unwrap();
    assert!(newest_call(&house).starts_with("Refuse("), "barred");
    house.banned(None);
    house.event(paid("charge-1", payload, 250)).await.unwrap();
    house.event(asked(payload, "XTR", 250)).await.unwrap();
    assert!(newest_call(&house).starts_with("Refuse("), "paid already");
}

#[tokio::test]
async fn a_payment_is_credited_once_however_often_it_is_told_and_whoever_is_barred() {
    let (mut house, invoice) = billed().await;
    house.banned(Some(START));
    let told = paid("charge-1", &invoice.payload, 250);
    house.look(|state| state.failures.push(("store", ErrorKind::Transient)));
    house.event(told.clone()).await.unwrap_err();
    house.again(told.clone(), 1).await.unwrap();
    assert!(house.newest().text.starts_with("✅ Оплата прошла, спасибо! На балансе 9 кредитов."));
    house.event(told).await.unwrap();
    house.look(|state| assert_eq!(state.credited, ["charge-1"]));
}

#[tokio::test]
async fn a_payment_whose_crediting_is_not_known_is_tried_again_and_never_given_back() {
    for kind in [ErrorKind::Transient, ErrorKind::AnswerLost] {
        let (mut house, invoice) = billed().await;
        let told = paid("charge-1", &invoice.payload, 250);
        house.look(|state| state.failures.push(("credit", kind)));
        assert_eq!(house.event(told.clone()).await.unwrap_err().kind(), kind);
        assert!(!newest_call(&house).starts_with("refund"));
        house.again(told, 1).await.unwrap();
        house.look(|state| assert_eq!(state.credited, ["charge-1"]));
    }
}

#[tokio::test]
async fn money_for_what_was_not_offered_goes_back() {
    let (mut house, invoice) = billed().await;
    let told = paid("charge-1", &invoice.payload, 1);
    house.look(|state| state.failures.push(("refund", ErrorKind::Transient)));
    house.event(told.clone()).await.unwrap_err();
    house.again(told, 1).await.unwrap();
    assert_eq!(newest_call(&house), "refund charge-1");
    assert!(house.newest().text.contains("звёзды вернулись вам"));
    house.look(|state| assert!(state.credited.is_empty()));
}

#[tokio::test]
async fn money_that_went_back_takes_its_credits_along_and_is_told_of_once_credited() {
    let (mut house, invoice) = billed().await;
    let back = EventKind::PaidBack { charge: "charge-1".to_owned() };
    house.event(back.clone()).await.unwrap();
    assert!(house.replies_now().is_empty());
    house.event(paid("charge-1", &invoice.payload, 250)).await.unwrap();
    house.event(back).await.unwrap();
    assert!(house.newest().text.contains("списано кредитов: 4. Осталось: 0."), "{}", house.newest().text);
}
