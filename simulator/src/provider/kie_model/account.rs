//! A provider account: keys, money, limits.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use domain::time::Timestamp;

use super::KieCredits;

/// An account as a plan describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountPlan {
    /// Its keys.
    pub keys: Vec<String>,
    /// What is on it.
    pub balance: KieCredits,
    /// Whether its keys are accepted.
    pub accepted: bool,
    /// New tasks allowed within ten seconds: 20 (KIE docs, getting started, limits).
    pub creates_per_window: usize,
    /// Tasks running at once: "typically 100+" (same page).
    pub running_max: usize,
}

impl AccountPlan {
    /// An account with one key, plenty of money and the documented limits.
    #[must_use]
    pub fn with_key(key: impl Into<String>) -> Self {
        Self {
            keys: vec![key.into()],
            balance: KieCredits::whole(10_000),
            accepted: true,
            creates_per_window: 20,
            running_max: 100,
        }
    }
}

/// The window of the create limit.
pub(super) const WINDOW: Duration = Duration::from_secs(10);

/// An account as it stands.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) plan: AccountPlan,
    pub(super) balance: KieCredits,
    /// Tasks that have not been settled, by when they end.
    pub(super) open: BTreeSet<(Timestamp, String)>,
    /// What the open tasks will cost if they succeed.
    pub(super) reserved: KieCredits,
    created: VecDeque<Timestamp>,
}

impl Account {
    pub(super) fn new(plan: AccountPlan) -> Self {
        Self {
            balance: plan.balance,
            plan,
            open: BTreeSet::new(),
            reserved: KieCredits::default(),
            created: VecDeque::new(),
        }
    }

    /// Whether one more task may be created now. What has ended by now must have been settled.
    pub(super) fn has_room(&mut self, now: Timestamp) -> bool {
        while self.created.front().is_some_and(|at| now.since(*at) >= WINDOW) {
            self.created.pop_front();
        }
        self.created.len() < self.plan.creates_per_window && self.open.len() < self.plan.running_max
    }

    pub(super) fn note_creation(&mut self, task: String, ends: Timestamp, price: KieCredits, now: Timestamp) {
        self.created.push_back(now);
        self.open.insert((ends, task));
        self.reserved = self.reserved.plus(price);
    }

    /// Tasks created within the window that ends with the last one.
    pub(super) fn created_in_window(&self) -> usize {
        self.created.len()
    }
}
