//! What holds whatever is said, in whatever order, however often.

use std::collections::HashMap;

use domain::{
    dialogue::{Choice, Command, Dialogue, Input, Outcome, Page, Refusal, Screen, Stage, Turn, advance},
    id::{LanguageId, OrderId, PackageId, UserId},
    money::Credits,
    order::Quantity,
    photo::PhotoError,
    prompt::Template,
};
use proptest::prelude::*;

use crate::script::{facts, order, picture};

const ORDER: OrderId = OrderId::new(7);

fn choices() -> impl Strategy<Value = Choice> {
    use Choice::*;
    let mut all = vec![
        OwnPromptInstead,
        NoWishes,
        AcceptPrompt,
        EditPrompt,
        Confirm,
        Confirm,
        ChangeTemplate,
        NewPhoto,
        NewText,
        ChangeNothing,
        Delete,
        KeepData,
    ];
    all.extend(domain::prompt::Template::ALL.map(Template));
    all.extend(domain::order::Quantity::ALL.map(Quantity));
    prop::sample::select(all)
}

fn pictures() -> impl Strategy<Value = domain::dialogue::Picture> {
    let captions = prop::option::of(prop::sample::select(vec!["A mug", " ", "-"]));
    let albums = prop::option::of(prop::sample::select(vec!["a1", "a2"]));
    (0_u8..4, albums, captions).prop_map(|(n, album, caption)| picture(&format!("f{n}"), album, caption))
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    let refusals = prop::sample::select(vec![
        Refusal::Credits { needed: Credits::of(3), available: Credits::ZERO },
        Refusal::Photo(PhotoError::NotAnImage),
        Refusal::PhotoGone,
        Refusal::Prompt { chars: 9, max: 8 },
        Refusal::ModelOff,
        Refusal::ConfirmationUsed,
        Refusal::Unknown,
    ]);
    let found = (prop::sample::select(Template::ALL.to_vec()), any::<bool>())
        .prop_map(|(template, is_refused)| Outcome::Found { order: Box::new(order(template)), is_refused });
    prop_oneof![
        4 => pictures().prop_map(Outcome::PhotoFine),
        2 => refusals.prop_map(Outcome::NotOrdered),
        2 => found,
        1 => prop::sample::select(vec![
            Outcome::TermsAccepted { gift: None },
            Outcome::PhotoRefused(PhotoError::Heic),
            Outcome::PhotoLost,
            Outcome::Ordered(ORDER),
            Outcome::NoSuchOrder,
            Outcome::Cancelled { cancelled: 1, going_on: 0 },
            Outcome::Forgotten,
            Outcome::Billed,
            Outcome::NoSuchPackage,
        ]),
    ]
}

/// An input, with the number of a question relative to the present one.
fn inputs() -> impl Strategy<Value = (Input, u64)> {
    let plain = prop::sample::select(vec![
        Input::Start { referrer: None },
        Input::Start { referrer: Some(UserId::new(3)) },
        Input::AcceptTerms,
        Input::Menu,
        Input::Create,
        Input::Resume,
        Input::Cancel,
        Input::AskDeletion,
        Input::Again(ORDER),
        Input::TryAgain(ORDER),
        Input::CancelOrder(ORDER),
        Input::Buy(PackageId::new("start").unwrap()),
        Input::Other,
        Input::UnknownCommand,
        Input::UnknownButton,
        Input::SetLanguage(LanguageId::new("en").unwrap()),
    ]);
    // Chosen and not made up: what is said matters only where it is read as a number, a dash or too much.
    let mut texts: Vec<_> =
        ["-", "", "1", "5", "2", "A mug", "300", "\u{7}", "кружка"].map(str::to_owned).into();
    texts.extend([2_001, 5_000].map(|chars| "x".repeat(chars)));
    let texts = prop::sample::select(texts);
    let what = prop_oneof![
        2 => plain,
        1 => prop::sample::select(Page::ALL.to_vec()).prop_map(Input::Open),
        3 => texts.prop_map(Input::Text),
        2 => pictures().prop_map(Input::Picture),
        4 => outcomes().prop_map(Input::Came),
        8 => choices().prop_map(|choice| Input::Chose { step: 0, choice }),
    ];
    (what, prop_oneof![3 => Just(0_u64), 1 => 1_u64..5])
}

