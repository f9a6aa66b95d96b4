//! What a trial came to, for people and for programs.

use std::{path::PathBuf, time::Duration};

use chrono::{DateTime, SecondsFormat};
use domain::{job::StateName, notice::Audience, time::Timestamp};
use serde_json::{Value, json};

use super::screen::{count, moscow};
use crate::world::{Check, KeyUse, Mishap, Outcome, VideoOutcome};

/// A trial and what surrounded it.
pub(super) struct Summary<'a> {
    pub(super) outcome: &'a Outcome,
    pub(super) mishap: Option<Mishap>,
    pub(super) mishap_name: Option<String>,
    /// Saved videos and their sizes in bytes.
    pub(super) files: Vec<(PathBuf, u64)>,
    pub(super) took: Duration,
    pub(super) database_took: Duration,
}

impl Summary<'_> {
    /// For people.
    pub(super) fn lines(&self) -> Vec<String> {
        let outcome = self.outcome;
        let mut lines = vec![String::new()];
        let mut say = |head: &str, text: String| lines.push(format!("{head:<9}{text}"));
        say(
            "credits",
            format!(
                "held {}, captured {}, released {}; balance {} -> {}",
                outcome.held,
                outcome.captured,
                outcome.released,
                outcome.before.available,
                outcome.after.available
            ),
        );
        for video in &outcome.videos {
            let head = if video.number == 1 { "videos" } else { "" };
            say(head, format!("{}. {}", video.number, ending(video)));
            for retry in &video.retries {
                let waited = retry.waited.map_or_else(|| "never".to_owned(), seconds);
                let (at, number) = (moscow(retry.failed_at), retry.number);
                say("", format!("   failed at {at}, retry {number} after {waited}"));
            }
        }
        for (number, key) in outcome.keys.iter().enumerate() {
            say(if number == 0 { "keys" } else { "" }, used(key));
        }
        let bill = &outcome.bill;
        #[expect(clippy::cast_precision_loss, reason = "a bill is far below 2^52 hundredths of a credit")]
        let usd = bill.charged.hundredths() as f64 / 100.0 * 0.005;
        say(
            "provider",
            format!(
                "{}, {} charged: {} KIE credits (${usd:.2})",
                count(bill.tasks, "task"),
                bill.charged_tasks,
                bill.charged
            ),
        );
        if bill.charged_tasks > outcome.videos.iter().filter(|video| video.state == StateName::Done).count() {
            say(
                "",
                "more was charged than delivered: the price of lost answers or undelivered videos".to_owned(),
            );
        }
        say(
            "time",
            format!(
                "{} simulated in {} ({} for PostgreSQL, {} real calls)",
                spoken(outcome.ended.since(outcome.began)),
                seconds(self.took),
                seconds(self.database_took),
                outcome.real_calls
            ),
        );
        if outcome.messages_given_up > 0 {
            let (sent, lost) = (outcome.texts.len(), outcome.messages_given_up);
            say("messages", format!("{sent} arrived, {lost} were given up"));
        }
        for (number, (file, bytes)) in self.files.iter().enumerate() {
            let head = if number == 0 { "files" } else { "" };
            say(head, format!("{} ({} kB)", file.display(), bytes.div_ceil(1_000)));
        }
        let audit = &outcome.audit;
        let found = match audit.findings.len() {
            0 => "no difference".to_owned(),
            count => format!("{count} differences"),
        };
        say("audit", format!("{} entries, {found}", audit.entries));
        let broken: Vec<_> =
            outcome.checks.iter().filter_map(|c| Some((c.what, c.problem.as_ref()?))).collect();
        if broken.is_empty() {
            say("checks", format!("all {} hold", outcome.checks.len()));
        }
        for (what, problem) in broken {
            say("BROKEN", format!("{what}: {problem}"));
        }
        lines.push(String::new());
        lines.extend(self.next_steps());
        lines
    }

    /// What to try after this.
    fn next_steps(&self) -> Vec<String> {
        let steps: &[(&str, &str)] = match self.mishap {
            None => &[
                ("cargo sim try --fail temporary", "three retries, then the credit back"),
                ("cargo sim try --fail billing", "another account's key takes over"),
                ("cargo sim try --help", "every other mishap, your own photo and brief"),
            ],
            Some(_) => &[
                ("cargo sim try --fail answer-lost", "the answer that never comes, and may be paid twice"),
                ("cargo sim try --fail user-violation", "a refused photo, explained"),
                ("cargo sim mock", "the same providers on fixed ports, for any client"),
            ],
        };
        let same = self.mishap_name.as_ref().map(|name| format!("cargo sim try --fail {name}"));
        let steps = steps.iter().filter(|(step, _)| same.as_deref() != Some(step));
        let mut lines = vec!["next".to_owned()];
        lines.extend(steps.map(|(step, why)| format!("  {step:<38} {why}")));
        lines
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let outcome = self.outcome;
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        json!({
            "ok": outcome.is_right(),
            "order": outcome.order.to_string(),
            "model": outcome.model.as_str(),
            "fail": self.mishap_name,
            "credits": {
                "held": outcome.held, "captured": outcome.captured, "released": outcome.released,
                "before": outcome.before.available.value(), "after": outcome.after.available.value(),
            },
            "videos": outcome.videos.iter().map(|video| json!({
                "number": video.number,
                "state": video.state.as_str(),
                "cause": video.cause.map(|cause| cause.code()),
                "keys": video.keys.iter().map(|key| key.as_str()).collect::<Vec<_>>(),
                "handed_over_at": video.handed_over.map(iso),
                "retries": video.retries.iter().map(|retry| json!({
                    "retry": retry.number,
                    "delay_ms": milliseconds(retry.delay),
                    "failed_at": iso(retry.failed_at),
                    "waited_ms": retry.waited.map(milliseconds),
                })).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
            "keys": outcome.keys.iter().map(|key| json!({
                "key": key.key.as_str(), "account": key.account.as_str(), "submitted": key.submitted,
                "accepted": key.accepted,
                "refused": key.refused.iter().map(|(code, n)| json!({ "code": code, "times": n })).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
            "provider": {
                "tasks": outcome.bill.tasks, "charged_tasks": outcome.bill.charged_tasks,
                "kie_credits": outcome.bill.charged.as_json(),
            },
            "prompts_written": outcome.prompts_written,
            "messages": outcome.texts.iter().map(|(at, to, text)| json!({
                "at": iso(*at),
                "to": match to { Audience::User(_) => "user", Audience::Operator => "operator" },
                "text": text,
            })).collect::<Vec<_>>(),
            "files": self.files.iter().map(|(file, bytes)| json!({ "path": file, "bytes": bytes })).collect::<Vec<_>>(),
            "simulated_ms": milliseconds(outcome.ended.since(outcome.began)),
            "real_ms": milliseconds(self.took),
            "audit": {
                "entries": outcome.audit.entries,
                "findings": outcome.audit.findings.iter().map(|f| f.what.as_str()).collect::<Vec<_>>(),
            },
            "checks": outcome.checks.iter().map(|Check { what, problem }| json!({
                "what": what, "holds": problem.is_none(), "problem": problem,
            })).collect::<Vec<_>>(),
        })
    }
}

fn ending(video: &VideoOutcome) -> String {
    match (video.handed_over, video.cause) {
        (Some(at), _) if video.state == StateName::Done => format!("delivered at {}", moscow(at)),
        (_, Some(cause)) => format!("not made, credit released ({})", cause.code()),
        _ => video.state.as_str().to_owned(),
    }
}

fn used(key: &KeyUse) -> String {
    let refused: Vec<_> =
        key.refused.iter().map(|(code, times)| format!("{times} refused with code {code}")).collect();
    let refused = if refused.is_empty() { String::new() } else { format!(", {}", refused.join(", ")) };
    format!(
        "{} (account {}): {} submitted, {} accepted{refused}",
        key.key, key.account, key.submitted, key.accepted
    )
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

fn spoken(time: Duration) -> String {
    let (hours, minutes, rest) = (time.as_secs() / 3_600, time.as_secs() / 60 % 60, time.as_secs() % 60);
    match hours {
        0 => format!("{minutes} min {rest:02} s"),
        _ => format!("{hours} h {minutes:02} min"),
    }
}

fn iso(at: Timestamp) -> String {
    DateTime::from_timestamp_millis(at.as_millis())
        .map_or_else(String::new, |at| at.to_rfc3339_opts(SecondsFormat::Millis, true))
}
