//! Freeing what dead and hung workers hold.

use ports::PortError;

use super::{
    Stop,
    trouble::{Trouble, within},
};
use crate::{Policy, Ports};

/// Looks three times in a lease's length, so that a dead worker's jobs wait little longer than the lease.
pub(super) async fn run(ports: &Ports, policy: &Policy, stop: &Stop) {
    let every = policy.lease.lease / 3;
    let mut trouble = Trouble::none("reaper");
    while !stop.is_asked() {
        let pause = match within(&*ports.clock, every, rescue(ports)).await {
            Ok(()) => {
                trouble.over();
                every
            }
            Err(error) => trouble.met(&error),
        };
        let next = ports.clock.now().after(pause);
        tokio::select! {
            biased;
            () = stop.asked() => {}
            () = ports.clock.sleep_until(next) => {}
        }
    }
}

async fn rescue(ports: &Ports) -> Result<(), PortError> {
    let now = ports.clock.now();
    for job in ports.jobs.rescue_dead(now).await? {
        tracing::warn!(job.id = %job, "rescued: its worker stopped answering");
    }
    for job in ports.jobs.rescue_hung(now).await? {
        tracing::warn!(job.id = %job, "rescued: its step passed the deadline");
    }
    Ok(())
}
