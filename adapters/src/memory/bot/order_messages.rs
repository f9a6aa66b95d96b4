//! What was sent about orders.

use async_trait::async_trait;
use domain::{
    id::{JobId, OrderId, UserId},
    time::Timestamp,
};
use ports::{
    PortError,
    bot::{OrderMessages, SentVideo, StatusMessage},
};

use crate::memory::MemStores;

/// What was sent about one order.
#[derive(Debug, Default)]
pub(super) struct OrderRow {
    pub(super) status: Option<StatusMessage>,
    /// The numbers of the videos that were told their end, in that order.
    ended: Vec<u8>,
}

#[async_trait]
impl OrderMessages for MemStores {
    async fn status(&self, order: OrderId) -> Result<Option<StatusMessage>, PortError> {
        Ok(self.lock().bot.orders.get(&order).and_then(|row| row.status.clone()))
    }

    async fn keep_status(
        &self,
        order: OrderId,
        _chat: UserId,
        status: &StatusMessage,
    ) -> Result<(), PortError> {
        self.lock().bot.orders.entry(order).or_default().status = Some(status.clone());
        Ok(())
    }

    async fn video(&self, job: JobId) -> Result<Option<SentVideo>, PortError> {
        Ok(self.lock().bot.videos.get(&job).cloned())
    }

    async fn keep_video(&self, job: JobId, video: &SentVideo, _now: Timestamp) -> Result<(), PortError> {
        self.lock().bot.videos.entry(job).or_insert_with(|| video.clone());
        Ok(())
    }

    async fn ends(&self, order: OrderId, _chat: UserId, number: u8, of: u8) -> Result<bool, PortError> {
        let mut world = self.lock();
        let ended = &mut world.bot.orders.entry(order).or_default().ended;
        if !ended.contains(&number) {
            ended.push(number);
        }
        // The one that completed the order stays the last.
        Ok(usize::from(of).checked_sub(1).and_then(|place| ended.get(place)) == Some(&number))
    }
}
