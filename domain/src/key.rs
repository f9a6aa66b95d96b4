//! Which provider key takes the next submission.
//!
//! Limits belong to accounts, cool-downs to keys. A request's own fault never cools a key.

use std::time::Duration;

use crate::{
    failure::{Failure, FailureClass, Reason},
    id::{AccountId, KeyId},
    time::Timestamp,
};

/// What one account may do, as the provider states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountLimits {
    /// Tasks running at once.
    pub running_max: u32,
    /// Tasks created within [`AccountLimits::window`].
    pub creates_max: u32,
    /// The window.
    pub window: Duration,
}

impl Default for AccountLimits {
    /// KIE's documented limits: 20 new tasks per 10 s and "typically 100+" running, per account; clients keep to
    /// 18 per 10 s in practice (KIE docs, getting started, limits).
    fn default() -> Self {
        Self { running_max: 100, creates_max: 18, window: Duration::from_secs(10) }
    }
}

/// A key as the store knows it at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFacts {
    /// Its fingerprint.
    pub key: KeyId,
    /// Whose limits it shares.
    pub account: AccountId,
    /// Out of use until then, and why.
    pub cooling: Option<Cooling>,
    /// Tasks its account is running.
    pub account_running: u32,
    /// Tasks its account created within the window.
    pub account_created: u32,
    /// When the oldest of those leaves the window.
    pub window_frees_at: Option<Timestamp>,
    /// Tasks this key itself is running.
    pub key_running: u32,
}

/// A key out of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cooling {
    /// Until when; only ever moved later.
    pub until: Timestamp,
    /// Why.
    pub cause: CoolingCause,
}

/// Why a key is out of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CoolingCause {
    /// Its account cannot pay.
    Billing,
    /// The provider does not accept it.
    Rejected,
    /// It was used too fast.
    RateLimited,
}

impl CoolingCause {
    /// Every cause.
    pub const ALL: [Self; 3] = [Self::Billing, Self::Rejected, Self::RateLimited];

    /// The word used in stores and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Billing => "billing",
            Self::Rejected => "rejected",
            Self::RateLimited => "rate_limited",
        }
    }

    /// The cause a word stands for.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == word)
    }

    /// Whether waiting a moment helps.
    #[must_use]
    pub const fn passes_by_itself(self) -> bool {
        matches!(self, Self::RateLimited)
    }
}

/// How long a key stays out of use, by cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoolingTimes {
    /// The account cannot pay: long, until somebody tops it up.
    pub billing: Duration,
    /// The key is not accepted: long, until somebody changes it.
    pub rejected: Duration,
    /// Too fast: a window's length.
    pub rate_limited: Duration,
}

impl Default for CoolingTimes {
    fn default() -> Self {
        Self {
            billing: Duration::from_secs(30 * 60),
            rejected: Duration::from_secs(60 * 60),
            rate_limited: Duration::from_secs(10),
        }
    }
}

impl CoolingTimes {
    /// The cool-down a failure puts on the key that met it, if any.
    #[must_use]
    pub fn for_failure(&self, failure: Failure, now: Timestamp) -> Option<Cooling> {
        let (cause, time) = match (failure.class, failure.reason) {
            (FailureClass::Billing, _) => (CoolingCause::Billing, self.billing),
            (FailureClass::Unavailable, Reason::KeyRejected) => (CoolingCause::Rejected, self.rejected),
            (FailureClass::RateLimited, _) => (CoolingCause::RateLimited, self.rate_limited),
            _ => return None,
        };
        Some(Cooling { until: now.after(time), cause })
    }
}

/// The answer of [`choose`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyChoice {
    /// Submit with this key.
    Use(KeyId),
    /// Every usable key is at a limit or cooling for a moment: ask again then.
    Wait(Timestamp),
    /// No key can pay or is accepted: waiting will not help.
    NoneLeft,
}

/// How long to wait for a running task to end before asking again: nothing says when one will.
const RUNNING_RECHECK: Duration = Duration::from_secs(5);

/// The next instant on a common grid: those who wait look together, and the eldest of them goes first.
fn next_recheck(now: Timestamp) -> Timestamp {
    let grid = i64::try_from(RUNNING_RECHECK.as_millis()).unwrap_or(1);
    Timestamp::from_millis((now.as_millis().div_euclid(grid) + 1).saturating_mul(grid))
}

/// Chooses the least loaded usable key; `avoid`, the key that failed last, only when nothing else is usable.
#[must_use]
pub fn choose(
    facts: &[KeyFacts],
    limits: &AccountLimits,
    avoid: Option<&KeyId>,
    now: Timestamp,
) -> KeyChoice {
    let ready = facts.iter().filter(|f| ready_at(f, limits, now) == Some(now));
    let best = ready.min_by_key(|f| (Some(&f.key) == avoid, f.account_running, f.key_running, f.key.clone()));
    if let Some(best) = best {
        return KeyChoice::Use(best.key.clone());
    }
    facts.iter().filter_map(|f| ready_at(f, limits, now)).min().map_or(KeyChoice::NoneLeft, KeyChoice::Wait)
}

/// When a key may next be used; `None` when only a person can bring it back.
fn ready_at(facts: &KeyFacts, limits: &AccountLimits, now: Timestamp) -> Option<Timestamp> {
    let mut at = now;
    if let Some(cooling) = facts.cooling.filter(|c| c.until > now) {
        if !cooling.cause.passes_by_itself() {
            return None;
        }
        at = at.max(cooling.until);
    }
    if facts.account_running >= limits.running_max {
        at = at.max(next_recheck(now));
    }
    if facts.account_created >= limits.creates_max {
        at = at.max(
            facts
                .window_frees_at
                .unwrap_or(now.after(limits.window))
                .max(now.after(Duration::from_millis(1))),
        );
    }
    Some(at)
}
