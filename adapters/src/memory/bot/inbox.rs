//! The inbox.

use async_trait::async_trait;
use domain::{
    id::{UserId, WorkerId},
    time::Timestamp,
};
use ports::{
    PortError, Topic,
    bot::{Inbox, InboxCensus, InboxClaim, InboxUpdate, IncomingUpdate},
};

use super::{BotTables, lines::lost};
use crate::memory::MemStores;

/// An update, but for its id and chat.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) chat: UserId,
    pub(super) body: String,
    pub(super) at: Timestamp,
}

impl BotTables {
    fn newest_update(&self) -> Option<i64> {
        let waiting = self.inbox.waiting.last_key_value().map(|(id, _)| *id);
        let handled = self.handled.last_key_value().map(|(id, _)| *id);
        let parked = self.parked.last_key_value().map(|(id, _)| *id);
        waiting.max(handled).max(parked)
    }

    /// Whether an update's claim still holds.
    pub(super) fn check_update(&self, update: &InboxUpdate) -> Result<(), PortError> {
        let (id, chat) = (update.update.id, update.update.chat);
        if self.inbox.is_held(id, chat, update.lease) { Ok(()) } else { Err(lost()) }
    }

    /// Writes that an update was handled; whether the next one of its chat may go now.
    pub(super) fn handled(&mut self, update: &InboxUpdate, now: Timestamp) -> Result<bool, PortError> {
        let (id, chat) = (update.update.id, update.update.chat);
        let (received, is_followed) = self.inbox.done(id, chat, update.lease, now)?;
        self.handled.insert(id, received.at);
        Ok(is_followed)
    }
}

#[async_trait]
impl Inbox for MemStores {
    async fn receive(&self, updates: &[IncomingUpdate], now: Timestamp) -> Result<usize, PortError> {
        let mut world = self.lock();
        let bot = &mut world.bot;
        let mut new = 0;
        for update in updates {
            let id = &update.id;
            if bot.inbox.waiting.contains_key(id)
                || bot.handled.contains_key(id)
                || bot.parked.contains_key(id)
            {
                continue;
            }
            let received = Received { chat: update.chat, body: update.body.clone(), at: now };
            bot.inbox.put(update.id, update.chat, received, now);
            new += 1;
        }
        drop(world);
        if new > 0 {
            self.signal.ring(Topic::Inbox);
        }
        Ok(new)
    }

    async fn newest(&self) -> Result<Option<i64>, PortError> {
        Ok(self.lock().bot.newest_update())
    }

    async fn claim_due(
        &self,
        _worker: WorkerId,
        limit: u32,
        lease_until: Timestamp,
        now: Timestamp,
    ) -> Result<InboxClaim, PortError> {
        let (heads, next_due_at) = self.lock().bot.inbox.claim(limit, lease_until, now);
        let updates = heads.into_iter().map(|head| InboxUpdate {
            update: IncomingUpdate { id: head.id, chat: head.chat, body: head.what.body },
            received_at: head.what.at,
            failures: head.failures,
            lease: head.lease,
        });
        Ok(InboxClaim { updates: updates.collect(), next_due_at })
    }

    async fn postpone(&self, update: &InboxUpdate, at: Timestamp, _why: &str) -> Result<(), PortError> {
        let (id, chat) = (update.update.id, update.update.chat);
        self.lock().bot.inbox.postpone(id, chat, update.lease, at)
    }

    async fn park(&self, update: &InboxUpdate, now: Timestamp, _why: &str) -> Result<(), PortError> {
        let (id, chat) = (update.update.id, update.update.chat);
        let mut world = self.lock();
        let (received, is_followed) = world.bot.inbox.done(id, chat, update.lease, now)?;
        world.bot.parked.insert(id, received);
        drop(world);
        if is_followed {
            self.signal.ring(Topic::Inbox);
        }
        Ok(())
    }

    async fn census(&self) -> Result<InboxCensus, PortError> {
        let world = self.lock();
        let waiting = &world.bot.inbox.waiting;
        Ok(InboxCensus {
            waiting: waiting.len() as u64,
            parked: world.bot.parked.len() as u64,
            oldest: waiting.values().map(|row| row.what.at).min(),
        })
    }

    async fn forget(&self, before: Timestamp, limit: u32) -> Result<usize, PortError> {
        let mut world = self.lock();
        let newest = world.bot.newest_update();
        let handled = &mut world.bot.handled;
        let mut old: Vec<(Timestamp, i64)> = handled
            .iter()
            .filter(|(id, at)| **at < before && Some(**id) < newest)
            .map(|(id, at)| (*at, *id))
            .collect();
        old.sort_unstable();
        old.truncate(limit as usize);
        for (_, id) in &old {
            handled.remove(id);
        }
        Ok(old.len())
    }
}
