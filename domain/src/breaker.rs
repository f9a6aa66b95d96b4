//! The breaker: when the provider fails broadly, nobody submits but one probe at a time.
//!
//! What counts is the share of submissions that failed by the provider's own fault, among those that were answered of
//! late, and never their number: a busy evening has more failures than a quiet night and is no outage. What a request,
//! an account or our haste is to blame for says that the provider works, and never counts.

use std::time::Duration;

use crate::{
    failure::{Failure, FailureClass},
    id::JobId,
    key::{AccountLimits, CoolingCause, KeyFacts, singled_out},
    time::Timestamp,
};

/// How far back answers are counted.
pub const WINDOW: Duration = Duration::from_secs(60);

/// When to stop submitting, and how to find out that the provider works again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutagePolicy {
    /// With fewer answers within [`WINDOW`] nothing is concluded.
    pub answers_min: u32,
    /// The same shortly after an outage, while submissions are still few.
    pub answers_min_after_outage: u32,
    /// The share of faults from which on the provider counts as down, in percent.
    pub faults_percent: u32,
    /// How long after the first sign of an outage the first probe goes out; it doubles with each probe.
    pub first_probe: Duration,
    /// The longest time between two probes.
    pub longest_probe: Duration,
    /// How long a probe's answer usually takes: whoever waits for its end comes no earlier.
    pub probe_takes: Duration,
    /// A probe without any answer stands in nobody's way for longer than this: its worker may have died.
    pub probe_given_up: Duration,
    /// Submissions within the first window of [`AccountLimits::window`] after an outage, over all accounts; twice as
    /// many in each further one, up to the accounts' own limits.
    pub first_after_outage: u32,
}

impl Default for OutagePolicy {
    fn default() -> Self {
        let s = Duration::from_secs;
        Self {
            answers_min: 10,
            answers_min_after_outage: 4,
            faults_percent: 50,
            first_probe: s(30),
            longest_probe: s(120),
            probe_takes: s(5),
            probe_given_up: s(180),
            first_after_outage: 2,
        }
    }
}

impl OutagePolicy {
    /// How long to wait after probe number `probes`, from 0 for the opening itself.
    #[must_use]
    pub fn probe_in(&self, probes: u32) -> Duration {
        let factor = 2_u32.checked_pow(probes).unwrap_or(u32::MAX);
        self.first_probe.saturating_mul(factor).min(self.longest_probe)
    }

    /// How many submissions there may be within a window so long after an outage.
    fn allowance(&self, windows: u32) -> u32 {
        self.first_after_outage.max(1).saturating_mul(2_u32.checked_pow(windows).unwrap_or(u32::MAX))
    }
}

/// What an answer says about the provider's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// It accepted the task.
    Accepted,
    /// It refused for a reason that is ours, a user's or a key's: it works.
    Refused,
    /// It failed, or did not answer.
    Fault,
}

impl Answer {
    /// Every answer.
    pub const ALL: [Self; 3] = [Self::Accepted, Self::Refused, Self::Fault];

    /// What a refusal says.
    #[must_use]
    pub const fn of(failure: Failure) -> Self {
        if is_providers_fault(failure) { Self::Fault } else { Self::Refused }
    }

    /// The word used in stores and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Fault => "fault",
        }
    }

    /// The answer a word stands for.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|answer| answer.as_str() == word)
    }
}

/// Whether a failure is the provider's own, and not a request's, an account's or our haste.
#[must_use]
pub const fn is_providers_fault(failure: Failure) -> bool {
    matches!(failure.class, FailureClass::Temporary | FailureClass::Unknown)
}

/// Answers within [`WINDOW`], without [`Answer::Refused`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Answers {
    /// Tasks accepted.
    pub accepted: u32,
    /// Faults.
    pub faults: u32,
}

impl Answers {
    /// Whether there are `least` answers, and so many percent of them or more are faults.
    #[must_use]
    pub fn are_faults(self, least: u32, percent: u32) -> bool {
        let all = u64::from(self.accepted) + u64::from(self.faults);
        all >= u64::from(least.max(1)) && u64::from(self.faults) * 100 >= all * u64::from(percent)
    }

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            accepted: self.accepted.saturating_add(other.accepted),
            faults: self.faults.saturating_add(other.faults),
        }
    }
}

/// The breaker as the store keeps it, one for all hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breaker {
    /// Submissions go out.
    Closed {
        /// When the last outage ended, if there was one. Older answers are not counted.
        since: Option<Timestamp>,
        /// Places given to jobs that had to wait since then.
        waiting: u32,
    },
    /// The provider is down: one probe at a time.
    Open {
        /// Since when.
        since: Timestamp,
        /// When the next probe may start.
        probe_at: Timestamp,
        /// Probes so far.
        probes: u32,
        /// The last of them.
        probe: Option<Probe>,
        /// Places given to jobs that wait, since the last probe.
        waiting: u32,
    },
}

