//! The loop: claim what is due, run each step beside the others, wait for the next reason to look.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use domain::time::Timestamp;
use ports::{Clock, PortError, Topic, WorkSignal};
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};

use super::{
    Stop,
    trouble::{Trouble, within},
};
use crate::{Policy, Ports};

/// A kind of work that is claimed, done in short steps, and held by leases meanwhile.
#[async_trait]
pub(super) trait Work: Send + Sync + 'static {
    /// One claimed piece.
    type Item: Send + 'static;
    /// The right to it.
    type Lease: Copy + PartialEq + std::fmt::Debug + Send + Sync + 'static;

    /// For logs.
    const NAME: &'static str;
    /// Whose hints wake the loop.
    const TOPIC: Topic;

    fn lease(item: &Self::Item) -> Self::Lease;
    async fn claim(&self, limit: u32, now: Timestamp) -> Result<Claimed<Self::Item>, PortError>;
    /// Does the step to its end, failures included.
    async fn step(&self, item: Self::Item);
    /// The heartbeat: returns the leases that are lost.
    async fn extend(&self, leases: &[Self::Lease], now: Timestamp) -> Result<Vec<Self::Lease>, PortError>;
    async fn give_back(&self, leases: &[Self::Lease], now: Timestamp) -> Result<(), PortError>;
}

/// What a claim found.
pub(super) struct Claimed<Item> {
    pub(super) items: Vec<Item>,
    pub(super) next_due_at: Option<Timestamp>,
}

/// A step under way.
struct Running<Lease> {
    lease: Lease,
    handle: AbortHandle,
}

/// When a claim says that work is due and yet returns none of it, another worker is just taking it; asking again
/// without a pause would only get in its way.
const CONTENDED_PAUSE: Duration = Duration::from_millis(50);

pub(super) struct Dispatcher<W: Work> {
    work: Arc<W>,
    clock: Arc<dyn Clock>,
    signal: Arc<dyn WorkSignal>,
    slots: u32,
    lease: Duration,
    safety_poll: Duration,
    grace: Duration,
    steps: JoinSet<()>,
    running: Vec<Running<W::Lease>>,
    /// When to claim next, if a slot is free.
    claim_at: Timestamp,
    /// When the next heartbeat is due, if anything runs.
    beat_at: Timestamp,
    /// When the store last confirmed what runs: the last heartbeat, or the claim that began it.
    confirmed_at: Timestamp,
    trouble: Trouble,
}

impl<W: Work> Dispatcher<W> {
    pub(super) fn new(work: W, ports: &Ports, slots: u32, policy: &Policy) -> Self {
        let now = ports.clock.now();
        Self {
            work: Arc::new(work),
            clock: Arc::clone(&ports.clock),
            signal: Arc::clone(&ports.signal),
            slots,
            lease: policy.lease.lease,
            safety_poll: policy.worker.safety_poll,
            grace: policy.worker.grace,
            steps: JoinSet::new(),
            running: Vec::new(),
            claim_at: now,
            beat_at: now,
            confirmed_at: now,
            trouble: Trouble::none(W::NAME),
        }
    }

    pub(super) async fn run(mut self, stop: &Stop) {
        while !stop.is_asked() {
            self.beat_when_due().await;
            self.claim_when_due().await;
            self.wait(stop).await;
        }
        self.wind_down(stop).await;
    }

    async fn claim_when_due(&mut self) {
        let (now, free) = (self.clock.now(), self.free());
        if free == 0 || now < self.claim_at || self.is_fenced(now) {
            return;
        }
        match within(&*self.clock, self.lease / 4, self.work.claim(free, now)).await {
            Ok(claimed) => {
                self.trouble.over();
                if self.running.is_empty() {
                    self.confirmed_at = now;
                    self.beat_at = now.after(self.lease / 4);
                }
                let safety = now.after(self.safety_poll);
                self.claim_at = match claimed.next_due_at {
                    Some(at) if at <= now => now.after(CONTENDED_PAUSE),
                    Some(at) => at.min(safety),
                    None => safety,
                };
                for item in claimed.items {
                    self.start(item);
                }
            }
            Err(error) => self.claim_at = now.after(self.trouble.met(&error)),
        }
    }

    fn start(&mut self, item: W::Item) {
        let (lease, work) = (W::lease(&item), Arc::clone(&self.work));
        let handle = self.steps.spawn(async move { work.step(item).await });
        self.running.push(Running { lease, handle });
    }

