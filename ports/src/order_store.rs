//! Orders.

use async_trait::async_trait;
use domain::{
    id::{OrderId, UserId},
    ledger::Balance,
    money::Credits,
    order::{Order, Placement},
};

use crate::PortError;

/// What placing an order came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placed {
    /// Order, jobs, hold and notices are stored.
    Placed {
        /// The balance afterwards.
        balance: Balance,
    },
    /// The same confirmation has already placed this order; nothing was stored now.
    Duplicate {
        /// The order it placed.
        order: OrderId,
    },
    /// The user cannot pay; nothing was stored.
    InsufficientCredits {
        /// The price.
        needed: Credits,
        /// What the user has.
        available: Credits,
    },
}

/// Where orders are kept.
///
/// Laws: placing is all or nothing; one confirmation places one order, however often and however
/// simultaneously it is sent; a balance never goes below zero.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait OrderStore: Send + Sync {
    /// Stores an order with its hold, jobs and notices, if its user can pay.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Conflict`] when the confirmation was used for a different request.
    async fn place(&self, placement: &Placement) -> Result<Placed, PortError>;

    /// One order.
    async fn order(&self, id: OrderId) -> Result<Option<Order>, PortError>;

    /// A user's orders, newest first.
    async fn orders_of(&self, user: UserId, limit: u32) -> Result<Vec<Order>, PortError>;
}
