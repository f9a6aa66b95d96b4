//! The conversation itself.

use crate::{
    order::Quantity,
    prompt::{Brief, Template},
};

use super::{Choice, Command, Dialogue, Draft, Facts, Input, Note, Picture, Screen, Stage, Turn, came::came};

/// What an input leads to.
#[must_use]
pub fn advance(dialogue: &Dialogue, input: Input, facts: &Facts) -> Turn {
    let turn = Turn { dialogue: dialogue.clone(), commands: Vec::new(), screens: Vec::new() };
    match input {
        Input::Came(outcome) => came(turn, outcome, facts),
        Input::Open(page) => turn.show(Screen::Page(page)),
        Input::UnknownButton => turn.show(Screen::StaleButton),
        Input::SetLanguage(language) => {
            turn.command(Command::SetLanguage(language)).note(Note::LanguageSet).repeat()
        }
        input if dialogue.stage == Stage::Terms => before_terms(turn, &input),
        input => after_terms(turn, input, facts),
    }
}

/// Until the terms are accepted, nothing else is done.
fn before_terms(turn: Turn, input: &Input) -> Turn {
    match input {
        Input::Start { referrer } => {
            let turn = match referrer {
                Some(referrer) => turn.command(Command::NoteReferrer(*referrer)),
                None => turn,
            };
            turn.repeat()
        }
        Input::AcceptTerms => turn.command(Command::AcceptTerms),
        Input::AskDeletion => turn.note(Note::NothingKnown).repeat(),
        Input::Chose { .. } => turn.show(Screen::StaleButton),
        _ => turn.note(Note::TermsFirst).repeat(),
    }
}

fn after_terms(turn: Turn, input: Input, facts: &Facts) -> Turn {
    match input {
        Input::Start { .. } | Input::Menu => turn.ask(Stage::Menu),
        // Accepted already: the button of an old message.
        Input::AcceptTerms => turn.repeat(),
        Input::Create => turn.with_draft(Draft::default()).ask(Stage::Photo),
        Input::Resume => resume(turn, facts),
        Input::Cancel => cancel(turn),
        Input::AskDeletion => turn.ask(Stage::Deleting),
        Input::Again(order) => turn.command(Command::FindOrder { order, is_refused: false }),
        Input::TryAgain(order) => turn.command(Command::FindOrder { order, is_refused: true }),
        Input::CancelOrder(order) => turn.command(Command::CancelOrder(order)),
        Input::Buy(package) => turn.command(Command::Bill(package)),
        Input::Picture(picture) => pictured(turn, picture),
        Input::Text(text) => said(turn, &text, facts),
        Input::Other => turn.note(Note::NotUseful).repeat(),
        Input::UnknownCommand => turn.note(Note::UnknownCommand).repeat(),
        Input::Chose { step, choice } if step == turn.dialogue.step => chose(turn, choice, facts),
        Input::Chose { .. }
        | Input::UnknownButton
        | Input::Open(_)
        | Input::SetLanguage(_)
        | Input::Came(_) => turn.show(Screen::StaleButton),
    }
}

/// On with the first question that is not answered.
fn resume(turn: Turn, facts: &Facts) -> Turn {
    if !matches!(turn.dialogue.stage, Stage::Menu | Stage::Deleting) {
        return turn.repeat();
    }
    let draft = &turn.dialogue.draft;
    let next = if *draft == Draft::default() {
        Stage::Menu
    } else if draft.photo.is_none() {
        Stage::Photo
    } else if draft.is_complete() {
        return turn.confirm(facts);
    } else if draft.text().is_some() {
        Stage::Quantity
    } else if draft.is_own() {
        Stage::Prompt
    } else if draft.has_words() {
        Stage::Template
    } else {
        Stage::Brief
    };
    turn.ask(next)
}

fn cancel(turn: Turn) -> Turn {
    let is_idle = turn.dialogue.stage == Stage::Menu && turn.dialogue.draft == Draft::default();
    let note = if is_idle { Note::NothingToDrop } else { Note::Dropped };
    turn.note(note).with_draft(Draft::default()).ask(Stage::Menu)
}

fn pictured(turn: Turn, picture: Picture) -> Turn {
    // An album's pictures come as messages of their own, within moments; the first one was answered for all of them.
    let is_further = picture.album.is_some() && picture.album == turn.dialogue.draft.album;
    if is_further { turn } else { turn.command(Command::CheckPhoto(picture)) }
}

/// A text, which answers the questions that ask for one.
fn said(turn: Turn, text: &str, facts: &Facts) -> Turn {
    let brief = match Brief::new(text) {
        Ok(brief) => brief,
        Err(error) => return turn.note(Note::TextRefused(error)).repeat(),
    };
    let draft = turn.dialogue.draft.clone();
    match turn.dialogue.stage {
        // A description that came before its photo is not lost.
        Stage::Photo => {
            turn.note(Note::BriefKept).with_draft(Draft { brief: Some(brief), ..draft }).ask(Stage::Photo)
        }
        Stage::Brief => {
            let next = if draft.is_for_writer() { Stage::Wishes } else { Stage::Template };
            turn.with_draft(Draft { brief: Some(brief), ..draft }).ask(next)
        }
        Stage::Wishes => {
            let wishes = Some(brief).filter(|wishes| !means_none(wishes.as_str()));
            turn.with_draft(Draft { wishes, ..draft }).ask(Stage::Quantity)
        }
        // While it is shown for checking, another text is the edited one.
        Stage::Prompt | Stage::PromptCheck => prompted(turn, brief, facts),
        Stage::Quantity => match text.trim().parse::<u8>().map(Quantity::try_from) {
            Ok(Ok(quantity)) => counted(turn, quantity, facts),
            Ok(Err(_)) => turn.note(Note::NoSuchQuantity).repeat(),
            Err(_) => turn.note(Note::UseButtons).repeat(),
        },
        Stage::Menu => turn.note(Note::TextUnasked).repeat(),
        Stage::Terms | Stage::Template | Stage::Confirm | Stage::Mending | Stage::Deleting => {
            turn.note(Note::UseButtons).repeat()
        }
    }
}

