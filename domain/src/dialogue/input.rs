//! What can happen in a conversation.

use crate::{
    id::{AlbumId, FileId, LanguageId, OrderId, PackageId, UserId},
    order::Quantity,
    prompt::Template,
};

use super::Outcome;

/// A picture somebody sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// The file.
    pub file: FileId,
    /// The album it was sent in.
    pub album: Option<AlbumId>,
    /// What stands below it.
    pub caption: Option<String>,
}

/// What can be looked at at any time, without leaving an order that is being put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Page {
    /// What the bot does and how.
    Help,
    /// What happens to the user's data.
    Privacy,
    /// Whom to write to.
    Support,
    /// Whom to write to about a payment (Telegram's terms for bots, 6.2.1).
    PaySupport,
    /// Credits and what can be set.
    Account,
    /// Where credits came from and went, with reasons.
    History,
    /// The choice of languages.
    Languages,
    /// The packages of credits on sale.
    TopUp,
}

impl Page {
    /// Every page.
    pub const ALL: [Self; 8] = [
        Self::Help,
        Self::Privacy,
        Self::Support,
        Self::PaySupport,
        Self::Account,
        Self::History,
        Self::Languages,
        Self::TopUp,
    ];
}

/// An answer to one question, which is good as long as that question is the present one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Choice {
    /// There is no description, because the user writes the prompt.
    OwnPromptInstead,
    /// How the video is written.
    Template(Template),
    /// There are no wishes.
    NoWishes,
    /// The own prompt is as it should be.
    AcceptPrompt,
    /// The own prompt is to be written again.
    EditPrompt,
    /// How many videos.
    Quantity(Quantity),
    /// Make it.
    Confirm,
    /// Another template, and so on from there.
    ChangeTemplate,
    /// A refused order gets another photo.
    NewPhoto,
    /// A refused order gets another text.
    NewText,
    /// A refused order is tried with what it had.
    ChangeNothing,
    /// Delete what is known of the user.
    Delete,
    /// Delete nothing.
    KeepData,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The bot was started, maybe by somebody's invitation.
    Start {
        /// Who invited.
        referrer: Option<UserId>,
    },
    /// The terms are accepted.
    AcceptTerms,
    /// To the menu.
    Menu,
    /// A new order.
    Create,
    /// On with the order that was left.
    Resume,
    /// Away with the order that is being put together.
    Cancel,
    /// A page.
    Open(Page),
    /// Another language.
    SetLanguage(LanguageId),
    /// The user wants everything deleted, and has to confirm it.
    AskDeletion,
    /// The same product again: photo and description of an order, straight to the template.
    Again(OrderId),
    /// A refused order again, after a change.
    TryAgain(OrderId),
    /// An order is to be cancelled, as far as nothing of it is in the making.
    CancelOrder(OrderId),
    /// A package of credits is to be bought.
    Buy(PackageId),
    /// A picture.
    Picture(Picture),
    /// A text that is no command.
    Text(String),
    /// A message of a kind nobody needs here, such as a sticker or a film.
    Other,
    /// A command the bot does not know.
    UnknownCommand,
    /// The answer to the question with this number.
    Chose {
        /// The question's number.
        step: u64,
        /// The answer.
        choice: Choice,
    },
    /// A button whose data means nothing.
    UnknownButton,
    /// What came of a command of this turn.
    Came(Outcome),
}
