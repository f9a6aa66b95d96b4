//! The loops that do the work: one takes jobs, one sends messages, one rescues what dead or hung workers left.
//!
//! All waiting goes through the [`ports::Clock`], every choice between events has a fixed order, and nothing
//! depends on the order of a hash map, so that the simulator runs these very loops and can repeat a run.

mod dispatch;
mod jobs;
mod messages;
mod reaper;
mod stop;
mod trouble;

use std::{pin::Pin, sync::Arc};

use futures_util::{StreamExt, stream::FuturesUnordered};

pub use stop::Stop;

use crate::{Policy, Ports};
use dispatch::Dispatcher;

/// Runs all loops of one worker process until `stop`, then lets running steps finish for the grace period, gives
/// back what is left, and returns. Store failures never end it; it waits and goes on.
///
/// Dropping the future aborts every running step without a trace, as a crash would.
pub async fn work(ports: &Ports, policy: &Arc<Policy>, stop: &Stop) {
    let jobs = Dispatcher::new(jobs::Jobs::new(ports, policy, stop), ports, policy.worker.job_slots, policy);
    let messages =
        Dispatcher::new(messages::Messages::new(ports, policy), ports, policy.worker.message_slots, policy);
    // Unlike `join!` this polls only the loop that was woken.
    let loops: [Pin<Box<dyn Future<Output = ()> + Send + '_>>; 3] =
        [Box::pin(reaper::run(ports, policy, stop)), Box::pin(jobs.run(stop)), Box::pin(messages.run(stop))];
    let mut loops: FuturesUnordered<_> = loops.into_iter().collect();
    while loops.next().await.is_some() {}
}
