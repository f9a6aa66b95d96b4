//! The breaker, seen from outside: who submits while it is open, what opens it and what closes it.
//!
//! Answers are counted again from what happened to attempts and uploads, not from what the product noted about them.

use std::collections::{BTreeMap, VecDeque};

use domain::{
    breaker::{Breaker, OutagePolicy, WINDOW, is_providers_fault},
    failure::Reason,
    job::AttemptStatus,
    notice::NoticeKind,
    time::Timestamp,
};

use super::{
    doubts::Doubt,
    jobs::Told,
    tally::{Law, Scene},
    watch::Oracle,
};
use crate::trace::{CallEnd, JobNo, OutsideCall};

const LAW: Law = Law::OutageDiscipline;

/// How many answers the product may have counted otherwise: those at the edge of the window.
const SLACK: u64 = 2;

/// What is known of the breaker.
#[derive(Debug, Default)]
pub(super) struct Outage {
    is_open: bool,
    /// When it was last told to open or close.
    changed_at: Timestamp,
    has_ended: bool,
    /// When the probe of this outage was answered by a provider that works, if it was.
    proved_at: Option<Timestamp>,
    /// Jobs that probe, and since when.
    probing: BTreeMap<u32, Timestamp>,
    /// The last job that probed: its task may be heard of after its answer was lost.
    last_probe: Option<u32>,
    /// Answers of late, and whether each was a fault.
    answers: VecDeque<(Timestamp, bool)>,
}

/// What may turn out right about the breaker within the instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BreakerDoubt {
    /// A job went to the provider, as a probe or not, while the breaker was known to be in the other state.
    Sent { as_probe: bool },
    /// A job was told that the provider is down while it was not known to be.
    Held,
    /// It closed before its probe was known to have succeeded.
    Unproved,
    /// Several jobs probed at once.
    Crowd,
}

impl Outage {
    fn answered(&mut self, at: Timestamp, is_fault: bool) {
        self.answers.push_back((at, is_fault));
        while self.answers.front().is_some_and(|(from, _)| at.since(*from) > WINDOW) {
            self.answers.pop_front();
        }
    }

    fn probes(&self, policy: &OutagePolicy, now: Timestamp) -> usize {
        self.probing.values().filter(|since| now < since.after(policy.probe_given_up)).count()
    }
}

impl Oracle {
    /// A photo's upload came back.
    pub(super) fn uploaded(&mut self, at: Timestamp, call: OutsideCall, end: CallEnd) {
        let is_fault = match end {
            // An upload names no model: what is said of one is nothing anybody knows.
            CallEnd::No(failure) => is_providers_fault(failure) || failure.reason == Reason::ModelUnavailable,
            CallEnd::Unknown => true,
            CallEnd::Yes => false,
        };
        if call == OutsideCall::Upload && is_fault {
            self.outage.answered(at, true);
        }
    }

    /// Follows a stored step and holds it against what is known of the breaker. `was_held` is whether an outage held the
    /// job before.
    pub(super) fn follow_outage(&mut self, scene: Scene, job: JobNo, was_held: bool, told: &Told<'_>) {
        let at = scene.at;
        let step = told.step;
        self.count_answer(at, job, told);
        let says = |kind: &NoticeKind| step.notices.iter().filter(|notice| notice.kind == *kind).count();
        let (began, ended) = (says(&NoticeKind::OutageBegan), says(&NoticeKind::OutageEnded));
        let Some(policy) = self.setup.retry.outage else {
            let is_quiet = step.breaker.is_none() && !step.job.is_probe && began + ended == 0;
            self.tally.hold(scene, LAW, is_quiet, || "there is no breaker, and it did something".to_owned());
            return;
        };
        self.probe(at, job, told);
        self.turn(scene, &policy, (began, ended), step.breaker);
        self.still_open(scene, step.breaker);

        let told_of = says(&NoticeKind::ProviderDown);
        self.tally.hold(scene, LAW, told_of == 0 || (told_of == 1 && !was_held), || {
            "the user was told of the same outage before".to_owned()
        });
        if told_of > 0 && !self.outage.is_open {
            self.doubts.push((scene, Doubt::Breaker(BreakerDoubt::Held)));
        }
        if told.status() == Some(AttemptStatus::Sent) {
            let as_probe = step.job.is_probe;
            self.tally.hold(scene, LAW, true, String::new);
            if as_probe != self.outage.is_open {
                self.doubts.push((scene, Doubt::Breaker(BreakerDoubt::Sent { as_probe })));
            }
        }
        if step.job.is_probe && self.outage.probes(&policy, at) > 1 {
            self.doubts.push((scene, Doubt::Breaker(BreakerDoubt::Crowd)));
        }
    }

