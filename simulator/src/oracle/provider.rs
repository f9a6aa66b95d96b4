//! What is asked of the provider, and what it may charge.

use std::{collections::VecDeque, time::Duration};

use domain::{
    failure::{FailureClass, Reason},
    job::AttemptStatus,
    time::Timestamp,
};

use super::{
    jobs::{Live, Stage, Told},
    print,
    roll::Place,
    tally::{Law, Scene, Tally},
    watch::{AccountLimits, Oracle, ProviderBill, Setup},
};
use crate::{
    provider::kie_model::UNSEEN_MAX,
    trace::{AccountNo, CallEnd, Creation, JobNo},
};

/// The window of the create limit (KIE docs, getting started, limits).
const WINDOW: Duration = Duration::from_secs(10);

/// One account's creations within the window.
#[derive(Debug)]
struct Account {
    limits: AccountLimits,
    created: VecDeque<Timestamp>,
}

impl Account {
    fn in_window(&mut self, now: Timestamp) -> usize {
        while self.created.front().is_some_and(|at| now.since(*at) >= WINDOW) {
            self.created.pop_front();
        }
        self.created.len()
    }
}

/// Everything the provider did.
#[derive(Debug)]
pub(super) struct Provider {
    accounts: Vec<Account>,
    tasks: u64,
    /// Calls of which nobody knows for which job they were.
    unnamed: u64,
    recorded: u64,
    rendered: u64,
    lost: u64,
    /// Renders that count as failed, and which the provider may have finished all the same.
    failed: u64,
}

impl Provider {
    pub(super) fn new(accounts: &[AccountLimits]) -> Self {
        let account = |limits: &AccountLimits| Account { limits: *limits, created: VecDeque::new() };
        let accounts = accounts.iter().map(account).collect();
        Self { accounts, tasks: 0, unnamed: 0, recorded: 0, rendered: 0, lost: 0, failed: 0 }
    }
}

impl Oracle {
    pub(super) fn created(
        &mut self,
        scene: Scene,
        job: Option<JobNo>,
        account: Option<AccountNo>,
        outcome: Creation<'_>,
    ) {
        let task = match outcome {
            Creation::Task { task, running, created_in_window } => {
                self.provider.tasks += 1;
                self.limits(scene, account, running, created_in_window);
                Some(print::of_text(task))
            }
            Creation::Refused { code } => {
                if code == 429 {
                    self.note_too_fast(scene.at, account);
                }
                if let Some(live) = job.and_then(|job| self.jobs.get_mut(job.0)) {
                    live.refused_with = Some(code);
                }
                None
            }
            Creation::NeverSeen => {
                // Nobody worked on it, and nobody will.
                if let Some(live) = job.and_then(|job| self.jobs.get_mut(job.0)) {
                    live.seen_call = true;
                }
                return;
            }
        };
        let place = job.map(|job| self.jobs.place(job.0));
        match job.and_then(|job| self.jobs.get_mut(job.0)) {
            Some(live) => {
                live.calls += 1;
                live.seen_call = true;
                live.task = task.or(live.task);
                live.made_at = scene.at;
                self.tally.hold(scene, Law::ProviderBill, live.calls <= live.recorded, || {
                    format!(
                        "call {} to create a task, and {} attempts are recorded",
                        live.calls, live.recorded
                    )
                });
            }
            None => {
                self.provider.unnamed += u64::from(job.is_none());
                let (tasks, recorded) = (self.provider.tasks, self.provider.recorded);
                let is_known = place != Some(Place::Unknown);
                self.tally.hold(scene, Law::ProviderBill, is_known && tasks <= recorded, || {
                    format!("{tasks} tasks at the provider, {recorded} attempts recorded; job {job:?} is {place:?}")
                });
            }
        }
    }

    fn limits(&mut self, scene: Scene, account: Option<AccountNo>, running: u32, created_in_window: u32) {
        let known = account.and_then(|no| self.provider.accounts.get_mut(usize::from(no.0)));
        let Some(known) = known else {
            self.tally.hold(scene, Law::ProviderLimits, false, || {
                format!("a task was created for account {account:?}, which is none of ours")
            });
            return;
        };
        known.in_window(scene.at);
        known.created.push_back(scene.at);
        let counted = u32::try_from(known.created.len()).unwrap_or(u32::MAX).max(created_in_window);
        let AccountLimits { running_max, new_per_10s } = known.limits;
        self.tally.hold(
            scene,
            Law::ProviderLimits,
            running <= running_max && counted <= new_per_10s,
            || {
                format!(
                    "account {account:?} runs {running} of {running_max} and created {counted} of {new_per_10s} in 10 s"
                )
            },
        );
    }

    /// Being too fast is no fault, for the provider's clock and ours differ by a call's length; often is worth knowing.
    fn note_too_fast(&mut self, at: Timestamp, account: Option<AccountNo>) {
        let known = account.and_then(|no| self.provider.accounts.get_mut(usize::from(no.0)));
        let is_full = known.is_some_and(|a| a.in_window(at) >= a.limits.new_per_10s as usize);
        self.tally.note(if is_full { "refused_with_a_full_window" } else { "refused_as_too_fast" });
    }

