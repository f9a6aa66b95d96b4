use std::collections::BTreeSet;

use domain::{
    dialogue::{Dialogue, Draft, Note, Page, PhotoSource, Screen, Stage},
    failure::Reason,
    id::{ConfirmationId, FileId, JobId, OrderId, UserId},
    ledger::{Balance, Entry, EntryKind},
    money::Credits,
    notice::RefundCause,
    order::Quantity,
    photo::{PhotoError, PhotoFormat, PictureKind},
    prompt::{Brief, BriefError, Template},
};
use ports::bot::Keyboard;

use crate::{
    bot::{
        buttons::Button,
        screens::{MESSAGE_UNITS_MAX, Movement, Shown, Why, after_refund, after_video, render},
    },
    fixtures::{self, START},
    texts::Language,
};

const ORDER: OrderId = OrderId::new(u128::MAX);

fn notes() -> Vec<Note> {
    let photos = [
        PhotoError::Empty,
        PhotoError::TooLarge { bytes: 30_000_000, max: 20_000_000 },
        PhotoError::UnsupportedFormat { found: "an AVIF" },
        PhotoError::Heic,
        PhotoError::TooSmall { width: 10, height: 20, min: 300 },
        PhotoError::TooManyPixels { width: 10_000, height: 9_000, max: 50_000_000 },
        PhotoError::TooStretched { width: 300, height: 3_000 },
        PhotoError::Damaged { found: PictureKind::Gif },
        PhotoError::Truncated { format: PhotoFormat::Png },
        PhotoError::NotForModel { found: PhotoFormat::Webp, model: "m".into(), allowed: "jpeg".into() },
        PhotoError::NotAnImage,
    ];
    let mut notes = vec![
        Note::Welcome { gift: None },
        Note::Welcome { gift: Some(Credits::of(1)) },
        Note::TermsFirst,
        Note::PhotoTaken,
        Note::AlbumFirst,
        Note::PhotoReplaced,
        Note::PhotoLost,
        Note::PhotoGone,
        Note::BriefKept,
        Note::TextRefused(BriefError::Empty),
        Note::TextRefused(BriefError::TooLong { chars: 5_000, max: 4_096 }),
        Note::PromptTooLong { chars: 3_000, max: 2_000 },
        Note::NotUseful,
        Note::TextUnasked,
        Note::UnknownCommand,
        Note::UseButtons,
        Note::NoSuchQuantity,
        Note::NotEnough { needed: Credits::of(5), available: Credits::of(2) },
        Note::ModelOff,
        Note::ConfirmAnew,
        Note::OrderUnknown,
        Note::KeptForAgain,
        Note::Dropped,
        Note::NothingToDrop,
        Note::NoSuchOrder,
        Note::PackageGone,
        Note::LanguageSet,
        Note::Forgotten,
        Note::DataKept,
        Note::NothingKnown,
        Note::BegunAnew,
    ];
    notes.extend(photos.map(Note::PhotoRefused));
    notes.extend(
        [(0, 0), (0, 3), (3, 0), (1, 2)].map(|(cancelled, going_on)| Note::Cancelled { cancelled, going_on }),
    );
    notes
}

fn screens() -> Vec<Screen> {
    let mut screens = vec![
        Screen::Terms,
        Screen::Menu { has_draft: true },
        Screen::Menu { has_draft: false },
        Screen::AskPhoto,
        Screen::AskBrief,
        Screen::AskTemplate,
        Screen::AskWishes,
        Screen::AskPrompt,
        Screen::CheckPrompt,
        Screen::AskQuantity,
        Screen::Confirm,
        Screen::Ordered { order: ORDER, quantity: Some(Quantity::Five) },
        Screen::AskWhatToChange,
        Screen::AskDeletion,
        Screen::StaleButton,
        Screen::Banned,
    ];
    screens.extend(Page::ALL.map(Screen::Page));
    screens.extend(notes().into_iter().map(Screen::Note));
    screens
}

/// Everything a draft can hold, as long as it can be, in characters that are longest in UTF-16.
fn longest(template: Template) -> Dialogue {
    let brief = || Some(Brief::new(&"🧪".repeat(Brief::CHARS_MAX)).unwrap());
    let draft = Draft {
        photo: Some(PhotoSource::Sent(FileId::new("f").unwrap())),
        album: None,
        brief: brief(),
        template: Some(template),
        wishes: brief(),
        prompt: brief(),
        quantity: Some(Quantity::Five),
        confirmation: Some(ConfirmationId::new("c").unwrap()),
    };
    Dialogue { stage: Stage::Confirm, draft, step: u64::MAX }
}

fn movements() -> Vec<Movement> {
    let mut causes = RefundCause::WITHOUT_REASON.to_vec();
    causes.extend(Reason::ALL.map(RefundCause::Violation));
    causes.extend(Reason::ALL.map(RefundCause::Input));
    let mut why: Vec<_> = causes.into_iter().map(|cause| Some(Why::Refunded(cause))).collect();
    why.extend([Some(Why::Cancelled), None]);
    let back = Entry::release(UserId::new(5), ORDER, JobId::new(1), START);
    let mut all: Vec<_> = why.into_iter().map(|why| Movement { entry: back.clone(), why }).collect();
    all.extend(EntryKind::ALL.map(|kind| {
        let entry = Entry { kind, available: -3, ..back.clone() };
        Movement { entry, why: None }
    }));
    all
}

