//! The loops that do the work: one takes jobs, one sends messages, one rescues what dead or hung workers left.
//!
//! All waiting goes through the [`ports::Clock`], every choice between events has a fixed order, and nothing
//! depends on the order of a hash map, so that the simulator runs these very loops and can repeat a run.

mod dispatch;
mod jobs;
mod messages;
mod reaper;
mod replies;
mod stop;
mod trouble;
mod updates;

use std::{pin::Pin, sync::Arc};

use futures_util::{StreamExt, stream::FuturesUnordered};

pub use stop::Stop;

use crate::{Policy, Ports, bot::BotPorts};
use dispatch::Dispatcher;

/// Runs all loops of one worker process until `stop`, then lets running steps finish for the grace period, gives
/// back what is left, and returns. Store failures never end it; it waits and goes on.
///
/// Dropping the future aborts every running step without a trace, as a crash would.
pub async fn work(ports: &Ports, policy: &Arc<Policy>, stop: &Stop) {
    let jobs = Dispatcher::new(jobs::Jobs::new(ports, policy, stop), ports, policy.worker.job_slots, policy);
    let messages =
        Dispatcher::new(messages::Messages::new(ports, policy), ports, policy.worker.message_slots, policy);
    run_all([
        Box::pin(reaper::run(ports, policy, stop)),
        Box::pin(jobs.run(stop)),
        Box::pin(messages.run(stop)),
    ])
    .await;
}

/// Runs the loops of the bot beside them, likewise: one handles updates, one sends what answers them.
pub async fn converse(ports: &Ports, bot: &BotPorts, policy: &Arc<Policy>, stop: &Stop) {
    let slots = policy.worker.message_slots;
    let updates = Dispatcher::new(updates::Updates::new(ports, bot, policy), ports, slots, policy);
    let replies = Dispatcher::new(replies::Replies::new(ports, bot, policy), ports, slots, policy);
    run_all([Box::pin(updates.run(stop)), Box::pin(replies.run(stop))]).await;
}

type Loop<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

async fn run_all<const N: usize>(loops: [Loop<'_>; N]) {
    // Unlike `join!` this polls only the loop that was woken.
    let mut loops: FuturesUnordered<_> = loops.into_iter().collect();
    while loops.next().await.is_some() {}
}
