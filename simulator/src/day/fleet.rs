//! Worker processes: started, killed without warning, started again.

use std::{sync::Arc, time::Duration};

use app::{
    Policy, Ports,
    workers::{Stop, work},
};
use domain::time::Timestamp;
use ports::Clock;
use rand_chacha::rand_core::Rng;
use tokio::sync::mpsc;

use crate::{
    time::{InFlight, chance_of, generator},
    trace::{Kind, ProcessNo},
    world::{faults::Death, log::Log},
};

/// One worker process and what it needs to be started again.
pub(super) struct Member {
    pub(super) process: ProcessNo,
    pub(super) ports: Ports,
    pub(super) policy: Arc<Policy>,
    pub(super) deaths: mpsc::UnboundedReceiver<Death>,
    /// How long it stays down after a death that does not say.
    pub(super) down: Duration,
    pub(super) log: Log,
    /// Real calls of other steps are waited for before the process is taken down, so that what was and what was not
    /// done is no accident.
    pub(super) in_flight: Option<InFlight>,
}

impl Member {
    /// Keeps the process running until `stop`.
    pub(super) async fn keep_running(mut self, stop: Stop) {
        loop {
            self.log.tell(Kind::Started { process: self.process });
            let own_stop = Stop::new();
            let process = tokio::spawn({
                let (ports, policy, stop) = (self.ports.clone(), Arc::clone(&self.policy), own_stop.clone());
                async move { work(&ports, &policy, &stop).await }
            });
            let death = tokio::select! {
                biased;
                () = stop.asked() => None,
                death = self.deaths.recv() => death,
            };
            let Some(death) = death else {
                own_stop.ask();
                // A panic in the loops shows as jobs that are never settled.
                process.await.ok();
                return;
            };
            match &self.in_flight {
                Some(in_flight) => {
                    in_flight
                        .during(async {
                            process.abort();
                            process.await.ok();
                        })
                        .await;
                }
                None => {
                    process.abort();
                    process.await.ok();
                }
            }
            self.log.killed(self.process, death.in_call);
            let up_at = self.ports.clock.now().after(death.down.unwrap_or(self.down));
            tokio::select! {
                biased;
                () = stop.asked() => return,
                () = self.ports.clock.sleep_until(up_at) => {}
            }
            // Whoever was to die while it lay dead has nothing to die of any more.
            while self.deaths.try_recv().is_ok() {}
        }
    }
}

/// Kills a process now and then until `until`.
pub(super) async fn kill_by_chance(
    clock: Arc<dyn Clock>,
    seed: u64,
    process: ProcessNo,
    per_hour: f64,
    until: Timestamp,
    kill: mpsc::UnboundedSender<Death>,
) {
    let mut draws = generator(seed, &format!("deaths of process {}", process.0));
    loop {
        let hours = -(1.0 - chance_of(draws.next_u64())).ln() / per_hour;
        let at = clock.now().after(Duration::from_secs_f64(hours * 3_600.0));
        if at >= until {
            return;
        }
        clock.sleep_until(at).await;
        if kill.send(Death { in_call: false, down: None }).is_err() {
            return;
        }
    }
}
