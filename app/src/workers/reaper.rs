//! Freeing what dead and hung workers hold.

use domain::time::Timestamp;
use ports::PortError;

use super::{
    Stop,
    trouble::{Trouble, within},
};
use crate::{Policy, Ports};

/// How many looks there are at most in a lease's length, and so how much later than its lease a dead worker's job is
/// rescued: a ninth of it.
const LOOKS_MAX: u32 = 9;

/// Looks when the first lease runs out, and once in a lease's length: a lease that begins right after a look has not
/// run out at the next one.
pub(super) async fn run(ports: &Ports, policy: &Policy, stop: &Stop) {
    let longest = policy.lease.lease.min(policy.lease.deadline);
    let mut trouble = Trouble::none("reaper");
    while !stop.is_asked() {
        let pause = match within(&*ports.clock, longest / 3, rescue(ports)).await {
            Ok(next_expiry) => {
                trouble.over();
                let wait = next_expiry.map_or(longest, |at| at.since(ports.clock.now()));
                wait.clamp(longest / LOOKS_MAX, longest)
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

/// Rescues what has run out, if anything has, and returns when the next lease or deadline does.
async fn rescue(ports: &Ports) -> Result<Option<Timestamp>, PortError> {
    let now = ports.clock.now();
    let first = ports.jobs.next_expiry().await?;
    if first.is_none_or(|at| at > now) {
        return Ok(first);
    }
    for job in ports.jobs.rescue_dead(now).await? {
        tracing::warn!(job.id = %job, "rescued: its worker stopped answering");
    }
    for job in ports.jobs.rescue_hung(now).await? {
        tracing::warn!(job.id = %job, "rescued: its step passed the deadline");
    }
    ports.jobs.next_expiry().await
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, Mutex},
        time::Duration,
    };

    use domain::id::JobId;
    use ports::Clock;

    use super::*;
    use crate::fixtures::{self, EagerClock, Mocks, START};

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Runs the reaper for `virtual_s` seconds over one job whose lease, if it is claimed, runs out after
    /// `expires_s`; returns when it looked and when it rescued, in seconds.
    async fn looks_and_rescues(expires_s: Option<u64>, virtual_s: u64) -> (Vec<u64>, Vec<u64>) {
        let clock = Arc::new(EagerClock::new());
        let expiry = Arc::new(Mutex::new(expires_s.map(|seconds| START.after(s(seconds)))));
        let (looked, rescued) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
        let mut mocks = Mocks::default();
        mocks.jobs.expect_next_expiry().returning({
            let (clock, looked, expiry) = (Arc::clone(&clock), Arc::clone(&looked), Arc::clone(&expiry));
            move || {
                looked.lock().unwrap().push(clock.now().since(START).as_secs());
                Ok(*expiry.lock().unwrap())
            }
        });
        mocks.jobs.expect_rescue_dead().returning({
            let rescued = Arc::clone(&rescued);
            move |now| {
                rescued.lock().unwrap().push(now.since(START).as_secs());
                Ok(expiry.lock().unwrap().take().map(|_| JobId::new(1)).into_iter().collect())
            }
        });
        mocks.jobs.expect_rescue_hung().returning(|_| Ok(Vec::new()));
        let ports = Ports { clock: clock.clone(), ..mocks.into_ports() };
        let (policy, stop) = (fixtures::policy(), Stop::new());
        let watch = async {
            while clock.now() < START.after(s(virtual_s)) {
                tokio::task::yield_now().await;
            }
            stop.ask();
        };
        tokio::join!(run(&ports, &policy, &stop), watch);
        (std::mem::take(&mut *looked.lock().unwrap()), std::mem::take(&mut *rescued.lock().unwrap()))
    }

    #[tokio::test]
    async fn an_idle_reaper_looks_once_in_a_leases_length() {
        let (looked, rescued) = looks_and_rescues(None, 200).await;
        assert_eq!(looked[..5], [0, 40, 80, 120, 160]);
        assert!(rescued.is_empty());
    }

    #[tokio::test]
    async fn a_dead_workers_job_is_rescued_little_later_than_its_lease() {
        for (expires, rescue) in [(0, 0), (1, 4), (25, 25), (41, 44), (79, 79)] {
            let (_, rescued) = looks_and_rescues(Some(expires), 200).await;
            assert_eq!(rescued, [rescue], "a lease that runs out after {expires} s");
        }
    }
}
