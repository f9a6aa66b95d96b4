//! Orders: one confirmation, 1, 3 or 5 videos, one hold for all of them or nothing.

use std::fmt;

use crate::{
    id::{ConfirmationId, JobId, ModelId, OrderId, PhotoId, UserId},
    job::Job,
    ledger::Entry,
    model::VideoModel,
    money::Credits,
    notice::{Audience, Notice, NoticeKind},
    photo::{PhotoError, PhotoFormat},
    prompt::{self, Brief, PromptTooLong, Template},
    time::Timestamp,
};

/// How many videos an order buys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quantity {
    /// One.
    One,
    /// Three.
    Three,
    /// Five.
    Five,
}

/// The number of videos is not on offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} videos cannot be ordered: choose 1, 3 or 5")]
pub struct QuantityError(pub u8);

impl Quantity {
    /// Every quantity on offer.
    pub const ALL: [Self; 3] = [Self::One, Self::Three, Self::Five];

    /// The number of videos.
    #[must_use]
    pub const fn videos(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Three => 3,
            Self::Five => 5,
        }
    }

    /// What it costs: a credit a video.
    #[must_use]
    pub const fn price(self) -> Credits {
        Credits::of(self.videos())
    }
}

impl TryFrom<u8> for Quantity {
    type Error = QuantityError;

    fn try_from(videos: u8) -> Result<Self, Self::Error> {
        Self::ALL.into_iter().find(|q| q.videos() == videos).ok_or(QuantityError(videos))
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.videos().fmt(f)
    }
}

/// What the user confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRequest {
    /// Who pays.
    pub user: UserId,
    /// The confirmation; the same one orders once.
    pub confirmation: ConfirmationId,
    /// The stored photo.
    pub photo: PhotoId,
    /// Its format, told from its bytes.
    pub photo_format: PhotoFormat,
    /// How the video is written.
    pub template: Template,
    /// What the product is; the prompt itself for [`Template::OwnPrompt`].
    pub brief: Brief,
    /// Optional wishes for the writing templates.
    pub wishes: Option<Brief>,
    /// How many videos.
    pub quantity: Quantity,
}

/// A placed order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// What was confirmed.
    pub request: OrderRequest,
    /// The video model it was sold on.
    pub model: ModelId,
    /// When.
    pub placed_at: Timestamp,
}

/// Everything one placed order writes, in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// The order.
    pub order: Order,
    /// Its jobs, in order of their numbers.
    pub jobs: Vec<Job>,
    /// The hold of the whole price.
    pub hold: Entry,
    /// What the user is told.
    pub notices: Vec<Notice>,
}

/// The order cannot be placed; nothing is held.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceOrderError {
    /// The model takes no orders.
    #[error("video model `{model}` takes no orders ({reason}): choose another with `kadr models`")]
    ModelDisabled {
        /// The model.
        model: ModelId,
        /// Why.
        reason: String,
    },
    /// The photo does not suit the model.
    #[error(transparent)]
    Photo(#[from] PhotoError),
    /// The own prompt does not fit the model.
    #[error(transparent)]
    Prompt(#[from] PromptTooLong),
}

/// Draws up everything an order writes. Whether the credits suffice is decided by the store, where the balance
/// is locked, with [`crate::ledger::Balance::apply`] on [`Placement::hold`].
///
/// # Errors
/// [`PlaceOrderError`] when the model does not take this order.
pub fn place(
    request: OrderRequest,
    model: &VideoModel,
    id: OrderId,
    mut job_id: impl FnMut() -> JobId,
    at: Timestamp,
) -> Result<Placement, PlaceOrderError> {
    if !model.enabled {
        let reason = model.off_reason.clone().unwrap_or_else(|| "switched off".to_owned());
        return Err(PlaceOrderError::ModelDisabled { model: model.id.clone(), reason });
    }
    if !model.photo_formats.contains(&request.photo_format) {
        let allowed = model.photo_formats.iter().map(|f| f.as_str()).collect::<Vec<_>>().join(" or ");
        let found = request.photo_format;
        return Err(PhotoError::NotForModel { found, model: model.id.to_string(), allowed }.into());
    }
    if request.template == Template::OwnPrompt {
        let (wishes, model_id) = (request.wishes.as_ref(), model.id.as_str());
        prompt::check_own_prompt(&request.brief, wishes, model_id, model.prompt_chars.1)?;
    }
    let (user, of) = (request.user, request.quantity.videos());
    let jobs = (1..=of).map(|number| Job::queued(job_id(), id, user, (number, of), at)).collect();
    let price = request.quantity.price();
    let notices = vec![Notice {
        audience: Audience::User(user),
        order: id,
        video: None,
        kind: NoticeKind::OrderAccepted { quantity: request.quantity, held: price },
    }];
    let hold = Entry::hold(user, price, id, at);
    Ok(Placement {
        order: Order { id, request, model: model.id.clone(), placed_at: at },
        jobs,
        hold,
        notices,
    })
}
