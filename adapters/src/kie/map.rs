//! What an answer of KIE means: from bytes to the port's words, without any input or output.
//!
//! The body's `code` counts before the HTTP status, because KIE answers errors at HTTP 200 (KIE docs,
//! market/common/get-task-detail, and all publicly recorded traffic). For every call:
//!
//! | HTTP | body | reply |
//! |---|---|---|
//! | any | `code` 200 with what was asked for | yes |
//! | any | `code` 200 without it | unknown: it was done, and nobody knows what |
//! | any | another `code` | no, classified by sentence, then number |
//! | 2xx | no `code`, but what was asked for | yes |
//! | 2xx | anything else: cut-off JSON, HTML, nothing | unknown |
//! | 500, 502, 504, 520 to 524 and other 5xx | no `code` | unknown: the origin may have done it before it broke |
//! | 501, 503, 505, 525, 526, 530 | no `code` | no: it never reached the application |
//! | 3xx, 4xx | no `code` | no, classified by the raw body |
//! | - | no connection | no: temporary, the provider's fault |
//! | - | silence, a broken connection, a body that is too large | unknown |
//!
//! A look at a task has rows of its own, see [`looked_up`]; a download too, see [`download_refused`].

use domain::{
    failure::{Failure, ProviderAnswer, Reason, classify},
    id::TaskId,
};
use ports::{ProviderRefusal, RenderStatus, Reply};
use serde_json::Value;

use super::{
    catalogue::{Endpoint, StateWords},
    wire::{Envelope, as_web_address, text, web_address_at},
};
use crate::http::{Answer, ExchangeError};

/// The most of an answer that is kept as evidence, in characters.
const EVIDENCE_CHARS_MAX: usize = 500;

/// The answer to a new task.
pub(super) fn created(answer: &Answer) -> Reply<TaskId> {
    judge(answer, |envelope| {
        let id = envelope.data.get("taskId").and_then(text);
        id.and_then(|id| TaskId::new(id).ok()).ok_or("without a usable task id")
    })
}

/// The answer to an upload.
pub(super) fn uploaded(answer: &Answer) -> Reply<String> {
    judge(answer, |envelope| {
        let url = envelope.data.get("downloadUrl").and_then(Value::as_str);
        url.and_then(as_web_address).ok_or("without a usable download address")
    })
}

/// The answer to a request for a fresh link.
pub(super) fn relinked(answer: &Answer) -> Reply<String> {
    judge(answer, |envelope| {
        envelope.data.as_str().and_then(as_web_address).ok_or("without a usable address")
    })
}

/// The answer to a question about a model of KIE's own catalogue.
pub(super) fn described(answer: &Answer) -> Reply<Value> {
    judge(answer, |envelope| {
        envelope.data.is_object().then(|| envelope.data.clone()).ok_or("without a description")
    })
}

/// The answer to a look at the balance. KIE documents an integer and sends a fraction.
pub(super) fn balance(answer: &Answer) -> Reply<f64> {
    judge(answer, |envelope| {
        let credits = text(&envelope.data).and_then(|credits| credits.parse::<f64>().ok());
        credits.filter(|credits| credits.is_finite()).ok_or("without a number of credits")
    })
}

