//! What buttons carry: at most 64 bytes (Bot API, `InlineKeyboardButton`), never a price, and no proof of anything. Data
//! may come back late, twice, or made up; it is only ever a wish of the user whose chat it comes from.

use domain::{
    dialogue::{Choice, Input, Page},
    id::{LanguageId, NameError, OrderId, PackageId},
    order::Quantity,
    prompt::Template,
};

use crate::texts::Language;

/// A button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Button {
    /// [`Input::AcceptTerms`].
    AcceptTerms,
    /// [`Input::Menu`].
    Menu,
    /// [`Input::Create`].
    Create,
    /// [`Input::Resume`].
    Resume,
    /// [`Input::Cancel`].
    Cancel,
    /// [`Input::AskDeletion`].
    AskDeletion,
    /// [`Input::Open`].
    Open(Page),
    /// [`Input::SetLanguage`].
    Language(Language),
    /// [`Input::Again`].
    Again(OrderId),
    /// [`Input::TryAgain`].
    TryAgain(OrderId),
    /// [`Input::CancelOrder`].
    CancelOrder(OrderId),
    /// [`Input::Buy`].
    Buy(PackageId),
    /// [`Input::Chose`].
    Choice {
        /// The question's number.
        step: u64,
        /// The answer.
        choice: Choice,
    },
}

const PLAIN: [(&str, Button); 6] = [
    ("accept", Button::AcceptTerms),
    ("menu", Button::Menu),
    ("new", Button::Create),
    ("resume", Button::Resume),
    ("cancel", Button::Cancel),
    ("delete", Button::AskDeletion),
];

const PAGES: [(&str, Page); 8] = [
    ("help", Page::Help),
    ("privacy", Page::Privacy),
    ("support", Page::Support),
    ("paysupport", Page::PaySupport),
    ("account", Page::Account),
    ("history", Page::History),
    ("languages", Page::Languages),
    ("topup", Page::TopUp),
];

const CHOICES: [(&str, Choice); 16] = [
    ("own-instead", Choice::OwnPromptInstead),
    ("ugc", Choice::Template(Template::UgcBlogger)),
    ("ad", Choice::Template(Template::AdVideo)),
    ("own", Choice::Template(Template::OwnPrompt)),
    ("no-wishes", Choice::NoWishes),
    ("prompt-ok", Choice::AcceptPrompt),
    ("prompt-edit", Choice::EditPrompt),
    ("1", Choice::Quantity(Quantity::One)),
    ("3", Choice::Quantity(Quantity::Three)),
    ("5", Choice::Quantity(Quantity::Five)),
    ("confirm", Choice::Confirm),
    ("template", Choice::ChangeTemplate),
    ("photo", Choice::NewPhoto),
    ("text", Choice::NewText),
    ("same", Choice::ChangeNothing),
    ("erase", Choice::Delete),
];

/// Beside [`CHOICES`], so that a word is missing nowhere.
const KEEP: &str = "keep";

fn word_of<T: PartialEq>(table: &[(&'static str, T)], thing: &T) -> Option<&'static str> {
    table.iter().find(|(_, known)| known == thing).map(|(word, _)| *word)
}

fn thing_of<T: Clone>(table: &[(&'static str, T)], word: &str) -> Option<T> {
    table.iter().find(|(known, _)| *known == word).map(|(_, thing)| thing.clone())
}

impl Button {
    /// What the button carries.
    #[must_use]
    pub fn data(&self) -> String {
        match self {
            Self::Open(page) => format!("page:{}", word_of(&PAGES, page).unwrap_or_default()),
            Self::Language(language) => format!("language:{}", language.as_str()),
            Self::Again(order) => format!("again:{order}"),
            Self::TryAgain(order) => format!("retry:{order}"),
            Self::CancelOrder(order) => format!("stop:{order}"),
            Self::Buy(package) => format!("buy:{package}"),
            Self::Choice { step, choice } => {
                format!("answer:{}:{step}", word_of(&CHOICES, choice).unwrap_or(KEEP))
            }
            plain => word_of(&PLAIN, plain).unwrap_or_default().to_owned(),
        }
    }

    /// The button that carries this; `None` for data that no button of ours carries.
    #[must_use]
    pub fn parse(data: &str) -> Option<Self> {
        let mut parts = data.splitn(3, ':');
        let word = parts.next()?;
        match (word, parts.next(), parts.next()) {
            (word, None, None) => thing_of(&PLAIN, word),
            ("page", Some(page), None) => thing_of(&PAGES, page).map(Self::Open),
            ("language", Some(code), None) => Language::parse(code).map(Self::Language),
            ("again", Some(order), None) => order.parse().ok().map(Self::Again),
            ("retry", Some(order), None) => order.parse().ok().map(Self::TryAgain),
            ("stop", Some(order), None) => order.parse().ok().map(Self::CancelOrder),
            ("buy", Some(name), None) => PackageId::new(name).ok().map(Self::Buy),
            ("answer", Some(word), Some(step)) => {
                let choice = if word == KEEP { Some(Choice::KeepData) } else { thing_of(&CHOICES, word) };
                Some(Self::Choice { step: step.parse().ok()?, choice: choice? })
            }
            _ => None,
        }
    }

    /// What tapping it means.
    ///
    /// # Errors
    /// None in practice: a language's code is always one.
    pub fn input(self) -> Result<Input, NameError> {
        Ok(match self {
            Self::AcceptTerms => Input::AcceptTerms,
            Self::Menu => Input::Menu,
            Self::Create => Input::Create,
            Self::Resume => Input::Resume,
            Self::Cancel => Input::Cancel,
            Self::AskDeletion => Input::AskDeletion,
            Self::Open(page) => Input::Open(page),
            Self::Language(language) => Input::SetLanguage(LanguageId::new(language.as_str())?),
            Self::Again(order) => Input::Again(order),
            Self::TryAgain(order) => Input::TryAgain(order),
            Self::CancelOrder(order) => Input::CancelOrder(order),
            Self::Buy(package) => Input::Buy(package),
            Self::Choice { step, choice } => Input::Chose { step, choice },
        })
    }
}
