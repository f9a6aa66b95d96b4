use domain::{order::Order, photo::PhotoFormat};

use super::*;
use crate::fixtures::{self, Mocks, PNG, START};

fn new_order(photo: &'static [u8]) -> NewOrder {
    NewOrder {
        user: UserId::new(5),
        confirmation: Some(ConfirmationId::new("tap-1").unwrap()),
        photo: Bytes::from_static(photo),
        template: Template::AdVideo,
        brief: Brief::new("A thermos").unwrap(),
        wishes: None,
        quantity: Quantity::Three,
        model: None,
    }
}

fn with_balance(available: u8) -> Mocks {
    let mut mocks = Mocks::default();
    let balance = Balance { available: Credits::of(available), held: Credits::ZERO };
    mocks.ledger.expect_balance().returning(move |_| Ok(balance));
    mocks
}

/// The same, and a studio that takes any file for a PNG.
fn with_balance_and_studio(available: u8) -> Mocks {
    let mut mocks = with_balance(available);
    mocks
        .studio
        .expect_prepare()
        .returning(|bytes, _| Ok(Prepared::Ready(Photo { bytes, format: PhotoFormat::Png })));
    mocks
}

/// Mocks panic at any call that is not expected, so an order that is refused has touched no store.
async fn refused(new: NewOrder) -> PlaceOrderError {
    place_order(&Mocks::default().into_ports(), &fixtures::policy(), new).await.unwrap_err()
}

#[tokio::test]
async fn what_is_not_a_photo_never_reaches_a_store() {
    assert!(matches!(refused(new_order(b"")).await, PlaceOrderError::Photo(PhotoError::Empty)));
    assert!(matches!(refused(new_order(b"hello")).await, PlaceOrderError::Photo(PhotoError::NotAnImage)));
}

#[tokio::test]
async fn an_unknown_model_never_reaches_a_store() {
    let new = NewOrder { model: Some(ModelId::new("sora-9").unwrap()), ..new_order(PNG) };
    let told = refused(new).await.to_string();
    assert_eq!(told, "there is no video model `sora-9`: choose one of sora-2, kling");
}

#[tokio::test]
async fn a_photo_the_studio_refuses_or_cannot_try_never_reaches_a_store() {
    let mut mocks = with_balance(3);
    mocks.studio.expect_prepare().times(1).returning(|_, terms| {
        Ok(Prepared::Refused(PhotoError::TooLarge { bytes: 2_000, max: terms.bytes_max }))
    });
    let error = place_order(&mocks.into_ports(), &fixtures::policy(), new_order(PNG)).await.unwrap_err();
    assert!(matches!(error, PlaceOrderError::Photo(PhotoError::TooLarge { max: 1_000, .. })), "{error}");

    let mut mocks = with_balance(3);
    let busy = |_, _: &_| Err(PortError::new(ErrorKind::Transient, "stopping"));
    mocks.studio.expect_prepare().times(1).returning(busy);
    let error = place_order(&mocks.into_ports(), &fixtures::policy(), new_order(PNG)).await.unwrap_err();
    assert!(matches!(error, PlaceOrderError::Studio(_)), "{error}");
}

#[tokio::test]
async fn what_is_stored_and_ordered_is_the_photo_the_studio_made() {
    let mut mocks = with_balance(3);
    let made = Photo { bytes: Bytes::from_static(b"made"), format: PhotoFormat::Jpeg };
    let answer = made.clone();
    mocks.studio.expect_prepare().times(1).returning(move |file, _| {
        assert_eq!(file, PNG, "the file as it was sent");
        Ok(Prepared::Ready(answer.clone()))
    });
    mocks.photos.expect_put().times(1).returning(move |photo, _| {
        assert_eq!(*photo, made);
        Ok(PhotoId::new(9))
    });
    mocks.orders.expect_place().times(1).returning(|placement| {
        assert_eq!(placement.order.request.photo_format, PhotoFormat::Jpeg);
        Ok(Placed::Placed { balance: Balance { available: Credits::ZERO, held: Credits::of(3) } })
    });
    place_order(&mocks.into_ports(), &fixtures::policy(), new_order(PNG)).await.unwrap();
}

#[tokio::test]
async fn who_cannot_pay_leaves_nothing_behind_and_costs_no_work() {
    let mut mocks = with_balance(2);
    mocks.studio.expect_prepare().never();
    mocks.orders.expect_orders_of().returning(|_, _| Ok(Vec::new()));
    mocks.photos.expect_put().never();
    mocks.orders.expect_place().never();
    let error = place_order(&mocks.into_ports(), &fixtures::policy(), new_order(PNG)).await.unwrap_err();
    assert!(matches!(error, PlaceOrderError::InsufficientCredits { .. }), "{error}");
    assert!(error.to_string().starts_with("3 credits are needed and user 5 has 2: "), "{error}");
}

#[tokio::test]
async fn a_second_tap_that_finds_the_credits_spent_by_the_first_is_a_duplicate() {
    let mut mocks = with_balance_and_studio(0);
    let first: Order = fixtures::order(Template::AdVideo);
    let id = first.id;
    mocks.orders.expect_orders_of().returning(move |_, _| Ok(vec![first.clone()]));
    mocks.photos.expect_put().returning(|_, _| Ok(PhotoId::new(9)));
    mocks.orders.expect_place().times(1).returning(move |_| Ok(Placed::Duplicate { order: id }));
    let placed = place_order(&mocks.into_ports(), &fixtures::policy(), new_order(PNG)).await.unwrap();
    assert_eq!(placed, OrderPlaced::Duplicate { order: id });
}

#[tokio::test]
async fn an_order_is_stored_once_with_its_photo_and_all_its_jobs() {
    let mut mocks = with_balance_and_studio(3);
    mocks.photos.expect_put().times(1).returning(|_, _| Ok(PhotoId::new(9)));
    mocks.orders.expect_place().times(1).returning(|placement| {
        assert_eq!(placement.order.request.photo, PhotoId::new(9));
        assert_eq!(placement.order.placed_at, START);
        assert_eq!((placement.jobs.len(), placement.hold.held), (3, 3));
        Ok(Placed::Placed { balance: Balance { available: Credits::ZERO, held: Credits::of(3) } })
    });
    let placed = place_order(&mocks.into_ports(), &fixtures::policy(), new_order(PNG)).await.unwrap();
    assert!(matches!(placed, OrderPlaced::Placed { jobs, .. } if jobs.len() == 3));
}

#[tokio::test]
async fn a_confirmation_used_for_something_else_is_told_so() {
    let mut mocks = with_balance_and_studio(3);
    mocks.photos.expect_put().returning(|_, _| Ok(PhotoId::new(9)));
    mocks.orders.expect_place().returning(|_| Err(PortError::new(ErrorKind::Conflict, "different request")));
    let error = place_order(&mocks.into_ports(), &fixtures::policy(), new_order(PNG)).await.unwrap_err();
    assert!(matches!(error, PlaceOrderError::ConfirmationReused(_)), "{error}");
}
