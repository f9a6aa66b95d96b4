//! Bugs on the way to people.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{id::WorkerId, notice::Audience, time::Timestamp};
use ports::{Clock, Messenger, OrderText, Outbox, OutboxClaim, OutboxMessage, PortError, VideoMessage};

use super::Mutant;

/// A messenger with a bug.
pub(super) struct WrongMessenger {
    pub(super) real: Arc<dyn Messenger>,
    pub(super) mutant: Mutant,
}

#[async_trait]
impl Messenger for WrongMessenger {
    async fn send_text<'a>(&self, to: Audience, text: OrderText<'a>) -> Result<(), PortError> {
        self.real.send_text(to, text).await
    }

    async fn send_video<'a>(&self, to: Audience, video: VideoMessage<'a>) -> Result<(), PortError> {
        let sending = self.real.send_video(to, video);
        if self.mutant == Mutant::SendFailureIgnored {
            sending.await.ok();
        }
        // Otherwise dropped unawaited: nothing has been sent, and nothing will be.
        Ok(())
    }
}

/// An outbox with a bug.
pub(super) struct WrongOutbox {
    pub(super) real: Arc<dyn Outbox>,
    pub(super) clock: Arc<dyn Clock>,
}

#[async_trait]
impl Outbox for WrongOutbox {
    async fn claim_due(
        &self,
        worker: WorkerId,
        limit: u32,
        lease_until: Timestamp,
        now: Timestamp,
    ) -> Result<OutboxClaim, PortError> {
        self.real.claim_due(worker, limit, lease_until, now).await
    }

    async fn sent(&self, message: &OutboxMessage, now: Timestamp) -> Result<(), PortError> {
        self.real.sent(message, now).await
    }

    async fn postpone(&self, message: &OutboxMessage, _at: Timestamp, _why: &str) -> Result<(), PortError> {
        self.real.sent(message, self.clock.now()).await
    }

    async fn give_up(&self, message: &OutboxMessage, now: Timestamp, why: &str) -> Result<(), PortError> {
        self.real.give_up(message, now, why).await
    }
}
