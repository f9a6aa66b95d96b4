//! The rule tables made ready for matching: each phrase is parsed once, when the first answer is judged.

use std::sync::LazyLock;

use super::phrase::Phrase;
use super::rules::{self, TextRule};
use super::taxonomy::Reason;
use super::text::{Text, Vocabulary};

/// The tables of [`super::rules`].
pub(super) static TABLES: LazyLock<Tables> = LazyLock::new(Tables::parsed);

/// The tables, and the vocabulary that a text is looked up in to be matched against them.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) vocabulary: Vocabulary,
    pub(super) clear: Vec<Rule>,
    pub(super) hints: Vec<Rule>,
    pub(super) vague: Vec<Rule>,
    pub(super) subjects: Vec<Topic>,
    pub(super) refused_parts: Vec<Topic>,
}

impl Tables {
    fn parsed() -> Self {
        let mut vocabulary = Vocabulary::default();
        Self {
            clear: parsed_rules(rules::CLEAR, &mut vocabulary),
            hints: parsed_rules(rules::HINTS, &mut vocabulary),
            vague: parsed_rules(rules::VAGUE, &mut vocabulary),
            subjects: parsed_topics(rules::SUBJECTS, &mut vocabulary),
            refused_parts: parsed_topics(rules::REFUSED_PARTS, &mut vocabulary),
            vocabulary,
        }
    }
}

fn parsed_rules(tables: &[&'static [TextRule]], vocabulary: &mut Vocabulary) -> Vec<Rule> {
    let rules = tables.iter().copied().flatten();
    rules
        .map(|rule| Rule {
            rule,
            says: parsed_phrases(rule.says, vocabulary),
            unless: parsed_phrases(rule.unless, vocabulary),
        })
        .collect()
}

fn parsed_topics(topics: &[rules::Topic], vocabulary: &mut Vocabulary) -> Vec<Topic> {
    topics
        .iter()
        .map(|topic| Topic { reason: topic.reason, says: parsed_phrases(topic.says, vocabulary) })
        .collect()
}

fn parsed_phrases(phrases: &[&str], vocabulary: &mut Vocabulary) -> Vec<Phrase> {
    phrases.iter().map(|phrase| Phrase::parse(phrase, vocabulary)).collect()
}

/// One wording and its exceptions.
#[derive(Debug)]
pub(super) struct Rule {
    /// The rule as it is written in its table.
    pub(super) rule: &'static TextRule,
    says: Vec<Phrase>,
    unless: Vec<Phrase>,
}

impl Rule {
    /// Whether `text` says one of the phrases and none of the exceptions.
    pub(super) fn is_satisfied_by(&self, text: &Text) -> bool {
        let said = |phrases: &[Phrase]| phrases.iter().any(|phrase| phrase.occurs(text));
        !text.is_empty() && said(&self.says) && !said(&self.unless)
    }
}

/// A topic that a refusal may name.
#[derive(Debug)]
pub(super) struct Topic {
    /// What the refusal is then about.
    pub(super) reason: Reason,
    says: Vec<Phrase>,
}

impl Topic {
    /// Whether `text` names the topic.
    pub(super) fn is_named_in(&self, text: &Text) -> bool {
        self.says.iter().any(|phrase| phrase.occurs(text))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Phrase, TABLES};
    use crate::failure::phrase::naive;
    use crate::failure::rules::{self, TextRule};
    use crate::failure::text::Text;
    use crate::failure::words::Words;

    /// Every phrase of the tables as it is written, beside what it was parsed to.
    fn phrases() -> impl Iterator<Item = (&'static str, &'static Phrase)> {
        let written = |rule: &'static TextRule| rule.says.iter().chain(rule.unless);
        let tables = &*TABLES;
        let rules = tables.clear.iter().chain(&tables.hints).chain(&tables.vague);
        let topics = tables.subjects.iter().chain(&tables.refused_parts);
        let written_topics = rules::SUBJECTS.iter().chain(rules::REFUSED_PARTS);
        rules
            .flat_map(move |rule| written(rule.rule).zip(rule.says.iter().chain(&rule.unless)))
            .chain(
                written_topics.zip(topics).flat_map(|(written, topic)| written.says.iter().zip(&topic.says)),
            )
            .map(|(written, parsed)| (*written, parsed))
    }

    /// A stretch of text that is likely to say something: some phrase with its marks taken as words.
    fn any_stretch() -> impl Strategy<Value = String> {
        let phrases: Vec<&str> = phrases().map(|(written, _)| written).collect();
        let choices = prop::collection::vec(any::<prop::sample::Index>(), 12);
        (prop::sample::select(phrases), choices, "[ ,.]").prop_map(|(phrase, choices, end)| {
            let spoken = phrase.split(' ').zip(choices).map(|(mark, choice)| {
                let alternatives: Vec<&str> = mark.split('|').collect();
                match alternatives[choice.index(alternatives.len())] {
                    "^" | "&" | "$" | "$$" => String::new(),
                    gap if gap.starts_with('~') => "lantern ".repeat(choice.index(3)),
                    words => words.replace('*', "").replace('_', " ") + " ",
                }
            });
            spoken.collect::<String>() + &end + " "
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn every_phrase_is_found_where_a_naive_reader_finds_it(text in prop::collection::vec(any_stretch(), 0..6)) {
            let words = Words::of(&text.concat());
            let looked_up = Text::new(&words, &TABLES.vocabulary);
            let words = naive::words(&words);
            for (written, parsed) in phrases() {
                let naively = naive::occurs(written, &words);
                prop_assert_eq!(parsed.occurs(&looked_up), naively, "{} in {:?}", written, words);
            }
        }
    }
}
