//! Credits: who has how many, and how each hold ends.

use std::collections::HashSet;

use domain::{
    id::UserId,
    job::{State, Step},
    ledger::{Entry, EntryKind},
    notice::NoticeKind,
    time::Timestamp,
};
use ports::AuditReport;
use rustc_hash::FxHashMap;

use super::{
    doubts::Doubt,
    jobs::{Live, Order, Said, Stage, Told},
    print,
    roll::Place,
    tally::{Law, Scene, Tally},
    watch::Oracle,
};
use crate::trace::{JobNo, Kind, OrderNo};

/// One user's credits.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Purse {
    pub(super) available: i64,
    pub(super) held: i64,
    changed_at: Timestamp,
}

/// Everybody's credits, by the events alone.
#[derive(Debug, Default)]
pub(super) struct Purses {
    of: FxHashMap<i64, Purse>,
    available: i64,
    held: i64,
    held_ever: i64,
    captured: i64,
    released: i64,
    /// Fingerprints of confirmations that placed an order.
    confirmed: HashSet<u64>,
}

impl Purses {
    pub(super) fn of(&self, user: UserId) -> Purse {
        self.of.get(&user.value()).copied().unwrap_or_default()
    }

    pub(super) fn held(&self) -> i64 {
        self.held
    }

    /// Moves credits; returns whether either number is below zero now.
    fn shift(&mut self, user: UserId, available: i64, held: i64, at: Timestamp) -> bool {
        let purse = self.of.entry(user.value()).or_default();
        purse.changed_at = at;
        purse.available += available;
        purse.held += held;
        self.available += available;
        self.held += held;
        purse.available < 0 || purse.held < 0
    }

    fn post(&mut self, entry: &Entry, at: Timestamp) -> bool {
        match entry.kind {
            EntryKind::Capture => self.captured += 1,
            EntryKind::Release => self.released += 1,
            EntryKind::Hold => self.held_ever += entry.held,
            EntryKind::Grant | EntryKind::Purchase | EntryKind::PurchaseRefund | EntryKind::Adjustment => {}
        }
        self.shift(entry.user, entry.available, entry.held, at)
    }
}

impl Oracle {
    pub(super) fn granted(&mut self, scene: Scene, user: UserId, credits: i64) {
        let is_overdrawn = self.purses.shift(user, credits, 0, scene.at);
        self.judge_purse(scene, user, is_overdrawn);
    }

    /// A balance below zero is judged when the instant is over: what filled it may be told a moment later.
    fn judge_purse(&mut self, scene: Scene, user: UserId, is_overdrawn: bool) {
        if is_overdrawn {
            self.doubts.push((scene, Doubt::Overdrawn { user }));
        } else {
            self.tally.hold(scene, Law::MoneyConserved, true, String::new);
        }
    }

    pub(super) fn refused(&mut self, scene: Scene, user: UserId, needed: i64, available: i64) {
        self.tally.hold(scene, Law::MoneyConserved, available >= 0 && needed > available, || {
            format!("user {user} was refused an order of {needed} credits with {available}")
        });
        if self.purses.of(user).available == available {
            self.tally.hold(scene, Law::MoneyConserved, true, String::new);
        } else {
            self.doubts.push((scene, Doubt::Figure { user, available }));
        }
    }

    pub(super) fn placed(&mut self, scene: Scene, order: OrderNo, kind: &Kind<'_>) {
        let Kind::Placed { user, first_job, videos, held, confirmation, .. } = *kind else { return };
        self.tally.hold(scene, Law::MoneyConserved, held == i64::from(videos) && videos > 0, || {
            format!("an order of {videos} videos holds {held} credits")
        });
        let is_new = self.purses.confirmed.insert(print::of_pair(user.value(), confirmation));
        self.tally.hold(scene, Law::MoneyConserved, is_new, || {
            format!("user {user}'s confirmation `{confirmation}` placed a second order")
        });
        self.purses.held_ever += held;
        let is_overdrawn = self.purses.shift(user, -held, held, scene.at);
        self.judge_purse(scene, user, is_overdrawn);

        let mut placed = Order { user, first_job, open_jobs: videos, lines: Default::default() };
        let print = print::of_accepted(videos);
        placed.lines[0].open.push_back(Said { job: None, print });
        let mut is_next = self.orders.begin(order.0, placed);
        if is_next {
            self.open_messages += 1;
            for number in 1..=videos {
                let no = JobNo(first_job.0.saturating_add(u32::from(number) - 1));
                let live = Live::placed(order, user, (number, videos), scene.at);
                is_next &= self.jobs.begin(no.0, live);
                self.queue(no);
            }
        }
        self.tally.hold(scene, Law::MoneyConserved, is_next, || {
            format!(
                "order {} with jobs from {} is not the next one: was it placed before?",
                order.0, first_job.0
            )
        });
    }

    pub(super) fn placed_again(&mut self, scene: Scene, order: OrderNo) {
        let is_known = self.orders.place(order.0) != Place::Unknown;
        self.tally.hold(scene, Law::MoneyConserved, is_known, || {
            format!("a confirmation was answered with order {}, which nobody placed", order.0)
        });
    }

