//! Which provider key takes the next submission.
//!
//! Limits belong to accounts, cool-downs to keys. A request's own fault never cools a key.

use std::time::Duration;

use crate::{
    breaker::{Answers, OutagePolicy},
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
    /// What the provider answered to submissions with this key within [`crate::breaker::WINDOW`], and since the last
    /// outage and the key's own last cool-down ended; nothing while the breaker is open.
    pub answers: Answers,
}

/// A key out of use. A cool-down only moves later; it is over when a submission that was sent after it began is
/// accepted, or, for what passes by itself, when its time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cooling {
    /// When it began, or when the key was last tried.
    pub since: Timestamp,
    /// Until when; then one submission may try the key.
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
    /// The provider fails with it and works with others.
    Faults,
}

impl CoolingCause {
    /// Every cause.
    pub const ALL: [Self; 4] = [Self::Billing, Self::Rejected, Self::RateLimited, Self::Faults];

    /// The word used in stores and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Billing => "billing",
            Self::Rejected => "rejected",
            Self::RateLimited => "rate_limited",
            Self::Faults => "faults",
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
        matches!(self, Self::RateLimited | Self::Faults)
    }
}

/// How long a key stays out of use, by cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoolingTimes {
    /// The account cannot pay: long, until somebody tops it up.
    pub billing: Duration,
    /// The key is not accepted: long, until somebody changes it.
    pub rejected: Duration,
    /// Too fast: a window's length, or what the provider asks for, up to [`Self::rate_limited_max`].
    pub rate_limited: Duration,
    /// The longest time the provider is believed when it says how long to keep away.
    pub rate_limited_max: Duration,
    /// The provider fails with it and works with others.
    pub faults: Duration,
    /// When no key is usable, one job in so long tries the one that is out for longest.
    pub lone_probe: Duration,
}

impl Default for CoolingTimes {
    fn default() -> Self {
        Self {
            billing: Duration::from_secs(30 * 60),
            rejected: Duration::from_secs(60 * 60),
            rate_limited: Duration::from_secs(10),
            rate_limited_max: Duration::from_secs(10 * 60),
            faults: Duration::from_secs(30),
            lone_probe: Duration::from_secs(60),
        }
    }
}

impl CoolingTimes {
    /// The cool-down a failure puts on the key that met it, if any.
    #[must_use]
    pub fn for_failure(&self, failure: Failure, now: Timestamp) -> Option<Cooling> {
        let cause = match (failure.class, failure.reason) {
            (FailureClass::Billing, _) => CoolingCause::Billing,
            (FailureClass::Unavailable, Reason::KeyRejected) => CoolingCause::Rejected,
            (FailureClass::RateLimited, _) => CoolingCause::RateLimited,
            _ => return None,
        };
        Some(self.begin(cause, now))
    }

