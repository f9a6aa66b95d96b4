use domain::{
    dialogue::{Choice, Page},
    id::{OrderId, PackageId},
    order::Quantity,
    prompt::Template,
};
use proptest::prelude::*;

use crate::{bot::buttons::Button, texts::Language};

fn buttons() -> impl Strategy<Value = Button> {
    let order = any::<u128>().prop_map(OrderId::new);
    let mut choices = vec![
        Choice::OwnPromptInstead,
        Choice::NoWishes,
        Choice::AcceptPrompt,
        Choice::EditPrompt,
        Choice::Confirm,
        Choice::ChangeTemplate,
        Choice::NewPhoto,
        Choice::NewText,
        Choice::ChangeNothing,
        Choice::Delete,
        Choice::KeepData,
    ];
    choices.extend(Template::ALL.map(Choice::Template));
    choices.extend(Quantity::ALL.map(Choice::Quantity));
    prop_oneof![
        Just(Button::AcceptTerms),
        Just(Button::Menu),
        Just(Button::Create),
        Just(Button::Resume),
        Just(Button::Cancel),
        Just(Button::AskDeletion),
        prop::sample::select(Page::ALL.to_vec()).prop_map(Button::Open),
        prop::sample::select(Language::ALL.to_vec()).prop_map(Button::Language),
        order.clone().prop_map(Button::Again),
        order.clone().prop_map(Button::TryAgain),
        order.prop_map(Button::CancelOrder),
        "[^\\x00-\\x1f\\x7f:]{1,16}"
            .prop_filter_map("a name", |name| PackageId::new(name).ok().map(Button::Buy)),
        (any::<u64>(), prop::sample::select(choices))
            .prop_map(|(step, choice)| Button::Choice { step, choice }),
    ]
}

proptest! {
    #[test]
    fn what_a_button_carries_fits_and_comes_back_as_the_same_button(button in buttons()) {
        let data = button.data();
        prop_assert!((1..=64).contains(&data.len()), "{data}");
        prop_assert_eq!(Button::parse(&data), Some(button.clone()));
        prop_assert!(button.input().is_ok());
    }

    #[test]
    fn no_data_upsets_the_reader(
        word in prop::sample::select(vec!["", "menu", "answer", "again", "page", "language", "answer:confirm"]),
        bytes in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        let made_up = format!("{word}:{}", String::from_utf8_lossy(&bytes));
        if let Some(button) = Button::parse(&made_up) {
            prop_assert!(button.data().len() <= 64);
        }
        let _ = Button::parse(&String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn data_that_no_button_carries_is_no_button() {
    for data in [
        "",
        "menu:",
        "menu:1",
        "answer:confirm",
        "answer:confirm:",
        "answer:confirm:-1",
        "answer:confirm:1:2",
        "answer:nothing:1",
        "again:7",
        "page:operator",
        "language:de",
        "answer:confirm:99999999999999999999999",
    ] {
        assert_eq!(Button::parse(data), None, "{data}");
    }
}
