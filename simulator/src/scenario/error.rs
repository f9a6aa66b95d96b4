//! Why a scenario cannot be used.

use std::{fmt, io};

/// A scenario that cannot be used. Each line of the text names a place, what is wrong there, and what to write.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// No scenario of this name comes with the program.
    #[error(
        "no scenario `{name}` comes with the simulator{hint}; a file is named with its ending, as {name}.toml"
    )]
    NoSuchName {
        /// The name that was asked for.
        name: String,
        /// A name like it, or all of them, to be read on after the sentence.
        hint: String,
    },
    /// The file cannot be read.
    #[error("scenario file {path} cannot be read: {source}")]
    Unreadable {
        /// The file as it was named.
        path: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The text is not a scenario, or not one that can happen: everything that was found, in the order of the lines.
    #[error("{}", in_lines(.0))]
    Wrong(Vec<Mistake>),
}

/// One thing that is wrong in a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file, or the built-in scenario's name.
    pub origin: String,
    /// The line, from 1; `None` for a scenario that was put together without a text.
    pub line: Option<usize>,
    /// The key's full path; empty where the text cannot even be read.
    pub key: String,
    /// What is wrong there and what to write instead.
    pub problem: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ", `{}`", self.key)?;
        }
        write!(f, ": {}", self.problem)
    }
}

fn in_lines(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
