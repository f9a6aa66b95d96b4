//! The loop: claim what is due, run each step beside the others, wait for the next reason to look.

use std::{
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

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
    /// Whether what is claimed holds something else back until its step has ended.
    const HOLDS_BACK: bool;

    fn lease(item: &Self::Item) -> Self::Lease;
    async fn claim(&self, limit: u32, now: Timestamp) -> Result<Claimed<Self::Item>, PortError>;
    /// Does the step to its end, failures included. Returns when what follows from it is due, if anything does.
    async fn step(&self, item: Self::Item) -> Option<Timestamp>;
    /// The heartbeat: returns the leases that are lost. Work of seconds needs none: its claim simply runs out.
    async fn extend(&self, _leases: &[Self::Lease], _now: Timestamp) -> Result<Vec<Self::Lease>, PortError> {
        Ok(Vec::new())
    }
    /// Gives back what was cut short, and tells other workers that something may be due. Without it claims run out by
    /// themselves.
    async fn give_back(&self, _leases: &[Self::Lease], _now: Timestamp) -> Result<(), PortError> {
        Ok(())
    }
}

/// What a claim found.
pub(super) struct Claimed<Item> {
    pub(super) items: Vec<Item>,
    /// When the next piece falls due; `None` when nothing is waiting, or when as many were found as were asked for.
    pub(super) next_due_at: Option<Timestamp>,
}

/// A step under way.
struct Running<Lease> {
    lease: Lease,
    handle: AbortHandle,
    /// The number of the claim that found it.
    claim: u64,
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
    steps: JoinSet<Option<Timestamp>>,
    running: Vec<Running<W::Lease>>,
    /// The number of the last claim.
    claim: u64,
    /// When to claim next, if a slot is free: when something may be due, as far as the last claim, hints and the
    /// ends of steps have told.
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
            claim: 0,
            claim_at: now,
            beat_at: now,
            confirmed_at: now,
            trouble: Trouble::none(W::NAME),
        }
    }

    pub(super) async fn run(mut self, stop: &Stop) {
        {
            let mut asked = pin!(stop.asked());
            while !stop.is_asked() {
                self.beat_when_due().await;
                self.claim_when_due().await;
                self.wait(asked.as_mut()).await;
            }
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
                self.claim += 1;
                let safety = now.after(self.safety_poll);
                let is_full = claimed.items.len() >= free as usize;
                self.claim_at = match claimed.next_due_at {
                    // More may be due, and is asked for as soon as a slot is free.
                    None if is_full => now,
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
        self.running.push(Running { lease, handle, claim: self.claim });
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
    async fn wait(&mut self, asked: Pin<&mut impl Future<Output = ()>>) {
        let is_ready = self.free() > 0 && !self.trouble.is_present() && !self.is_fenced(self.clock.now());
        let wake_at = self.wake_at();
        tokio::select! {
            biased;
            () = asked => {}
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

    /// Forgets a step that ended, and all others that ended at the same time, and notes when what follows from them
    /// is due. Whoever ends a step knows that, so the store need not be asked before.
    fn ended(&mut self, first: Result<(Id, Option<Timestamp>), JoinError>) {
        let now = self.clock.now();
        let mut due_at: Option<Timestamp> = None;
        let mut next = Some(first);
        while let Some(ended) = next {
            let (id, follows_at) = match &ended {
                Ok((id, follows_at)) => (*id, *follows_at),
                Err(error) => (error.id(), None),
            };
            // What was written behind it while it ran gave its hint then, and the claim passed it over.
            let held_back =
                W::HOLDS_BACK && self.running.iter().any(|r| r.handle.id() == id && r.claim < self.claim);
            due_at = [due_at, follows_at, held_back.then_some(now)].into_iter().flatten().min();
            if let Err(error) = ended
                && error.is_panic()
            {
                let lease = self.running.iter().find(|r| r.handle.id() == id).map(|r| r.lease);
                tracing::error!(work = W::NAME, ?lease, panic = %error, "a step panicked, its work is rescued when the lease runs out");
            }
            self.running.retain(|running| running.handle.id() != id);
            next = self.steps.try_join_next_with_id();
        }
        if let Some(due_at) = due_at
            && !self.trouble.is_present()
        {
            self.claim_at = self.claim_at.min(due_at);
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
        // What follows from the last steps is for others to claim, who have no hint of it yet.
        if leases.is_empty() && self.claim_at > self.clock.now() {
            return;
        }
        if !leases.is_empty() {
            tracing::warn!(work = W::NAME, steps = leases.len(), "steps were cut short and are given back");
        }
        if let Err(error) = self.work.give_back(&leases, self.clock.now()).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(
                work = W::NAME,
                error,
                "nothing could be given back: leases run out, and others look for work by themselves"
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