    fn count_answer(&mut self, at: Timestamp, job: JobNo, told: &Told<'_>) {
        let works = match (told.status(), told.failure()) {
            (Some(AttemptStatus::Running), _) => {
                self.outage.answered(at, false);
                true
            }
            (Some(AttemptStatus::Refused), Some(failure)) if is_providers_fault(failure) => {
                self.outage.answered(at, true);
                false
            }
            (Some(AttemptStatus::Refused), _) => true,
            (Some(AttemptStatus::Unanswered), _) => {
                self.outage.answered(at, true);
                false
            }
            _ => false,
        };
        // The last probe's: one that was given up has been replaced, and its late answer is nobody's proof.
        if works && self.outage.last_probe == Some(job.0) && self.outage.is_open {
            self.outage.proved_at.get_or_insert(at);
        }
    }

    fn probe(&mut self, at: Timestamp, job: JobNo, told: &Told<'_>) {
        if told.step.job.is_probe && !told.to.is_end() {
            self.outage.probing.insert(job.0, at);
            self.outage.last_probe = Some(job.0);
        } else {
            self.outage.probing.remove(&job.0);
        }
    }

    /// It opens and closes by turns, each time for a reason, and each time the operator hears of it once.
    fn turn(
        &mut self,
        scene: Scene,
        policy: &OutagePolicy,
        (began, ended): (usize, usize),
        breaker: Option<Breaker>,
    ) {
        let is_open = breaker.map(|breaker| breaker.is_open());
        match (began, ended) {
            (0, 0) => return,
            (1, 0) => {
                let is_right = !self.outage.is_open && is_open == Some(true);
                self.tally.hold(scene, LAW, is_right, || format!("it opens as {breaker:?}, and is open"));
                self.grounds(scene, policy);
                (self.outage.proved_at, self.outage.last_probe) = (None, None);
            }
            (0, 1) => {
                let is_right = self.outage.is_open && is_open == Some(false);
                self.tally.hold(scene, LAW, is_right, || format!("it closes as {breaker:?}, and is closed"));
                if self.outage.proved_at.is_none() {
                    self.doubts.push((scene, Doubt::Breaker(BreakerDoubt::Unproved)));
                }
                self.outage.has_ended = true;
                self.outage.answers.clear();
            }
            _ => self.tally.hold(scene, LAW, false, || "it opens and closes in one step".to_owned()),
        }
        self.outage.is_open = began == 1;
        self.outage.changed_at = scene.at;
    }

    /// What opens the breaker: enough answers of late, and a broad share of faults among them.
    fn grounds(&mut self, scene: Scene, policy: &OutagePolicy) {
        let count =
            |what: bool| self.outage.answers.iter().filter(|(_, fault)| *fault == what).count() as u64;
        let (faults, accepted) = (count(true), count(false));
        let least = if self.outage.has_ended { policy.answers_min_after_outage } else { policy.answers_min };
        let percent = u64::from(policy.faults_percent);
        let is_broad = (faults + SLACK) * 100 >= (faults + accepted) * percent
            && (faults + SLACK) * 100 >= u64::from(least) * percent;
        self.tally.hold(scene, LAW, is_broad, || {
            format!(
                "it opened by {faults} faults and {accepted} accepted tasks within {} s",
                WINDOW.as_secs()
            )
        });
    }

    /// Whoever asks after the probe's success closes it.
    fn still_open(&mut self, scene: Scene, breaker: Option<Breaker>) {
        let Some(proved_at) = self.outage.proved_at else { return };
        let is_open = breaker.is_some_and(|breaker| breaker.is_open());
        self.tally.hold(scene, LAW, !is_open || proved_at >= scene.at, || {
            format!("still open {} s after its probe succeeded", scene.at.since(proved_at).as_secs())
        });
    }

    /// Judges a doubt when the instant is over.
    pub(super) fn judge_breaker(&mut self, scene: Scene, doubt: BreakerDoubt) {
        let Some(policy) = self.setup.retry.outage else { return };
        let outage = &self.outage;
        let turned = outage.changed_at >= scene.at;
        let (is_right, what) = match doubt {
            BreakerDoubt::Sent { as_probe } => (
                as_probe == outage.is_open || turned,
                format!("submitted as a probe: {as_probe}, with the breaker open: {}", outage.is_open),
            ),
            BreakerDoubt::Held => (outage.is_open || turned, "held although it is closed".to_owned()),
            BreakerDoubt::Unproved => {
                (outage.proved_at.is_some(), "closed although no probe succeeded".to_owned())
            }
            BreakerDoubt::Crowd => {
                let probes = outage.probes(&policy, scene.at);
                (probes <= 1, format!("{probes} jobs probe at once"))
            }
        };
        self.tally.hold(scene, LAW, is_right, || what);
    }
}
