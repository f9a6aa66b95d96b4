//! A conversation with an outside that answers as it is told, written down for people.

use std::fmt::Write;

use domain::{
    dialogue::{
        Choice, Command, Dialogue, Facts, Input, Note, Outcome, Page, PhotoSource, Picture, Screen, advance,
    },
    id::{AlbumId, ConfirmationId, FileId, ModelId, OrderId, PhotoId, UserId},
    order::{Order, OrderRequest, Quantity},
    photo::PhotoFormat,
    prompt::{Brief, Template},
    time::Timestamp,
};

pub(crate) const PROMPT_CHARS_MAX: usize = 2_000;

pub(crate) fn facts(update: u64) -> Facts {
    Facts {
        confirmation: ConfirmationId::new(format!("update-{update}")).unwrap(),
        prompt_chars_max: PROMPT_CHARS_MAX,
    }
}

pub(crate) fn picture(file: &str, album: Option<&str>, caption: Option<&str>) -> Picture {
    Picture {
        file: FileId::new(file).unwrap(),
        album: album.map(|album| AlbumId::new(album).unwrap()),
        caption: caption.map(str::to_owned),
    }
}

pub(crate) fn order(template: Template) -> Order {
    Order {
        id: OrderId::new(7),
        request: OrderRequest {
            user: UserId::new(5),
            confirmation: ConfirmationId::new("update-1").unwrap(),
            photo: PhotoId::new(9),
            photo_format: PhotoFormat::Png,
            template,
            brief: Brief::new("A thermos for hikers").unwrap(),
            wishes: None,
            quantity: Quantity::One,
        },
        model: ModelId::new("sora-2").unwrap(),
        placed_at: Timestamp::from_millis(0),
    }
}

/// One chat, and what was said in it.
pub(crate) struct Script {
    pub(crate) dialogue: Dialogue,
    pub(crate) told: String,
    outcomes: Vec<Outcome>,
    updates: u64,
}

impl Script {
    /// Somebody new.
    pub(crate) fn new() -> Self {
        Self::at(Dialogue::fresh(false, 0))
    }

    /// Somebody who stands in the menu.
    pub(crate) fn in_menu() -> Self {
        Self::at(Dialogue::fresh(true, 0))
    }

    pub(crate) fn at(dialogue: Dialogue) -> Self {
        Self { dialogue, told: String::new(), outcomes: Vec::new(), updates: 0 }
    }

    /// A user whose order waits for its confirmation.
    pub(crate) fn at_confirmation() -> Self {
        let mut script = Self::in_menu();
        script.user(Input::Create);
        script.user(Input::Picture(picture("photo-1", None, None)));
        script.text("A steel thermos, keeps tea hot for a day");
        script.choose(Choice::Template(Template::UgcBlogger));
        script.text("-");
        script.choose(Choice::Quantity(Quantity::Three));
        script.told.clear();
        script
    }

    /// What the next command will come to, instead of the best.
    pub(crate) fn outside(&mut self, outcome: Outcome) -> &mut Self {
        self.outcomes.push(outcome);
        self
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.user(Input::Text(text.to_owned()))
    }

    /// Taps a button of the present question.
    pub(crate) fn choose(&mut self, choice: Choice) -> &mut Self {
        let step = self.dialogue.step;
        self.user(Input::Chose { step, choice })
    }

    pub(crate) fn user(&mut self, input: Input) -> &mut Self {
        self.updates += 1;
        let facts = facts(self.updates);
        writeln!(self.told, "User: {}", said(&input, self.dialogue.step)).unwrap();
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let turn = advance(&self.dialogue, input, &facts);
            self.dialogue = turn.dialogue;
            for screen in &turn.screens {
                writeln!(self.told, "  Bot: {}", shown(screen)).unwrap();
            }
            for command in turn.commands {
                writeln!(self.told, "    -> {}", done(&command)).unwrap();
                let best = best(command);
                let outcome = if best.is_some() { self.outcomes.pop().or(best) } else { None };
                inputs.extend(outcome.map(Input::Came));
            }
        }
        self
    }
}

/// What a command comes to when all goes well.
fn best(command: Command) -> Option<Outcome> {
    Some(match command {
        Command::AcceptTerms => Outcome::TermsAccepted { gift: Some(domain::money::Credits::of(1)) },
        Command::CheckPhoto(picture) => Outcome::PhotoFine(picture),
        Command::PlaceOrder { .. } => Outcome::Ordered(OrderId::new(7)),
        Command::FindOrder { is_refused, .. } => {
            Outcome::Found { order: Box::new(order(Template::AdVideo)), is_refused }
        }
        Command::CancelOrder(_) => Outcome::Cancelled { cancelled: 3, going_on: 0 },
        Command::Bill(_) => Outcome::Billed,
        Command::ForgetUser => Outcome::Forgotten,
        Command::NoteReferrer(_) | Command::SetLanguage(_) => return None,
    })
}

