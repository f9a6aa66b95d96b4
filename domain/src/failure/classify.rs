//! From a provider's answer to a judged failure.

use super::rules::{self, Carrier, NumberRule};
use super::tables::{Rule, TABLES, Topic};
use super::taxonomy::{Failure, FailureClass, Reason};
use super::text::Text;
use super::words::Words;

/// What the provider said, as far as it said anything. Leave out what was not in the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProviderAnswer<'a> {
    /// Status of the HTTP response that carried the message.
    pub http_status: Option<u16>,
    /// The number in the body, KIE's `code`.
    pub code: Option<i64>,
    /// The failed task's code, KIE's `failCode`: a word, or a number written as text.
    pub fail_code: Option<&'a str>,
    /// The sentence, KIE's `msg` or `failMsg`; or the raw body when it is no JSON. May be empty.
    pub message: &'a str,
}

/// A failure together with what decided it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Classification {
    /// The judged failure.
    pub failure: Failure,
    /// Name of the rule that decided, for logs and tests.
    pub rule: &'static str,
}

/// Name of the rule that applies when no other does.
const NOTHING_RECOGNISED: &str = "nothing_recognised";

/// Judges a provider's answer.
///
/// In order: what a text says clearly, then what it hints at; numbers with one meaning (no money, wrong key, too
/// fast); texts that hardly say anything ("failed", "try again"); numbers that stand for any fault; else
/// [`FailureClass::Unknown`]. Among numbers the fail code comes before the body's code and that before the status.
#[must_use]
pub fn classify(answer: &ProviderAnswer<'_>) -> Classification {
    let tables = &*TABLES;
    let message = Text::new(&Words::of(answer.message), &tables.vocabulary);
    let fail_code = answer.fail_code.map(str::trim).unwrap_or_default();
    let fail_number = fail_code.parse::<i64>().ok();
    let fail_words = Words::of(if fail_number.is_some() { "" } else { fail_code });
    let fail_words = Text::new(&fail_words, &tables.vocabulary);

    let numbers = [fail_number, answer.code, answer.http_status.map(i64::from)];

    by_text(&tables.clear, &message, &fail_words)
        .or_else(|| by_text(&tables.hints, &message, &fail_words))
        .map(|decided| refine(decided, &message, &fail_words))
        .or_else(|| by_number(rules::TELLING_NUMBERS, numbers))
        .or_else(|| by_text(&tables.vague, &message, &fail_words))
        .or_else(|| by_number(rules::FAULT_NUMBERS, numbers))
        .unwrap_or(Classification { failure: Reason::Unrecognised.into(), rule: NOTHING_RECOGNISED })
}

/// The first of `rules` that the message or the words of the fail code satisfy.
///
/// Rules are the outer loop: a fail code that names a refusal weighs more than a message that names a mere fault.
fn by_text(rules: &[Rule], message: &Text, fail_code: &Text) -> Option<Classification> {
    rules
        .iter()
        .find(|rule| {
            let carrier = rule.rule.carrier;
            carrier.admits(Carrier::Message) && rule.is_satisfied_by(message)
                || carrier.admits(Carrier::FailCode) && rule.is_satisfied_by(fail_code)
        })
        .map(|Rule { rule, .. }| Classification { failure: rule.reason.into(), rule: rule.name })
}

/// Gives a refusal that named no topic the topic that the text names, so that the user learns what to change.
///
/// Only a text already known to be a refusal is searched, so short phrases are safe here. A text that names many
/// topics merely lists what is forbidden, and stays unspecific.
fn refine(decided: Classification, message: &Text, fail_code: &Text) -> Classification {
    if decided.failure.class != FailureClass::UserViolation {
        return decided;
    }
    let named = |table: &'static [Topic]| {
        table.iter().filter(|topic| topic.is_named_in(message) || topic.is_named_in(fail_code))
    };
    let subjects = named(&TABLES.subjects).count();
    let topic = if subjects > rules::MOST_SUBJECTS_MEANT { None } else { named(&TABLES.subjects).next() };
    match topic.or_else(|| named(&TABLES.refused_parts).next()) {
        Some(topic) => Classification { failure: topic.reason.into(), rule: decided.rule },
        None => decided,
    }
}

/// The first number that a rule of `table` is about.
fn by_number(table: &'static [NumberRule], numbers: [Option<i64>; 3]) -> Option<Classification> {
    numbers.into_iter().flatten().find_map(|number| {
        table
            .iter()
            .find(|rule| rule.numbers.iter().any(|range| range.contains(&number)))
            .map(|rule| Classification { failure: rule.reason.into(), rule: rule.name })
    })
}