/// The input with the question it is meant for, which is the present one or an earlier one.
fn meant(dialogue: &Dialogue, input: Input, back: u64) -> Input {
    match input {
        Input::Chose { choice, .. } => Input::Chose { step: dialogue.step - back, choice },
        input => input,
    }
}

fn is_stale(dialogue: &Dialogue, input: &Input) -> bool {
    matches!(input, Input::Chose { step, .. } if *step != dialogue.step)
}

/// Runs inputs from the beginning and shows every turn to `look`.
fn run(
    has_accepted_terms: bool,
    said: Vec<(Input, u64)>,
    mut look: impl FnMut(&Dialogue, &Input, &Turn) -> Result<(), TestCaseError>,
) -> Result<(), TestCaseError> {
    let mut dialogue = Dialogue::fresh(has_accepted_terms, 1_000);
    for (update, (input, back)) in (1..).zip(said) {
        let input = meant(&dialogue, input, back);
        let turn = advance(&dialogue, input.clone(), &facts(update));
        look(&dialogue, &input, &turn)?;
        dialogue = turn.dialogue;
    }
    Ok(())
}

fn conversations() -> impl Strategy<Value = (bool, Vec<(Input, u64)>)> {
    (prop::bool::weighted(0.9), prop::collection::vec(inputs(), 1..60))
}

