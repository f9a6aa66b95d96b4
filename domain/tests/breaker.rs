//! The laws of the breaker.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::cast_possible_truncation, reason = "a play is short")]

use std::{collections::BTreeMap, time::Duration};

use domain::{
    breaker::{
        Answer, Answers, Asking, Breaker, Change, OutagePolicy, ProviderFacts, Verdict, WINDOW, ask,
        is_providers_fault,
    },
    failure::{FailureClass, Reason},
    id::{AccountId, JobId, KeyId},
    key::{AccountLimits, KeyFacts},
    time::Timestamp,
};
use proptest::prelude::*;

const START: Timestamp = Timestamp::from_millis(1_000_000);

/// A provider, some jobs, and a store that does what the breaker says.
struct Play {
    now: Timestamp,
    breaker: Breaker,
    answers: Vec<(Timestamp, u32, Answer)>,
    sent: Vec<Timestamp>,
    /// Submissions without an answer; whether each is a probe, and since when.
    in_flight: BTreeMap<u32, (bool, Timestamp)>,
    /// When each waiting job was told to ask again.
    told: BTreeMap<u32, Timestamp>,
    changes: Vec<Change>,
}

fn limits() -> AccountLimits {
    AccountLimits::default()
}

fn policy() -> OutagePolicy {
    OutagePolicy::default()
}

impl Play {
    fn new() -> Self {
        Self {
            now: START,
            breaker: Breaker::default(),
            answers: Vec::new(),
            sent: Vec::new(),
            in_flight: BTreeMap::new(),
            told: BTreeMap::new(),
            changes: Vec::new(),
        }
    }

    fn facts(&self) -> ProviderFacts {
        let from = self.breaker.counts_from();
        let counted = |at: &Timestamp| at.after(WINDOW) > self.now && from.is_none_or(|from| *at > from);
        let count = |what: Answer| {
            self.answers.iter().filter(|(at, _, answer)| counted(at) && *answer == what).count() as u32
        };
        let recent: Vec<_> = self.sent.iter().filter(|at| at.after(limits().window) > self.now).collect();
        let probe_answer = self.breaker.probe().and_then(|probe| {
            let its = self.answers.iter().rev();
            let mut its =
                its.filter(|(at, job, _)| JobId::new((*job).into()) == probe.job && *at > probe.since);
            its.next().map(|(_, _, answer)| *answer)
        });
        ProviderFacts {
            keys: vec![KeyFacts {
                key: KeyId::new("k").unwrap(),
                account: AccountId::new("a").unwrap(),
                cooling: None,
                account_running: 0,
                account_created: recent.len() as u32,
                window_frees_at: None,
                key_running: 0,
                answers: Answers { accepted: count(Answer::Accepted), faults: count(Answer::Fault) },
            }],
            breaker: self.breaker,
            probe_answer,
        }
    }

    fn ask(&mut self, job: u32) -> Option<Verdict> {
        if self.in_flight.contains_key(&job) || self.told.get(&job).is_some_and(|at| *at > self.now) {
            return None;
        }
        let facts = self.facts();
        if facts.keys[0].account_created >= limits().creates_max {
            return None;
        }
        let asking = Asking { job: JobId::new(job.into()), is_careful: false };
        let ruling = ask(&facts, asking, &limits(), &policy(), self.now);
        self.breaker = ruling.breaker;
        self.changes.extend(ruling.change);
        self.told.remove(&job);
        match ruling.verdict {
            Verdict::Go | Verdict::Probe => {
                self.sent.push(self.now);
                self.in_flight.insert(job, (ruling.verdict == Verdict::Probe, self.now));
            }
            Verdict::Slowly(at) | Verdict::Hold(at) => {
                assert!(at > self.now, "a wait ends in the future");
                self.told.insert(job, at);
            }
        }
        Some(ruling.verdict)
    }

    fn answer(&mut self, job: u32, answer: Answer) {
        if self.in_flight.remove(&job).is_some() {
            self.answers.push((self.now, job, answer));
        }
    }

    fn wait(&mut self, millis: u64) {
        self.now = self.now.after(Duration::from_millis(millis));
    }

    /// Everybody who may ask does, in the order in which they were told to.
    fn all_ask(&mut self, jobs: u32) -> u32 {
        let mut due: Vec<_> = (0..jobs).map(|job| (self.told.get(&job).copied(), job)).collect();
        due.sort_unstable();
        due.into_iter().filter_map(|(_, job)| self.ask(job)).count() as u32
    }

    /// A second passes, and the provider answers everything that is in flight.
    fn second(&mut self, answer: Answer) {
        self.wait(1_000);
        for job in self.in_flight.keys().copied().collect::<Vec<_>>() {
            self.answer(job, answer);
        }
    }
}

#[derive(Debug, Clone)]
enum Op {
    Ask(u32),
    Answer(u32, Answer),
    Wait(u64),
}

fn any_op() -> impl Strategy<Value = Op> {
    let answer = prop_oneof![
        4 => Just(Answer::Fault), 2 => Just(Answer::Accepted), 1 => Just(Answer::Refused)
    ];
    prop_oneof![
        5 => (0_u32..24).prop_map(Op::Ask),
        5 => (0_u32..24, answer).prop_map(|(job, answer)| Op::Answer(job, answer)),
        3 => prop_oneof![1_u64..500, 500_u64..5_000, 5_000_u64..60_000].prop_map(Op::Wait),
    ]
}

