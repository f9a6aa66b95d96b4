//! What is shown, typed. Nothing here is text, and figures that change by themselves, such as a balance, are read when a
//! screen is rendered.

use crate::{id::OrderId, money::Credits, order::Quantity, photo::PhotoError, prompt::BriefError};

use super::Page;

/// A remark before a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The terms are accepted, and this was given for it.
    Welcome {
        /// The gift, to newcomers.
        gift: Option<Credits>,
    },
    /// Nothing goes before the terms are accepted.
    TermsFirst,
    /// The photo is good.
    PhotoTaken,
    /// Of an album, the first photo is used.
    AlbumFirst,
    /// The new photo is used instead of the former one.
    PhotoReplaced,
    /// The picture does not do, and why.
    PhotoRefused(PhotoError),
    /// The picture could not be fetched.
    PhotoLost,
    /// The photo is not to be had any more.
    PhotoGone,
    /// The description is noted; the photo is still missing.
    BriefKept,
    /// The text does not do, and why.
    TextRefused(BriefError),
    /// The own prompt is too long.
    PromptTooLong {
        /// Its length in characters.
        chars: usize,
        /// What fits.
        max: usize,
    },
    /// Neither a photo nor anything else that is of use here.
    NotUseful,
    /// A text nobody asked for.
    TextUnasked,
    /// A command nobody knows.
    UnknownCommand,
    /// This question is answered by its buttons.
    UseButtons,
    /// So many videos are not on offer.
    NoSuchQuantity,
    /// There are not enough credits.
    NotEnough {
        /// The price.
        needed: Credits,
        /// What the user has.
        available: Credits,
    },
    /// The video model takes no orders at present; nothing was taken.
    ModelOff,
    /// The confirmation was used up; here it is anew.
    ConfirmAnew,
    /// It is not known whether the order stands; confirming again orders once.
    OrderUnknown,
    /// Photo and text of the former order are kept.
    KeptForAgain,
    /// What was being put together is dropped.
    Dropped,
    /// Nothing is being put together.
    NothingToDrop,
    /// There is no such order of this user.
    NoSuchOrder,
    /// Some of an order's videos, or all or none, will not be made.
    Cancelled {
        /// So many will not.
        cancelled: u8,
        /// So many are in the making.
        going_on: u8,
    },
    /// No such package is on sale any more.
    PackageGone,
    /// The language is another.
    LanguageSet,
    /// Everything is deleted.
    Forgotten,
    /// Nothing is deleted.
    DataKept,
    /// There is nothing to delete.
    NothingKnown,
    /// The conversation could not be read and begins anew; orders and credits are untouched.
    BegunAnew,
}

/// What is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Screen {
    /// A remark before what follows.
    Note(Note),
    /// The welcome, with the terms.
    Terms,
    /// The menu.
    Menu {
        /// Whether an order was left half way.
        has_draft: bool,
    },
    /// "Send a photo", and what it should be like.
    AskPhoto,
    /// "What is it?"
    AskBrief,
    /// "How shall it be written?"
    AskTemplate,
    /// "Any wishes?"
    AskWishes,
    /// "Write your prompt."
    AskPrompt,
    /// "Is this your prompt?", with the prompt.
    CheckPrompt,
    /// "How many?", with the balance.
    AskQuantity,
    /// "Shall I make it?", with everything the order consists of.
    Confirm,
    /// The order is taken; it can be cancelled for a while.
    Ordered {
        /// Which.
        order: OrderId,
        /// How many videos, where it is known.
        quantity: Option<Quantity>,
    },
    /// "What shall change?"
    AskWhatToChange,
    /// "Delete everything?"
    AskDeletion,
    /// A page.
    Page(Page),
    /// A button that is of no use any more.
    StaleButton,
    /// The operator bars this user.
    Banned,
}
