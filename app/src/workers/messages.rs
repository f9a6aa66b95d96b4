//! The loop's view of the outbox.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    id::{NoticeId, WorkerId},
    time::Timestamp,
};
use ports::{OutboxMessage, PortError, Topic};

use super::dispatch::{Claimed, Work};
use crate::{
    Policy, Ports, ids,
    services::{send_notices::send_notice, sending::Sending},
};

pub(super) struct Messages {
    ports: Ports,
    policy: Arc<Policy>,
    worker: WorkerId,
}

impl Messages {
    pub(super) fn new(ports: &Ports, policy: &Arc<Policy>) -> Self {
        Self { worker: ids::worker(ports), ports: ports.clone(), policy: Arc::clone(policy) }
    }
}

#[async_trait]
impl Work for Messages {
    type Item = OutboxMessage;
    type Lease = (NoticeId, i64);

    const NAME: &'static str = "messages";
    const TOPIC: Topic = Topic::Outbox;
    /// The later messages of its line.
    const HOLDS_BACK: bool = true;

    fn lease(item: &OutboxMessage) -> (NoticeId, i64) {
        (item.id, item.lease)
    }

    async fn claim(&self, limit: u32, now: Timestamp) -> Result<Claimed<OutboxMessage>, PortError> {
        let until = now.after(self.policy.lease.lease);
        let claim = self.ports.outbox.claim_due(self.worker, limit, until, now).await?;
        Ok(Claimed { items: claim.messages, next_due_at: claim.next_due_at })
    }

    async fn step(&self, item: OutboxMessage) -> Option<Timestamp> {
        match send_notice(&self.ports, &self.policy, &item).await {
            Ok(Sending::Sent | Sending::GivenUp) => item.is_followed.then(|| self.ports.clock.now()),
            Ok(Sending::Postponed { until }) => Some(until),
            Ok(Sending::LeaseLost) => None,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(notice.id = %item.id, error, "a message's fate could not be stored, it may be sent twice");
                None
            }
        }
    }
}
