//! What has to hold at the end of a trial, whatever went wrong in it.

use std::time::Duration;

use domain::{job::StateName, notice::Audience};

use super::{Expected, Outcome, TrialOrder, VideoOutcome, trace::Record};

/// One thing that had to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What.
    pub what: &'static str,
    /// What was found instead; `None` when it holds.
    pub problem: Option<String>,
}

/// How much later than promised a retry may be noticed: nothing else competes for the worker in a trial.
const RETRY_SLACK: Duration = Duration::from_secs(2);
/// The product's retry delays.
const DELAYS_S: [u64; 3] = [10, 20, 40];

/// Checks everything.
pub(super) fn all(outcome: &Outcome, record: &Record, order: &TrialOrder, expected: Expected) -> Vec<Check> {
    let check = |what, problem| Check { what, problem };
    vec![
        check("each held credit was captured or released, once", held_is_settled(outcome, order)),
        check("the user paid for delivered videos and for nothing else", paid_for_delivered(outcome)),
        check("the ledger's audit finds no difference", audit(outcome)),
        check("a credit is captured only after its video was handed over", captured_after(outcome)),
        check("the videos ended as they should", ended_as_expected(outcome, expected)),
        check("retries came after 10, 20 and 40 s, and as many as they should", retries(outcome, expected)),
        check("the right account made the videos", account(outcome, expected)),
        check("the user was told how each video ended", told(outcome, record)),
        check("the operator was told when somebody has to act, and only then", alerted(outcome, expected)),
        check("the seller's words reached the provider with every task", words_kept(outcome, order)),
    ]
}

fn held_is_settled(outcome: &Outcome, order: &TrialOrder) -> Option<String> {
    let (held, captured, released) = (outcome.held, outcome.captured, outcome.released);
    let right = held == i64::from(order.quantity.videos()) && held == captured + released;
    (!right || outcome.after.held.value() != 0).then(|| {
        format!("held {held}, captured {captured}, released {released}, still held {}", outcome.after.held)
    })
}

fn paid_for_delivered(outcome: &Outcome) -> Option<String> {
    let paid = outcome.before.available.value() - outcome.after.available.value();
    let delivered = outcome.videos.iter().filter(|video| video.state == StateName::Done).count();
    (i64::try_from(delivered) != Ok(paid)).then(|| format!("paid {paid}, delivered {delivered}"))
}

fn audit(outcome: &Outcome) -> Option<String> {
    let found: Vec<_> = outcome.audit.findings.iter().map(|finding| finding.what.as_str()).collect();
    (!found.is_empty()).then(|| found.join("; "))
}

fn captured_after(outcome: &Outcome) -> Option<String> {
    let is_early = |video: &&VideoOutcome| video.state == StateName::Done && video.handed_over.is_none();
    outcome.videos.iter().find(is_early).map(|video| format!("video {} was not handed over", video.number))
}

fn ended_as_expected(outcome: &Outcome, expected: Expected) -> Option<String> {
    let wanted = if expected.delivered { StateName::Done } else { StateName::Refunded };
    let odd = outcome.videos.iter().find(|video| video.state != wanted)?;
    Some(format!("video {} is {} instead of {}", odd.number, odd.state.as_str(), wanted.as_str()))
}

fn retries(outcome: &Outcome, expected: Expected) -> Option<String> {
    for video in &outcome.videos {
        let count = video.retries.len();
        if let Some(wanted) = expected.retries.filter(|wanted| usize::from(*wanted) != count) {
            return Some(format!("video {} had {count} retries instead of {wanted}", video.number));
        }
        for (retry, delay) in video.retries.iter().zip(DELAYS_S) {
            let delay = Duration::from_secs(delay);
            let in_time = |waited: Duration| waited >= delay && waited < delay + RETRY_SLACK;
            if retry.delay != delay || !retry.waited.is_some_and(in_time) {
                let (number, waited) = (retry.number, retry.waited.unwrap_or_default());
                return Some(format!("retry {number} of video {} came after {waited:?}", video.number));
            }
        }
    }
    None
}

fn account(outcome: &Outcome, expected: Expected) -> Option<String> {
    let only = expected.only_account?;
    let other = outcome.keys.iter().enumerate().find(|(number, key)| *number != only && key.accepted > 0);
    other.map(|(_, key)| format!("account {} made {} tasks", key.account, key.accepted))
}

/// A video, or a text about its refund; unless the user cannot be reached at all.
fn told(outcome: &Outcome, record: &Record) -> Option<String> {
    let reached = record.texts.iter().any(|(_, to, _)| matches!(to, Audience::User(_)));
    if !reached && outcome.messages_given_up > 0 {
        return None;
    }
    let texts = record.texts.iter().filter(|(_, to, _)| matches!(to, Audience::User(_))).count();
    // One for the order, and at least the last one of each video.
    let least = 1 + outcome.videos.len();
    (texts < least || outcome.messages_given_up > 0)
        .then(|| format!("{texts} messages arrived, {} were given up", outcome.messages_given_up))
}

fn alerted(outcome: &Outcome, expected: Expected) -> Option<String> {
    let alerts = outcome.texts.iter().filter(|(_, to, _)| *to == Audience::Operator).count();
    ((alerts > 0) != expected.alert).then(|| format!("{alerts} alerts"))
}

/// The simulated language model repeats the brief, and so does every template: a prompt without it lost it.
fn words_kept(outcome: &Outcome, order: &TrialOrder) -> Option<String> {
    let brief = order.brief.as_str();
    let lost = outcome.prompts.iter().find(|prompt| !prompt.contains(brief))?;
    Some(format!("a task was created with the prompt: {}", lost.chars().take(120).collect::<String>()))
}
