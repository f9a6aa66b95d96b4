//! Getting a scenario: by the name of one that comes with the program, or from a file.

use std::fs;

use super::{
    builtin::{BUILT_IN, Builtin},
    check,
    document::Document,
    error::{Mistake, ScenarioError},
    nearest::did_you_mean,
    place::Place,
    read,
    schema::Scenario,
};
use sha2::{Digest, Sha256};

/// A scenario with the text it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// What the text says.
    pub scenario: Scenario,
    /// Where it came from: a file's path, or the name of a built-in scenario.
    pub origin: String,
    /// The text.
    pub text: String,
    /// The first 12 hexadecimal digits of the text's SHA-256: two runs with the same one had the same scenario.
    pub hash: String,
}

impl Scenario {
    /// Loads a built-in scenario by its name, or a file by its path: what has a path separator or ends in `.toml`
    /// is a file.
    ///
    /// # Errors
    /// [`ScenarioError`] naming the places and what to write there.
    pub fn load(name_or_path: &str) -> Result<Loaded, ScenarioError> {
        let is_file = name_or_path.contains(['/', '\\']) || name_or_path.ends_with(".toml");
        let text = if is_file {
            fs::read_to_string(name_or_path)
                .map_err(|source| ScenarioError::Unreadable { path: name_or_path.to_owned(), source })?
        } else {
            built_in(name_or_path)?.text.to_owned()
        };
        let scenario = Self::parse(&text, name_or_path)?;
        let digest = Sha256::digest(text.as_bytes());
        let hash = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        Ok(Loaded { scenario, origin: name_or_path.to_owned(), text, hash })
    }

    /// Reads a scenario and checks all of it; `origin` is what errors call the text.
    ///
    /// # Errors
    /// [`ScenarioError::Wrong`] with everything that is wrong.
    pub fn parse(text: &str, origin: &str) -> Result<Self, ScenarioError> {
        let mistake = |line, key: &Place, problem| Mistake {
            origin: origin.to_owned(),
            line: Some(line),
            key: key.to_string(),
            problem,
        };
        let document = match Document::read(text) {
            Ok(document) => document,
            Err((line, problem)) => {
                return Err(ScenarioError::Wrong(vec![mistake(line, &Place::root(), problem)]));
            }
        };
        let reading = read::read(&document);
        let mut findings = reading.findings;
        if let Some(scenario) = &reading.scenario {
            let of_form: Vec<_> = findings.iter().map(|(place, _)| place.nearest_key()).collect();
            // What could not be read has a made-up value now; nothing is to be said about that one.
            let is_new = |(place, _): &(Place, String)| !of_form.iter().any(|form| place.is_within(form));
            findings.extend(check::check(scenario).into_iter().filter(is_new));
        }
        match reading.scenario {
            Some(scenario) if findings.is_empty() => Ok(scenario),
            _ => {
                let mut mistakes: Vec<_> = findings
                    .into_iter()
                    .map(|(place, problem)| mistake(document.line(&place), &place, problem))
                    .collect();
                mistakes.sort_by_key(|mistake| mistake.line);
                Err(ScenarioError::Wrong(mistakes))
            }
        }
    }

    /// Checks a scenario that was put together or changed by a program; `origin` is what errors call it.
    ///
    /// # Errors
    /// [`ScenarioError::Wrong`] with everything that is wrong, without lines.
    pub fn check(&self, origin: &str) -> Result<(), ScenarioError> {
        let findings = check::check(self);
        if findings.is_empty() {
            return Ok(());
        }
        let mistake = |(place, problem): (Place, String)| Mistake {
            origin: origin.to_owned(),
            line: None,
            key: place.to_string(),
            problem,
        };
        Err(ScenarioError::Wrong(findings.into_iter().map(mistake).collect()))
    }
}

fn built_in(name: &str) -> Result<&'static Builtin, ScenarioError> {
    BUILT_IN.iter().find(|builtin| builtin.name == name).ok_or_else(|| {
        let names: Vec<_> = BUILT_IN.iter().map(|builtin| builtin.name).collect();
        ScenarioError::NoSuchName { name: name.to_owned(), hint: did_you_mean(name, &names) }
    })
}
