//! The oracle itself: takes events in and hands each to those who judge it.

use std::{collections::BTreeMap, time::Duration};

use domain::{decision::RetryPolicy, model::VideoModel, time::Timestamp};
use ports::{AuditReport, KeyRoster, LeaseTerms};

use super::{
    context,
    doubts::Doubt,
    fairness::Waiting,
    holders,
    jobs::{Live, Order, Stage, Told, mark},
    limits::Load,
    models::Models,
    money::{self, Purses},
    outage::Outage,
    provider::{self, Provider},
    retries,
    roll::Roll,
    tally::{Broken, Scene, Tally},
    transitions, words,
};
use crate::trace::{Event, JobNo, Kind, Observer, OutsideCall};

/// What one provider account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountLimits {
    /// Tasks running at once.
    pub running_max: u32,
    /// Tasks created within ten seconds.
    pub new_per_10s: u32,
}

/// The terms of a run.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The product's policy of trying again.
    pub retry: RetryPolicy,
    /// The product's leases.
    pub lease: LeaseTerms,
    /// The provider's accounts, in the scenario's order.
    pub accounts: Vec<AccountLimits>,
    /// The product's own keys and the limits it keeps for each of their accounts, a little below the provider's.
    pub roster: KeyRoster,
    /// How long after [`Kind::Healed`] everything has to be settled.
    pub settle_within: Duration,
    /// How long the most urgent due job may be passed over, and how long idle workers may leave a due job lying. Some
    /// minutes: a worker looks for work every 30 s at least, and pauses as long after trouble with its store.
    pub fairness_bound: Duration,
    /// Worker processes.
    pub processes: u16,
    /// The ordered model, and those that may stand in for it if they cost no more.
    pub models: Vec<VideoModel>,
}

/// What the provider's books say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProviderBill {
    /// Tasks it made.
    pub tasks: u64,
    /// Tasks it charged.
    pub charged_tasks: u64,
}

/// What is known only at the end of a run.
#[derive(Debug, Clone)]
pub struct End {
    /// The ledger's own audit.
    pub audit: AuditReport,
    /// The provider's books.
    pub bill: ProviderBill,
    /// The simulated time.
    pub now: Timestamp,
}

/// Checks every invariant after every event.
///
/// Its memory grows with live jobs and open messages; of what is over it keeps four bytes a job and an order, a balance
/// a user and a fingerprint a confirmation.
#[derive(Debug)]
pub struct Oracle {
    pub(super) setup: Setup,
    pub(super) tally: Tally,
    pub(super) jobs: Roll<Live>,
    pub(super) orders: Roll<Order>,
    pub(super) purses: Purses,
    pub(super) provider: Provider,
    pub(super) load: Load,
    pub(super) models: Models,
    pub(super) outage: Outage,
    pub(super) waiting: Waiting,
    pub(super) doubts: Vec<(Scene, Doubt)>,
    pub(super) open_messages: u64,
    pub(super) leases_out: u32,
    /// Since when nobody holds a job, while nobody does.
    pub(super) idle_since: Timestamp,
    pub(super) now: Timestamp,
    pub(super) seq: u64,
    pub(super) healed_at: Option<Timestamp>,
    pub(super) settled_at: Option<Timestamp>,
    pub(super) is_overdue: bool,
}