    /// A cool-down that begins now.
    #[must_use]
    pub fn begin(&self, cause: CoolingCause, now: Timestamp) -> Cooling {
        let time = match cause {
            CoolingCause::Billing => self.billing,
            CoolingCause::Rejected => self.rejected,
            CoolingCause::RateLimited => self.rate_limited,
            CoolingCause::Faults => self.faults,
        };
        Cooling { since: now, until: now.after(time), cause }
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

/// A choice, with the key that goes out of use by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Which key.
    pub choice: KeyChoice,
    /// The chosen key, when it is tried after a cool-down: it stays out of use for everybody else until the try is
    /// accepted.
    pub on_trial: Option<(KeyId, Cooling)>,
    /// A key that fails while others work.
    pub singled_out: Option<(KeyId, Cooling)>,
}

/// Chooses a key: one whose cool-down is over and has to be tried, else the least loaded usable one; `avoid`, the key
/// that failed last, only when nothing else is usable. `outage` says when a key's failures are broad; without it no
/// key is taken out of use for faults.
#[must_use]
pub fn choose(
    facts: &[KeyFacts],
    limits: &AccountLimits,
    cooling: &CoolingTimes,
    outage: Option<&OutagePolicy>,
    avoid: Option<&KeyId>,
    now: Timestamp,
) -> Chosen {
    let out = outage.and_then(|policy| singled_out(facts, policy));
    let singled_out = out.map(|key| (key.clone(), cooling.begin(CoolingCause::Faults, now)));
    let told = |choice| Chosen { choice, on_trial: None, singled_out: singled_out.clone() };
    let tried = |facts: &KeyFacts, cause| Chosen {
        choice: KeyChoice::Use(facts.key.clone()),
        on_trial: Some((facts.key.clone(), cooling.begin(cause, now))),
        singled_out: singled_out.clone(),
    };
    let has_room = |facts: &&KeyFacts| room_at(facts, limits, now) == now;
    let is_usable = |facts: &&KeyFacts| standing(facts, now) == Standing::Usable && Some(&facts.key) != out;
    let on_trial = |facts: &KeyFacts| match standing(facts, now) {
        Standing::OnTrial(cause) => Some(cause),
        _ => None,
    };
    // One try of a key whose cool-down is over, by a job that did not just fail with it.
    let fresh = facts.iter().filter(has_room).filter(|f| Some(&f.key) != avoid);
    if let Some((facts, cause)) = fresh.filter_map(|f| Some((f, on_trial(f)?))).next() {
        return tried(facts, cause);
    }
    let load = |f: &&KeyFacts| (Some(&f.key) == avoid, f.account_running, f.key_running, f.key.clone());
    if let Some(best) = facts.iter().filter(is_usable).filter(has_room).min_by_key(load) {
        return told(KeyChoice::Use(best.key.clone()));
    }
    let waits = facts.iter().filter_map(|facts| {
        let room_at = room_at(facts, limits, now);
        match standing(facts, now) {
            Standing::Usable if Some(&facts.key) != out => Some(room_at),
            Standing::OnTrial(_) if room_at > now => Some(room_at),
            Standing::Passes(until) => Some(room_at.max(until)),
            Standing::Usable | Standing::OnTrial(_) | Standing::Out(_) => None,
        }
    });
    if let Some(at) = waits.min() {
        return told(KeyChoice::Wait(at));
    }
    if let Some((facts, cause)) = facts.iter().filter(has_room).find_map(|f| Some((f, on_trial(f)?))) {
        return tried(facts, cause);
    }
    // Nothing is left. A lone key is tried now and then instead of being given up for its whole cool-down.
    let lone = facts.iter().filter(has_room).filter_map(|facts| match standing(facts, now) {
        Standing::Out(cooling) => Some((facts, cooling)),
        _ => None,
    });
    match lone.min_by_key(|(facts, cooling)| (cooling.since, facts.key.clone())) {
        Some((facts, last)) if last.since.after(cooling.lone_probe) <= now => tried(facts, last.cause),
        _ => told(KeyChoice::NoneLeft),
    }
}

/// Where a key stands, its account's limits aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It may be used.
    Usable,
    /// Out of use, and back by itself.
    Passes(Timestamp),
    /// Its cool-down is over, and nobody knows whether it works.
    OnTrial(CoolingCause),
    /// Out of use until a person does something.
    Out(Cooling),
}

/// Where a key stands at this instant.
#[must_use]
pub fn standing(facts: &KeyFacts, now: Timestamp) -> Standing {
    match facts.cooling {
        None => Standing::Usable,
        Some(cooling) if cooling.until <= now && cooling.cause == CoolingCause::RateLimited => {
            Standing::Usable
        }
        Some(cooling) if cooling.until <= now => Standing::OnTrial(cooling.cause),
        Some(cooling) if cooling.cause.passes_by_itself() => Standing::Passes(cooling.until),
        Some(cooling) => Standing::Out(cooling),
    }
}

/// The key that fails broadly while another one, used in the same minute, works.
#[must_use]
pub fn singled_out<'a>(facts: &'a [KeyFacts], policy: &OutagePolicy) -> Option<&'a KeyId> {
    let (least, percent) = (policy.answers_min, policy.faults_percent);
    let in_use = || facts.iter().filter(|f| f.cooling.is_none());
    let fails = in_use().find(|f| f.answers.are_faults(least, percent))?;
    // Half the share: at the beginning of an outage all keys are on their way up.
    let works = |f: &KeyFacts| f.answers.accepted > 0 && !f.answers.are_faults(1, percent.div_ceil(2));
    in_use().any(|f| f.key != fails.key && works(f)).then_some(&fails.key)
}

/// When a key's account has room for another task.
fn room_at(facts: &KeyFacts, limits: &AccountLimits, now: Timestamp) -> Timestamp {
    let mut at = now;
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
    at
}