impl Default for Breaker {
    fn default() -> Self {
        Self::Closed { since: None, waiting: 0 }
    }
}

impl Breaker {
    /// Whether nobody but a probe may submit.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Open { .. })
    }

    /// Before this no answer counts: a former outage says nothing about the present. While it is open none does.
    #[must_use]
    pub const fn counts_from(&self) -> Option<Timestamp> {
        match self {
            Self::Closed { since, .. } => *since,
            Self::Open { .. } => None,
        }
    }

    /// The last probe of an open breaker.
    #[must_use]
    pub const fn probe(&self) -> Option<Probe> {
        match self {
            Self::Closed { .. } => None,
            Self::Open { probe, .. } => *probe,
        }
    }
}

/// A job that tries whether the provider works again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// Which.
    pub job: JobId,
    /// Since when.
    pub since: Timestamp,
}

/// All that is known of the provider at one instant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProviderFacts {
    /// Its keys, in the roster's order.
    pub keys: Vec<KeyFacts>,
    /// The breaker.
    pub breaker: Breaker,
    /// The newest answer to the probing job after its probe began: one of that very instant is to an earlier call.
    pub probe_answer: Option<Answer>,
}

impl ProviderFacts {
    /// The answers that say something about the provider: those of a key that fails while others work say something
    /// about that key.
    #[must_use]
    pub fn answers(&self, policy: &OutagePolicy) -> Answers {
        let out = singled_out(&self.keys, policy);
        let is_out = |facts: &KeyFacts| {
            facts.cooling.is_some_and(|cooling| cooling.cause == CoolingCause::Faults)
                || out == Some(&facts.key)
        };
        let counted = self.keys.iter().filter(|facts| !is_out(facts));
        counted.fold(Answers::default(), |all, facts| all.and(facts.answers))
    }

    /// Tasks created within the window, and the most that may be, over all accounts.
    fn created(&self, limits: &AccountLimits) -> (u32, u32) {
        let mut accounts: Vec<_> = self.keys.iter().map(|k| (&k.account, k.account_created)).collect();
        accounts.sort_unstable();
        accounts.dedup_by(|one, other| one.0 == other.0);
        let created = accounts.iter().fold(0_u32, |sum, (_, created)| sum.saturating_add(*created));
        let number = u32::try_from(accounts.len()).unwrap_or(u32::MAX);
        (created, limits.creates_max.saturating_mul(number).max(1))
    }
}

/// Who asks whether it may submit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asking {
    /// The job.
    pub job: JobId,
    /// Whether a lost answer would end it: then others probe first.
    pub is_careful: bool,
}

/// The breaker's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Submit.
    Go,
    /// Submit: this is the probe. Its failure uses up no retry.
    Probe,
    /// The provider works again and must not be overrun: ask again then.
    Slowly(Timestamp),
    /// The provider is down: ask again then.
    Hold(Timestamp),
}

/// What the breaker did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It opened.
    Opened,
    /// It closed.
    Closed,
}

/// The breaker's word, and what it is afterwards. Both are stored together or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ruling {
    /// The word.
    pub verdict: Verdict,
    /// The breaker afterwards.
    pub breaker: Breaker,
    /// What an operator hears of.
    pub change: Option<Change>,
}

