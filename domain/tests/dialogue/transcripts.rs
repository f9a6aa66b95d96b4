//! Every path, as it is talked through. A changed transcript is reviewed with `INSTA_UPDATE=always cargo test -p domain --test
//! dialogue` and `git diff domain/tests/dialogue/snapshots`.

use domain::{
    dialogue::{Choice, Dialogue, Input, Outcome, Page, Refusal},
    id::{LanguageId, OrderId, PackageId, UserId},
    money::Credits,
    order::Quantity,
    photo::PhotoError,
    prompt::Template,
};
use insta::assert_snapshot;

use crate::script::{PROMPT_CHARS_MAX, Script, order, picture};

const ORDER: OrderId = OrderId::new(7);

fn photo(file: &str) -> Input {
    Input::Picture(picture(file, None, None))
}

#[test]
fn somebody_new_accepts_the_terms_once_and_gets_a_credit() {
    let mut chat = Script::new();
    chat.text("hello").user(Input::Create).user(photo("photo-1"));
    chat.user(Input::Start { referrer: Some(UserId::new(77)) });
    chat.user(Input::Open(Page::Privacy)).user(Input::AskDeletion);
    chat.user(Input::AcceptTerms).user(Input::AcceptTerms).user(Input::Start { referrer: None });
    assert_snapshot!(chat.told);
}

#[test]
fn a_blogger_video_from_photo_to_order() {
    let mut chat = Script::in_menu();
    chat.user(Input::Create).user(photo("photo-1")).text("A steel thermos");
    chat.choose(Choice::Template(Template::UgcBlogger)).text("In a tent, please");
    chat.choose(Choice::Quantity(Quantity::Three)).choose(Choice::Confirm);
    assert_snapshot!(chat.told);
}

#[test]
fn an_ad_video_without_wishes() {
    let mut chat = Script::in_menu();
    chat.user(Input::Create).user(photo("photo-1")).text("A steel thermos");
    chat.choose(Choice::Template(Template::AdVideo)).text("—");
    chat.text("2").text("many").text("5").choose(Choice::Confirm);
    assert_snapshot!(chat.told);
}

#[test]
fn an_own_prompt_is_checked_edited_and_confirmed() {
    let mut chat = Script::in_menu();
    chat.user(Input::Create).user(photo("photo-1")).choose(Choice::OwnPromptInstead);
    chat.text(&"x".repeat(PROMPT_CHARS_MAX + 1)).text("Steam rises from the thermos");
    chat.choose(Choice::EditPrompt).text("Steam rises, slowly").text("Steam rises, very slowly");
    chat.choose(Choice::AcceptPrompt).choose(Choice::Quantity(Quantity::One)).choose(Choice::Confirm);
    assert_snapshot!(chat.told);
}

#[test]
fn an_own_prompt_chosen_at_the_template_and_a_writer_chosen_after_it() {
    let mut chat = Script::in_menu();
    chat.user(Input::Create).user(photo("photo-1")).choose(Choice::OwnPromptInstead).text("Steam rises");
    chat.choose(Choice::AcceptPrompt).choose(Choice::Quantity(Quantity::One));
    chat.choose(Choice::ChangeTemplate).choose(Choice::Template(Template::OwnPrompt));
    chat.choose(Choice::AcceptPrompt).choose(Choice::Quantity(Quantity::One));
    chat.choose(Choice::ChangeTemplate).choose(Choice::Template(Template::AdVideo)).text("A steel thermos");
    chat.choose(Choice::NoWishes);
    assert_snapshot!(chat.told);
}

#[test]
fn an_album_counts_as_its_first_picture() {
    let mut chat = Script::in_menu();
    chat.user(Input::Create);
    for file in ["photo-1", "photo-2", "photo-3"] {
        chat.user(Input::Picture(picture(file, Some("album"), None)));
    }
    assert_snapshot!(chat.told);
}

