//! What the mutants of the job store do to a step before it is stored.

use std::time::Duration;

use domain::{
    failure::FailureClass,
    job::{AttemptStatus, State, StateName, Step},
    key::{Cooling, CoolingCause},
    ledger::{Entry, EntryKind},
    money::Credits,
    notice::{Notice, NoticeKind},
    prompt::Prompt,
    time::Timestamp,
};

use super::Mutant;

/// What a mutant takes out of the step and does beside it, afterwards.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Aside {
    /// Entries posted by themselves.
    pub(super) entries: Vec<Entry>,
    /// Messages sent by themselves.
    pub(super) notices: Vec<Notice>,
}

/// Bends a step the mutant's way. `was_rescued`: a worker died or hung over the job before.
pub(super) fn bend(mutant: Mutant, step: &mut Step, was_rescued: bool, now: Timestamp) -> Aside {
    let mut aside = Aside::default();
    match mutant {
        Mutant::RefundOutsideTransaction => {
            let releases = take_entries(step, EntryKind::Release);
            aside.entries.extend(releases.iter().map(|release| {
                Entry::grant(release.user, Credits::of(1), &format!("refund:{}", step.job.id), now)
            }));
        }
        Mutant::RefundTwiceAfterRestart if was_rescued => {
            let releases = step.entries.iter().filter(|entry| entry.kind == EntryKind::Release);
            let again = releases.map(|release| {
                // Neither the key nor the job, or the store would notice.
                Entry { key: format!("{}:again", release.key), held: 0, job: None, ..release.clone() }
            });
            let again: Vec<_> = again.collect();
            step.entries.extend(again);
        }
        Mutant::RetryCounterLost if is_retry(step) => step.job.retries = 0,
        Mutant::RateLimitCountsAsRetry if failed_as(step, FailureClass::RateLimited) => {
            step.job.retries = step.job.retries.saturating_add(1);
        }
        Mutant::CaptureBeforeDelivery => capture_early(step, now),
        Mutant::NoticeOutsideTransaction => aside.notices = std::mem::take(&mut step.notices),
        Mutant::RetriesWithoutDelay if is_retry(step) => step.next_run_at = Some(now),
        Mutant::PromptLostOnRetry if is_retry(step) => {
            step.job.prompt = Some(Prompt::stored("A short film of the product.".to_owned()));
        }
        Mutant::ViolationCoolsKey if failed_as(step, FailureClass::UserViolation) => {
            let until = now.after(Duration::from_secs(10));
            let key = step.attempt.as_ref().map(|attempt| attempt.key.clone());
            step.cooling =
                key.map(|key| (key, Cooling { since: now, until, cause: CoolingCause::RateLimited }));
        }
        _ => {}
    }
    aside
}

fn take_entries(step: &mut Step, kind: EntryKind) -> Vec<Entry> {
    let (taken, kept) = std::mem::take(&mut step.entries).into_iter().partition(|entry| entry.kind == kind);
    step.entries = kept;
    taken
}

fn is_retry(step: &Step) -> bool {
    step.notices.iter().any(|notice| matches!(notice.kind, NoticeKind::Retrying { .. }))
}

fn failed_as(step: &Step, class: FailureClass) -> bool {
    let failure = step.attempt.as_ref().and_then(|attempt| attempt.failure);
    failure.is_some_and(|failure| failure.class == class)
}

fn capture_early(step: &mut Step, now: Timestamp) {
    let is_new = step.attempt.as_ref().is_some_and(|attempt| attempt.status == AttemptStatus::Rendered);
    let job = &step.job;
    match job.state {
        State::Delivering { .. } if is_new => {
            step.entries.push(Entry::capture(job.user, job.order, job.id, now));
        }
        _ if job.state.name() == StateName::Done => {
            take_entries(step, EntryKind::Capture);
        }
        _ => {}
    }
}
