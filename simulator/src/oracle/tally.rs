//! What was checked, and what was found broken.

use std::collections::BTreeMap;

use domain::time::Timestamp;

use crate::trace::{JobNo, OrderNo};

/// An invariant that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Which, by the name in [`INVARIANTS`].
    pub invariant: &'static str,
    /// What was found instead.
    pub what: String,
    /// When it was noticed.
    pub at: Timestamp,
    /// The event that showed it.
    pub seq: u64,
    /// Whose job, if one job's.
    pub job: Option<JobNo>,
    /// Which order, if one order's.
    pub order: Option<OrderNo>,
}

/// An invariant, by its place in [`INVARIANTS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Law {
    MoneyConserved,
    OneEndPerHold,
    CapturedOnlyIfDelivered,
    RefundToldOnce,
    MessagesInOrder,
    NoMessageTwice,
    LegalTransitions,
    OneHolder,
    ProviderLimits,
    ProviderBill,
    RetryDiscipline,
    Liveness,
    Fairness,
    NoPrematureMessage,
    ContextKept,
    ModelFallback,
    OutageDiscipline,
}

/// Every invariant: its name and what it means.
pub const INVARIANTS: &[(&str, &str)] = &[
    (
        "money_conserved",
        "A user's credits are what was granted less what is held and captured, never negative; an order holds a credit \
         a video, once, however often it is confirmed; at the end the ledger's audit says the same.",
    ),
    (
        "one_end_per_hold",
        "A job's credit ends in exactly one capture or release, stored with the step that ends the job and explained by \
         its state.",
    ),
    (
        "captured_only_if_delivered",
        "A credit is captured only after the messenger confirmed the video to the worker that captures it.",
    ),
    (
        "refund_told_once",
        "The step that gives a credit back says so in exactly one message, no other step does, and nobody whose video \
         was confirmed is told that it failed.",
    ),
    (
        "messages_in_order",
        "Each message is closed exactly once, in the order in which the messages of its order were written, towards \
         the one it is for; it counts as sent only once the messenger has confirmed it.",
    ),
    (
        "no_message_twice",
        "A text is sent only while there is something to say, and not again within a claim that confirmed it.",
    ),
    (
        "legal_transitions",
        "A job moves as the transition table says, about its present attempt only; a finished job never moves again.",
    ),
    (
        "one_holder",
        "A job has one holder at a time; lease numbers grow; a step is stored under the newest lease or not at all; \
         nobody loses a job before its lease or deadline is over.",
    ),
    (
        "provider_limits",
        "No account runs more tasks, or creates more within ten seconds, than it may; and no more attempts are \
         recorded for it than the limits the product keeps for itself allow.",
    ),
    (
        "provider_bill",
        "Every task at the provider has a recorded attempt; a task that exists is adopted or written off as lost, never \
         taken for refused, and looked for at its own account; lost answers are waited for and resubmitted only so often; each charge is explained.",
    ),
    (
        "retry_discipline",
        "What the provider says is judged as what it is, and each kind of failure leads to what its class says: \
         promised delays and no more of them than there are, a key out of use only when it is to blame, no \
         retry for a user's fault, none used up by back-pressure or billing; nothing is taken up before it is due.",
    ),
    (
        "liveness",
        "Once every fault is over, all jobs end, all messages are closed and nothing stays held within the time \
         allowed; idle workers do not leave due jobs lying.",
    ),
    (
        "fairness",
        "The most urgent job that is due is not passed over for longer than the bound while less urgent ones are \
         taken.",
    ),
    (
        "no_premature_message",
        "Nothing is said about an order before it is placed, no video is sent before it is made, and no render is \
         announced before the provider has a task.",
    ),
    (
        "context_kept",
        "A job's prompt never changes and its photo changes only by an upload, however often the job is retried.",
    ),
    (
        "model_fallback",
        "A job is submitted with what was ordered or with an allowed model that costs no more; a model that was refused \
         rests until its cool-down is over; the operator hears of it once; no credit comes back for want of a model \
         while an allowed one was not refused.",
    ),
    (
        "outage_discipline",
        "The breaker opens by a broad share of the provider's own faults and closes by a probe that succeeded, each time \
         told once; while it is open nobody submits but one probe at a time, whose failure uses up no retry, and a user \
         hears of an outage once.",
    ),
];

/// How many broken invariants are kept in full.
const KEPT: usize = 50;

/// Which event is being judged, and whom it is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scene {
    pub(super) at: Timestamp,
    pub(super) seq: u64,
    pub(super) job: Option<JobNo>,
    pub(super) order: Option<OrderNo>,
}

/// Counts of checks and everything found broken.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) broken: Vec<Broken>,
    pub(super) more: u64,
    checked: [u64; INVARIANTS.len()],
    /// What is allowed and yet worth knowing.
    pub(super) noted: BTreeMap<&'static str, u64>,
}

impl Tally {
    /// Checks once; `what` is asked only when `holds` is false.
    pub(super) fn hold(&mut self, scene: Scene, law: Law, holds: bool, what: impl FnOnce() -> String) {
        if let Some(checked) = self.checked.get_mut(law as usize) {
            *checked += 1;
        }
        if !holds {
            self.found(scene, law, what());
        }
    }

    fn found(&mut self, scene: Scene, law: Law, what: String) {
        if self.broken.len() >= KEPT {
            self.more += 1;
            return;
        }
        let invariant = INVARIANTS.get(law as usize).map_or("", |(name, _)| *name);
        let Scene { at, seq, job, order } = scene;
        self.broken.push(Broken { invariant, what, at, seq, job, order });
    }

    pub(super) fn note(&mut self, name: &'static str) {
        *self.noted.entry(name).or_default() += 1;
    }

    pub(super) fn checks(&self) -> BTreeMap<&'static str, u64> {
        INVARIANTS.iter().zip(self.checked).map(|((name, _), count)| (*name, count)).collect()
    }
}
