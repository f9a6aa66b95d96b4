//! The state machine itself.

use std::time::Duration;

use super::{
    DeliveryFailure, Event, Job, OpenAttempt, State, StateName, UploadedPhoto,
    step::{AttemptStatus, Refusal, Rules, Step},
};
use crate::{
    breaker::{self, Answer},
    circuit::CircuitChange,
    decision::{self, Decision},
    failure::{Failure, FailureClass, Reason},
    id::{AttemptId, KeyId, TaskId},
    key::{Cooling, CoolingCause},
    ledger::Entry,
    money::Credits,
    notice::{Audience, Notice, NoticeKind, RefundCause},
    time::Timestamp,
};

/// The job after an event, with everything that must be written beside it.
///
/// # Errors
/// [`Refusal`] when the event does not apply: duplicates, late answers and anything after the end. The job then
/// stays as it was.
pub fn apply(job: &Job, event: Event, rules: &Rules, now: Timestamp) -> Result<Step, Refusal> {
    let name = job.state.name();
    if name.is_terminal() {
        return Err(Refusal::Finished(name));
    }
    let is_rescued = job.rescues > 0;
    let mut turn = Turn { job: Job { rescues: 0, ..job.clone() }, is_rescued, rules, now };
    match (&job.state, event) {
        (state, Event::Abandoned) => Ok(turn.abandon(state)),
        (State::Queued, Event::Started) => Ok(turn.start()),
        (State::Prompting, Event::PromptReady { prompt }) => {
            turn.job.prompt = Some(prompt);
            turn.job.state = State::Submitting { open: None };
            Ok(turn.due_now())
        }
        (State::Submitting { open: None }, event) => turn.prepare(event),
        (State::Submitting { open: Some(open) }, event) => turn.submit(open, event),
        (State::Rendering { attempt, key, task, since }, event) => {
            turn.render(&Render { attempt: *attempt, key, task, since: *since }, event)
        }
        (State::Delivering { attempt, .. }, event) => turn.deliver(*attempt, &event),
        (State::Queued | State::Prompting, Event::CancelRequested) => Ok(turn.cancel()),
        (
            State::Queued
            | State::Prompting
            | State::Done { .. }
            | State::Refunded { .. }
            | State::Cancelled { .. },
            _,
        ) => Err(Refusal::OutOfOrder(name)),
    }
}

/// A message to the operator about a job.
pub(super) fn alert(job: &Job, kind: NoticeKind) -> Notice {
    Notice { audience: Audience::Operator, order: job.order, video: Some(job.video), kind }
}

/// The present render, borrowed from the state.
struct Render<'a> {
    attempt: AttemptId,
    key: &'a KeyId,
    task: &'a TaskId,
    since: Timestamp,
}

/// One application of one event.
struct Turn<'a> {
    job: Job,
    /// Whether whoever had it before was dead or hung.
    is_rescued: bool,
    rules: &'a Rules,
    now: Timestamp,
}