#[test]
fn of_an_album_whose_first_picture_does_not_do_the_second_is_taken() {
    let mut chat = Script::in_menu();
    chat.user(Input::Create).outside(Outcome::PhotoRefused(PhotoError::NotAnImage));
    for file in ["photo-1", "photo-2", "photo-3"] {
        chat.user(Input::Picture(picture(file, Some("album"), None)));
    }
    assert_snapshot!(chat.told);
}

#[test]
fn a_picture_that_does_not_do_is_explained_and_the_next_one_taken() {
    let mut chat = Script::in_menu();
    chat.user(Input::Create).user(Input::Other);
    chat.outside(Outcome::PhotoRefused(PhotoError::Heic)).user(photo("photo-1"));
    chat.outside(Outcome::PhotoLost).user(photo("photo-2")).user(photo("photo-3"));
    chat.outside(Outcome::PhotoRefused(PhotoError::Empty)).user(photo("photo-4")).user(photo("photo-5"));
    assert_snapshot!(chat.told);
}

#[test]
fn a_photo_out_of_the_blue_begins_an_order() {
    let mut chat = Script::in_menu();
    chat.user(Input::Picture(picture("photo-1", None, Some("A steel thermos"))));
    assert_snapshot!(chat.told);
}

#[test]
fn a_description_that_comes_before_its_photo_is_kept() {
    let mut chat = Script::in_menu();
    chat.user(Input::Create).text("A steel thermos").user(photo("photo-1"));
    assert_snapshot!(chat.told);
}

#[test]
fn another_photo_replaces_the_former_one_and_is_confirmed_anew() {
    let mut chat = Script::at_confirmation();
    let step = chat.dialogue.step;
    chat.user(photo("photo-2"));
    chat.user(Input::Chose { step, choice: Choice::Confirm }).choose(Choice::Confirm);
    assert_snapshot!(chat.told);
}

#[test]
fn a_double_tap_confirms_once_and_what_else_is_said_changes_nothing() {
    let mut chat = Script::at_confirmation();
    let step = chat.dialogue.step;
    chat.text("yes!").user(Input::Other).user(Input::Open(Page::Account));
    chat.user(Input::Chose { step, choice: Choice::Confirm });
    chat.user(Input::Chose { step, choice: Choice::Confirm });
    chat.user(Input::Chose { step: 3, choice: Choice::Template(Template::AdVideo) });
    chat.user(Input::UnknownButton);
    assert_snapshot!(chat.told);
}

#[test]
fn orders_that_are_not_placed_say_why_and_go_on_where_it_can_be_mended() {
    let refusals = [
        Refusal::Credits { needed: Credits::of(3), available: Credits::of(1) },
        Refusal::Photo(PhotoError::NotAnImage),
        Refusal::PhotoGone,
        Refusal::Prompt { chars: 2_400, max: 2_000 },
        Refusal::ModelOff,
        Refusal::ConfirmationUsed,
        Refusal::Unknown,
    ];
    let mut told = String::new();
    for refusal in refusals {
        let mut chat = Script::at_confirmation();
        chat.outside(Outcome::NotOrdered(refusal.clone())).choose(Choice::Confirm);
        if matches!(refusal, Refusal::PhotoGone) {
            chat.user(photo("photo-2"));
        }
        if matches!(refusal, Refusal::ConfirmationUsed | Refusal::Unknown) {
            chat.choose(Choice::Confirm);
        }
        told.push_str(&chat.told);
        told.push('\n');
    }
    assert_snapshot!(told);
}

#[test]
fn another_one_keeps_photo_and_description_and_asks_for_the_template() {
    let mut chat = Script::in_menu();
    chat.user(Input::Again(ORDER)).choose(Choice::Template(Template::UgcBlogger)).choose(Choice::NoWishes);
    chat.choose(Choice::Quantity(Quantity::One)).choose(Choice::Confirm);
    chat.outside(Outcome::NoSuchOrder).user(Input::Again(ORDER));
    assert_snapshot!(chat.told);
}

#[test]
fn another_one_of_an_own_prompt_shows_the_prompt() {
    let mut chat = Script::in_menu();
    let former = order(Template::OwnPrompt);
    chat.outside(Outcome::Found { order: Box::new(former), is_refused: false }).user(Input::Again(ORDER));
    chat.choose(Choice::Template(Template::OwnPrompt));
    assert_snapshot!(chat.told);
}