impl Oracle {
    /// An oracle that has seen nothing yet.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        Self {
            provider: Provider::new(&setup.accounts),
            load: Load::default(),
            models: Models::default(),
            outage: Outage::default(),
            setup,
            tally: Tally::default(),
            jobs: Roll::default(),
            orders: Roll::default(),
            purses: Purses::default(),
            waiting: Waiting::default(),
            doubts: Vec::new(),
            open_messages: 0,
            leases_out: 0,
            idle_since: Timestamp::default(),
            now: Timestamp::default(),
            seq: 0,
            healed_at: None,
            settled_at: None,
            is_overdue: false,
        }
    }

    /// What was found broken: the first 50 of it, in order.
    #[must_use]
    pub fn broken(&self) -> &[Broken] {
        &self.tally.broken
    }

    /// The first thing that was found broken.
    #[must_use]
    pub fn first_broken(&self) -> Option<&Broken> {
        self.tally.broken.first()
    }

    /// How much more was found broken than [`Self::broken`] keeps.
    #[must_use]
    pub const fn broken_beyond(&self) -> u64 {
        self.tally.more
    }

    /// How often each invariant was checked, by its name in [`super::INVARIANTS`].
    #[must_use]
    pub fn checks(&self) -> BTreeMap<&'static str, u64> {
        self.tally.checks()
    }

    /// What is allowed and yet worth knowing, and how often it happened:
    /// `refunded_although_arrived` and `arrived_although_refunded` (a video that was sent without an answer, and whose
    /// credit came back), `refused_with_a_full_window` and `refused_as_too_fast` (the provider's 429, with as many tasks
    /// created in the last ten seconds as are allowed, and with fewer).
    #[must_use]
    pub const fn noted(&self) -> &BTreeMap<&'static str, u64> {
        &self.tally.noted
    }

    /// Jobs that are not finished.
    #[must_use]
    pub fn live_jobs(&self) -> usize {
        self.jobs.live()
    }

    fn stepped(&mut self, scene: Scene, kind: &Kind<'_>) {
        let Kind::Stepped { job, process, lease, keeps, step, evidence } = *kind else { return };
        let Some(live) = holders::find(&mut self.jobs, &mut self.tally, scene, job, "moved") else {
            // The store did it all the same.
            self.moved_again(scene, step);
            return;
        };
        let (order, told) = (live.order, Told::new(live, scene.at, (process, lease), step));
        let scene = Scene { order: Some(order), ..scene };
        let knows_all_calls = self.knows_all_calls();
        let (tally, setup) = (&mut self.tally, &self.setup);
        let Some(live) = self.jobs.get_mut(job.0) else { return };
        holders::check(tally, scene, live, &told);
        transitions::check(tally, scene, live, &told);
        money::check(tally, scene, live, &told);
        money::check_told(tally, scene, live, &told);
        provider::check(tally, scene, live, &told, setup, knows_all_calls);
        retries::check(tally, scene, live, &told, &setup.retry);
        words::check(tally, scene, live, &told, evidence, knows_all_calls);
        context::check(tally, scene, live, &told);
        self.models.check(tally, scene, live, &told, setup);
        let was_delivering = live.stage == Stage::Delivering;
        let was_held = live.is_held;
        live.follow(&told);
        self.count_attempt(&told);
        self.count_load(scene, &told);
        self.follow_outage(scene, job, was_held, &told);
        self.post(scene, step);
        self.write_notices(scene, order, step);
        self.after_step(scene.at, job, keeps, lease);
        if told.to.is_end() {
            self.finish(job, told.to, was_delivering);
        }
    }

    fn moved_again(&mut self, scene: Scene, step: &domain::job::Step) {
        self.tally.hold(scene, super::tally::Law::OneEndPerHold, step.entries.is_empty(), || {
            format!("{} more entries after the job's end", step.entries.len())
        });
        self.post(scene, step);
    }

    /// Forgets a finished job, and its order if nothing is left of it.
    fn finish(&mut self, job: JobNo, to: Stage, was_delivering: bool) {
        let mark = match to {
            Stage::Done => mark::DONE,
            Stage::Cancelled => mark::CANCELLED,
            _ if was_delivering => mark::REFUNDED_LATE,
            _ => mark::REFUNDED,
        };
        let Some(live) = self.jobs.close(job.0, mark) else { return };
        if let Some(order) = self.orders.get_mut(live.order.0) {
            order.open_jobs = order.open_jobs.saturating_sub(1);
        }
        self.close_order(live.order);
    }
}

impl Observer for Oracle {
    fn see(&mut self, event: &Event<'_>) {
        let mut scene = Scene { at: event.at, seq: event.seq, job: None, order: None };
        self.judge(event.at);
        (self.now, self.seq) = (event.at, event.seq);
        self.overdue(scene);
        match event.kind {
            Kind::Granted { user, credits } => self.granted(scene, user, credits),
            Kind::Placed { order, .. } => {
                scene.order = Some(order);
                self.placed(scene, order, &event.kind);
            }
            Kind::PlacedAgain { order } => {
                scene.order = Some(order);
                self.placed_again(scene, order);
            }
            Kind::Refused { user, needed, available } => self.refused(scene, user, needed, available),
            Kind::CancelAsked { job, granted } => {
                scene.job = Some(job);
                self.cancel_asked(scene, job, granted);
            }
            Kind::Claimed { job, process, lease, .. } => {
                scene.job = Some(job);
                self.claimed(scene, job, process, lease);
            }
            Kind::Stepped { job, .. } => {
                scene.job = Some(job);
                self.stepped(scene, &event.kind);
            }
            Kind::Outdated { job, lease, .. } => {
                scene.job = Some(job);
                self.outdated(scene, job, lease);
            }
            Kind::Hastened { job, asked_at } => {
                scene.job = Some(job);
                self.hastened(scene, job, asked_at);
            }
            Kind::Rescued { job, hung } => {
                scene.job = Some(job);
                self.rescued(scene, job, hung);
            }
            Kind::GivenBack { job, lease } => {
                scene.job = Some(job);
                self.given_back(scene, job, lease);
            }
            Kind::Created { job, account, outcome, .. } => {
                scene.job = job;
                self.created(scene, job, account, outcome);
            }
            Kind::Called { job: Some(job), call, end, took_ms } => {
                scene.job = Some(job);
                if call == OutsideCall::Look {
                    self.looked(scene, job, end, took_ms);
                }
                self.uploaded(event.at, call, end);
                if let Some(live) = self.jobs.get_mut(job.0) {
                    live.hears(event.at);
                }
            }
            Kind::VideoSent { job, end, arrived } => {
                scene.job = Some(job);
                self.video_sent(scene, job, end, arrived);
            }
            Kind::TextSent { order, audience, end, .. } => {
                scene.order = Some(order);
                self.text_sent(scene, order, audience, end);
            }
            Kind::NoticeClosed { order, .. } => {
                scene.order = Some(order);
                self.notice_closed(scene, order, &event.kind);
            }
            // A fleet that was down was idle for a reason.
            Kind::Started { .. } => self.idle_since = self.idle_since.max(event.at),
            Kind::Healed => self.healed_at = Some(event.at),
            Kind::Settled => self.settled(scene),
            Kind::Called { job: None, .. }
            | Kind::Charged { .. }
            | Kind::CalledBack { .. }
            | Kind::Killed { .. }
            | Kind::Fault { .. }
            | Kind::Outage { .. } => {}
        }
    }
}
