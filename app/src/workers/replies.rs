//! The loop's view of the conversation's messages.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{id::WorkerId, time::Timestamp};
use ports::{PortError, Topic, bot::Reply};

use super::dispatch::{Claimed, Work};
use crate::{
    Policy, Ports,
    bot::BotPorts,
    ids,
    services::{send_reply::send_reply, sending::Sending},
};

pub(super) struct Replies {
    ports: Ports,
    bot: BotPorts,
    policy: Arc<Policy>,
    worker: WorkerId,
}

impl Replies {
    pub(super) fn new(ports: &Ports, bot: &BotPorts, policy: &Arc<Policy>) -> Self {
        Self {
            worker: ids::worker(ports),
            ports: ports.clone(),
            bot: bot.clone(),
            policy: Arc::clone(policy),
        }
    }
}

#[async_trait]
impl Work for Replies {
    type Item = Reply;
    type Lease = (i64, i64);

    const NAME: &'static str = "replies";
    const TOPIC: Topic = Topic::Replies;
    /// The later messages of its chat.
    const HOLDS_BACK: bool = true;

    fn lease(item: &Reply) -> (i64, i64) {
        (item.id, item.lease)
    }

    async fn claim(&self, limit: u32, now: Timestamp) -> Result<Claimed<Reply>, PortError> {
        let until = now.after(self.policy.lease.lease);
        let claim = self.bot.replies.claim_due(self.worker, limit, until, now).await?;
        Ok(Claimed { items: claim.replies, next_due_at: claim.next_due_at })
    }

    async fn step(&self, item: Reply) -> Option<Timestamp> {
        match send_reply(&self.ports, &self.bot, &self.policy, &item).await {
            Ok(Sending::Sent | Sending::GivenUp) => Some(self.ports.clock.now()),
            Ok(Sending::Postponed { until }) => Some(until),
            Ok(Sending::LeaseLost) => None,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(
                    reply.id = item.id,
                    error,
                    "a reply's fate could not be stored, it may be sent twice"
                );
                None
            }
        }
    }
}
