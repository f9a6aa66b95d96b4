//! Whatever the machine allows, in whatever order, with workers that die: nothing is found broken.

use std::collections::BTreeSet;

use domain::{
    decision::RetryPolicy,
    failure::Reason,
    id::{AttemptId, ModelId, TaskId},
    job::{DeliveryFailure, Event as Happening, State, Task},
    notice::Audience,
    order::Quantity,
    prompt::Prompt,
    time::Timestamp,
};
use proptest::prelude::*;

use super::tale::{Tale, USER, failure, key, s};
use crate::trace::{AccountNo, Creation, JobNo, Kind, OrderNo, ProcessNo, SendEnd};

/// Everything that can happen to a job whose attempt this is.
pub(super) fn happenings(attempt: AttemptId, now: Timestamp) -> Vec<Happening> {
    let task = TaskId::new("task").unwrap();
    let mut all = vec![
        Happening::Started,
        Happening::PromptReady { prompt: Prompt::stored("a mug, slowly".to_owned()) },
        Happening::PhotoUploaded { url: "https://h/p.jpg".to_owned() },
        Happening::AttemptOpened { attempt, key: key(1), model: ModelId::new("sora-2").unwrap() },
        Happening::KeysBusy { until: now.after(s(5)) },
        Happening::NoKeyLeft,
        Happening::NoModelLeft,
        Happening::Accepted { attempt, task },
        Happening::AnswerMissing { attempt },
        Happening::NotReady { attempt },
        Happening::TaskUnknown { attempt },
        Happening::Rendered { attempt, url: "https://h/v.mp4".to_owned() },
        Happening::Delivered { attempt },
        Happening::DeliveryFailed { attempt, failure: DeliveryFailure::Passing },
        Happening::DeliveryFailed { attempt, failure: DeliveryFailure::RecipientGone },
        Happening::DeliveryFailed { attempt, failure: DeliveryFailure::Refused },
        Happening::CancelRequested,
        Happening::Abandoned,
    ];
    for reason in Reason::ALL {
        all.push(Happening::UploadFailed { key: key(1), failure: failure(reason) });
        all.push(Happening::Refused { attempt, failure: failure(reason) });
        all.push(Happening::RenderFailed { attempt, failure: failure(reason) });
    }
    all
}

impl Tale {
    fn present_attempt(&self, job: JobNo) -> AttemptId {
        match &self.jobs[job.0 as usize].job.state {
            State::Submitting { open: Some(open) } => open.id,
            State::Rendering { attempt, .. } | State::Delivering { attempt, .. } => *attempt,
            _ => AttemptId::new(0),
        }
    }

    /// The job that a store would hand out next, if one is due.
    fn most_urgent(&self) -> Option<JobNo> {
        let free = self.jobs.iter().enumerate().filter(|(_, actor)| actor.held.is_none());
        let due = free.filter_map(|(no, actor)| {
            actor.due_at.filter(|at| *at <= self.now)?;
            Some((actor.job.sort_at(), no))
        });
        due.min().map(|(_, no)| JobNo(u32::try_from(no).unwrap()))
    }

    fn held(&self, pick: usize) -> Option<JobNo> {
        let held: Vec<_> = (0..self.jobs.len()).filter(|no| self.jobs[*no].held.is_some()).collect();
        held.get(pick % held.len().max(1)).map(|no| JobNo(u32::try_from(*no).unwrap()))
    }