    /// Follows the entries of a stored step.
    pub(super) fn post(&mut self, scene: Scene, step: &Step) {
        for entry in &step.entries {
            let is_overdrawn = self.purses.post(entry, scene.at);
            self.judge_purse(scene, entry.user, is_overdrawn);
        }
    }

    /// The ledger's own sums against those of the events.
    pub(super) fn audit(&mut self, scene: Scene, audit: &AuditReport) {
        let purses = &self.purses;
        let figures = [
            ("available", purses.available, audit.available),
            ("held", purses.held, audit.held),
            ("ever held", purses.held_ever, audit.held_ever),
            ("captured", purses.captured, audit.captured),
            ("released", purses.released, audit.released),
        ];
        for (what, told, stored) in figures {
            self.tally.hold(scene, Law::MoneyConserved, told == stored, || {
                format!("{what}: the events add up to {told}, the ledger says {stored}")
            });
        }
        let first = audit.findings.first().map(|finding| finding.what.clone());
        self.tally.hold(scene, Law::MoneyConserved, first.is_none(), || {
            format!(
                "the audit found {} differences, first: {}",
                audit.findings.len(),
                first.unwrap_or_default()
            )
        });
    }
}

/// How a step's entries end the job's credit.
pub(super) fn check(tally: &mut Tally, scene: Scene, live: &Live, told: &Told<'_>) {
    let entries = &told.step.entries;
    let wanted = match told.to {
        Stage::Done => Some(EntryKind::Capture),
        Stage::Refunded | Stage::Cancelled => Some(EntryKind::Release),
        _ => None,
    };
    let is_right = match (wanted, entries.as_slice()) {
        (None, []) => true,
        (Some(kind), [entry]) => {
            let moved = if kind == EntryKind::Capture { (0, -1) } else { (1, -1) };
            entry.kind == kind
                && (entry.available, entry.held) == moved
                && (entry.user, entry.job) == (live.user, Some(told.step.job.id))
                && entry.order == Some(told.step.job.order)
        }
        _ => false,
    };
    tally.hold(scene, Law::OneEndPerHold, is_right, || {
        let kinds: Vec<_> = entries.iter().map(|e| (e.kind.as_str(), e.available, e.held)).collect();
        format!("from {:?} to {:?} with entries {kinds:?}", live.stage, told.to)
    });
    if entries.iter().any(|entry| entry.kind == EntryKind::Capture) {
        tally.hold(scene, Law::CapturedOnlyIfDelivered, live.confirmed_in_hold, || {
            format!("captured under lease {:?}, under which no sending was confirmed", told.lease)
        });
    }
}

/// How a step tells what became of the credit.
pub(super) fn check_told(tally: &mut Tally, scene: Scene, live: &Live, told: &Told<'_>) {
    let (mut refunds, mut cancels, mut is_right) = (0_u32, 0_u32, true);
    for notice in &told.step.notices {
        match (&notice.kind, &told.step.job.state) {
            (NoticeKind::Refunded { cause, credits }, state) => {
                refunds += 1;
                is_right &= matches!(state, State::Refunded { cause: stored, .. } if stored == cause);
                is_right &= credits.value() == 1 && notice.video == Some(live.video);
            }
            (NoticeKind::Cancelled { credits }, _) => {
                cancels += 1;
                is_right &= credits.value() == 1 && notice.video == Some(live.video);
            }
            _ => is_right &= told.to != Stage::Done && told.to != Stage::Cancelled,
        }
    }
    let wanted = (u32::from(told.to == Stage::Refunded), u32::from(told.to == Stage::Cancelled));
    tally.hold(scene, Law::RefundToldOnce, is_right && (refunds, cancels) == wanted, || {
        let kinds: Vec<_> = told.step.notices.iter().map(|notice| &notice.kind).collect();
        format!("{:?} is told with {kinds:?}", told.step.job.state)
    });
    if told.to == Stage::Refunded && live.arrived {
        tally.note("refunded_although_arrived");
        let may_be_anothers = live.changed_hands || told.is_abandoned();
        tally.hold(scene, Law::RefundToldOnce, !live.confirmed_in_hold || may_be_anothers, || {
            format!("{:?} under the lease whose sending was confirmed", told.step.job.state)
        });
    }
}

/// The instant is over: was the balance what it had to be?
pub(super) fn settle(tally: &mut Tally, scene: Scene, purse: Purse, doubt: &Doubt) {
    match *doubt {
        Doubt::Overdrawn { user } => {
            tally.hold(scene, Law::MoneyConserved, purse.available >= 0 && purse.held >= 0, || {
                format!("user {user} has {} credits and {} held", purse.available, purse.held)
            });
        }
        Doubt::Figure { user, available } => {
            // Whatever moved within the instant may have come before the refusal or after it.
            let is_right = purse.available == available || purse.changed_at >= scene.at;
            tally.hold(scene, Law::MoneyConserved, is_right, || {
                format!("user {user} was refused with {available} credits and has {}", purse.available)
            });
        }
        Doubt::Overlap { .. } | Doubt::Refused { .. } | Doubt::Crowded { .. } | Doubt::Breaker(_) => {}
    }
}
