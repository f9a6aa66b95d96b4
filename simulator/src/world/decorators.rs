//! The ports as a trial sees them: real ones, with time standing still during each call, and a record of what
//! was stored and sent.

use std::{path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use domain::{
    id::{AttemptId, JobId, KeyId, ModelId, OrderId, PhotoId, TaskId, UserId, WorkerId},
    job::{Rules, Step},
    key::KeyFacts,
    ledger::{Balance, Entry},
    order::{Order, Placement},
    prompt::WritingTask,
    time::Timestamp,
};
use ports::{
    AfterStep, AttemptRecord, AuditReport, Claim, Clock, JobFilter, JobRecord, JobStore, KeyRoster, Lease,
    LeaseTerms, LeasedJob, LedgerStore, OrderStore, Outbox, OutboxClaim, OutboxMessage, Photo, PhotoStore,
    Placed, PortError, Posting, PromptWriter, RenderStatus, Reply, VideoApi, VideoRequest,
};

use super::trace::Trace;
use crate::time::InFlight;

/// All stores, counted and recorded.
#[derive(Debug)]
pub(super) struct SimStores<S> {
    pub(super) real: S,
    pub(super) in_flight: InFlight,
    pub(super) trace: Trace,
}

#[async_trait]
impl<S: OrderStore> OrderStore for SimStores<S> {
    async fn place(&self, placement: &Placement) -> Result<Placed, PortError> {
        let placed = self.in_flight.during(self.real.place(placement)).await?;
        if matches!(placed, Placed::Placed { .. }) {
            let jobs: Vec<_> = placement.jobs.iter().map(|job| job.id).collect();
            self.trace.placed(&jobs, placement.notices.len());
        }
        Ok(placed)
    }

    async fn order(&self, id: OrderId) -> Result<Option<Order>, PortError> {
        self.in_flight.during(self.real.order(id)).await
    }

    async fn orders_of(&self, user: UserId, limit: u32) -> Result<Vec<Order>, PortError> {
        self.in_flight.during(self.real.orders_of(user, limit)).await
    }
}

#[async_trait]
impl<S: JobStore> JobStore for SimStores<S> {
    async fn claim_due(
        &self,
        worker: WorkerId,
        limit: u32,
        terms: LeaseTerms,
        now: Timestamp,
    ) -> Result<Claim, PortError> {
        self.in_flight.during(self.real.claim_due(worker, limit, terms, now)).await
    }

    async fn extend_leases(
        &self,
        leases: &[Lease],
        terms: LeaseTerms,
        now: Timestamp,
    ) -> Result<Vec<Lease>, PortError> {
        self.in_flight.during(self.real.extend_leases(leases, terms, now)).await
    }

    async fn store_step<'a>(
        &self,
        lease: Lease,
        step: &Step,
        after: AfterStep,
        evidence: Option<&'a str>,
        now: Timestamp,
    ) -> Result<(), PortError> {
        self.in_flight.during(self.real.store_step(lease, step, after, evidence, now)).await?;
        self.trace.step(step, now);
        Ok(())
    }

    async fn open_attempt(
        &self,
        leased: &LeasedJob,
        attempt: AttemptId,
        roster: &KeyRoster,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<Step, PortError> {
        let opening = self.real.open_attempt(leased, attempt, roster, rules, now);
        let step = self.in_flight.during(opening).await?;
        self.trace.step(&step, now);
        Ok(step)
    }

    async fn key_facts(&self, roster: &KeyRoster, now: Timestamp) -> Result<Vec<KeyFacts>, PortError> {
        self.in_flight.during(self.real.key_facts(roster, now)).await
    }

    async fn rescue_dead(&self, now: Timestamp) -> Result<Vec<JobId>, PortError> {
        self.in_flight.during(self.real.rescue_dead(now)).await
    }

    async fn rescue_hung(&self, now: Timestamp) -> Result<Vec<JobId>, PortError> {
        self.in_flight.during(self.real.rescue_hung(now)).await
    }

    async fn next_expiry(&self) -> Result<Option<Timestamp>, PortError> {
        self.in_flight.during(self.real.next_expiry()).await
    }

    async fn give_back(&self, leases: &[Lease], now: Timestamp) -> Result<(), PortError> {
        self.in_flight.during(self.real.give_back(leases, now)).await
    }

    async fn cancel(&self, job: JobId, rules: &Rules, now: Timestamp) -> Result<Step, PortError> {
        let step = self.in_flight.during(self.real.cancel(job, rules, now)).await?;
        self.trace.step(&step, now);
        Ok(step)
    }

    async fn job(&self, id: JobId) -> Result<Option<JobRecord>, PortError> {
        self.in_flight.during(self.real.job(id)).await
    }

    async fn attempts(&self, job: JobId) -> Result<Vec<AttemptRecord>, PortError> {
        self.in_flight.during(self.real.attempts(job)).await
    }

    async fn list(&self, filter: &JobFilter) -> Result<Vec<JobRecord>, PortError> {
        self.in_flight.during(self.real.list(filter)).await
    }
}

#[async_trait]
impl<S: LedgerStore> LedgerStore for SimStores<S> {
    async fn post(&self, entry: &Entry) -> Result<Posting, PortError> {
        self.in_flight.during(self.real.post(entry)).await
    }

    async fn balance(&self, user: UserId) -> Result<Balance, PortError> {
        self.in_flight.during(self.real.balance(user)).await
    }

    async fn history(&self, user: UserId, limit: u32) -> Result<Vec<Entry>, PortError> {
        self.in_flight.during(self.real.history(user, limit)).await
    }

    async fn audit(&self) -> Result<AuditReport, PortError> {
        self.in_flight.during(self.real.audit()).await
    }
}

#[async_trait]
impl<S: Outbox> Outbox for SimStores<S> {
    async fn claim_due(
        &self,
        worker: WorkerId,
        limit: u32,
        lease_until: Timestamp,
        now: Timestamp,
    ) -> Result<OutboxClaim, PortError> {
        self.in_flight.during(self.real.claim_due(worker, limit, lease_until, now)).await
    }

    async fn sent(&self, message: &OutboxMessage, now: Timestamp) -> Result<(), PortError> {
        self.in_flight.during(self.real.sent(message, now)).await?;
        self.trace.notice_closed(false);
        Ok(())
    }

    async fn postpone(&self, message: &OutboxMessage, at: Timestamp, why: &str) -> Result<(), PortError> {
        self.in_flight.during(self.real.postpone(message, at, why)).await
    }

    async fn give_up(&self, message: &OutboxMessage, now: Timestamp, why: &str) -> Result<(), PortError> {
        self.in_flight.during(self.real.give_up(message, now, why)).await?;
        self.trace.notice_closed(true);
        Ok(())
    }
}

#[async_trait]
impl<S: PhotoStore> PhotoStore for SimStores<S> {
    async fn put(&self, photo: &Photo, now: Timestamp) -> Result<PhotoId, PortError> {
        self.in_flight.during(self.real.put(photo, now)).await
    }

    async fn get(&self, id: PhotoId) -> Result<Option<Photo>, PortError> {
        self.in_flight.during(self.real.get(id)).await
    }
}

/// The video provider: real HTTP with time standing still, and then the virtual time such a call takes.
pub(super) struct SimVideo<V> {
    pub(super) real: V,
    pub(super) in_flight: InFlight,
    pub(super) clock: Arc<dyn Clock>,
}

impl<V> SimVideo<V> {
    /// `millis` is the median of the call's recorded times (`justintanner/apicity`, April 2026), or a guess for
    /// downloads, which nobody recorded.
    async fn call<T>(&self, millis: u64, call: impl Future<Output = T> + Send) -> T {
        let answer = self.in_flight.during(call).await;
        self.clock.sleep_until(self.clock.now().after(Duration::from_millis(millis))).await;
        answer
    }
}

#[async_trait]
impl<V: VideoApi> VideoApi for SimVideo<V> {
    async fn upload(&self, key: &KeyId, name: AttemptId, photo: &Photo) -> Reply<String> {
        self.call(705, self.real.upload(key, name, photo)).await
    }

    async fn create<'a>(&self, key: &KeyId, request: VideoRequest<'a>) -> Reply<TaskId> {
        self.call(482, self.real.create(key, request)).await
    }

    async fn status(&self, key: &KeyId, model: &ModelId, task: &TaskId) -> Reply<RenderStatus> {
        self.call(323, self.real.status(key, model, task)).await
    }

    async fn fresh_link(&self, key: &KeyId, url: &str) -> Reply<String> {
        self.call(323, self.real.fresh_link(key, url)).await
    }

    async fn download(&self, url: &str, file: &Path, bytes_max: u64) -> Reply<u64> {
        self.call(1_500, self.real.download(url, file, bytes_max)).await
    }

    async fn balance(&self, key: &KeyId) -> Reply<f64> {
        self.call(323, self.real.balance(key)).await
    }
}

/// The language model, likewise.
pub(super) struct SimWriter<W> {
    pub(super) real: W,
    pub(super) in_flight: InFlight,
    pub(super) clock: Arc<dyn Clock>,
}

#[async_trait]
impl<W: PromptWriter> PromptWriter for SimWriter<W> {
    async fn write(&self, task: &WritingTask, photo: &Photo) -> Result<String, PortError> {
        const THINKING: Duration = Duration::from_secs(4);
        let answer = self.in_flight.during(self.real.write(task, photo)).await;
        self.clock.sleep_until(self.clock.now().after(THINKING)).await;
        answer
    }
}
