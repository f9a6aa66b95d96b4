//! What comes of commands.

use crate::{order::Order, prompt::Brief};

use super::{
    Dialogue, Draft, Facts, Note, Outcome, Page, PhotoSource, Picture, Refusal, Screen, Stage, Turn,
};

pub(super) fn came(turn: Turn, outcome: Outcome, facts: &Facts) -> Turn {
    match outcome {
        Outcome::TermsAccepted { gift } if turn.dialogue.stage == Stage::Terms => {
            turn.note(Note::Welcome { gift }).ask(Stage::Menu)
        }
        Outcome::Forgotten => {
            let mut turn = turn.note(Note::Forgotten);
            let step = turn.dialogue.step.saturating_add(1);
            turn.dialogue = Dialogue::fresh(false, step);
            turn.repeat()
        }
        // Without the terms nothing was commanded that anything could come of.
        _ if turn.dialogue.stage == Stage::Terms => turn.repeat(),
        Outcome::TermsAccepted { .. } => turn.repeat(),
        Outcome::PhotoFine(picture) => photographed(turn, picture, facts),
        Outcome::PhotoRefused(why) => turn.note(Note::PhotoRefused(why)).ask_photo_again(),
        Outcome::PhotoLost => turn.note(Note::PhotoLost).ask_photo_again(),
        Outcome::Ordered(order) => ordered(turn, order),
        Outcome::NotOrdered(refusal) => refused(turn, refusal, facts),
        Outcome::Found { order, is_refused } => found(turn, &order, is_refused),
        Outcome::Billed => turn,
        Outcome::NoSuchPackage => turn.note(Note::PackageGone).show(Screen::Page(Page::TopUp)),
        Outcome::NoSuchOrder => turn.note(Note::NoSuchOrder).repeat(),
        Outcome::Cancelled { cancelled, going_on } => {
            turn.note(Note::Cancelled { cancelled, going_on }).repeat()
        }
    }
}

/// A photo starts an order, or takes the place of the one that is being put together has.
fn photographed(turn: Turn, picture: Picture, facts: &Facts) -> Turn {
    let is_new = matches!(turn.dialogue.stage, Stage::Menu | Stage::Deleting);
    let before = if is_new { Draft::default() } else { turn.dialogue.draft.clone() };
    let is_album = picture.album.is_some();
    let caption = picture.caption.as_deref().and_then(|text| Brief::new(text).ok());
    let draft = Draft {
        photo: Some(PhotoSource::Sent(picture.file)),
        album: picture.album,
        brief: before.brief.clone().or(caption),
        ..before
    };
    let next =
        match turn.dialogue.stage.clone() {
            // Only the photo was wrong, or is another now: everything else was answered.
            Stage::Photo | Stage::Confirm if draft.is_complete() => Stage::Confirm,
            Stage::Terms | Stage::Menu | Stage::Photo | Stage::Deleting | Stage::Mending => {
                if draft.has_words() { Stage::Template } else { Stage::Brief }
            }
            // The text below the photo answers the question.
            Stage::Brief if draft.brief.is_some() => {
                if draft.is_for_writer() {
                    Stage::Wishes
                } else {
                    Stage::Template
                }
            }
            stage => stage,
        };
    let is_first = is_new || turn.dialogue.draft.photo.is_none();
    let turn = turn.note(if is_first { Note::PhotoTaken } else { Note::PhotoReplaced });
    let turn = if is_album { turn.note(Note::AlbumFirst) } else { turn };
    let turn = turn.with_draft(draft);
    if next == Stage::Confirm { turn.confirm(facts) } else { turn.ask(next) }
}

fn ordered(turn: Turn, order: crate::id::OrderId) -> Turn {
    let quantity = turn.dialogue.draft.quantity;
    let mut turn = turn.show(Screen::Ordered { order, quantity });
    if matches!(turn.dialogue.stage, Stage::Confirm) {
        turn.dialogue = Dialogue {
            stage: Stage::Menu,
            draft: Draft::default(),
            step: turn.dialogue.step.saturating_add(1),
        };
    }
    turn
}

/// What stands in the way is asked again; everything else is kept.
fn refused(turn: Turn, refusal: Refusal, facts: &Facts) -> Turn {
    if !matches!(turn.dialogue.stage, Stage::Confirm) {
        return turn.repeat();
    }
    let draft = turn.dialogue.draft.clone();
    match refusal {
        Refusal::Credits { needed, available } => {
            turn.note(Note::NotEnough { needed, available }).ask(Stage::Quantity)
        }
        Refusal::Photo(why) => turn.note(Note::PhotoRefused(why)).without_photo(draft),
        Refusal::PhotoGone => turn.note(Note::PhotoGone).without_photo(draft),
        Refusal::Prompt { chars, max } => {
            let turn = turn.note(Note::PromptTooLong { chars, max });
            if draft.is_own() { turn.ask(Stage::Prompt) } else { turn.ask(Stage::Template) }
        }
        Refusal::ModelOff => turn.note(Note::ModelOff).ask(Stage::Menu),
        Refusal::ConfirmationUsed => {
            let mut turn = turn.note(Note::ConfirmAnew);
            turn.dialogue.draft.confirmation = None;
            turn.confirm(facts)
        }
        Refusal::Unknown => turn.note(Note::OrderUnknown).repeat(),
    }
}

fn found(turn: Turn, order: &Order, is_refused: bool) -> Turn {
    let turn = turn.with_draft(Draft::of(order));
    if is_refused { turn.ask(Stage::Mending) } else { turn.note(Note::KeptForAgain).ask(Stage::Template) }
}

impl Turn {
    fn without_photo(self, draft: Draft) -> Self {
        self.with_draft(Draft { photo: None, album: None, ..draft }).ask(Stage::Photo)
    }

    /// A picture that does not do leaves an order that has one where it was.
    fn ask_photo_again(self) -> Self {
        match self.dialogue.stage {
            Stage::Menu | Stage::Deleting => self.with_draft(Draft::default()).ask(Stage::Photo),
            _ => self.repeat(),
        }
    }
}