fn said(input: &Input, step: u64) -> String {
    match input {
        Input::Start { referrer: None } => "/start".to_owned(),
        Input::Start { referrer: Some(user) } => format!("/start, invited by user {user}"),
        Input::Menu => "/menu".to_owned(),
        Input::Cancel => "/cancel".to_owned(),
        Input::Open(page) => format!("opens {page:?}"),
        Input::Create => "[Create a video]".to_owned(),
        Input::Resume => "[Continue]".to_owned(),
        Input::AcceptTerms => "[I accept]".to_owned(),
        Input::AskDeletion => "[Delete my data]".to_owned(),
        Input::SetLanguage(language) => format!("[Language: {language}]"),
        Input::Buy(package) => format!("[Buy {package}]"),
        Input::Again(_) => "[Make another]".to_owned(),
        Input::TryAgain(_) => "[Try again]".to_owned(),
        Input::CancelOrder(_) => "[Cancel the order]".to_owned(),
        Input::Picture(picture) => {
            let album = if picture.album.is_some() { " of an album" } else { "" };
            let caption =
                picture.caption.as_ref().map(|text| format!(" saying \"{text}\"")).unwrap_or_default();
            format!("sends picture {}{album}{caption}", picture.file)
        }
        Input::Text(text) if text.chars().count() > 80 => {
            format!("a text of {} characters", text.chars().count())
        }
        Input::Text(text) => format!("\"{text}\""),
        Input::Other => "sends a sticker".to_owned(),
        Input::UnknownCommand => "/whatever".to_owned(),
        Input::UnknownButton => "[a button nobody knows]".to_owned(),
        Input::Chose { step: of, choice } => {
            let when = if *of == step { "" } else { " of an earlier question" };
            format!("[{choice:?}]{when}")
        }
        Input::Came(outcome) => format!("{outcome:?}"),
    }
}

fn done(command: &Command) -> String {
    match command {
        Command::NoteReferrer(user) => format!("note that user {user} invited them"),
        Command::AcceptTerms => "accept the terms, give the starter credit".to_owned(),
        Command::SetLanguage(language) => format!("speak {language}"),
        Command::CheckPhoto(picture) => format!("look at {}", picture.file),
        Command::PlaceOrder { confirmation, photo, template, brief, wishes, quantity } => {
            let photo = match photo {
                PhotoSource::Sent(file) => file.to_string(),
                PhotoSource::Kept(_) => "the former order's photo".to_owned(),
            };
            let wishes = wishes.as_ref().map(|w| format!(", wishes \"{}\"", w.as_str())).unwrap_or_default();
            let text = brief.as_str();
            format!(
                "order {quantity} x {template} of {photo}: \"{text}\"{wishes} (once under {confirmation})"
            )
        }
        Command::FindOrder { .. } => "find that order".to_owned(),
        Command::CancelOrder(_) => "cancel what is still queued of that order".to_owned(),
        Command::Bill(package) => format!("send the bill for {package}"),
        Command::ForgetUser => "delete what is known of the user".to_owned(),
    }
}

fn shown(screen: &Screen) -> String {
    match screen {
        Screen::Note(note) => noted(note),
        Screen::Terms => "Welcome; these are the terms. [I accept]".to_owned(),
        Screen::Menu { has_draft: false } => "The menu.".to_owned(),
        Screen::Menu { has_draft: true } => "The menu, with [Continue].".to_owned(),
        Screen::AskPhoto => "Send a photo of the product alone.".to_owned(),
        Screen::AskBrief => "Describe it. [I write the prompt myself]".to_owned(),
        Screen::AskTemplate => "Which kind? [UGC blogger] [Ad video] [Own prompt]".to_owned(),
        Screen::AskWishes => "Any wishes? [None]".to_owned(),
        Screen::AskPrompt => "Write your prompt.".to_owned(),
        Screen::CheckPrompt => "Your prompt is as follows. [Right] [Edit]".to_owned(),
        Screen::AskQuantity => "How many? Your balance is ... [1] [3] [5]".to_owned(),
        Screen::Confirm => "Shall we make this? [Confirm] [Change the template] [Cancel]".to_owned(),
        Screen::Ordered { .. } => "We are on it. [Cancel the order]".to_owned(),
        Screen::AskWhatToChange => "What shall change? [Photo] [Text] [Nothing]".to_owned(),
        Screen::AskDeletion => "Delete everything? [Delete] [Keep]".to_owned(),
        Screen::Page(page) => paged(*page),
        Screen::StaleButton => "(in passing) This button is not valid any more.".to_owned(),
        Screen::Banned => "You are barred.".to_owned(),
    }
}

fn paged(page: Page) -> String {
    match page {
        Page::TopUp => "Which package?".to_owned(),
        Page::Account => "Your balance, and what can be set.".to_owned(),
        Page::History => "Where your credits came from and went, and why.".to_owned(),
        Page::Languages => "Which language? [Russian] [English]".to_owned(),
        page => format!("{page:?}."),
    }
}

fn noted(note: &Note) -> String {
    match note {
        Note::Welcome { gift: Some(credits) } => format!("Welcome! {credits} credit is yours."),
        Note::Welcome { gift: None } => "Welcome!".to_owned(),
        Note::PhotoRefused(why) => format!("This photo does not do: {why}."),
        Note::TextRefused(why) => format!("This text does not do: {why}."),
        Note::PromptTooLong { chars, max } => format!("{chars} characters are too many, {max} fit."),
        Note::NotEnough { needed, available } => {
            format!("{needed} credits are needed, you have {available}.")
        }
        Note::Cancelled { cancelled, going_on } => {
            format!("{cancelled} videos cancelled, {going_on} already in the making.")
        }
        note => format!("({note:?})"),
    }
}
