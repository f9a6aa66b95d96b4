//! Placing an order: all of it, or nothing.

use bytes::Bytes;
use domain::{
    id::{ConfirmationId, JobId, ModelId, OrderId, PhotoId, UserId},
    ledger::{Balance, LedgerError},
    money::Credits,
    order::{self, OrderRequest, Placement, Quantity},
    photo::{self, PhotoError, PhotoTerms},
    prompt::{Brief, Template},
};
use ports::{ErrorKind, Photo, Placed, PortError, Prepared};

use crate::{Policy, Ports, ids, policy::UnknownModel};

/// What a user confirmed.
#[derive(Debug, Clone)]
pub struct NewOrder {
    /// Who pays.
    pub user: UserId,
    /// The confirmation; the same one orders once. Without one, every call is a new order.
    pub confirmation: Option<ConfirmationId>,
    /// The product photo as it was sent.
    pub photo: Bytes,
    /// How the videos are written.
    pub template: Template,
    /// What the product is; the prompt itself for [`Template::OwnPrompt`].
    pub brief: Brief,
    /// Optional wishes for the writing templates.
    pub wishes: Option<Brief>,
    /// How many videos.
    pub quantity: Quantity,
    /// The video model; the default one when none is named.
    pub model: Option<ModelId>,
}

/// What placing came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderPlaced {
    /// The order stands, its credits are held.
    Placed {
        /// The order.
        order: OrderId,
        /// Its jobs, in order of their numbers.
        jobs: Vec<JobId>,
        /// The user's balance afterwards.
        balance: Balance,
    },
    /// The same confirmation had placed this order before; nothing was held now.
    Duplicate {
        /// The order it placed.
        order: OrderId,
    },
}

/// The order was not placed, and nothing was stored.
#[derive(Debug, thiserror::Error)]
pub enum PlaceOrderError {
    /// The file cannot be used.
    #[error(transparent)]
    Photo(#[from] PhotoError),
    /// The catalogue has no such model.
    #[error(transparent)]
    UnknownModel(#[from] UnknownModel),
    /// The model does not take this order.
    #[error(transparent)]
    Unfit(#[from] order::PlaceOrderError),
    /// The user cannot pay.
    #[error(
        "{needed} credits are needed and user {user} has {available}: grant more with `kadr credits grant --user {user} --amount N`, or order fewer videos"
    )]
    InsufficientCredits {
        /// Who.
        user: UserId,
        /// The price.
        needed: Credits,
        /// What the user has.
        available: Credits,
    },
    /// The confirmation belongs to an order with other contents.
    #[error("confirmation `{0}` was already used for a different order: use a new one")]
    ConfirmationReused(ConfirmationId),
    /// The confirmation cannot be used.
    #[error(transparent)]
    Confirmation(#[from] domain::id::NameError),
    /// The photo could neither be prepared nor refused.
    #[error("the order could not be placed; try again")]
    Studio(#[source] PortError),
    /// The store failed.
    #[error("the order could not be stored")]
    Store(#[source] PortError),
}

/// Places an order: photo, credits and jobs, or nothing of it.
///
/// # Errors
/// [`PlaceOrderError`]; nothing is stored then.
pub async fn place_order(
    ports: &Ports,
    policy: &Policy,
    new: NewOrder,
) -> Result<OrderPlaced, PlaceOrderError> {
    let confirmation = match new.confirmation.clone() {
        Some(confirmation) => confirmation,
        None => ConfirmationId::new(ids::reference(ports, "once"))?,
    };
    let file = new.photo.clone();
    let (mut placement, terms) = draw_up(ports, policy, new, confirmation)?;
    refuse_who_cannot_pay(ports, &placement).await?;

    let at = placement.order.placed_at;
    let photo = prepared(ports, file, &terms).await?;
    placement.order.request.photo_format = photo.format;
    placement.order.request.photo = ports.photos.put(&photo, at).await.map_err(PlaceOrderError::Store)?;
    match ports.orders.place(&placement).await {
        Ok(Placed::Placed { balance }) => {
            let (order, jobs) = (placement.order.id, placement.jobs.iter().map(|job| job.id).collect());
            tracing::info!(
                order.id = %order,
                user.id = placement.order.request.user.value(),
                videos = placement.order.request.quantity.videos(),
                model = %placement.order.model,
                "order placed"
            );
            Ok(OrderPlaced::Placed { order, jobs, balance })
        }
        Ok(Placed::Duplicate { order }) => Ok(OrderPlaced::Duplicate { order }),
        Ok(Placed::InsufficientCredits { needed, available }) => {
            let user = placement.order.request.user;
            Err(PlaceOrderError::InsufficientCredits { user, needed, available })
        }
        Err(error) if error.kind() == ErrorKind::Conflict => {
            Err(PlaceOrderError::ConfirmationReused(placement.order.request.confirmation))
        }
        Err(error) => Err(PlaceOrderError::Store(error)),
    }
}

/// Everything that can be refused without asking a store or opening the picture. The photo gets its name, and the
/// format it turns out to have, when it is stored, which happens only after nothing else can be refused.
fn draw_up(
    ports: &Ports,
    policy: &Policy,
    new: NewOrder,
    confirmation: ConfirmationId,
) -> Result<(Placement, PhotoTerms), PlaceOrderError> {
    let model = match &new.model {
        Some(id) => policy.models.get(id)?,
        None => policy.models.default_model(),
    };
    let terms = model.photo_terms();
    let kind = photo::inspect(&new.photo)?;
    let request = OrderRequest {
        user: new.user,
        confirmation,
        photo: PhotoId::new(0),
        photo_format: terms.format_of(kind),
        template: new.template,
        brief: new.brief,
        wishes: new.wishes,
        quantity: new.quantity,
    };
    let at = ports.clock.now();
    Ok((order::place(request, model, ids::order(ports), || ids::job(ports), at)?, terms))
}

/// The photo made of a file. Opening a picture costs more than everything else here, so nobody who can be refused
/// for less comes this far.
async fn prepared(ports: &Ports, file: Bytes, terms: &PhotoTerms) -> Result<Photo, PlaceOrderError> {
    match ports.studio.prepare(file, terms).await.map_err(PlaceOrderError::Studio)? {
        Prepared::Ready(photo) => Ok(photo),
        Prepared::Refused(why) => Err(why.into()),
    }
}

/// Spares the photo store an order that cannot be paid. The binding decision is the order store's, where the
/// balance is locked; a repeated confirmation is left to it too, because its first use may have spent the credits.
async fn refuse_who_cannot_pay(ports: &Ports, placement: &Placement) -> Result<(), PlaceOrderError> {
    /// A confirmation is repeated within seconds, so it is among a user's newest orders.
    const NEWEST: u32 = 20;
    let request = &placement.order.request;
    let balance = ports.ledger.balance(request.user).await.map_err(PlaceOrderError::Store)?;
    let Err(LedgerError::InsufficientCredits { needed, available }) = balance.apply(&placement.hold) else {
        return Ok(());
    };
    let newest = ports.orders.orders_of(request.user, NEWEST).await.map_err(PlaceOrderError::Store)?;
    if newest.iter().any(|order| order.request.confirmation == request.confirmation) {
        return Ok(());
    }
    Err(PlaceOrderError::InsufficientCredits { user: request.user, needed, available })
}

#[cfg(test)]
mod tests;