impl Turn<'_> {
    fn start(mut self) -> Step {
        self.job.state = State::Prompting;
        let notice = self.tell(NoticeKind::WritingPrompt);
        self.due_now().with_notice(notice)
    }

    /// Submitting, nothing sent yet.
    fn prepare(mut self, event: Event) -> Result<Step, Refusal> {
        match event {
            Event::PhotoUploaded { url } => {
                self.job.photo = Some(UploadedPhoto { url, at: self.now });
                Ok(self.due_now())
            }
            Event::UploadFailed { key, failure } => {
                // An upload names no model: such an answer says nothing about one.
                let is_odd = failure.reason == Reason::ModelUnavailable;
                let failure = if is_odd { Reason::Unrecognised.into() } else { failure };
                let step = self.fail(&key, failure);
                let is_fault = breaker::is_providers_fault(failure);
                Ok(if is_fault { step.with_answer(&key, Answer::Fault) } else { step })
            }
            Event::AttemptOpened { attempt, key, model } => {
                self.job.model = Some(model);
                let open = OpenAttempt { id: attempt, key: key.clone(), sent_at: self.now };
                self.job.state = State::Submitting { open: Some(open) };
                let due = self.now.after(self.rules.retry.lost_answer_grace);
                Ok(self.due(due).with_attempt(attempt, &key, AttemptStatus::Sent))
            }
            Event::KeysBusy { .. } if self.is_out_of_patience() => Ok(self.refund(RefundCause::TooBusy)),
            Event::KeysBusy { until } => {
                let due = until.max(self.now.after(Duration::from_millis(1)));
                Ok(self.due(due))
            }
            Event::NoKeyLeft => {
                let alert = self.alert(NoticeKind::NoKeyLeft);
                Ok(self.refund(RefundCause::NoKey).with_notice(alert))
            }
            Event::NoModelLeft => Ok(self.refund(RefundCause::ModelUnavailable)),
            Event::ProviderDown { .. } if self.is_out_of_patience() => {
                Ok(self.refund(RefundCause::ProviderDown))
            }
            Event::ProviderDown { until } => Ok(self.hold(until)),
            Event::ProbeTaken => {
                self.job.is_probe = true;
                Ok(self.due_now())
            }
            Event::CancelRequested => Ok(self.cancel()),
            Event::Accepted { .. }
            | Event::Adopted { .. }
            | Event::Refused { .. }
            | Event::AnswerMissing { .. }
            | Event::NotReady { .. }
            | Event::TaskUnknown { .. }
            | Event::RenderFailed { .. }
            | Event::Rendered { .. }
            | Event::Delivered { .. }
            | Event::DeliveryFailed { .. } => Err(Refusal::StaleAttempt),
            Event::Started | Event::PromptReady { .. } | Event::Abandoned => {
                Err(Refusal::OutOfOrder(StateName::Submitting))
            }
        }
    }

    /// Submitting, answer awaited.
    fn submit(mut self, open: &OpenAttempt, event: Event) -> Result<Step, Refusal> {
        match event {
            Event::Accepted { attempt, task } if attempt == open.id => {
                let notice = self.tell(NoticeKind::Rendering { expected: self.rules.timing.typical });
                (self.job.held_since, self.job.is_probe) = (None, false);
                self.job.state =
                    State::Rendering { attempt, key: open.key.clone(), task: task.clone(), since: self.now };
                let due = self.now.after(self.rules.timing.next_poll_in(Duration::ZERO));
                let mut step = self.due(due).with_notice(notice).with_attempt(
                    attempt,
                    &open.key,
                    AttemptStatus::Running,
                );
                step.set_task(task);
                step.circuits.push(CircuitChange::Answered { attempt });
                Ok(step.with_answer(&open.key, Answer::Accepted))
            }
            Event::Adopted { attempt, task } if attempt == open.id => {
                let notice = self.tell(NoticeKind::Rendering { expected: self.rules.timing.typical });
                (self.job.held_since, self.job.is_probe) = (None, false);
                // It runs since about the time it was sent, not since we heard of it.
                let since = open.sent_at;
                self.job.state =
                    State::Rendering { attempt, key: open.key.clone(), task: task.clone(), since };
                let mut step = self.due_now().with_notice(notice).with_attempt(
                    attempt,
                    &open.key,
                    AttemptStatus::Running,
                );
                step.set_task(task);
                step.circuits.push(CircuitChange::Answered { attempt });
                Ok(step.with_answer(&open.key, Answer::Accepted))
            }
            Event::Refused { attempt, failure } if attempt == open.id => {
                let mut step = self.fail(&open.key, failure).with_answer(&open.key, Answer::of(failure));
                if failure.reason != Reason::ModelUnavailable {
                    step.circuits.push(CircuitChange::Unclear { attempt });
                }
                Ok(step.with_failed_attempt(attempt, &open.key, AttemptStatus::Refused, failure))
            }
            Event::AnswerMissing { attempt } if attempt == open.id => Ok(self.answer_missing(open)),
            Event::Accepted { .. }
            | Event::Adopted { .. }
            | Event::Refused { .. }
            | Event::AnswerMissing { .. }
            | Event::NotReady { .. }
            | Event::TaskUnknown { .. }
            | Event::RenderFailed { .. }
            | Event::Rendered { .. }
            | Event::Delivered { .. }
            | Event::DeliveryFailed { .. } => Err(Refusal::StaleAttempt),
            Event::CancelRequested => Err(Refusal::TooLateToCancel),
            Event::Started
            | Event::PromptReady { .. }
            | Event::PhotoUploaded { .. }
            | Event::UploadFailed { .. }
            | Event::AttemptOpened { .. }
            | Event::KeysBusy { .. }
            | Event::NoKeyLeft
            | Event::NoModelLeft
            | Event::ProviderDown { .. }
            | Event::ProbeTaken
            | Event::Abandoned => Err(Refusal::OutOfOrder(StateName::Submitting)),
        }
    }

    fn answer_missing(mut self, open: &OpenAttempt) -> Step {
        let grace_ends = open.sent_at.after(self.rules.retry.lost_answer_grace);
        let is_rescued = self.is_rescued;
        self.job.is_probe = false;
        if self.now < grace_ends {
            let step = self.due(grace_ends).with_attempt(open.id, &open.key, AttemptStatus::Unanswered);
            // Of a call whose worker died nobody knows whether it was answered.
            return if is_rescued { step } else { step.with_answer(&open.key, Answer::Fault) };
        }
        self.job.lost_answers = self.job.lost_answers.saturating_add(1);
        let step = if self.job.lost_answers > self.rules.retry.lost_answers_max {
            // Each of them may be a paid render: no third one for the same credit.
            self.refund(RefundCause::RetriesExhausted)
        } else {
            self.job.state = State::Submitting { open: None };
            self.due_now()
        };
        step.with_attempt(open.id, &open.key, AttemptStatus::Lost)
    }

    /// Rendering.
    fn render(mut self, render: &Render<'_>, event: Event) -> Result<Step, Refusal> {
        let running = self.now.since(render.since);
        match event {
            Event::NotReady { attempt } if attempt == render.attempt => {
                if running >= self.rules.timing.give_up {
                    let hung = Failure { class: FailureClass::Temporary, reason: Reason::ProviderFault };
                    return Ok(self.render_failed(render, hung));
                }
                let due = self.now.after(self.rules.timing.next_poll_in(running));
                Ok(self.due(due))
            }
            Event::TaskUnknown { attempt } if attempt == render.attempt => {
                if running >= self.rules.retry.unknown_task_grace {
                    let gone = Failure { class: FailureClass::Unknown, reason: Reason::UnknownTask };
                    return Ok(self.render_failed(render, gone));
                }
                let due = self.now.after(self.rules.timing.poll_every);
                Ok(self.due(due))
            }
            Event::RenderFailed { attempt, failure } if attempt == render.attempt => {
                Ok(self.render_failed(render, failure))
            }
            Event::Rendered { attempt, url } if attempt == render.attempt => {
                self.job.state =
                    State::Delivering { attempt, key: render.key.clone(), task: render.task.clone(), url };
                Ok(self.due_now().with_attempt(attempt, render.key, AttemptStatus::Rendered))
            }
            Event::CancelRequested => Err(Refusal::TooLateToCancel),
            Event::Accepted { .. }
            | Event::Adopted { .. }
            | Event::Refused { .. }
            | Event::AnswerMissing { .. }
            | Event::NotReady { .. }
            | Event::TaskUnknown { .. }
            | Event::RenderFailed { .. }
            | Event::Rendered { .. }
            | Event::Delivered { .. }
            | Event::DeliveryFailed { .. } => Err(Refusal::StaleAttempt),
            Event::Started
            | Event::PromptReady { .. }
            | Event::PhotoUploaded { .. }
            | Event::UploadFailed { .. }
            | Event::AttemptOpened { .. }
            | Event::KeysBusy { .. }
            | Event::NoKeyLeft
            | Event::NoModelLeft
            | Event::ProviderDown { .. }
            | Event::ProbeTaken
            | Event::Abandoned => Err(Refusal::OutOfOrder(StateName::Rendering)),
        }
    }

    fn render_failed(self, render: &Render<'_>, failure: Failure) -> Step {
        let step = self.fail(render.key, failure);
        step.with_failed_attempt(render.attempt, render.key, AttemptStatus::Failed, failure)
    }

    /// Delivering.
    fn deliver(mut self, present: AttemptId, event: &Event) -> Result<Step, Refusal> {
        match event {
            Event::Delivered { attempt } if *attempt == present => {
                let entry = Entry::capture(self.job.user, self.job.order, self.job.id, self.now);
                self.job.state = State::Done { at: self.now };
                Ok(self.finished(entry))
            }
            Event::DeliveryFailed { attempt, failure } if *attempt == present => {
                Ok(self.delivery_failed(*failure))
            }
            Event::CancelRequested => Err(Refusal::TooLateToCancel),
            Event::Accepted { .. }
            | Event::Adopted { .. }
            | Event::Refused { .. }
            | Event::AnswerMissing { .. }
            | Event::NotReady { .. }
            | Event::TaskUnknown { .. }
            | Event::RenderFailed { .. }
            | Event::Rendered { .. }
            | Event::Delivered { .. }
            | Event::DeliveryFailed { .. } => Err(Refusal::StaleAttempt),
            Event::Started
            | Event::PromptReady { .. }
            | Event::PhotoUploaded { .. }
            | Event::UploadFailed { .. }
            | Event::AttemptOpened { .. }
            | Event::KeysBusy { .. }
            | Event::NoKeyLeft
            | Event::NoModelLeft
            | Event::ProviderDown { .. }
            | Event::ProbeTaken
            | Event::Abandoned => Err(Refusal::OutOfOrder(StateName::Delivering)),
        }
    }

    fn delivery_failed(mut self, failure: DeliveryFailure) -> Step {
        match failure {
            DeliveryFailure::RecipientGone => self.refund(RefundCause::RecipientGone),
            DeliveryFailure::Refused => self.refund(RefundCause::Undeliverable),
            DeliveryFailure::Passing => {
                let delay = self.rules.retry.delivery_delays.get(usize::from(self.job.delivery_failures));
                match delay.copied() {
                    None => self.refund(RefundCause::Undeliverable),
                    Some(delay) => {
                        self.job.delivery_failures = self.job.delivery_failures.saturating_add(1);
                        let due = self.now.after(delay);
                        self.due(due)
                    }
                }
            }
        }
    }

    /// A submission or render failed: decide, and write down what the decision means.
    fn fail(mut self, key: &KeyId, failure: Failure) -> Step {
        let waited = self.now.since(self.job.created_at);
        let policy = &self.rules.retry;
        let cooling = policy.cooling.for_failure(failure, self.now);
        self.job.avoid_key = Some(key.clone());
        if failure.reason == Reason::PhotoUnreachable {
            self.job.photo = None;
        }
        let (alert, now) = (self.alert_for(key, failure, cooling), self.now);
        // Sent although the provider was known to be down, for the sake of all others.
        let was_probe = std::mem::take(&mut self.job.is_probe) && breaker::is_providers_fault(failure);
        let decision = if was_probe {
            Decision::Resubmit
        } else {
            decision::decide(failure, self.job.retries, waited, policy)
        };
        let mut step = match decision {
            Decision::Release(cause) => self.refund(cause),
            Decision::Retry { retry, delay } => {
                self.job.retries = retry;
                self.job.state = State::Submitting { open: None };
                let notice = self.tell(NoticeKind::Retrying { retry, of: policy.retries_max(), delay });
                let due = self.now.after(delay);
                self.due(due).with_notice(notice)
            }
            Decision::Resubmit | Decision::OtherModel => {
                self.job.state = State::Submitting { open: None };
                self.due_now()
            }
        };
        if decision == Decision::OtherModel
            && let Some(model) = &step.job.model
        {
            let until = now.after(policy.model_cooling);
            step.circuits.push(CircuitChange::Refused { model: model.clone(), until });
        }
        step.cooling = cooling.map(|cooling| (key.clone(), cooling));
        step.notices.extend(alert);
        step
    }

    fn alert_for(&self, key: &KeyId, failure: Failure, cooling: Option<Cooling>) -> Option<Notice> {
        let kind = match (cooling.map(|c| c.cause), failure.reason) {
            (Some(CoolingCause::Billing | CoolingCause::Rejected), _) => {
                NoticeKind::KeyOut { key: key.clone(), failure }
            }
            (_, Reason::BadRequest) => NoticeKind::RequestRefused,
            _ => return None,
        };
        Some(self.alert(kind))
    }

    /// The provider is down. The user hears of it once, however often the job has to wait.
    fn hold(mut self, until: Timestamp) -> Step {
        self.job.is_probe = false;
        let is_new = self.job.held_since.is_none();
        self.job.held_since = self.job.held_since.or(Some(self.now));
        let notice = self.tell(NoticeKind::ProviderDown);
        let due = until.max(self.now.after(Duration::from_millis(1)));
        let step = self.due(due);
        if is_new { step.with_notice(notice) } else { step }
    }

    fn refund(mut self, cause: RefundCause) -> Step {
        let entry = Entry::release(self.job.user, self.job.order, self.job.id, self.now);
        self.job.state = State::Refunded { cause, at: self.now };
        let notice = self.tell(NoticeKind::Refunded { cause, credits: Credits::of(1) });
        self.finished(entry).with_notice(notice)
    }

    fn cancel(mut self) -> Step {
        let entry = Entry::release(self.job.user, self.job.order, self.job.id, self.now);
        self.job.state = State::Cancelled { at: self.now };
        let notice = self.tell(NoticeKind::Cancelled { credits: Credits::of(1) });
        self.finished(entry).with_notice(notice)
    }

    /// Ends a job that no worker can step. A submission that may be running is written off with it, so that it does
    /// not take up one of its account's places for ever.
    fn abandon(self, state: &State) -> Step {
        let alert = self.alert(NoticeKind::JobAbandoned);
        let step = self.refund(RefundCause::OurFault).with_notice(alert);
        match state {
            State::Submitting { open: Some(open) } => {
                step.with_attempt(open.id, &open.key, AttemptStatus::Lost)
            }
            State::Rendering { attempt, key, .. } => step.with_attempt(*attempt, key, AttemptStatus::Lost),
            _ => step,
        }
    }

    fn is_out_of_patience(&self) -> bool {
        self.now.since(self.job.created_at) >= self.rules.retry.patience
    }

    fn tell(&self, kind: NoticeKind) -> Notice {
        let audience = Audience::User(self.job.user);
        Notice { audience, order: self.job.order, video: Some(self.job.video), kind }
    }

    fn alert(&self, kind: NoticeKind) -> Notice {
        alert(&self.job, kind)
    }

    fn due_now(self) -> Step {
        let now = self.now;
        self.due(now)
    }

    fn due(self, at: Timestamp) -> Step {
        Step {
            job: self.job,
            next_run_at: Some(at),
            entries: Vec::new(),
            notices: Vec::new(),
            attempt: None,
            cooling: None,
            circuits: Vec::new(),
            answer: None,
            breaker: None,
        }
    }

    fn finished(self, entry: Entry) -> Step {
        let now = self.now;
        let mut step = self.due(now);
        step.next_run_at = None;
        step.entries.push(entry);
        step
    }
}
