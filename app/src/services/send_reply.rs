//! Sending what the conversation answers.

use domain::time::Timestamp;
use ports::{ErrorKind, PortError, bot::Reply};

use super::{
    insist::insist,
    sending::{Sending, story, wait_after, within_claim},
};
use crate::{Policy, Ports, bot::BotPorts};

/// Sends one claimed message and writes down what came of it.
///
/// # Errors
/// The queue's; the message is then claimed and sent again when its lease runs out.
pub async fn send_reply(
    ports: &Ports,
    bot: &BotPorts,
    policy: &Policy,
    reply: &Reply,
) -> Result<Sending, PortError> {
    let sent = within_claim(ports, policy, bot.client.act(reply.chat, &reply.action)).await;
    let now = ports.clock.now();
    let (sending, written) = match sent {
        Ok(()) => (Sending::Sent, insist(&*ports.clock, || bot.replies.sent(reply, now)).await),
        Err(error) => not_sent(ports, bot, policy, reply, &error, now).await,
    };
    sending.written(written)
}

async fn not_sent(
    ports: &Ports,
    bot: &BotPorts,
    policy: &Policy,
    reply: &Reply,
    error: &PortError,
    now: Timestamp,
) -> (Sending, Result<(), PortError>) {
    let why = story(error);
    let failures = reply.failures.saturating_add(1);
    let delay = wait_after(policy, error, failures, now);
    if error.retry_at().is_none() {
        tracing::warn!(reply.id = reply.id, failures, retry_in_s = delay.map(|d| d.as_secs()), error = %why, "a reply was not sent");
    }
    if error.kind() == ErrorKind::Unreachable
        && let Err(error) = bot.chats.set_blocked(reply.chat, Some(now)).await
    {
        tracing::debug!(error = &error as &dyn std::error::Error, "it could not be noted who is unreachable");
    }
    match delay {
        Some(delay) => {
            let until = now.after(delay);
            let write = || bot.replies.postpone(reply, until, &why);
            (Sending::Postponed { until }, insist(&*ports.clock, write).await)
        }
        None => {
            let write = || bot.replies.give_up(reply, now, &why);
            (Sending::GivenUp, insist(&*ports.clock, write).await)
        }
    }
}

#[cfg(test)]
mod tests;
