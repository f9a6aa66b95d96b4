//! Messages of conversations.

use async_trait::async_trait;
use domain::{
    id::{UserId, WorkerId},
    time::Timestamp,
};
use ports::{
    PortError, Topic,
    bot::{ChatAction, Reply, ReplyClaim, ReplyQueue},
};

use super::BotTables;
use crate::memory::MemStores;

impl BotTables {
    /// Puts messages behind a chat's others.
    pub(super) fn write_replies(&mut self, chat: UserId, actions: &[ChatAction], now: Timestamp) {
        for action in actions {
            self.replies_newest += 1;
            self.replies.put(self.replies_newest, chat, action.clone(), now);
        }
    }
}

#[async_trait]
impl ReplyQueue for MemStores {
    async fn push(
        &self,
        key: &str,
        chat: UserId,
        actions: &[ChatAction],
        now: Timestamp,
    ) -> Result<bool, PortError> {
        let mut world = self.lock();
        if !world.bot.pushed.insert(key.to_owned()) {
            return Ok(false);
        }
        world.bot.write_replies(chat, actions, now);
        drop(world);
        if !actions.is_empty() {
            self.signal.ring(Topic::Replies);
        }
        Ok(true)
    }

    async fn claim_due(
        &self,
        _worker: WorkerId,
        limit: u32,
        lease_until: Timestamp,
        now: Timestamp,
    ) -> Result<ReplyClaim, PortError> {
        let (heads, next_due_at) = self.lock().bot.replies.claim(limit, lease_until, now);
        let replies = heads.into_iter().map(|head| Reply {
            id: head.id,
            chat: head.chat,
            action: head.what,
            failures: head.failures,
            lease: head.lease,
        });
        Ok(ReplyClaim { replies: replies.collect(), next_due_at })
    }

    async fn sent(&self, reply: &Reply, now: Timestamp) -> Result<(), PortError> {
        let (_, is_followed) = self.lock().bot.replies.done(reply.id, reply.chat, reply.lease, now)?;
        if is_followed {
            self.signal.ring(Topic::Replies);
        }
        Ok(())
    }

    async fn postpone(&self, reply: &Reply, at: Timestamp, _why: &str) -> Result<(), PortError> {
        self.lock().bot.replies.postpone(reply.id, reply.chat, reply.lease, at)
    }

    async fn give_up(&self, reply: &Reply, now: Timestamp, _why: &str) -> Result<(), PortError> {
        self.sent(reply, now).await
    }
}
