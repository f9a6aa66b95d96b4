//! Orders.

use async_trait::async_trait;
use domain::{
    id::{OrderId, UserId},
    ledger::LedgerError,
    order::{Order, Placement},
};
use ports::{ErrorKind, OrderStore, Placed, PortError, Topic};

use super::{MemStores, world::JobRow};

#[async_trait]
impl OrderStore for MemStores {
    async fn place(&self, placement: &Placement) -> Result<Placed, PortError> {
        let request = &placement.order.request;
        let mut world = self.lock();
        let name = (request.user, request.confirmation.clone());
        if let Some(earlier) = world.confirmed.get(&name).and_then(|id| world.orders.get(id)) {
            return if earlier.request == *request {
                Ok(Placed::Duplicate { order: earlier.id })
            } else {
                let say =
                    format!("confirmation `{}` was already used for another order", request.confirmation);
                Err(PortError::new(ErrorKind::Conflict, say))
            };
        }
        let after = match world.post_entry(&placement.hold) {
            Ok(after) => after,
            Err(LedgerError::InsufficientCredits { needed, available }) => {
                return Ok(Placed::InsufficientCredits { needed, available });
            }
            Err(error) => {
                let say = "the balance cannot take this entry";
                return Err(PortError::with_source(ErrorKind::Rejected, say, error));
            }
        };
        world.confirmed.insert(name, placement.order.id);
        world.orders.insert(placement.order.id, placement.order.clone());
        for job in &placement.jobs {
            let next_run_at = Some(job.created_at);
            world.put_job(JobRow { job: job.clone(), next_run_at, lease_number: 0, lease: None });
        }
        for notice in &placement.notices {
            world.write_notice(notice, placement.order.placed_at);
        }
        drop(world);
        self.signal.ring(Topic::Jobs);
        self.signal.ring(Topic::Outbox);
        Ok(Placed::Placed { balance: after })
    }

    async fn order(&self, id: OrderId) -> Result<Option<Order>, PortError> {
        Ok(self.lock().orders.get(&id).cloned())
    }

    async fn orders_of(&self, user: UserId, limit: u32) -> Result<Vec<Order>, PortError> {
        let world = self.lock();
        let mut orders: Vec<_> =
            world.orders.values().filter(|order| order.request.user == user).cloned().collect();
        orders.sort_by_key(|order| std::cmp::Reverse((order.placed_at, order.id)));
        orders.truncate(limit as usize);
        Ok(orders)
    }
}
