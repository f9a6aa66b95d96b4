//! The stores as a simulated process sees them: with what goes wrong on the way, and a log of what was stored.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    breaker::ProviderFacts,
    id::{AttemptId, JobId, OrderId, PhotoId, TaskId, UserId, WorkerId},
    job::{Job, Rules, State, Step},
    ledger::{Balance, Entry},
    order::{Order, Placement},
    time::Timestamp,
};
use ports::{
    Adoption, AfterStep, AttemptRecord, AuditReport, Census, Claim, ErrorKind, Hastening, JobFilter,
    JobRecord, JobStore, KeyRoster, Lease, LeaseTerms, LeasedJob, LedgerStore, OrderStore, Outbox,
    OutboxClaim, OutboxMessage, Photo, PhotoStore, Placed, PortError, Posting,
};

use super::faults::Surroundings;
use crate::trace::Kind;

/// All stores, as one process sees them.
pub(crate) struct SimStores<S> {
    pub(crate) real: S,
    pub(crate) around: Arc<Surroundings>,
}

/// Half of an id, enough to tell calls apart.
fn u128_low(id: u128) -> u64 {
    u64::try_from(id & u128::from(u64::MAX)).unwrap_or_default()
}

impl<S> SimStores<S> {
    /// What tells one write under one lease from all others: a worker may write several.
    fn about(&self, lease: Lease, to: &State) -> u64 {
        let job = self.around.log.job(lease.job).map_or(u64::MAX, |job| u64::from(job.0));
        (job << 20) ^ (lease.number.unsigned_abs() << 4) ^ to.name() as u64
    }

    /// Tells the log of a write that came too late.
    fn note_conflict<T>(&self, lease: Lease, answer: Result<T, PortError>) -> Result<T, PortError> {
        if let Err(error) = &answer
            && error.kind() == ErrorKind::Conflict
            && let (Some(job), Some(process)) = (self.around.log.job(lease.job), self.around.faults.process)
        {
            self.around.log.tell(Kind::Outdated { job, process, lease: lease.number });
        }
        answer
    }
}

#[async_trait]
impl<S: OrderStore> OrderStore for SimStores<S> {
    async fn place(&self, placement: &Placement) -> Result<Placed, PortError> {
        let log = &self.around.log;
        self.around
            .store_call(("place", 0), self.real.place(placement), |placed| match placed {
                Placed::Placed { .. } => log.placed(placement),
                Placed::Duplicate { order } => {
                    if let Some(order) = log.order(*order) {
                        log.tell(Kind::PlacedAgain { order });
                    }
                }
                // The user who hears of it tells the log.
                Placed::InsufficientCredits { .. } => {}
            })
            .await
    }

    async fn order(&self, id: OrderId) -> Result<Option<Order>, PortError> {
        if let Some(process) = self.around.faults.process {
            self.around.log.begins(process, id);
        }
        self.around.store_call(("order", u128_low(id.value())), self.real.order(id), |_| {}).await
    }

    async fn orders_of(&self, user: UserId, limit: u32) -> Result<Vec<Order>, PortError> {
        self.around.store_call(("orders_of", 0), self.real.orders_of(user, limit), |_| {}).await
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
        let log = &self.around.log;
        let Some(process) = self.around.faults.process else {
            return self.real.claim_due(worker, limit, terms, now).await;
        };
        let claim = self
            .around
            .store_call(("claim_due", 0), self.real.claim_due(worker, limit, terms, now), |claim| {
                for LeasedJob { job, lease } in &claim.jobs {
                    if let Some(job) = log.job(job.id) {
                        log.tell(Kind::Claimed { job, process, lease: lease.number, due_at: None });
                    }
                }
            })
            .await?;
        for leased in &claim.jobs {
            log.expect(process, leased.job.id);
        }
        Ok(claim)
    }

    async fn extend_leases(
        &self,
        leases: &[Lease],
        terms: LeaseTerms,
        now: Timestamp,
    ) -> Result<Vec<Lease>, PortError> {
        self.around
            .store_call(("extend_leases", 0), self.real.extend_leases(leases, terms, now), |_| {})
            .await
    }