/// The answer to a look at a task. Before the module's table:
///
/// | `code` | `data` | reply |
/// |---|---|---|
/// | any | a record with a state | as the record says |
/// | 200 | a record without a state | still running |
/// | 200 | null or absent | the task is unknown: young tasks answer so for a moment |
/// | not 200 | the sentence says that the task is unknown | the task is unknown |
/// | 404, 422 | a sentence nobody recognises | the task is unknown |
/// | not 200 | the sentence refuses the photo or the text; or `code` 501 | the render failed |
///
/// A record in a state nobody knows is still running: the job's own deadline ends the wait.
pub(super) fn looked_up(answer: &Answer, endpoint: &Endpoint) -> Reply<RenderStatus> {
    let Some(envelope) = Envelope::read(&answer.body) else { return without_code(answer, None) };
    if let Some(state) = envelope.data.get(&endpoint.state_field).and_then(text) {
        return Reply::Yes(status_of(answer, &envelope, endpoint, &state));
    }
    match envelope.code {
        Some(200) if envelope.data.is_null() => Reply::Yes(RenderStatus::UnknownTask),
        Some(200) if envelope.data.is_object() => Reply::Yes(RenderStatus::Running),
        Some(200) => Reply::Unknown(evidence(answer, Some(200), "a task record that is not one")),
        Some(code) => {
            let refusal = refusal(answer, &envelope, code);
            match refusal.failure.reason {
                Reason::UnknownTask => Reply::Yes(RenderStatus::UnknownTask),
                Reason::Unrecognised if matches!(code, 404 | 422) => Reply::Yes(RenderStatus::UnknownTask),
                _ if code == 501 || is_about_the_render(refusal.failure) => {
                    Reply::Yes(RenderStatus::Failed(refusal))
                }
                _ => Reply::No(refusal),
            }
        }
        None => without_code(answer, Some(&envelope)),
    }
}

/// Whether a failure can only be the render's own, because merely looking at it cannot cause it.
fn is_about_the_render(failure: Failure) -> bool {
    use domain::failure::FailureClass::{InvalidInput, UserViolation};
    matches!(failure.class, UserViolation | InvalidInput) || failure.reason == Reason::PhotoUnreachable
}

fn status_of(answer: &Answer, envelope: &Envelope, endpoint: &Endpoint, state: &str) -> RenderStatus {
    let record = &envelope.data;
    match Stage::of(state, &endpoint.states) {
        Stage::Running => RenderStatus::Running,
        Stage::Unheard => {
            tracing::warn!(state = %shortened(state, 64), "KIE reports a state the catalogue does not list");
            RenderStatus::Running
        }
        Stage::Done => match endpoint.url_paths.iter().find_map(|path| web_address_at(record, path)) {
            Some(url) => RenderStatus::Finished { url },
            // Nothing to deliver, and KIE says that it is not at work any more: a fault of its own.
            None => RenderStatus::Failed(ProviderRefusal {
                failure: Reason::ProviderFault.into(),
                evidence: evidence(answer, envelope.code, "finished without a usable address"),
                retry_after: None,
            }),
        },
        Stage::Failed => {
            let fail_code = record.get(&endpoint.failure_code).and_then(text);
            let sentence = record.get(&endpoint.failure_text).and_then(text);
            let sentence = sentence.unwrap_or_else(|| match envelope.code {
                // At code 200 the envelope's own sentence is "success".
                Some(200) | None => String::new(),
                Some(_) => envelope.message.clone(),
            });
            let verdict = classify(&ProviderAnswer {
                http_status: None,
                code: envelope.code.filter(|code| *code != 200),
                fail_code: fail_code.as_deref(),
                message: &sentence,
            });
            let said = format!(
                "failed, {} {}: {sentence}",
                endpoint.failure_code,
                fail_code.as_deref().unwrap_or("-")
            );
            RenderStatus::Failed(ProviderRefusal {
                failure: verdict.failure,
                evidence: evidence(answer, envelope.code, &said),
                retry_after: None,
            })
        }
    }
}

/// Where a record's state stands.
enum Stage {
    Running,
    Done,
    Failed,
    /// Not in the catalogue's lists.
    Unheard,
}

impl Stage {
    fn of(state: &str, words: &StateWords) -> Self {
        let among = |words: &[String]| words.iter().any(|word| word.eq_ignore_ascii_case(state));
        if among(&words.done) {
            Self::Done
        } else if among(&words.failed) {
            Self::Failed
        } else if among(&words.running) {
            Self::Running
        } else {
            Self::Unheard
        }
    }
}