/// Fewer cases than usual, for a play is long; `PROPTEST_CASES` still wins.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(48)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn at_most_one_probe_is_in_flight_while_the_breaker_is_open(ops in prop::collection::vec(any_op(), 1..400)) {
        let mut play = Play::new();
        for op in ops {
            match op {
                Op::Ask(job) => {
                    let was_open = play.breaker.is_open();
                    let verdict = play.ask(job);
                    if was_open && play.breaker.is_open() {
                        prop_assert_ne!(verdict, Some(Verdict::Go), "an open breaker lets nothing through but probes");
                    }
                }
                Op::Answer(job, answer) => play.answer(job, answer),
                Op::Wait(millis) => play.wait(millis),
            }
            let fresh = |since: Timestamp| play.now < since.after(policy().probe_given_up);
            let probes = play.in_flight.values().filter(|(is_probe, since)| *is_probe && fresh(*since)).count();
            prop_assert!(probes <= 1, "{probes} probes");
            for pair in play.changes.windows(2) {
                prop_assert_ne!(pair[0], pair[1], "openings and closings take turns");
            }
        }
    }

    #[test]
    fn the_breaker_opens_by_a_share_of_enough_answers_and_never_by_a_number(
        accepted in 0_u32..200,
        faults in 0_u32..200,
    ) {
        let mut play = Play::new();
        for n in 0..accepted {
            play.answers.push((START, n, Answer::Accepted));
        }
        for n in 0..faults {
            play.answers.push((START, n, Answer::Fault));
        }
        play.wait(1);
        play.ask(900);
        let is_broad = accepted + faults >= 10 && faults >= accepted;
        prop_assert_eq!(play.breaker.is_open(), is_broad);
    }

    #[test]
    fn what_the_provider_is_not_to_blame_for_never_opens_the_breaker(reasons in prop::collection::vec(
        prop::sample::select(&Reason::ALL[..]), 10..60,
    )) {
        let mut play = Play::new();
        let ours = |reason: &&Reason| !is_providers_fault((**reason).into());
        for (n, reason) in reasons.iter().filter(ours).enumerate() {
            let answer = Answer::of((*reason).into());
            prop_assert_eq!(answer, Answer::Refused);
            play.answers.push((START, n as u32, answer));
        }
        prop_assert_eq!(play.ask(900), Some(Verdict::Go));
    }

    #[test]
    fn after_an_outage_submissions_grow_gently_and_everybody_gets_through(jobs in 1_u32..150, down_s in 60_u32..1_500) {
        let mut play = Play::new();
        for n in 0..10 {
            play.answers.push((START, 1_000 + n, Answer::Fault));
        }
        let mut asks = 0;
        for _ in 0..down_s {
            asks += play.all_ask(jobs);
            play.second(Answer::Fault);
        }
        prop_assert!(play.breaker.is_open());
        // One ask at the beginning each, and about as many as the account could take afterwards.
        prop_assert!(asks <= 2 * jobs + down_s * 3, "{asks} asks of {jobs} jobs in {down_s} s");
        let mut left: Vec<u32> = (0..jobs).collect();
        let mut took_s = 0;
        while !left.is_empty() {
            took_s += 1;
            prop_assert!(took_s < 600 + 2 * jobs, "{} jobs still wait", left.len());
            left.retain(|job| !matches!(play.ask(*job), Some(Verdict::Go | Verdict::Probe)));
            if let Breaker::Closed { since: Some(since), .. } = play.breaker {
                let windows = play.now.since(since).as_secs() / 10;
                let recent = play.sent.iter().filter(|at| at.after(limits().window) > play.now).count() as u64;
                let allowed = (2_u64 << windows.min(10)).min(limits().creates_max.into());
                prop_assert!(recent <= allowed, "{recent} within 10 s, {windows} windows after the outage");
            }
            play.second(Answer::Accepted);
        }
        play.ask(9_999);
        prop_assert_eq!(play.changes, [Change::Opened, Change::Closed]);
    }
}

#[test]
fn probes_come_after_30_60_and_120_seconds_and_then_every_two_minutes() {
    let mut play = Play::new();
    for n in 0..10 {
        play.answers.push((START, 1_000 + n, Answer::Fault));
    }
    let mut probes = Vec::new();
    for second in 0..500_u64 {
        for job in 0..40 {
            if play.ask(job) == Some(Verdict::Probe) {
                probes.push(second);
            }
        }
        play.second(Answer::Fault);
    }
    assert_eq!(probes, [30, 90, 210, 330, 450]);
}

#[test]
fn only_temporary_and_unknown_failures_are_the_providers_fault() {
    for reason in Reason::ALL {
        let is_its = matches!(reason.class(), FailureClass::Temporary | FailureClass::Unknown);
        assert_eq!(is_providers_fault(reason.into()), is_its, "{reason}");
    }
}

#[test]
fn a_job_that_cannot_afford_another_lost_answer_leaves_the_probe_to_others() {
    let mut play = Play::new();
    for n in 0..10 {
        play.answers.push((START, 1_000 + n, Answer::Fault));
    }
    play.ask(1);
    play.wait(30_000);
    let careful = Asking { job: JobId::new(7), is_careful: true };
    let at = |play: &Play| ask(&play.facts(), careful, &limits(), &policy(), play.now).verdict;
    assert!(matches!(at(&play), Verdict::Hold(_)));
    play.wait(5_000);
    assert_eq!(at(&play), Verdict::Probe, "nobody else came");
}