proptest! {
    #[test]
    fn any_sequence_of_inputs_leaves_a_legal_dialogue((accepted, said) in conversations()) {
        run(accepted, said, |_, input, turn| {
            prop_assert!(turn.dialogue.is_legal(), "{input:?} led to {:?}", turn.dialogue);
            Ok(())
        })?;
    }

    #[test]
    fn every_input_is_answered_and_only_further_pictures_of_an_album_in_silence(
        (accepted, said) in conversations(),
    ) {
        run(accepted, said, |before, input, turn| {
            let is_further = matches!(input, Input::Picture(p) if p.album.is_some() && p.album == before.draft.album);
            // A bill is a message of its own.
            let is_billed = *input == Input::Came(Outcome::Billed) && before.stage != Stage::Terms;
            let is_silent = turn.commands.is_empty() && turn.screens.is_empty();
            prop_assert_eq!(is_silent, is_further || is_billed, "{:?}", input);
            Ok(())
        })?;
    }

    #[test]
    fn what_comes_of_a_command_commands_nothing_further((accepted, said) in conversations()) {
        run(accepted, said, |_, input, turn| {
            prop_assert!(!matches!(input, Input::Came(_)) || turn.commands.is_empty(), "{input:?}");
            prop_assert!(turn.commands.len() <= 1);
            Ok(())
        })?;
    }

    #[test]
    fn another_question_has_a_higher_number((accepted, said) in conversations()) {
        run(accepted, said, |before, input, turn| {
            let is_same = turn.dialogue.stage == before.stage && turn.dialogue.draft == before.draft;
            // An update is one input and what came of its command, so it asks no two questions.
            prop_assert!(turn.dialogue.step - before.step <= 1);
            prop_assert!(turn.commands.is_empty() || turn.dialogue == *before, "{input:?}");
            if is_same {
                prop_assert!(turn.dialogue.step >= before.step, "{input:?}");
            } else {
                prop_assert!(turn.dialogue.step > before.step, "{input:?}");
            }
            Ok(())
        })?;
    }

    #[test]
    fn stale_buttons_change_nothing((accepted, said) in conversations()) {
        run(accepted, said, |before, input, turn| {
            if is_stale(before, input) || *input == Input::UnknownButton {
                prop_assert_eq!(&turn.dialogue, before);
                prop_assert!(turn.commands.is_empty());
                prop_assert_eq!(&turn.screens, &[Screen::StaleButton]);
            }
            Ok(())
        })?;
    }

    #[test]
    fn an_order_is_placed_by_a_confirmation_of_the_present_question_alone((accepted, said) in conversations()) {
        run(accepted, said, |before, input, turn| {
            let places = turn.commands.iter().any(|command| matches!(command, Command::PlaceOrder { .. }));
            let confirms = matches!(input, Input::Chose { step, choice: Choice::Confirm } if *step == before.step)
                && matches!(before.stage, Stage::Confirm);
            prop_assert_eq!(places, confirms, "{:?}", input);
            prop_assert!(!places || before.draft.is_complete());
            Ok(())
        })?;
    }

    #[test]
    fn one_question_has_one_confirmation_and_one_confirmation_one_order((accepted, said) in conversations()) {
        let (mut by_step, mut by_confirmation) = (HashMap::new(), HashMap::new());
        run(accepted, said, |before, _, turn| {
            // Whether or not it is tapped: what would be placed by a tap now.
            let tap = Input::Chose { step: turn.dialogue.step, choice: Choice::Confirm };
            let placed = advance(&turn.dialogue, tap.clone(), &facts(0)).commands;
            if let [Command::PlaceOrder { confirmation, .. }] = &placed[..] {
                let twice = advance(&turn.dialogue, tap, &facts(9_999)).commands;
                prop_assert_eq!(&twice, &placed, "the same confirmation whenever it is tapped");
                let known = by_step.entry(turn.dialogue.step).or_insert_with(|| confirmation.clone());
                prop_assert_eq!(known, confirmation);
                let known = by_confirmation.entry(confirmation.clone()).or_insert_with(|| placed.clone());
                prop_assert_eq!(&*known, &placed, "after {:?}", before);
            }
            Ok(())
        })?;
    }

    #[test]
    fn before_the_terms_nothing_is_done_but_accepting_them(said in prop::collection::vec(inputs(), 1..20)) {
        run(false, said, |before, input, turn| {
            if before.stage == Stage::Terms {
                for command in &turn.commands {
                    let is_fine =
                        matches!(command, Command::AcceptTerms | Command::NoteReferrer(_) | Command::SetLanguage(_));
                    prop_assert!(is_fine, "{:?} led to {:?}", input, command);
                }
                if !matches!(input, Input::Came(Outcome::TermsAccepted { .. })) {
                    prop_assert_eq!(&turn.dialogue.stage, &Stage::Terms);
                }
            }
            Ok(())
        })?;
    }
}

/// The laws above would hold for a conversation that goes nowhere.
#[test]
fn every_stage_and_command_is_reached_by_what_the_laws_try() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut stages, mut commands) = (Vec::new(), Vec::new());
    for _ in 0..400 {
        let (accepted, said) = conversations().new_tree(&mut runner).unwrap().current();
        run(accepted, said, |_, _, turn| {
            let stage = std::mem::discriminant(&turn.dialogue.stage);
            if !stages.contains(&stage) {
                stages.push(stage);
            }
            for command in turn.commands.iter().map(std::mem::discriminant) {
                if !commands.contains(&command) {
                    commands.push(command);
                }
            }
            Ok(())
        })
        .unwrap();
    }
    assert_eq!((stages.len(), commands.len()), (12, 9));
}

/// Whoever reads [`Quantity`] from a text must not read anything else.
#[test]
fn a_quantity_may_be_typed() {
    let mut chat = crate::script::Script::at_confirmation();
    chat.choose(Choice::ChangeTemplate).choose(Choice::Template(Template::AdVideo)).choose(Choice::NoWishes);
    chat.text(" 5 ");
    assert_eq!(chat.dialogue.draft.quantity, Some(Quantity::Five));
    assert!(matches!(chat.dialogue.stage, Stage::Confirm));
}