/// An exchange without a whole answer.
pub(super) fn unanswered<T>(error: &ExchangeError) -> Reply<T> {
    let story = shortened(&error.to_string(), EVIDENCE_CHARS_MAX);
    match error {
        ExchangeError::NeverLeft(_) => Reply::No(ProviderRefusal {
            failure: Reason::ProviderFault.into(),
            evidence: story,
            retry_after: None,
        }),
        ExchangeError::TimedOut(_) | ExchangeError::CutOff(_) | ExchangeError::TooLarge { .. } => {
            Reply::Unknown(story)
        }
    }
}

/// A call that was not made, and why.
pub(super) fn not_sent<T>(reason: Reason, why: &str) -> Reply<T> {
    Reply::No(ProviderRefusal {
        failure: reason.into(),
        evidence: shortened(why, EVIDENCE_CHARS_MAX),
        retry_after: None,
    })
}

/// What a result host's HTTP status means. It is no answer of KIE's API: a 403 says that the link ran out, and
/// nothing about our key.
pub(super) fn download_refused(status: u16) -> ProviderRefusal {
    let (reason, meaning) = match status {
        401 | 403 | 404 | 410 => (Reason::ProviderFault, "the link has expired or never worked"),
        429 => (Reason::RateLimit, "too many downloads at once"),
        _ => (Reason::ProviderFault, "the result host did not serve the file"),
    };
    ProviderRefusal {
        failure: reason.into(),
        evidence: format!("download: HTTP {status}, {meaning}"),
        retry_after: None,
    }
}

fn judge<T>(answer: &Answer, read: impl FnOnce(&Envelope) -> Result<T, &'static str>) -> Reply<T> {
    let Some(envelope) = Envelope::read(&answer.body) else { return without_code(answer, None) };
    match envelope.code {
        Some(200) => match read(&envelope) {
            Ok(wanted) => Reply::Yes(wanted),
            Err(lacking) => Reply::Unknown(evidence(answer, Some(200), lacking)),
        },
        Some(code) => Reply::No(refusal(answer, &envelope, code)),
        None => match read(&envelope) {
            Ok(wanted) if (200..300).contains(&answer.status) => Reply::Yes(wanted),
            _ => without_code(answer, Some(&envelope)),
        },
    }
}

fn refusal(answer: &Answer, envelope: &Envelope, code: i64) -> ProviderRefusal {
    let verdict = classify(&ProviderAnswer {
        http_status: Some(answer.status),
        code: Some(code),
        fail_code: None,
        message: &envelope.message,
    });
    ProviderRefusal {
        failure: verdict.failure,
        evidence: evidence(answer, Some(code), &envelope.message),
        retry_after: answer.retry_after,
    }
}

/// Judges an answer that KIE's application did not write, by its HTTP status.
fn without_code<T>(answer: &Answer, envelope: Option<&Envelope>) -> Reply<T> {
    let raw = String::from_utf8_lossy(&answer.body);
    let said = envelope.map(|envelope| envelope.message.as_str()).filter(|message| !message.is_empty());
    let said = said.unwrap_or(&raw);
    let evidence = evidence(answer, None, if said.trim().is_empty() { "an empty body" } else { said });
    match answer.status {
        501 | 503 | 505 | 525 | 526 | 530 => {}
        200..=299 | 500..=599 => return Reply::Unknown(evidence),
        _ => {}
    }
    let verdict = classify(&ProviderAnswer {
        http_status: Some(answer.status),
        code: None,
        fail_code: None,
        message: said,
    });
    Reply::No(ProviderRefusal { failure: verdict.failure, evidence, retry_after: answer.retry_after })
}

fn evidence(answer: &Answer, code: Option<i64>, said: &str) -> String {
    let code = code.map(|code| format!(", code {code}")).unwrap_or_default();
    shortened(&format!("HTTP {}{code}: {said}", answer.status), EVIDENCE_CHARS_MAX)
}

/// One line without control characters (stores refuse NUL), cut to a length.
fn shortened(text: &str, chars_max: usize) -> String {
    let line: String =
        text.chars().take(chars_max * 4).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(chars_max).collect()
}
