//! What a conversation has others do, and what comes of it.

use crate::{
    id::{ConfirmationId, LanguageId, OrderId, PackageId, UserId},
    money::Credits,
    order::{Order, Quantity},
    photo::PhotoError,
    prompt::{Brief, Template},
};

use super::{PhotoSource, Picture};

/// What is to be done. Each may be done again, when the input is handled again, without a second effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Write down who invited this user, unless they were here before.
    NoteReferrer(UserId),
    /// Write down that the terms are accepted, and give the starter credit. Answered by [`Outcome::TermsAccepted`].
    AcceptTerms,
    /// Speak this language from now on.
    SetLanguage(LanguageId),
    /// Fetch a picture and see whether it can be a photo. Answered by [`Outcome::PhotoFine`],
    /// [`Outcome::PhotoRefused`] or [`Outcome::PhotoLost`].
    CheckPhoto(Picture),
    /// Place an order. Answered by [`Outcome::Ordered`] or [`Outcome::NotOrdered`].
    PlaceOrder {
        /// Under which confirmation: the same one orders once.
        confirmation: ConfirmationId,
        /// The photo.
        photo: PhotoSource,
        /// How the videos are written.
        template: Template,
        /// What the product is, or the prompt itself.
        brief: Brief,
        /// Wishes for the writing templates.
        wishes: Option<Brief>,
        /// How many videos.
        quantity: Quantity,
    },
    /// Find an order of this user, to be made again. Answered by [`Outcome::Found`] or [`Outcome::NoSuchOrder`].
    FindOrder {
        /// Which.
        order: OrderId,
        /// Whether it was refused, so that something has to change.
        is_refused: bool,
    },
    /// Cancel what is not in the making yet of an order of this user. Answered by [`Outcome::Cancelled`] or
    /// [`Outcome::NoSuchOrder`].
    CancelOrder(OrderId),
    /// Write a bill for a package of credits. Answered by [`Outcome::Billed`] or [`Outcome::NoSuchPackage`].
    Bill(PackageId),
    /// Delete what is known of the user. Answered by [`Outcome::Forgotten`].
    ForgetUser,
}

/// Why an order was not placed. Nothing was held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The user cannot pay.
    Credits {
        /// The price.
        needed: Credits,
        /// What the user has.
        available: Credits,
    },
    /// The photo does not do.
    Photo(PhotoError),
    /// The photo is not to be had any more.
    PhotoGone,
    /// The own prompt is too long.
    Prompt {
        /// Its length in characters.
        chars: usize,
        /// What fits.
        max: usize,
    },
    /// The video model takes no orders at present.
    ModelOff,
    /// The confirmation belongs to an order that is not this one: it has to be shown again.
    ConfirmationUsed,
    /// It is not known whether it was placed. The same confirmation may be sent again, and orders once.
    Unknown,
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The terms are accepted.
    TermsAccepted {
        /// What was given for it just now; nothing to who was here before.
        gift: Option<Credits>,
    },
    /// The picture can be the photo.
    PhotoFine(Picture),
    /// It cannot.
    PhotoRefused(PhotoError),
    /// It could not be fetched.
    PhotoLost,
    /// The order stands, since now or since an earlier try of the same confirmation.
    Ordered(OrderId),
    /// It does not.
    NotOrdered(Refusal),
    /// The order that is to be made again.
    Found {
        /// The order.
        order: Box<Order>,
        /// As of [`Command::FindOrder`].
        is_refused: bool,
    },
    /// The user has no such order.
    NoSuchOrder,
    /// Some, all or none of an order's videos will not be made.
    Cancelled {
        /// So many will not.
        cancelled: u8,
        /// So many are in the making, and will be.
        going_on: u8,
    },
    /// The bill is written, and is the answer.
    Billed,
    /// No such package is on sale.
    NoSuchPackage,
    /// Nothing is known of the user any more.
    Forgotten,
}