    /// Counts what a step says about an attempt.
    pub(super) fn count_attempt(&mut self, told: &Told<'_>) {
        let provider = &mut self.provider;
        match told.status() {
            Some(AttemptStatus::Sent) => provider.recorded += 1,
            Some(AttemptStatus::Rendered) => provider.rendered += 1,
            Some(AttemptStatus::Lost) => provider.lost += 1,
            Some(AttemptStatus::Failed) => {
                let is_open = |class| matches!(class, FailureClass::Temporary | FailureClass::Unknown);
                provider.failed += u64::from(told.failure().is_some_and(|failure| is_open(failure.class)));
            }
            Some(AttemptStatus::Unanswered | AttemptStatus::Refused | AttemptStatus::Running) | None => {}
        }
    }

    pub(super) fn bill(&mut self, scene: Scene, bill: ProviderBill) {
        let Provider { tasks, recorded, rendered, lost, failed, .. } = self.provider;
        self.tally.hold(scene, Law::ProviderBill, bill.tasks == tasks && tasks <= recorded, || {
            format!("the provider counts {} tasks, {tasks} were told, {recorded} recorded", bill.tasks)
        });
        let explained = rendered + lost + failed;
        self.tally.hold(scene, Law::ProviderBill, bill.charged_tasks <= explained, || {
            format!(
                "{} tasks were charged; {rendered} rendered, {lost} lost and {failed} failed ones explain {explained}",
                bill.charged_tasks
            )
        });
    }

    /// A look was answered. The provider shows a task to its own account only, and after a while for certain.
    pub(super) fn looked(&mut self, scene: Scene, job: JobNo, end: CallEnd, took_ms: u64) {
        let Some(live) = self.jobs.get(job.0) else { return };
        let is_unknown = matches!(end, CallEnd::No(failure) if failure.reason == Reason::UnknownTask);
        let age = scene.at.since(live.made_at).saturating_sub(Duration::from_millis(took_ms));
        let is_right = !is_unknown || live.task.is_none() || age <= UNSEEN_MAX;
        self.tally.hold(scene, Law::ProviderBill, is_right, || {
            format!(
                "a task of {} s is unknown to the account it was looked for with: is it another account's?",
                age.as_secs()
            )
        });
    }

    /// Whether every call so far said which job it was for.
    pub(super) fn knows_all_calls(&self) -> bool {
        self.provider.unnamed == 0
    }
}

/// What becomes of an attempt agrees with what the provider did.
pub(super) fn check(
    tally: &mut Tally,
    scene: Scene,
    live: &Live,
    told: &Told<'_>,
    setup: &Setup,
    knows_all_calls: bool,
) {
    match told.status() {
        Some(AttemptStatus::Sent) => {
            let max = u32::from(setup.retry.lost_answers_max);
            tally.hold(scene, Law::ProviderBill, live.lost <= max, || {
                format!("submitted again after {} lost answers, of which {max} are allowed", live.lost)
            });
        }
        Some(AttemptStatus::Refused) => {
            let is_right = live.task.is_none() || live.unseen_earlier;
            tally.hold(scene, Law::ProviderBill, is_right, || {
                "an attempt counts as refused, and the provider has its task".to_owned()
            });
        }
        Some(AttemptStatus::Running) => adopted(tally, scene, live, told, knows_all_calls),
        Some(AttemptStatus::Lost) if !told.is_abandoned() => {
            let waited = told.at.since(live.sent_at);
            let grace = setup.retry.lost_answer_grace;
            let is_right = live.stage == Stage::Awaiting && waited >= grace;
            tally.hold(scene, Law::ProviderBill, is_right, || {
                format!(
                    "an answer was given up after {} s instead of {} s",
                    waited.as_secs(),
                    grace.as_secs()
                )
            });
        }
        Some(
            AttemptStatus::Lost | AttemptStatus::Unanswered | AttemptStatus::Failed | AttemptStatus::Rendered,
        )
        | None => {}
    }
}

fn adopted(tally: &mut Tally, scene: Scene, live: &Live, told: &Told<'_>, knows_all_calls: bool) {
    let named = told.step.attempt.as_ref().and_then(|change| change.task.as_ref());
    let named = named.map(|task| print::of_text(task.as_str()));
    let may_be_elsewhere = live.unseen_earlier || !knows_all_calls;
    tally.hold(scene, Law::NoPrematureMessage, live.task.is_some() || may_be_elsewhere, || {
        "the render is announced, and the provider has no task".to_owned()
    });
    if live.task.is_some() {
        let is_same = named == live.task || may_be_elsewhere;
        tally.hold(scene, Law::ProviderBill, is_same, || {
            let task = told.step.attempt.as_ref().and_then(|change| change.task.as_ref());
            format!("task {task:?} is followed, and the provider made another one for this attempt")
        });
    }
}
