//! Sending what the conversation answers.

use domain::time::Timestamp;
use ports::{ErrorKind, PortError, bot::Reply};

use super::{
    insist::insist,
    send_notices::{Sending, story},
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
    // Within the claim, or the message would be claimed again while this try still holds its slot.
    let gives_up_at = ports.clock.now().after(policy.lease.lease * 2 / 3);
    let sent = tokio::select! {
        biased;
        sent = bot.client.act(reply.chat, &reply.action) => sent,
        () = ports.clock.sleep_until(gives_up_at) => {
            Err(PortError::new(ErrorKind::AnswerLost, "Telegram did not answer in time"))
        }
    };
    let now = ports.clock.now();
    let (sending, written) = match sent {
        Ok(()) => (Sending::Sent, insist(&*ports.clock, || bot.replies.sent(reply, now)).await),
        Err(error) => not_sent(ports, bot, policy, reply, &error, now).await,
    };
    match written {
        Ok(()) => Ok(sending),
        Err(error) if error.kind() == ErrorKind::Conflict => Ok(Sending::LeaseLost),
        Err(error) => Err(error),
    }
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
    let is_final = matches!(error.kind(), ErrorKind::Rejected | ErrorKind::Unreachable);
    // Whoever says when has not failed, and knows better than a guess.
    let told = error.retry_at().map(|at| at.since(now));
    let delay = told.or_else(|| policy.sending.delay_after(failures)).filter(|_| !is_final);
    if told.is_none() {
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
