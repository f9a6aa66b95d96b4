//! What can be wrong with a configuration, each in one line.

use std::path::{Path, PathBuf};

use super::keys;

/// The configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {}: {why}; name another with --config or KADR_CONFIG", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's words.
        why: String,
    },
    /// The file is not TOML.
    #[error("{file} is not valid TOML: {what}")]
    Malformed {
        /// The file.
        file: String,
        /// Where and what.
        what: String,
    },
    /// A key nobody reads.
    #[error("there is no key `{key}` ({variable} in the environment): did you mean `{nearest}` ({})?", keys::variable(.nearest))]
    UnknownKey {
        /// The key.
        key: String,
        /// Its form in the environment.
        variable: String,
        /// The known key most like it.
        nearest: String,
    },
    /// A value that cannot work.
    #[error("`{key}` ({} in the environment): {problem}", keys::variable(.key))]
    Value {
        /// The key.
        key: String,
        /// What is wrong and what to write instead.
        problem: String,
    },
    /// Anything else the reader of files and variables says.
    #[error("the configuration cannot be read: {0}")]
    Other(String),
}

impl ConfigError {
    pub(super) fn value(key: &str, problem: impl Into<String>) -> Self {
        Self::Value { key: key.to_owned(), problem: problem.into() }
    }

    /// Turns the library's error into one of ours.
    pub(super) fn explain(error: config::ConfigError, file: Option<&Path>) -> Self {
        use config::ConfigError as Said;
        match error {
            Said::FileParse { cause, .. } => {
                let file =
                    file.map_or_else(|| "the configuration".to_owned(), |path| path.display().to_string());
                Self::Malformed { file, what: ends_of(&cause.to_string()) }
            }
            Said::Type { unexpected, expected, key: Some(key), .. } => {
                Self::Value { problem: format!("{expected} is expected here, not {unexpected}"), key }
            }
            Said::At { error, key: Some(key), .. } => {
                Self::Value { problem: ends_of(&error.to_string()), key }
            }
            other => Self::Other(ends_of(&other.to_string())),
        }
    }
}

/// The first and the last line of a report: where, and what. Between them stands the text itself, which may hold
/// a secret.
fn ends_of(report: &str) -> String {
    let mut lines = report.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or("no reason given");
    match lines.next_back() {
        Some(last) => format!("{first}: {last}"),
        None => first.to_owned(),
    }
}
