//! Plain counters.

use std::collections::BTreeMap;

use domain::{failure::FailureClass, job::AttemptStatus, notice::RefundCause};

use super::distribution::seconds;
use crate::{
    report::data::{Calls, Counts, FailureCount, FaultCount, Money},
    trace::{CallEnd, CallbackEnd, Injected, OutsideCall, SendEnd, Site},
};

/// What was done about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    Retried,
    SentAgain,
    Refunded,
}

#[derive(Debug, Clone, Copy, Default)]
struct CallTally {
    ends: [u64; 3],
    longest_ms: u64,
}

/// How often things happened.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) orders: u64,
    pub(super) orders_by_size: BTreeMap<u8, u64>,
    pub(super) duplicates: u64,
    pub(super) refused: u64,
    pub(super) videos: u64,
    pub(super) delivered: u64,
    pub(super) refunded: u64,
    pub(super) causes: BTreeMap<RefundCause, u64>,
    pub(super) cancelled: u64,
    pub(super) cancels_refused: u64,
    pub(super) never_rendered: u64,
    pub(super) retries: BTreeMap<u8, u64>,
    pub(super) attempts: [u64; AttemptStatus::ALL.len()],
    pub(super) double_submissions: u64,
    pub(super) callbacks: BTreeMap<CallbackEnd, u64>,
    calls: [CallTally; OutsideCall::ALL.len()],
    failures: [[u64; 3]; FailureClass::ALL.len()],
    pub(super) deliveries_put_off: u64,
    pub(super) faults: BTreeMap<(Site, Injected), u64>,
    pub(super) claims: u64,
    pub(super) steps: u64,
    pub(super) rescues_dead: u64,
    pub(super) rescues_hung: u64,
    pub(super) given_back: u64,
    pub(super) starts: u64,
    pub(super) kills: u64,
    pub(super) kills_in_call: u64,
    pub(super) outdated_writes: u64,
    texts: [u64; 4],
    videos_sent: [u64; 4],
    pub(super) notices_given_up: u64,
    pub(super) granted: i64,
    pub(super) held: i64,
    pub(super) captured: i64,
    pub(super) released: i64,
}

/// Every way a sending can end, with its word.
const SENDINGS: [(SendEnd, &str); 4] = [
    (SendEnd::Sent, "sent"),
    (SendEnd::Failed, "failed"),
    (SendEnd::Unanswered, "unanswered"),
    (SendEnd::Gone, "gone"),
];

/// The word for how a sending ended.
pub(in crate::report) fn sending(end: SendEnd) -> &'static str {
    SENDINGS.iter().find(|(known, _)| *known == end).map_or("", |(_, word)| word)
}

impl Tally {
    pub(super) fn called(&mut self, call: OutsideCall, end: CallEnd, took_ms: u64) {
        let tally = &mut self.calls[call as usize];
        let place = match end {
            CallEnd::Yes => 0,
            CallEnd::No(_) => 1,
            CallEnd::Unknown => 2,
        };
        tally.ends[place] += 1;
        tally.longest_ms = tally.longest_ms.max(took_ms);
    }

    pub(super) const fn video_sent(&mut self, end: SendEnd) {
        self.videos_sent[end as usize] += 1;
    }

    pub(super) const fn text_sent(&mut self, end: SendEnd) {
        self.texts[end as usize] += 1;
    }

    pub(super) const fn failed(&mut self, class: FailureClass, done: Done) {
        self.failures[class as usize][done as usize] += 1;
    }

    pub(super) const fn attempts_of(&self, status: AttemptStatus) -> u64 {
        self.attempts[status as usize]
    }

    pub(super) const fn money(&self) -> Money {
        Money {
            granted: self.granted,
            held_ever: self.held,
            captured: self.captured,
            released: self.released,
            open_holds: self.held - self.captured - self.released,
            available: self.granted - self.held + self.released,
        }
    }

    pub(super) fn counts(&self, unfinished: u64) -> Counts {
        Counts {
            orders: self.orders,
            orders_by_size: self.orders_by_size.clone(),
            duplicates: self.duplicates,
            refused: self.refused,
            videos: self.videos,
            delivered: self.delivered,
            refunded: self.refunded,
            refunded_by_cause: self.causes.iter().map(|(cause, n)| (cause.code(), *n)).collect(),
            cancelled: self.cancelled,
            cancels_refused: self.cancels_refused,
            never_rendered: self.never_rendered,
            unfinished,
            by_group: Vec::new(),
            retries: self.retries.clone(),
            attempts: words(AttemptStatus::ALL.map(AttemptStatus::as_str).into_iter().zip(self.attempts)),
            submissions: self.attempts_of(AttemptStatus::Sent),
            lost_submissions: self.attempts_of(AttemptStatus::Lost),
            double_submissions: self.double_submissions,
            callbacks: self.callbacks.iter().map(|(end, count)| (end.as_str().to_owned(), *count)).collect(),
            calls: self.calls(),
            failures: self.failures(),
            deliveries_put_off: self.deliveries_put_off,
            faults: self.faults(),
            claims: self.claims,
            steps: self.steps,
            rescues_dead: self.rescues_dead,
            rescues_hung: self.rescues_hung,
            given_back: self.given_back,
            starts: self.starts,
            kills: self.kills,
            kills_in_call: self.kills_in_call,
            outdated_writes: self.outdated_writes,
            texts: words(SENDINGS.map(|(_, word)| word).into_iter().zip(self.texts)),
            videos_sent: words(SENDINGS.map(|(_, word)| word).into_iter().zip(self.videos_sent)),
            notices_given_up: self.notices_given_up,
        }
    }

    fn calls(&self) -> Vec<Calls> {
        let calls = OutsideCall::ALL.into_iter().zip(&self.calls);
        let calls = calls.filter(|(_, tally)| tally.ends.iter().any(|n| *n > 0));
        calls
            .map(|(call, CallTally { ends: [yes, no, unknown], longest_ms })| Calls {
                call: call.as_str().to_owned(),
                yes: *yes,
                no: *no,
                unknown: *unknown,
                longest_s: seconds(*longest_ms),
            })
            .collect()
    }

    fn failures(&self) -> Vec<FailureCount> {
        let classes = FailureClass::ALL.into_iter().zip(self.failures);
        let counts = classes.map(|(class, [retried, sent_again, refunded])| FailureCount {
            class: class.as_str().to_owned(),
            total: retried + sent_again + refunded,
            retried,
            sent_again,
            refunded,
        });
        counts.filter(|count| count.total > 0).collect()
    }

    fn faults(&self) -> Vec<FaultCount> {
        let faults = self.faults.iter().map(|((site, fault), count)| FaultCount {
            site: site.as_str().to_owned(),
            fault: fault.as_str().to_owned(),
            count: *count,
        });
        faults.collect()
    }
}

/// The counters that counted anything, by their words.
fn words(counts: impl Iterator<Item = (&'static str, u64)>) -> BTreeMap<String, u64> {
    counts.filter(|(_, n)| *n > 0).map(|(word, n)| (word.to_owned(), n)).collect()
}