    async fn store_step<'a>(
        &self,
        lease: Lease,
        step: &Step,
        after: AfterStep,
        evidence: Option<&'a str>,
        now: Timestamp,
    ) -> Result<(), PortError> {
        let (log, process) = (&self.around.log, self.around.faults.process);
        let stored = self
            .around
            .store_call(
                ("store_step", self.about(lease, &step.job.state)),
                self.real.store_step(lease, step, after, evidence, now),
                |()| {
                    log.stepped(process, Some((lease, after)), step, evidence);
                },
            )
            .await;
        self.note_conflict(lease, stored)
    }

    async fn open_attempt(
        &self,
        leased: &LeasedJob,
        attempt: AttemptId,
        roster: &KeyRoster,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<Step, PortError> {
        let (log, process) = (&self.around.log, self.around.faults.process);
        let opened = self
            .around
            .store_call(
                ("open_attempt", self.about(leased.lease, &leased.job.state)),
                self.real.open_attempt(leased, attempt, roster, rules, now),
                |step| log.stepped(process, Some((leased.lease, AfterStep::of_opening(step))), step, None),
            )
            .await;
        self.note_conflict(leased.lease, opened)
    }

    async fn ask_breaker(
        &self,
        leased: &LeasedJob,
        roster: &KeyRoster,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<Option<Step>, PortError> {
        let (log, process) = (&self.around.log, self.around.faults.process);
        let asked = self
            .around
            .store_call(
                ("ask_breaker", self.about(leased.lease, &leased.job.state)),
                self.real.ask_breaker(leased, roster, rules, now),
                |step| {
                    if let Some(step) = step {
                        let after = if step.job.is_probe { AfterStep::Keep } else { AfterStep::Release };
                        log.stepped(process, Some((leased.lease, after)), step, None);
                    }
                },
            )
            .await;
        self.note_conflict(leased.lease, asked)
    }

    async fn provider_facts(&self, roster: &KeyRoster, now: Timestamp) -> Result<ProviderFacts, PortError> {
        self.around.store_call(("provider_facts", 0), self.real.provider_facts(roster, now), |_| {}).await
    }

    async fn rescue_dead(&self, now: Timestamp) -> Result<Vec<JobId>, PortError> {
        self.around
            .store_call(("rescue_dead", 0), self.real.rescue_dead(now), |jobs| self.note_rescues(jobs, false))
            .await
    }

    async fn rescue_hung(&self, now: Timestamp) -> Result<Vec<JobId>, PortError> {
        self.around
            .store_call(("rescue_hung", 0), self.real.rescue_hung(now), |jobs| self.note_rescues(jobs, true))
            .await
    }

    async fn next_expiry(&self) -> Result<Option<Timestamp>, PortError> {
        self.around.store_call(("next_expiry", 0), self.real.next_expiry(), |_| {}).await
    }

    async fn give_back(&self, leases: &[Lease], now: Timestamp) -> Result<(), PortError> {
        let log = &self.around.log;
        self.around
            .store_call(("give_back", 0), self.real.give_back(leases, now), |()| {
                for lease in leases {
                    if let Some(job) = log.job(lease.job) {
                        log.tell(Kind::GivenBack { job, lease: lease.number });
                    }
                }
            })
            .await
    }

    async fn cancel(&self, job: JobId, rules: &Rules, now: Timestamp) -> Result<Step, PortError> {
        let log = &self.around.log;
        self.around
            .store_call(("cancel", u128_low(job.value())), self.real.cancel(job, rules, now), |step| {
                log.stepped(None, None, step, None);
            })
            .await
    }

    async fn adopt(
        &self,
        attempt: AttemptId,
        task: &TaskId,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<Adoption, PortError> {
        let (log, process) = (&self.around.log, self.around.faults.process);
        self.around
            .store_call(
                ("adopt", u128_low(attempt.value())),
                self.real.adopt(attempt, task, rules, now),
                |adoption| {
                    if let Adoption::Adopted(step) = adoption {
                        log.stepped(process, None, step, None);
                    }
                },
            )
            .await
    }

    async fn hasten(
        &self,
        attempt: AttemptId,
        task: &TaskId,
        now: Timestamp,
    ) -> Result<Hastening, PortError> {
        let log = &self.around.log;
        self.around
            .store_call(
                ("hasten", u128_low(attempt.value())),
                self.real.hasten(attempt, task, now),
                |hastening| {
                    if let (Hastening::Hastened, Some(job)) = (hastening, log.job_of_task(task)) {
                        log.tell(Kind::Hastened { job, asked_at: now });
                    }
                },
            )
            .await
    }

    async fn job_of_attempt(&self, attempt: AttemptId) -> Result<Option<Job>, PortError> {
        let what = ("job_of_attempt", u128_low(attempt.value()));
        self.around.store_call(what, self.real.job_of_attempt(attempt), |_| {}).await
    }

    async fn census(&self, now: Timestamp) -> Result<Census, PortError> {
        self.around.store_call(("census", 0), self.real.census(now), |_| {}).await
    }

    async fn job(&self, id: JobId) -> Result<Option<JobRecord>, PortError> {
        self.around.store_call(("job", 0), self.real.job(id), |_| {}).await
    }

    async fn attempts(&self, job: JobId) -> Result<Vec<AttemptRecord>, PortError> {
        self.around.store_call(("attempts", 0), self.real.attempts(job), |_| {}).await
    }

    async fn list(&self, filter: &JobFilter) -> Result<Vec<JobRecord>, PortError> {
        self.around.store_call(("list", 0), self.real.list(filter), |_| {}).await
    }
}

impl<S> SimStores<S> {
    fn note_rescues(&self, jobs: &[JobId], hung: bool) {
        for job in jobs.iter().filter_map(|job| self.around.log.job(*job)) {
            self.around.log.tell(Kind::Rescued { job, hung });
        }
    }
}

#[async_trait]
impl<S: LedgerStore> LedgerStore for SimStores<S> {
    async fn post(&self, entry: &Entry) -> Result<Posting, PortError> {
        let log = &self.around.log;
        self.around
            .store_call(("post", 0), self.real.post(entry), |posting| {
                if matches!(posting, Posting::Posted(_)) {
                    log.tell(Kind::Granted { user: entry.user, credits: entry.available });
                }
            })
            .await
    }

    async fn balance(&self, user: UserId) -> Result<Balance, PortError> {
        self.around.store_call(("balance", 0), self.real.balance(user), |_| {}).await
    }

    async fn history(&self, user: UserId, limit: u32) -> Result<Vec<Entry>, PortError> {
        self.around.store_call(("history", 0), self.real.history(user, limit), |_| {}).await
    }

    async fn audit(&self) -> Result<AuditReport, PortError> {
        self.around.store_call(("audit", 0), self.real.audit(), |_| {}).await
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
        self.around
            .store_call(("claim_due", 0), self.real.claim_due(worker, limit, lease_until, now), |_| {})
            .await
    }

    async fn sent(&self, message: &OutboxMessage, now: Timestamp) -> Result<(), PortError> {
        let log = &self.around.log;
        self.around
            .store_call(
                ("sent", u128_low(message.notice.order.value()) ^ u64::from(message.failures)),
                self.real.sent(message, now),
                |()| log.notice_closed(&message.notice, false),
            )
            .await
    }

    async fn postpone(&self, message: &OutboxMessage, at: Timestamp, why: &str) -> Result<(), PortError> {
        self.around
            .store_call(
                ("postpone", u128_low(message.notice.order.value()) ^ u64::from(message.failures)),
                self.real.postpone(message, at, why),
                |()| {},
            )
            .await
    }

    async fn give_up(&self, message: &OutboxMessage, now: Timestamp, why: &str) -> Result<(), PortError> {
        let log = &self.around.log;
        self.around
            .store_call(
                ("give_up", u128_low(message.notice.order.value()) ^ u64::from(message.failures)),
                self.real.give_up(message, now, why),
                |()| log.notice_closed(&message.notice, true),
            )
            .await
    }
}

#[async_trait]
impl<S: PhotoStore> PhotoStore for SimStores<S> {
    async fn put(&self, photo: &Photo, now: Timestamp) -> Result<PhotoId, PortError> {
        self.around.store_call(("put", 0), self.real.put(photo, now), |_| {}).await
    }

    async fn get(&self, id: PhotoId) -> Result<Option<Photo>, PortError> {
        self.around.store_call(("get", 0), self.real.get(id), |_| {}).await
    }
}
