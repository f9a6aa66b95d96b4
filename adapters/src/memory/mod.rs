//! Kadr's state in memory: the fast twin of [`crate::postgres`], file for file, held to the same laws by the same
//! tests. What one lock guards here is one transaction there.

mod adoption;
mod attempts;
mod audit;
mod bot;
mod health;
mod job_store;
mod ledger_store;
mod order_store;
mod outbox;
mod photo_store;
mod world;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::id::{JobId, OrderId};

use crate::bells::Bells;
use world::World;

pub(crate) use self::{
    bot::{check_offer, is_new_payment, paid_another, unaccounted},
    ledger_store::says_the_same,
    photo_store::photo_id,
};

/// All stores, in one process.
#[derive(Debug, Clone, Default)]
pub struct MemStores {
    world: Arc<Mutex<World>>,
    signal: Arc<Bells>,
}

impl MemStores {
    /// The hints of the stores' own writes.
    #[must_use]
    pub fn signal(&self) -> Arc<Bells> {
        self.signal.clone()
    }

    /// Forgets a finished order and its jobs, keeping what its ledger entries add up to, so that a process that lives
    /// through millions of orders does not keep them all. A repeated confirmation would order again, so wait until
    /// nobody can repeat it. Returns whether the order was there and its jobs were finished.
    pub fn forget_order(&self, order: OrderId, jobs: &[JobId]) -> bool {
        self.lock().forget_order(order, jobs)
    }

    /// Every write checks before it changes anything, so a panic elsewhere leaves nothing half done behind.
    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