    /// Something happens to a job that is held, the world around it included.
    fn happens(&mut self, job: JobNo, pick: usize) {
        let actor = &self.jobs[job.0 as usize];
        match actor.job.task(self.now, &self.rules.retry) {
            Some(Task::Abandon) => return self.step(job, Happening::Abandoned),
            Some(Task::Submit) if !pick.is_multiple_of(8) => {
                self.opened(job);
                return;
            }
            _ => {}
        }
        let attempt = self.present_attempt(job);
        let can = |happening: &Happening| {
            !matches!(
                happening,
                Happening::AttemptOpened { .. }
                    | Happening::NoModelLeft
                    | Happening::CancelRequested
                    | Happening::Abandoned
            ) && domain::job::apply(&self.jobs[job.0 as usize].job, happening.clone(), &self.rules, self.now)
                .is_ok()
        };
        let mut possible: Vec<_> = happenings(attempt, self.now).into_iter().filter(can).collect();
        if pick.is_multiple_of(2) {
            // There are so many ways to fail that little would ever be delivered.
            possible.truncate(4);
        }
        let mut happening = possible[pick / 2 % possible.len()].clone();
        match &mut happening {
            Happening::Accepted { task, .. } if self.is_just_opened(job) => {
                *task = self.created(job, true);
                self.wait(s(1));
            }
            Happening::AnswerMissing { .. } if !pick.is_multiple_of(3) && self.is_just_opened(job) => {
                self.created(job, false);
            }
            Happening::Refused { failure, .. } if self.is_just_opened(job) => {
                let code = match failure.reason {
                    Reason::KeyRejected => 401,
                    Reason::AccountCredits => 402,
                    Reason::RateLimit => 429,
                    _ => 500,
                };
                let outcome = Creation::Refused { code };
                let account = Some(AccountNo(0));
                self.tell(Kind::Created { job: Some(job), account, outcome, answered: true });
            }
            // An answer comes only to the worker that sent the submission.
            Happening::Accepted { .. } | Happening::Refused { .. } => {
                happening = Happening::AnswerMissing { attempt };
            }
            Happening::Delivered { .. } => self.video(job, SendEnd::Sent, true),
            Happening::DeliveryFailed { failure: DeliveryFailure::Passing, .. } => {
                self.video(job, SendEnd::Unanswered, pick.is_multiple_of(2));
            }
            _ => {}
        }
        self.step(job, happening);
    }

    /// Whether its holder has just recorded the attempt and not sent it.
    fn is_just_opened(&self, job: JobNo) -> bool {
        let actor = &self.jobs[job.0 as usize];
        let State::Submitting { open: Some(open) } = &actor.job.state else { return false };
        actor.held.is_some_and(|(_, _, since)| since <= open.sent_at)
            && self.oracle.jobs.get(job.0).is_some_and(|live| !live.seen_call)
    }

    fn play(&mut self, what: u8, pick: usize) {
        match what % 16 {
            0 if self.jobs.len() < 12 => {
                self.order(USER, Quantity::ALL[pick % 3]);
            }
            0 | 1 => self.wait(s(u64::try_from(pick % 90).unwrap())),
            2..=5 => {
                if let Some(job) = self.most_urgent() {
                    self.claim_by(job, ProcessNo(u16::from(pick.is_multiple_of(2))));
                }
            }
            6..=11 => {
                if let Some(job) = self.held(pick) {
                    self.happens(job, pick);
                }
            }
            12 => {
                let Some(job) = self.held(pick) else { return };
                let Some((process, lease, since)) = self.actor(job).held else { return };
                self.tell(Kind::Killed { process, in_call: false });
                self.now = self.now.max(since.after(s(45)));
                self.rescued(job);
                self.tell(Kind::Outdated { job, process, lease });
            }
            13 => {
                let Some(job) = self.held(pick) else { return };
                let Some((_, lease, _)) = self.actor(job).held.take() else { return };
                self.actor(job).newest += 1;
                self.tell(Kind::GivenBack { job, lease });
            }
            14 if pick.is_multiple_of(4) => {
                let Some(last) = self.jobs.len().checked_sub(1) else { return };
                let job = JobNo(u32::try_from(pick % (last + 1)).unwrap());
                let granted = self.try_step(job, Happening::CancelRequested).is_ok();
                self.tell(Kind::CancelAsked { job, granted });
            }
            _ => {
                let Some(last) = self.outbox.len().checked_sub(1) else { return };
                let number = pick % (last + 1);
                if let Some(notice) = self.outbox[number][0].front() {
                    let (order, audience): (_, Audience) =
                        (OrderNo(u32::try_from(number).unwrap()), notice.audience);
                    self.text(order, audience, SendEnd::Failed);
                    self.wait(s(3));
                    self.text(order, audience, SendEnd::Sent);
                    self.close(order, false);
                }
            }
        }
    }