fn shown(history: Vec<Movement>) -> Shown {
    let balance = Balance { available: Credits::MAX, held: Credits::MAX };
    Shown { user: UserId::new((1 << 52) - 1), balance, history }
}

fn is_filled(text: &str) -> bool {
    // A text that is missing shows its key, and no key has a space.
    text.contains(' ') && !text.contains(['{', '}', '$', '\u{2068}', '\u{2069}'])
}

#[test]
fn every_screen_has_a_text_and_working_buttons_in_every_language() {
    let mut policy = fixtures::policy();
    policy.bot.referral = Credits::of(2);
    policy.bot.username = Some("kadr_bot".to_owned());
    policy.bot.packages = vec![super::payments::package()];
    policy.bot.support = Some("@kadr_help".to_owned());
    for url in [&mut policy.bot.terms_url, &mut policy.bot.privacy_url, &mut policy.bot.samples_url] {
        *url = Some("https://kadr.example/page".to_owned());
    }
    for language in Language::ALL {
        for screen in screens() {
            for template in Template::ALL {
                let message = render(
                    language,
                    std::slice::from_ref(&screen),
                    &longest(template),
                    &shown(Vec::new()),
                    &policy,
                );
                assert!(is_filled(&message.text), "{language:?} {screen:?}: {}", message.text);
                assert_working(&message.keyboard);
            }
        }
        assert_working(&after_video(language, ORDER));
        assert_working(&after_refund(language, ORDER));
    }
}

fn assert_working(keyboard: &Keyboard) {
    for button in keyboard.iter().flatten() {
        // The languages' own names are single words.
        let is_named = button.label.contains(' ') || ["Русский", "English"].contains(&&*button.label);
        assert!(is_named && !button.label.contains(['{', '$']), "{button:?}");
        assert!(button.data.len() <= 64 && Button::parse(&button.data).is_some(), "{button:?}");
    }
}

#[test]
fn questions_have_buttons_and_remarks_leave_them_to_what_follows() {
    let policy = fixtures::policy();
    for screen in screens() {
        let show = |screens: &[Screen]| {
            render(Language::Ru, screens, &longest(Template::AdVideo), &shown(Vec::new()), &policy)
        };
        let alone = show(std::slice::from_ref(&screen));
        let is_remark = matches!(screen, Screen::Note(_) | Screen::StaleButton | Screen::Banned);
        assert_eq!(alone.keyboard.is_empty(), is_remark, "{screen:?}");
        if !is_remark {
            let after = show(&[Screen::Note(Note::PhotoTaken), screen]);
            assert_eq!(after.keyboard, alone.keyboard);
            assert!(after.text.ends_with(&alone.text));
        }
    }
}

#[test]
fn no_message_is_too_long_whatever_the_user_wrote() {
    let mut policy = fixtures::policy();
    policy.bot.support = Some("s".repeat(300));
    let history: Vec<_> = movements().into_iter().take(15).collect();
    for language in Language::ALL {
        let shown = shown(history.clone());
        let show = |template, screens: &[Screen]| {
            render(language, screens, &longest(template), &shown, &policy).text.encode_utf16().count()
        };
        let longest_note =
            notes().into_iter().max_by_key(|note| show(Template::AdVideo, &[Screen::Note(note.clone())]));
        for screen in screens() {
            for template in Template::ALL {
                let units = show(template, &[Screen::Note(longest_note.clone().unwrap()), screen.clone()]);
                assert!(units < MESSAGE_UNITS_MAX, "{language:?} {screen:?}: {units}");
            }
        }
    }
}

#[test]
fn a_long_prompt_is_shown_as_far_as_it_fits_with_the_question_after_it() {
    let policy = fixtures::policy();
    let dialogue = longest(Template::OwnPrompt);
    let message = render(Language::Ru, &[Screen::CheckPrompt], &dialogue, &shown(Vec::new()), &policy);
    assert!(message.text.contains("… и ещё 2596 символов"), "{}", message.text);
    assert!(message.text.ends_with("просто пришлите новый текст."), "{}", message.text);
}

#[test]
fn every_way_credits_move_has_a_line_of_its_own_in_every_language() {
    let policy = fixtures::policy();
    for language in Language::ALL {
        let mut lines = BTreeSet::new();
        for movement in movements() {
            let shown = shown(vec![movement.clone()]);
            let page = [Screen::Page(Page::History)];
            let text = render(language, &page, &longest(Template::AdVideo), &shown, &policy).text;
            assert!(is_filled(&text) && !text.contains("why-"), "{text}");
            lines.insert(text.lines().last().unwrap().to_owned());
        }
        // Twelve reasons, with what is not known and what was cancelled, and one line for each kind.
        assert_eq!(lines.len(), 19, "{lines:#?}");
    }
}

#[test]
fn numbers_are_declined() {
    let policy = fixtures::policy();
    let menu = |credits: u8| {
        let balance = Balance { available: Credits::of(credits), held: Credits::ZERO };
        let shown = Shown { balance, ..shown(Vec::new()) };
        let screens = [Screen::Menu { has_draft: false }];
        render(Language::Ru, &screens, &longest(Template::AdVideo), &shown, &policy).text
    };
    assert!(menu(1).contains(" 1 кредит."));
    assert!(menu(3).contains(" 3 кредита."));
    assert!(menu(11).contains(" 11 кредитов."));
    assert!(menu(21).contains(" 21 кредит."));
}
