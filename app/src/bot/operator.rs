//! What the operator reads in a chat.

use ports::bot::{ChatAction, ChatMessage};

use super::BotPorts;
use crate::{Policy, Ports};

/// Sends a text to every operator's chat, once for a `key`. It is logged as well, so that an alert is seen even where
/// nobody is reachable.
pub async fn tell_operator(ports: &Ports, bot: &BotPorts, policy: &Policy, key: &str, text: &str) {
    tracing::warn!(alert = text, "the operator is needed");
    for admin in &policy.bot.admins {
        let message = ChatMessage { text: text.to_owned(), keyboard: Vec::new() };
        let key = format!("{key}:{}", admin.value());
        let pushed = bot.replies.push(&key, *admin, &[ChatAction::Send(message)], ports.clock.now()).await;
        if let Err(error) = pushed {
            tracing::warn!(error = &error as &dyn std::error::Error, "an alert was not stored");
        }
    }
}