    /// Nothing goes wrong any more, and whoever is most urgent goes first.
    fn heal(&mut self) {
        while self.jobs.iter().any(|actor| !actor.job.state.is_terminal()) {
            if let Some(job) = self.held(0) {
                self.goes_well(job);
            } else if let Some(job) = self.most_urgent() {
                self.claim(job);
            } else {
                let next = self.jobs.iter().filter_map(|actor| actor.due_at).min();
                self.now = next.unwrap();
            }
        }
    }

    fn goes_well(&mut self, job: JobNo) {
        let attempt = self.present_attempt(job);
        let happening = match self.job(job).task(self.now, &self.rules.retry).unwrap() {
            Task::Start => Happening::Started,
            Task::WritePrompt => Happening::PromptReady { prompt: Prompt::stored("a mug".to_owned()) },
            Task::UploadPhoto => Happening::PhotoUploaded { url: "https://h/p.jpg".to_owned() },
            Task::Submit => {
                self.opened(job);
                return;
            }
            Task::AwaitAnswer => Happening::AnswerMissing { attempt },
            Task::Look => Happening::Rendered { attempt, url: "https://h/v.mp4".to_owned() },
            Task::Deliver => {
                self.video(job, SendEnd::Sent, true);
                Happening::Delivered { attempt }
            }
            Task::Abandon => Happening::Abandoned,
        };
        self.step(job, happening);
    }
}

/// A run that is told from these choices; returns it healed and judged.
fn run(script: &[(u8, usize)]) -> Tale {
    let retry = RetryPolicy { rescues_max: 3, model_cooling: s(600), ..RetryPolicy::default() };
    let mut tale = Tale::under(retry);
    if script.len().is_multiple_of(2) {
        // Every other run has nothing to fall back on.
        tale.rules.models.truncate(1);
        tale.oracle.setup.models.truncate(1);
    }
    tale.grant(USER, 200);
    for (what, pick) in script {
        tale.play(*what, *pick);
    }
    tale.heal();
    tale.ends_well()
}

/// More cases than usual, for they are cheap; `PROPTEST_CASES` still wins.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(500)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn no_run_of_the_machine_is_found_broken(
        script in prop::collection::vec((any::<u8>(), 0_usize..1_000), 1..300),
    ) {
        run(&script);
    }
}

/// The random runs go far, or their silence would prove little.
#[test]
fn random_runs_reach_every_end_and_most_goals() {
    use proptest::test_runner::{RngAlgorithm, TestRng};
    use rand_chacha::rand_core::Rng as _;
    let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let script: Vec<(u8, usize)> =
        (0..30_000).map(|_| (rng.next_u32().to_le_bytes()[0], rng.next_u32() as usize % 1_000)).collect();
    let (mut ends, mut goals) = (BTreeSet::new(), BTreeSet::new());
    for part in script.chunks(601).chain(script.chunks(600)) {
        let tale = run(part);
        ends.extend(tale.jobs.iter().map(|actor| actor.job.state.name().as_str()));
        goals.extend(tale.goals.all().into_iter().filter(|(_, times)| *times > 0).map(|(name, _)| name));
    }
    assert_eq!(ends.into_iter().collect::<Vec<_>>(), ["cancelled", "done", "refunded"]);
    let machine = [
        "temporary_failure_retried",
        "user_violation_refunded",
        "rate_limit_waited",
        "billing_switched_key",
        "no_key_left_refunded",
        "lost_answer_resubmitted",
        "lost_answer_refunded",
        "lease_expired_and_rescued",
        "killed_mid_step",
        "late_write_refused",
        "cancelled_before_submission",
        "cancel_refused_too_late",
        "recipient_gone_refunded",
        "message_retried",
        "model_unavailable_refunded",
        "model_stood_in",
    ];
    let missed: Vec<_> = machine.iter().filter(|name| !goals.contains(*name)).collect();
    assert_eq!(missed, [] as [&&str; 0]);
}