/// Asks the breaker. Stores do so inside the transaction that opens an attempt, so that all hosts see one breaker.
#[must_use]
pub fn ask(
    facts: &ProviderFacts,
    asking: Asking,
    limits: &AccountLimits,
    policy: &OutagePolicy,
    now: Timestamp,
) -> Ruling {
    let (created, most) = facts.created(limits);
    let pace = Pace { created, most, window: limits.window };
    match facts.breaker {
        Breaker::Closed { since, waiting } => {
            let is_ramp = pace.allowed(since, policy, now) < most;
            let least = if is_ramp { policy.answers_min_after_outage } else { policy.answers_min };
            if facts.answers(policy).are_faults(least, policy.faults_percent) {
                let probe_at = now.after(policy.probe_in(0));
                let open = Breaker::Open { since: now, probe_at, probes: 0, probe: None, waiting: 0 };
                let ruling = hold(open, None, asking, &pace, policy, now);
                return Ruling { change: Some(Change::Opened), ..ruling };
            }
            pace.ruling(since, waiting, policy, now)
        }
        Breaker::Open { since, probe_at, probes, probe, waiting } => {
            let mine = probe.is_some_and(|probe| probe.job == asking.job);
            match facts.probe_answer {
                Some(Answer::Accepted | Answer::Refused) => {
                    let ruling = pace.ruling(Some(now), 0, policy, now);
                    return Ruling { change: Some(Change::Closed), ..ruling };
                }
                // From the photo to the submission; nobody else probes while it is on its way.
                None if mine => {
                    let probe = Some(Probe { job: asking.job, since: now });
                    let breaker = Breaker::Open { since, probe_at, probes, probe, waiting };
                    return Ruling { verdict: Verdict::Probe, breaker, change: None };
                }
                // In flight, or its worker is dead.
                None if probe.is_some_and(|p| now < p.since.after(policy.probe_given_up)) => {}
                None | Some(Answer::Fault) if is_due(asking, mine, probe_at, policy, now) => {
                    let probes = probes.saturating_add(1);
                    let breaker = Breaker::Open {
                        since,
                        probe_at: now.after(policy.probe_in(probes)),
                        probes,
                        probe: Some(Probe { job: asking.job, since: now }),
                        waiting: 0,
                    };
                    return Ruling { verdict: Verdict::Probe, breaker, change: None };
                }
                None | Some(Answer::Fault) => {}
            }
            let in_flight = probe.filter(|_| facts.probe_answer.is_none());
            hold(facts.breaker, in_flight, asking, &pace, policy, now)
        }
    }
}

/// Whoever probed last, or cannot afford another lost answer, leaves the probe to others for a moment.
fn is_due(asking: Asking, mine: bool, probe_at: Timestamp, policy: &OutagePolicy, now: Timestamp) -> bool {
    let yields = mine || asking.is_careful;
    now >= if yields { probe_at.after(policy.probe_takes) } else { probe_at }
}

/// Gives a job its place among those that wait: the first is the next probe, the others come after its answer, one by
/// one, as fast as the accounts could take them.
fn hold(
    breaker: Breaker,
    in_flight: Option<Probe>,
    asking: Asking,
    pace: &Pace,
    policy: &OutagePolicy,
    now: Timestamp,
) -> Ruling {
    let Breaker::Open { since, probe_at, probes, probe, waiting } = breaker else {
        return Ruling { verdict: Verdict::Go, breaker, change: None };
    };
    let told = |until: Timestamp, waiting| {
        let breaker = Breaker::Open { since, probe_at, probes, probe, waiting };
        let until = until.max(now.after(Duration::from_secs(1)));
        Ruling { verdict: Verdict::Hold(until), breaker, change: None }
    };
    // The answer that is on its way is worth more than the next one.
    let answered_at = in_flight.map(|probe| probe.since.after(policy.probe_takes));
    if let Some(at) = answered_at.filter(|at| *at > now) {
        return told(at, waiting);
    }
    let yields = asking.is_careful || probe.is_some_and(|probe| probe.job == asking.job);
    let after_probe = probe_at.max(now).after(policy.probe_takes).after(pace.place(waiting));
    match (waiting, yields) {
        (0, true) => told(after_probe, 0),
        (0, false) => told(probe_at, 1),
        _ => told(after_probe, waiting.saturating_add(1)),
    }
}

/// How fast submissions go out, over all accounts.
struct Pace {
    created: u32,
    most: u32,
    window: Duration,
}

impl Pace {
    /// How long after the first of those who wait this one comes.
    fn place(&self, waiting: u32) -> Duration {
        self.window.saturating_mul(waiting) / self.most
    }

    fn windows(&self, since: Timestamp, now: Timestamp) -> u32 {
        let window = self.window.as_millis().max(1);
        u32::try_from(now.since(since).as_millis() / window).unwrap_or(u32::MAX)
    }

    fn allowed(&self, since: Option<Timestamp>, policy: &OutagePolicy, now: Timestamp) -> u32 {
        since.map_or(u32::MAX, |since| policy.allowance(self.windows(since, now))).min(self.most)
    }

    fn ruling(
        &self,
        since: Option<Timestamp>,
        waiting: u32,
        policy: &OutagePolicy,
        now: Timestamp,
    ) -> Ruling {
        let go = Ruling { verdict: Verdict::Go, breaker: Breaker::Closed { since, waiting }, change: None };
        let Some(since) = since else { return go };
        let allowed = self.allowed(Some(since), policy, now);
        if allowed >= self.most || self.created < allowed {
            return go;
        }
        let windows = self.windows(since, now).saturating_add(1);
        let until = since.after(self.window.saturating_mul(windows)).after(self.place(waiting % self.most));
        let breaker = Breaker::Closed { since: Some(since), waiting: waiting.wrapping_add(1) };
        Ruling {
            verdict: Verdict::Slowly(until.max(now.after(Duration::from_millis(1)))),
            breaker,
            change: None,
        }
    }
}