#[test]
fn a_refused_order_is_tried_again_with_a_change() {
    let mut chat = Script::in_menu();
    chat.user(Input::TryAgain(ORDER)).choose(Choice::NewPhoto).user(photo("photo-2"));
    chat.user(Input::TryAgain(ORDER)).choose(Choice::NewText).text("A plain thermos");
    chat.user(Input::TryAgain(ORDER)).choose(Choice::ChangeNothing);
    let own = || Outcome::Found { order: Box::new(order(Template::OwnPrompt)), is_refused: true };
    chat.outside(own()).user(Input::TryAgain(ORDER)).choose(Choice::NewText).text("Steam");
    chat.user(Input::TryAgain(ORDER)).user(photo("photo-3"));
    assert_snapshot!(chat.told);
}

#[test]
fn an_order_is_cancelled_as_far_as_it_is_queued() {
    let mut chat = Script::at_confirmation();
    chat.choose(Choice::Confirm).user(Input::CancelOrder(ORDER));
    chat.outside(Outcome::Cancelled { cancelled: 0, going_on: 3 }).user(Input::CancelOrder(ORDER));
    chat.outside(Outcome::NoSuchOrder).user(Input::CancelOrder(ORDER));
    assert_snapshot!(chat.told);
}

#[test]
fn what_is_being_put_together_is_dropped_or_left_and_gone_on_with() {
    let mut chat = Script::at_confirmation();
    chat.user(Input::Menu).user(Input::Resume);
    chat.outside(Outcome::NotOrdered(Refusal::Unknown)).choose(Choice::Confirm);
    chat.user(Input::Menu).user(Input::Resume);
    chat.outside(Outcome::NotOrdered(Refusal::Unknown)).choose(Choice::Confirm);
    chat.user(Input::Menu).user(Input::Cancel).user(Input::Cancel);
    chat.user(Input::Resume).user(Input::Create).user(Input::Menu).user(photo("photo-1")).user(Input::Menu);
    chat.user(Input::Resume).text("A thermos").user(Input::Menu).user(Input::Resume).user(Input::Resume);
    assert_snapshot!(chat.told);
}

#[test]
fn pages_are_read_without_leaving_an_order() {
    let mut chat = Script::at_confirmation();
    for page in Page::ALL {
        chat.user(Input::Open(page));
    }
    chat.user(Input::SetLanguage(LanguageId::new("en").unwrap()));
    chat.user(Input::UnknownCommand).choose(Choice::Confirm);
    assert_snapshot!(chat.told);
}

#[test]
fn credits_are_bought_in_the_midst_of_an_order() {
    let mut chat = Script::at_confirmation();
    let short = Refusal::Credits { needed: Credits::of(3), available: Credits::of(1) };
    chat.outside(Outcome::NotOrdered(short)).choose(Choice::Confirm).user(Input::Open(Page::TopUp));
    let package = PackageId::new("ten").unwrap();
    chat.outside(Outcome::NoSuchPackage).user(Input::Buy(package.clone())).user(Input::Buy(package));
    chat.choose(Choice::Quantity(Quantity::Three)).choose(Choice::Confirm);
    assert_snapshot!(chat.told);
}

#[test]
fn data_is_deleted_after_a_confirmation() {
    let mut chat = Script::in_menu();
    chat.user(Input::AskDeletion).text("yes").choose(Choice::KeepData);
    chat.user(Input::AskDeletion).choose(Choice::Delete).user(Input::Create);
    assert_snapshot!(chat.told);
}

#[test]
fn a_conversation_that_cannot_be_read_begins_in_the_menu_and_old_buttons_change_nothing() {
    let before = Script::at_confirmation().dialogue;
    let mut chat = Script::at(Dialogue::fresh(true, before.step + 1_000));
    chat.user(Input::Chose { step: before.step, choice: Choice::Confirm }).user(Input::Create);
    assert_snapshot!(chat.told);
}
