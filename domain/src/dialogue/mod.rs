//! The conversation of the bot: from a photo to a confirmed order, and everything a user may say in between.
//!
//! [`advance`] is the whole conversation: a pure, total function from a dialogue and an input to a [`Turn`]. It never
//! fails and leaves no input without an answer, except the further pictures of an album, which were answered with its
//! first one. Whoever runs it carries out the commands, feeds what came of them back as [`Input::Came`], shows the
//! screens, and stores the dialogue with the input it answers.
//!
//! A question has a number, [`Dialogue::step`], which its buttons carry. Another question has a higher number, so a
//! button is good for as long as its question is the present one, however often it is shown or tapped. An order is
//! confirmed under a [`ConfirmationId`] that belongs to what is confirmed and not to the tap: it stays with the draft until
//! something in it changes.

mod advance;
mod came;
mod command;
mod draft;
mod input;
mod screen;

pub use self::{
    advance::advance,
    command::{Command, Outcome, Refusal},
    draft::{Draft, PhotoSource},
    input::{Choice, Input, Page, Picture},
    screen::{Note, Screen},
};

use crate::id::ConfirmationId;

/// Where a conversation stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialogue {
    /// What is asked at present.
    pub stage: Stage,
    /// What is known of the order that is being put together.
    pub draft: Draft,
    /// The number of the present question. It never falls, and grows with every other question.
    pub step: u64,
}

/// What is asked at present.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Whether the terms are accepted. Every other stage means that they are.
    Terms,
    /// What to do. The draft of an order that was left is kept.
    Menu,
    /// For the photo of the product.
    Photo,
    /// What the product is.
    Brief,
    /// How the video is to be written.
    Template,
    /// For wishes, which may be none.
    Wishes,
    /// For the user's own prompt.
    Prompt,
    /// Whether the own prompt is meant like this.
    PromptCheck,
    /// How many videos.
    Quantity,
    /// Whether to make it.
    Confirm,
    /// What to change of an order that was refused.
    Mending,
    /// Whether to delete everything that is known of the user.
    Deleting,
}

/// What a turn needs to know beside the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// A confirmation nobody used before, for the order this turn may show for confirmation. The same for an input that is
    /// handled again.
    pub confirmation: ConfirmationId,
    /// The most characters an own prompt may have ([`crate::prompt::chars_left`]).
    pub prompt_chars_max: usize,
}

/// What an input leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Where the conversation stands now.
    pub dialogue: Dialogue,
    /// What is to be done, in this order; what comes of it is the next input.
    pub commands: Vec<Command>,
    /// What is shown, in this order, as one message.
    pub screens: Vec<Screen>,
}

impl Dialogue {
    /// A conversation that begins, or begins again because what was stored of it cannot be read. `step` is higher than that of any
    /// question this user was ever asked, or old buttons could be taken for new ones.
    #[must_use]
    pub fn fresh(has_accepted_terms: bool, step: u64) -> Self {
        let stage = if has_accepted_terms { Stage::Menu } else { Stage::Terms };
        Self { stage, draft: Draft::default(), step }
    }

    /// Whether the draft holds what its stage takes for granted.
    #[must_use]
    pub fn is_legal(&self) -> bool {
        let draft = &self.draft;
        match self.stage {
            Stage::Terms => *draft == Draft::default(),
            Stage::Menu | Stage::Photo | Stage::Deleting => true,
            Stage::Brief => draft.photo.is_some(),
            Stage::Template | Stage::Mending => draft.photo.is_some() && draft.has_words(),
            Stage::Wishes => draft.photo.is_some() && draft.is_for_writer() && draft.brief.is_some(),
            Stage::Prompt => draft.photo.is_some() && draft.is_own(),
            Stage::PromptCheck => draft.photo.is_some() && draft.is_own() && draft.prompt.is_some(),
            Stage::Quantity => draft.photo.is_some() && draft.text().is_some(),
            Stage::Confirm => draft.is_complete() && draft.confirmation.is_some(),
        }
    }

    /// The present question, as it is shown.
    #[must_use]
    pub fn question(&self) -> Screen {
        match &self.stage {
            Stage::Terms => Screen::Terms,
            Stage::Menu => Screen::Menu { has_draft: self.draft != Draft::default() },
            Stage::Photo => Screen::AskPhoto,
            Stage::Brief => Screen::AskBrief,
            Stage::Template => Screen::AskTemplate,
            Stage::Wishes => Screen::AskWishes,
            Stage::Prompt => Screen::AskPrompt,
            Stage::PromptCheck => Screen::CheckPrompt,
            Stage::Quantity => Screen::AskQuantity,
            Stage::Confirm => Screen::Confirm,
            Stage::Mending => Screen::AskWhatToChange,
            Stage::Deleting => Screen::AskDeletion,
        }
    }
}