/// A lone dash, of whichever kind a keyboard makes of it.
fn means_none(text: &str) -> bool {
    matches!(text, "-" | "\u{2010}" | "\u{2011}" | "\u{2012}" | "\u{2013}" | "\u{2014}" | "\u{2212}")
}

fn prompted(turn: Turn, prompt: Brief, facts: &Facts) -> Turn {
    let (chars, max) = (prompt.as_str().chars().count(), facts.prompt_chars_max);
    if chars > max {
        return turn.note(Note::PromptTooLong { chars, max }).repeat();
    }
    let draft = Draft { prompt: Some(prompt), ..turn.dialogue.draft.clone() };
    turn.with_draft(draft).ask(Stage::PromptCheck)
}

fn counted(turn: Turn, quantity: Quantity, facts: &Facts) -> Turn {
    let draft = Draft { quantity: Some(quantity), ..turn.dialogue.draft.clone() };
    turn.with_draft(draft).confirm(facts)
}

/// The answer to the present question, if it is one of its answers.
fn chose(turn: Turn, choice: Choice, facts: &Facts) -> Turn {
    let draft = turn.dialogue.draft.clone();
    match (&turn.dialogue.stage, choice) {
        (Stage::Brief, Choice::OwnPromptInstead) => templated(turn, Template::OwnPrompt),
        (Stage::Template, Choice::Template(template)) => templated(turn, template),
        (Stage::Wishes, Choice::NoWishes) => {
            turn.with_draft(Draft { wishes: None, ..draft }).ask(Stage::Quantity)
        }
        (Stage::PromptCheck, Choice::AcceptPrompt) => turn.ask(Stage::Quantity),
        (Stage::PromptCheck, Choice::EditPrompt) => turn.ask(Stage::Prompt),
        (Stage::Quantity, Choice::Quantity(quantity)) => counted(turn, quantity, facts),
        (Stage::Confirm, Choice::Confirm) => confirmed(turn),
        (Stage::Confirm, Choice::ChangeTemplate) | (Stage::Mending, Choice::ChangeNothing) => {
            turn.ask(Stage::Template)
        }
        (Stage::Mending, Choice::NewPhoto) => {
            turn.with_draft(Draft { photo: None, album: None, ..draft }).ask(Stage::Photo)
        }
        (Stage::Mending, Choice::NewText) if draft.prompt.is_some() => {
            templated(turn.with_draft(Draft { prompt: None, ..draft }), Template::OwnPrompt)
        }
        (Stage::Mending, Choice::NewText) => {
            turn.with_draft(Draft { brief: None, ..draft }).ask(Stage::Brief)
        }
        (Stage::Deleting, Choice::Delete) => turn.command(Command::ForgetUser),
        (Stage::Deleting, Choice::KeepData) => turn.note(Note::DataKept).ask(Stage::Menu),
        _ => turn.show(Screen::StaleButton),
    }
}

fn templated(turn: Turn, template: Template) -> Turn {
    let draft = Draft { template: Some(template), ..turn.dialogue.draft.clone() };
    let next = match (template, &draft.brief, &draft.prompt) {
        (Template::OwnPrompt, _, None) => Stage::Prompt,
        (Template::OwnPrompt, _, Some(_)) => Stage::PromptCheck,
        (Template::UgcBlogger | Template::AdVideo, None, _) => Stage::Brief,
        (Template::UgcBlogger | Template::AdVideo, Some(_), _) => Stage::Wishes,
    };
    turn.with_draft(draft).ask(next)
}

/// The one place where an order is placed.
fn confirmed(turn: Turn) -> Turn {
    let draft = &turn.dialogue.draft;
    let wishes = draft.wishes().cloned();
    let (Some(confirmation), Some(photo), Some(template), Some(brief), Some(quantity)) = (
        draft.confirmation.clone(),
        draft.photo.clone(),
        draft.template,
        draft.text().cloned(),
        draft.quantity,
    ) else {
        // Nothing incomplete is shown for confirmation.
        return turn.ask(Stage::Menu);
    };
    turn.command(Command::PlaceOrder { confirmation, photo, template, brief, wishes, quantity })
}

impl Turn {
    pub(super) fn command(mut self, command: Command) -> Self {
        self.commands.push(command);
        self
    }

    pub(super) fn show(mut self, screen: Screen) -> Self {
        self.screens.push(screen);
        self
    }

    pub(super) fn note(self, note: Note) -> Self {
        self.show(Screen::Note(note))
    }

    pub(super) fn with_draft(mut self, draft: Draft) -> Self {
        self.dialogue.draft = self.dialogue.draft.changed_to(draft);
        self
    }

    /// Shows a complete draft for confirmation, under the confirmation it had if it was shown before.
    pub(super) fn confirm(mut self, facts: &Facts) -> Self {
        self.dialogue.draft.confirmation.get_or_insert_with(|| facts.confirmation.clone());
        self.ask(Stage::Confirm)
    }

    /// Another question.
    pub(super) fn ask(mut self, stage: Stage) -> Self {
        self.dialogue.stage = stage;
        self.dialogue.step = self.dialogue.step.saturating_add(1);
        self.repeat()
    }

    /// The present question once more. Its number stays, and so do its buttons.
    pub(super) fn repeat(self) -> Self {
        let question = self.dialogue.question();
        self.show(question)
    }
}
