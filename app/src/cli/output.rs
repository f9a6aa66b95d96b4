//! Where a command writes: results to one place, notes and failures to another.

use std::io::{self, Write};

use serde_json::Value;

use super::failure::Failure;

/// The two streams of a command line program.
pub struct Output {
    results: Box<dyn Write + Send>,
    notes: Box<dyn Write + Send>,
    json: bool,
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output").field("json", &self.json).finish_non_exhaustive()
    }
}

impl Output {
    /// This process's stdout and stderr.
    #[must_use]
    pub fn of_process() -> Self {
        Self::new(Box::new(io::stdout()), Box::new(io::stderr()))
    }

    /// Results go to `results`, notes and failures to `notes`.
    #[must_use]
    pub fn new(results: Box<dyn Write + Send>, notes: Box<dyn Write + Send>) -> Self {
        Self { results, notes, json: false }
    }

    pub(super) const fn set_json(&mut self, json: bool) {
        self.json = json;
    }

    pub(super) const fn is_json(&self) -> bool {
        self.json
    }

    /// Where messages to people belong: beside the results, unless those are for a program.
    pub(super) fn messages(&self) -> Box<dyn Write + Send> {
        if self.json { Box::new(io::stderr()) } else { Box::new(io::stdout()) }
    }

    /// Text as it is.
    pub(super) fn text(&mut self, text: &str) -> Result<(), Failure> {
        self.results.write_all(text.as_bytes())?;
        self.results.flush()?;
        Ok(())
    }

    /// One line of text.
    pub(super) fn line(&mut self, line: &str) -> Result<(), Failure> {
        self.text(&format!("{line}\n"))
    }

    /// One line of JSON.
    pub(super) fn value(&mut self, value: &Value) -> Result<(), Failure> {
        self.line(&value.to_string())
    }

    /// The value for programs, or the lines for people.
    pub(super) fn show(&mut self, value: &Value, lines: &[String]) -> Result<(), Failure> {
        if self.json {
            return self.value(value);
        }
        lines.iter().try_for_each(|line| self.line(line))
    }

    /// A remark beside the results. That nobody can read it changes nothing.
    pub(super) fn note(&mut self, note: &str) {
        writeln!(self.notes, "{note}").ok();
    }

    /// Takes remarks of others.
    pub(super) fn noting(&mut self) -> impl FnMut(&str) + Send + '_ {
        |note| self.note(note)
    }

    /// Tells a failure and turns the end of a command into an exit code.
    pub(super) fn finish(&mut self, ended: Result<u8, Failure>) -> u8 {
        match ended {
            Ok(code) => code,
            Err(Failure::NobodyReads) => 0,
            Err(Failure::Told { code, line }) => {
                self.note(&format!("error: {line}"));
                code
            }
        }
    }
}
