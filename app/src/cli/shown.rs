//! How facts are shown: as JSON for programs, as words for people.

use chrono::{DateTime, SecondsFormat};
use domain::{
    id::TaskId,
    job::State,
    ledger::{Balance, Entry},
    time::Timestamp,
};
use ports::{AttemptRecord, JobRecord};
use serde_json::{Value, json};

/// An instant as RFC 3339 in UTC.
pub(super) fn instant(at: Timestamp) -> String {
    DateTime::from_timestamp_millis(at.as_millis())
        .map_or_else(|| at.as_millis().to_string(), |at| at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

pub(super) fn balance(balance: Balance) -> Value {
    json!({ "available": balance.available.value(), "held": balance.held.value() })
}

pub(super) fn entry(entry: &Entry) -> Value {
    json!({
        "at": instant(entry.at),
        "kind": entry.kind.as_str(),
        "available": entry.available,
        "held": entry.held,
        "key": entry.key,
        "order": entry.order.map(|id| id.to_string()),
        "job": entry.job.map(|id| id.to_string()),
    })
}

/// Why a job was refunded, if it was.
fn cause(state: &State) -> Option<String> {
    match state {
        State::Refunded { cause, .. } => Some(cause.code()),
        State::Queued
        | State::Prompting
        | State::Submitting { .. }
        | State::Rendering { .. }
        | State::Delivering { .. }
        | State::Done { .. }
        | State::Cancelled { .. } => None,
    }
}

/// What the job is doing at the provider, if anything: attempt, key, task.
fn provider(state: &State) -> Value {
    match state {
        State::Submitting { open: Some(open) } => {
            json!({ "attempt": open.id.to_string(), "key": open.key.as_str(), "task": null })
        }
        State::Rendering { attempt, key, task, .. } | State::Delivering { attempt, key, task, .. } => {
            json!({ "attempt": attempt.to_string(), "key": key.as_str(), "task": task.as_str() })
        }
        State::Queued
        | State::Prompting
        | State::Submitting { open: None }
        | State::Done { .. }
        | State::Refunded { .. }
        | State::Cancelled { .. } => Value::Null,
    }
}

pub(super) fn job(record: &JobRecord) -> Value {
    let job = &record.job;
    json!({
        "id": job.id.to_string(),
        "order": job.order.to_string(),
        "user": job.user.value(),
        "number": job.video.0,
        "of": job.video.1,
        "state": job.state.name().as_str(),
        "cause": cause(&job.state),
        "retries": job.retries,
        "lost_answers": job.lost_answers,
        "delivery_failures": job.delivery_failures,
        "model": job.model.as_ref().map(domain::id::ModelId::as_str),
        "provider": provider(&job.state),
        "created_at": instant(job.created_at),
        "next_run_at": record.next_run_at.map(instant),
        "leased_until": record.leased_until.map(instant),
    })
}

pub(super) fn attempt(attempt: &AttemptRecord) -> Value {
    json!({
        "id": attempt.id.to_string(),
        "key": attempt.key.as_str(),
        "status": attempt.status.as_str(),
        "task": attempt.task.as_ref().map(TaskId::as_str),
        "class": attempt.failure.map(|failure| failure.class.as_str()),
        "reason": attempt.failure.map(|failure| failure.reason.code()),
        "evidence": attempt.evidence,
        "sent_at": instant(attempt.sent_at),
        "changed_at": instant(attempt.changed_at),
    })
}

/// One submission in a line, and what was said about it in another.
pub(super) fn attempt_lines(attempt: &AttemptRecord) -> Vec<String> {
    let mut line =
        format!("  {}  key {}  {}", instant(attempt.sent_at), attempt.key, attempt.status.as_str());
    if let Some(task) = &attempt.task {
        line.push_str(&format!("  task {task}"));
    }
    if let Some(failure) = attempt.failure {
        line.push_str(&format!("  {}/{}", failure.class.as_str(), failure.reason.code()));
    }
    let said = attempt.evidence.as_ref().map(|said| format!("    said: {said}"));
    std::iter::once(line).chain(said).collect()
}

/// One line of a list of jobs.
pub(super) fn job_line(record: &JobRecord) -> String {
    let job = &record.job;
    let (number, of) = job.video;
    let state = match cause(&job.state) {
        Some(cause) => format!("{} ({cause})", job.state.name().as_str()),
        None => job.state.name().as_str().to_owned(),
    };
    format!("{}  order {}  {number} of {of}  user {}  {state}", job.id, job.order, job.user)
}
