//! Why a command failed: one line and an exit code.

use std::{error::Error, io};

use ports::PortError;

use crate::{compose::ComposeError, config::ConfigError, services::place_order::PlaceOrderError};

/// Something did not work; trying again may help.
const RUNTIME: u8 = 1;
/// The input was wrong; trying the same again will not help.
pub(super) const USAGE: u8 = 2;
/// What shells report for a program that was interrupted.
const INTERRUPTED: u8 = 130;

/// A failed command.
#[derive(Debug)]
pub(super) enum Failure {
    /// To be told.
    Told {
        /// The exit code.
        code: u8,
        /// The line.
        line: String,
    },
    /// Nobody reads the output any more; there is nobody to tell, and nothing is wrong.
    NobodyReads,
}

impl Failure {
    /// The input was wrong.
    pub(super) fn usage(line: impl AsRef<str>) -> Self {
        Self::Told { code: USAGE, line: one_line(line.as_ref()) }
    }

    /// Something did not work, for the reason `source`.
    pub(super) fn runtime(what: &str, source: &dyn Error) -> Self {
        Self::Told { code: RUNTIME, line: one_line(&format!("{what}: {}", story(source))) }
    }

    /// Somebody pressed Ctrl-C.
    pub(super) fn interrupted(line: &str) -> Self {
        Self::Told { code: INTERRUPTED, line: line.to_owned() }
    }
}

/// An error with everything behind it. What an error repeats of its source is said once.
fn story(error: &dyn Error) -> String {
    let mut story = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if !story.contains(&said) {
            story.push_str(": ");
            story.push_str(&said);
        }
        source = cause.source();
    }
    story
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::NobodyReads;
        }
        Self::runtime("the output could not be written", &error)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<ComposeError> for Failure {
    fn from(error: ComposeError) -> Self {
        let code = match error {
            ComposeError::Setting(_) => USAGE,
            ComposeError::Start { .. } => RUNTIME,
        };
        Self::Told { code, line: one_line(&story(&error)) }
    }
}

impl From<PortError> for Failure {
    fn from(error: PortError) -> Self {
        Self::Told { code: RUNTIME, line: one_line(&story(&error)) }
    }
}

impl From<PlaceOrderError> for Failure {
    fn from(error: PlaceOrderError) -> Self {
        let is_ours = matches!(error, PlaceOrderError::Store(_) | PlaceOrderError::Studio(_));
        let code = if is_ours { RUNTIME } else { USAGE };
        Self::Told { code, line: one_line(&story(&error)) }
    }
}

impl From<clap::Error> for Failure {
    /// clap's reports are paragraphs: what is wrong, a tip, the usage. The first two fit a line, and the last one
    /// says which command was meant.
    fn from(error: clap::Error) -> Self {
        let report = error.render().to_string();
        let (report, usage) = report.split_once("\nUsage: ").unwrap_or((&report, "kadr"));
        let report = report.split("\nFor more information").next().unwrap_or_default();
        let command: Vec<_> = usage.split_whitespace().take_while(|word| is_name(word)).collect();
        let line = one_line(report);
        let line = line.strip_prefix("error: ").unwrap_or(&line);
        Self::usage(format!("{line} (see `{} --help`)", command.join(" ")))
    }
}

fn is_name(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use ports::ErrorKind;

    use super::*;

    fn told(failure: &Failure) -> &str {
        match failure {
            Failure::Told { line, .. } => line,
            Failure::NobodyReads => "",
        }
    }

    #[test]
    fn a_story_is_one_line_and_says_nothing_twice() {
        let inner = PortError::new(ErrorKind::Transient, "connection\nrefused");
        let outer = PortError::with_source(ErrorKind::Transient, "could not connect", inner);
        assert_eq!(told(&Failure::from(outer)), "could not connect: connection refused");
        let repeating = PortError::with_source(
            ErrorKind::Transient,
            "could not connect: refused",
            PortError::new(ErrorKind::Transient, "refused"),
        );
        assert_eq!(told(&Failure::from(repeating)), "could not connect: refused");
    }

    #[test]
    fn a_reader_who_left_is_no_failure() {
        assert!(matches!(Failure::from(io::Error::from(io::ErrorKind::BrokenPipe)), Failure::NobodyReads));
    }
}
