//! Remarks as texts.

use domain::{dialogue::Note, photo::PhotoError, prompt::BriefError};

use crate::texts::{Language, numbered};

/// The text of a remark.
pub(crate) fn note(language: Language, note: &Note) -> String {
    let say = |key| numbered(language, key, &[]);
    let lengths = |key, chars: usize, max: usize| {
        let number = |n| i64::try_from(n).unwrap_or(i64::MAX);
        numbered(language, key, &[("chars", number(chars)), ("max", number(max))])
    };
    match note {
        Note::Welcome { gift: None } => say("note-welcome"),
        Note::Welcome { gift: Some(credits) } => {
            let gift = numbered(language, "note-gift", &[("credits", credits.value())]);
            format!("{}\n{gift}", say("note-welcome"))
        }
        Note::TermsFirst => say("note-terms-first"),
        Note::PhotoTaken => say("note-photo-taken"),
        Note::AlbumFirst => say("note-album-first"),
        Note::PhotoReplaced => say("note-photo-replaced"),
        Note::PhotoRefused(why) => photo(language, why),
        Note::PhotoLost => say("note-photo-lost"),
        Note::PhotoGone => say("note-photo-gone"),
        Note::BriefKept => say("note-brief-kept"),
        Note::TextRefused(BriefError::Empty) => say("note-text-empty"),
        Note::TextRefused(BriefError::TooLong { chars, max }) => lengths("note-text-too-long", *chars, *max),
        Note::PromptTooLong { chars, max } => lengths("note-prompt-too-long", *chars, *max),
        Note::NotUseful => say("note-not-useful"),
        Note::TextUnasked => say("note-text-unasked"),
        Note::UnknownCommand => say("note-unknown-command"),
        Note::UseButtons => say("note-use-buttons"),
        Note::NoSuchQuantity => say("note-no-such-quantity"),
        Note::NotEnough { needed, available } => {
            let args = [("needed", needed.value()), ("available", available.value())];
            numbered(language, "note-not-enough", &args)
        }
        Note::ModelOff => say("note-model-off"),
        Note::ConfirmAnew => say("note-confirm-anew"),
        Note::OrderUnknown => say("note-order-unknown"),
        Note::KeptForAgain => say("note-kept-for-again"),
        Note::Dropped => say("note-dropped"),
        Note::NothingToDrop => say("note-nothing-to-drop"),
        Note::NoSuchOrder => say("note-no-such-order"),
        Note::Cancelled { cancelled, going_on } => cancelled_text(language, *cancelled, *going_on),
        Note::PackageGone => say("note-package-gone"),
        Note::LanguageSet => say("note-language-set"),
        Note::Forgotten => say("note-forgotten"),
        Note::DataKept => say("note-data-kept"),
        Note::NothingKnown => say("note-nothing-known"),
        Note::BegunAnew => say("note-begun-anew"),
    }
}

fn cancelled_text(language: Language, cancelled: u8, going_on: u8) -> String {
    let key = match (cancelled, going_on) {
        (0, 0) => "note-cancelled-late",
        (0, _) => "note-cancelled-none",
        (_, 0) => "note-cancelled-all",
        _ => "note-cancelled-some",
    };
    let args = [("cancelled", i64::from(cancelled)), ("goingon", i64::from(going_on))];
    numbered(language, key, &args)
}

/// Why a picture does not do, and what to send instead.
fn photo(language: Language, why: &PhotoError) -> String {
    let sized = |key, width: u32, height: u32| {
        numbered(language, key, &[("width", i64::from(width)), ("height", i64::from(height))])
    };
    match why {
        PhotoError::Empty => numbered(language, "photo-empty", &[]),
        PhotoError::TooLarge { max, .. } => {
            let megabytes = i64::try_from(max / 1_000_000).unwrap_or(i64::MAX);
            numbered(language, "photo-too-large", &[("max", megabytes.max(1))])
        }
        PhotoError::UnsupportedFormat { .. } => numbered(language, "photo-unsupported-format", &[]),
        PhotoError::Heic => numbered(language, "photo-heic", &[]),
        PhotoError::TooSmall { width, height, min } => {
            let args =
                [("width", i64::from(*width)), ("height", i64::from(*height)), ("min", i64::from(*min))];
            numbered(language, "photo-too-small", &args)
        }
        PhotoError::TooManyPixels { width, height, .. } => sized("photo-too-many-pixels", *width, *height),
        PhotoError::TooStretched { width, height } => sized("photo-too-stretched", *width, *height),
        PhotoError::Damaged { .. } => numbered(language, "photo-damaged", &[]),
        PhotoError::Truncated { .. } => numbered(language, "photo-truncated", &[]),
        PhotoError::NotForModel { .. } => numbered(language, "photo-not-for-model", &[]),
        PhotoError::NotAnImage => numbered(language, "photo-not-an-image", &[]),
    }
}
