//! Chats.

use async_trait::async_trait;
use domain::{id::UserId, time::Timestamp};
use ports::{
    ErrorKind, PortError, Topic,
    bot::{Chat, ChatStore, Turn},
};

use super::BotTables;
use crate::memory::MemStores;

impl BotTables {
    /// Whether a chat is as it had been read.
    fn check_chat(&self, chat: &Chat) -> Result<(), PortError> {
        let present = self.chats.get(&chat.user).map_or(0, |present| present.version);
        if present == chat.version {
            return Ok(());
        }
        Err(PortError::new(ErrorKind::Conflict, "the chat was changed meanwhile"))
    }

    /// Writes the part of a chat that is a turn's. The caller has checked its version.
    fn write_chat(&mut self, chat: &Chat, now: Timestamp) {
        let first = Chat { version: 0, since: now, blocked_since: None, banned_since: None, ..chat.clone() };
        let present = self.chats.entry(chat.user).or_insert(first);
        present.version += 1;
        present.dialogue.clone_from(&chat.dialogue);
        present.language.clone_from(&chat.language);
        present.terms_accepted_at = chat.terms_accepted_at;
    }
}

#[async_trait]
impl ChatStore for MemStores {
    async fn chat(&self, user: UserId) -> Result<Option<Chat>, PortError> {
        Ok(self.lock().bot.chats.get(&user).cloned())
    }

    async fn store(&self, turn: &Turn, now: Timestamp) -> Result<(), PortError> {
        let chat = turn.update.update.chat;
        let mut world = self.lock();
        let bot = &mut world.bot;
        bot.check_update(&turn.update)?;
        if let Some(changed) = &turn.chat {
            bot.check_chat(changed)?;
            bot.write_chat(changed, now);
        }
        let is_followed = bot.handled(&turn.update, now)?;
        bot.write_replies(chat, &turn.replies, now);
        drop(world);
        if is_followed {
            self.signal.ring(Topic::Inbox);
        }
        if !turn.replies.is_empty() {
            self.signal.ring(Topic::Replies);
        }
        Ok(())
    }

    async fn set_blocked(&self, user: UserId, since: Option<Timestamp>) -> Result<(), PortError> {
        if let Some(chat) = self.lock().bot.chats.get_mut(&user) {
            chat.blocked_since = since;
        }
        Ok(())
    }

    async fn set_banned(&self, user: UserId, since: Option<Timestamp>) -> Result<bool, PortError> {
        let mut world = self.lock();
        let chat = world.bot.chats.get_mut(&user);
        let is_known = chat.is_some();
        if let Some(chat) = chat {
            chat.banned_since = since;
        }
        Ok(is_known)
    }

    async fn reachable(&self, after: Option<UserId>, limit: u32) -> Result<Vec<UserId>, PortError> {
        let world = self.lock();
        let chats = world.bot.chats.values().filter(|chat| {
            Some(chat.user) > after && chat.blocked_since.is_none() && chat.banned_since.is_none()
        });
        Ok(chats.map(|chat| chat.user).take(limit as usize).collect())
    }
}
