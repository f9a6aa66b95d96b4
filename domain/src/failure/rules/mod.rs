//! The rule tables: what is said, and what it means. Data only; [`super::tables`] parses it and [`super::classify`] reads it
//! from top to bottom.
//!
//! How to add a rule: put the wording into `tests/fixtures/more-wordings.jsonl` first, with the class it should get.
//! Then write the phrase that the next ten wordings of the same thing would share, in the language that
//! [`super::phrase`] describes. Whole phrases only: a single ambiguous word ("content", "account", "credit") occurs in
//! everything. Words are compared after normalisation: lower case, no apostrophes, "can not" for "can't", no articles,
//! no numbers.

mod access;
mod input;
mod money;
mod numbers;
mod refusals;
mod service;
mod vague;

use super::taxonomy::Reason;

pub(super) use numbers::{FAULT_NUMBERS, NumberRule, TELLING_NUMBERS};
pub(super) use refusals::{MOST_SUBJECTS_MEANT, REFUSED_PARTS, SUBJECTS};

/// Where a phrase may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carrier {
    /// In the sentence only.
    Message,
    /// In the word of the fail code only.
    FailCode,
    /// In either.
    Either,
}

impl Carrier {
    /// Whether a rule for `self` looks into `carrier`.
    pub(super) fn admits(self, carrier: Self) -> bool {
        self == Self::Either || self == carrier
    }
}

/// One wording, its exceptions, and what it means.
#[derive(Debug)]
pub(super) struct TextRule {
    /// Unique, for logs and tests.
    pub(super) name: &'static str,
    /// Where the phrases may stand.
    pub(super) carrier: Carrier,
    /// Any one of these phrases satisfies the rule ...
    pub(super) says: &'static [&'static str],
    /// ... unless the same text also says one of these.
    pub(super) unless: &'static [&'static str],
    /// What it means.
    pub(super) reason: Reason,
}

/// A topic that a refusal may name.
#[derive(Debug)]
pub(super) struct Topic {
    /// Any one of these phrases names the topic.
    pub(super) says: &'static [&'static str],
    /// What the refusal is then about.
    pub(super) reason: Reason,
}

/// Wordings that say clearly what happened, the most telling first.
///
/// The order carries meaning. Refusals come first, since they borrow every other vocabulary ("try again", "failed",
/// "upload"). What is asked of us (money, key, model) comes before what is wrong with one field or file, and the
/// provider's own troubles come last, since a relay wraps everything into "upstream error".
pub(super) const CLEAR: &[&[TextRule]] = &[
    refusals::RULES,
    money::RULES,
    input::FIELD_RULES,
    input::RULES,
    access::RULES,
    input::REQUEST_RULES,
    service::RULES,
];

/// Wordings that only hint at what to change.
pub(super) const HINTS: &[&[TextRule]] = &[vague::HINTS];

/// Wordings that hardly say anything. They accompany everything, so they come after every clear wording and after
/// the numbers that have one meaning; "try again" is the last of them.
pub(super) const VAGUE: &[&[TextRule]] = &[vague::RULES];

#[cfg(test)]
mod tests {
    use super::{CLEAR, FAULT_NUMBERS, HINTS, REFUSED_PARTS, SUBJECTS, TELLING_NUMBERS, TextRule, VAGUE};
    use crate::failure::phrase::misspelt;

    fn text_rules() -> impl Iterator<Item = &'static TextRule> {
        CLEAR.iter().chain(HINTS).chain(VAGUE).copied().flatten()
    }

    #[test]
    fn every_phrase_is_well_spelt() {
        let topics = SUBJECTS.iter().chain(REFUSED_PARTS).flat_map(|topic| topic.says);
        let faults: Vec<String> = text_rules()
            .flat_map(|rule| rule.says.iter().chain(rule.unless))
            .chain(topics)
            .filter_map(|phrase| misspelt(phrase))
            .collect();
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    #[test]
    fn every_rule_has_a_name_of_its_own() {
        let numbers = TELLING_NUMBERS.iter().chain(FAULT_NUMBERS).map(|rule| rule.name);
        let mut names: Vec<&str> = text_rules().map(|rule| rule.name).chain(numbers).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn no_rule_decides_by_a_single_ambiguous_word() {
        let ambiguous = [
            "content",
            "people",
            "person",
            "account",
            "credit",
            "credits",
            "rejected",
            "restricted",
            "balance",
            "image",
            "prompt",
            "policy",
            "failed",
            "error",
            "model",
            "limit",
            "blocked",
            "violation",
            "face",
            "minor",
            "safety",
        ];
        for rule in text_rules() {
            for phrase in rule.says {
                assert!(!ambiguous.contains(phrase), "{}: `{phrase}`", rule.name);
            }
        }
    }
}
