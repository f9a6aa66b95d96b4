//! Bugs between a confirmation and its order.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    id::{ConfirmationId, OrderId, UserId},
    order::{Order, Placement},
};
use ports::{ErrorKind, OrderStore, Placed, PortError};

use super::Mutant;

/// An order store with a bug.
pub(super) struct WrongOrders {
    pub(super) real: Arc<dyn OrderStore>,
    pub(super) mutant: Mutant,
}

#[async_trait]
impl OrderStore for WrongOrders {
    async fn place(&self, placement: &Placement) -> Result<Placed, PortError> {
        let mut wrong = placement.clone();
        if self.mutant == Mutant::ConfirmationFromClock {
            let at = placement.order.placed_at.as_millis();
            let confirmation = ConfirmationId::new(format!("at-{at}"));
            wrong.order.request.confirmation = confirmation.map_err(|error| {
                PortError::with_source(ErrorKind::Rejected, "the time makes no confirmation", error)
            })?;
        } else {
            (wrong.hold.available, wrong.hold.held) = (-1, 1);
        }
        self.real.place(&wrong).await
    }

    async fn order(&self, id: OrderId) -> Result<Option<Order>, PortError> {
        self.real.order(id).await
    }

    async fn orders_of(&self, user: UserId, limit: u32) -> Result<Vec<Order>, PortError> {
        self.real.orders_of(user, limit).await
    }
}
