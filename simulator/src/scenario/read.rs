//! From a text to a scenario, with everything that is wrong with its form.

use serde::Deserialize;
use toml::de::{Deserializer, Error};

use super::{
    document::Document,
    keys::{sample, unknown_keys},
    nearest::did_you_mean,
    place::Place,
    schema::Scenario,
};

/// More mistakes than anybody reads at once.
const MISTAKES_MAX: usize = 50;

/// Mistakes by place.
pub(super) type Findings = Vec<(Place, String)>;

/// What became of a text.
pub(super) struct Reading {
    /// The scenario, as far as it could be read: with possible values in the place of wrong ones.
    pub(super) scenario: Option<Scenario>,
    /// What is wrong with its form.
    pub(super) findings: Findings,
}

/// Reads a document. A wrong or missing value is noted, one that is possible is put in its place, and the whole is
/// read again: whoever made three mistakes is told of three.
pub(super) fn read(document: &Document<'_>) -> Reading {
    let mut rest = document.clone();
    let mut findings = unknown_keys(document.tree());
    for (place, _) in &findings {
        rest.replace(place, None);
    }
    while findings.len() < MISTAKES_MAX {
        let error = match Scenario::deserialize(Deserializer::from(rest.tree().clone())) {
            Ok(scenario) => return Reading { scenario: Some(scenario), findings },
            Err(error) => error,
        };
        let found = error.span().map(|span| rest.place_of(&span)).unwrap_or_default();
        let place = match word_after("missing field `", error.message()) {
            Some(field) => found.key(field),
            None => found,
        };
        let replaced = place.nearest_key();
        let is_known = findings.iter().any(|(known, _)| known.nearest_key() == replaced);
        if is_known {
            break;
        }
        rest.replace(&replaced, sample(&replaced));
        findings.push((place, in_plain_words(&error)));
    }
    Reading { scenario: None, findings }
}

fn word_after<'m>(beginning: &str, message: &'m str) -> Option<&'m str> {
    message.strip_prefix(beginning)?.split('`').next()
}

/// The deserialiser's words, without the names of Rust's types.
fn in_plain_words(error: &Error) -> String {
    let message = error.message().trim();
    if word_after("missing field `", message).is_some() {
        return "this key is missing".to_owned();
    }
    if let Some(word) = word_after("unknown variant `", message) {
        let known: Vec<_> = message.split('`').skip(3).step_by(2).collect();
        return format!("`{word}` is not known here{}", did_you_mean(word, &known));
    }
    if message.starts_with("invalid type: map, expected a sequence") {
        return "this is a list of tables: write two brackets, as [[account]]".to_owned();
    }
    let types = [
        ("expected f64", "expected a number"),
        ("expected u32", "expected a whole number, 0 or more"),
        ("expected u16", "expected a whole number from 0 to 65535"),
        ("expected a string", "expected a text in quotes"),
        ("expected a boolean", "expected true or false"),
        ("expected a sequence", "expected a list in brackets"),
        ("expected a map", "expected a table"),
        ("expected a tuple of size 2", "expected a pair such as [\"20:00\", 4.0]"),
        ("invalid type: ", "this is the wrong type: "),
        ("invalid value: ", "this value is not possible: "),
    ];
    let mut words = message.to_owned();
    for (theirs, ours) in types {
        words = words.replace(theirs, ours);
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}