    async fn beat_when_due(&mut self) {
        let now = self.clock.now();
        if self.running.is_empty() || now < self.beat_at {
            return;
        }
        let leases = self.leases();
        match within(&*self.clock, self.lease / 4, self.work.extend(&leases, now)).await {
            Ok(lost) => {
                self.trouble.over();
                self.confirmed_at = now;
                self.beat_at = now.after(self.lease / 4);
                for lease in lost {
                    self.abort(lease);
                }
            }
            Err(error) => {
                let pause = self.trouble.met(&error);
                self.beat_at = now.after(pause.min(self.lease / 8));
            }
        }
    }

    /// A lost lease means that somebody else works on it, or will.
    fn abort(&mut self, lease: W::Lease) {
        self.running.retain(|running| {
            let is_lost = running.lease == lease;
            if is_lost {
                tracing::warn!(work = W::NAME, ?lease, "a lease was lost, its step is aborted");
                running.handle.abort();
            }
            !is_lost
        });
    }

    /// Waits for whatever comes first: a stop, the end of a step, a hint, the next due time or heartbeat.
    async fn wait(&mut self, stop: &Stop) {
        let is_ready = self.free() > 0 && !self.trouble.is_present() && !self.is_fenced(self.clock.now());
        let wake_at = self.wake_at();
        tokio::select! {
            biased;
            () = stop.asked() => {}
            Some(ended) = self.steps.join_next_with_id() => self.ended(ended),
            () = self.signal.notified(W::TOPIC), if is_ready => self.claim_at = self.clock.now(),
            () = self.clock.sleep_until(wake_at) => {}
        }
    }

    fn wake_at(&self) -> Timestamp {
        let can_claim = self.free() > 0 && !self.is_fenced(self.clock.now());
        match (can_claim, self.running.is_empty()) {
            (true, true) => self.claim_at,
            (true, false) => self.claim_at.min(self.beat_at),
            (false, _) => self.beat_at,
        }
    }

    /// Forgets a step that ended, and all others that ended at the same time. Each left a slot, and probably a next
    /// step that is due, so the store is asked again.
    fn ended(&mut self, first: Result<(Id, ()), JoinError>) {
        let mut next = Some(first);
        while let Some(ended) = next {
            let id = match &ended {
                Ok((id, ())) => *id,
                Err(error) => error.id(),
            };
            if let Err(error) = ended
                && error.is_panic()
            {
                let lease = self.running.iter().find(|r| r.handle.id() == id).map(|r| r.lease);
                tracing::error!(work = W::NAME, ?lease, panic = %error, "a step panicked, its work is rescued when the lease runs out");
            }
            self.running.retain(|running| running.handle.id() != id);
            next = self.steps.try_join_next_with_id();
        }
        if !self.trouble.is_present() {
            self.claim_at = self.clock.now();
        }
    }

    /// On a stop: nothing new, what runs may finish within the grace period, the rest is given back.
    async fn wind_down(mut self, stop: &Stop) {
        let ends_at = self.clock.now().after(self.grace);
        while !self.running.is_empty() && self.clock.now() < ends_at {
            self.beat_when_due().await;
            tokio::select! {
                biased;
                () = stop.insisted() => break,
                Some(ended) = self.steps.join_next_with_id() => self.ended(ended),
                () = self.clock.sleep_until(ends_at.min(self.beat_at)) => {}
            }
        }
        let leases = self.leases();
        self.steps.abort_all();
        while self.steps.join_next().await.is_some() {}
        if leases.is_empty() {
            return;
        }
        tracing::warn!(work = W::NAME, steps = leases.len(), "steps were cut short and are given back");
        if let Err(error) = self.work.give_back(&leases, self.clock.now()).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(
                work = W::NAME,
                error,
                "they could not be given back and are rescued when their leases run out"
            );
        }
    }

    fn free(&self) -> u32 {
        self.slots.saturating_sub(u32::try_from(self.running.len()).unwrap_or(u32::MAX))
    }

    fn leases(&self) -> Vec<W::Lease> {
        self.running.iter().map(|running| running.lease).collect()
    }

    /// Whether what runs was last confirmed so long ago that others may be about to take it over. A worker that
    /// cannot keep what it has takes nothing more.
    fn is_fenced(&self, now: Timestamp) -> bool {
        !self.running.is_empty() && now.since(self.confirmed_at) >= self.lease * 2 / 3
    }
}

#[cfg(test)]
mod tests;
