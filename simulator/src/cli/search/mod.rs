//! The commands that run a scenario many times.

mod campaign;
mod checks;
mod failures;
mod sizes;

use std::{fs, io, num::NonZeroUsize, path::Path};

use clap::{Args, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::{
    day::Mode,
    report::Verdict,
    scenario::Scenario,
    search::{NoVerdict, Runner, pool, replay::FailureFileError, shrink::ShrinkError, sweep::Trials},
};

/// Commands that run a scenario many times.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run a scenario with many seeds, in parallel, and tell what broke, what was reached and how figures spread
    Campaign(campaign::Arguments),
    /// Make a failure small: the fewest orders, faults and machines with which the same invariant still breaks
    Shrink(failures::ShrinkArguments),
    /// Run a kept failure again, and tell whether it is the same
    Replay(failures::ReplayArguments),
    /// Run each seed twice and compare the runs byte for byte
    Meta(checks::MetaArguments),
    /// Run each seed in memory and over real HTTP and PostgreSQL, and compare where they end
    Modes(checks::ModesArguments),
    /// Put classic bugs between the services and their ports, and see whether each is caught
    Mutants(checks::MutantsArguments),
    /// Try every size of the fleet and find the smallest that meets the thresholds
    Sweep(sizes::SweepArguments),
    /// Try likely variations beside the scenario: more failures, an outage, more orders, an account lost
    WhatIf(sizes::WhatIfArguments),
}

/// What the commands need from the rest of the program.
pub(super) trait Bench {
    /// A scenario by its built-in name or the path of its file.
    ///
    /// # Errors
    /// Why there is none, in words that name the fix.
    fn scenario(&self, name: &str) -> Result<Scenario, String>;

    /// Runs in a mode.
    ///
    /// # Errors
    /// Why it cannot be had, such as for want of a database.
    fn runner(&self, mode: Mode) -> Result<Box<dyn Runner + '_>, String>;
}

/// A command could not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(super) enum SearchError {
    /// The scenario cannot be had.
    #[error("{0}")]
    Scenario(String),
    /// Runs cannot be made.
    #[error("{0}")]
    Run(String),
    /// There is nothing to shrink.
    #[error(transparent)]
    Shrink(#[from] ShrinkError),
    /// Not every run could be made.
    #[error(transparent)]
    NoVerdict(#[from] NoVerdict),
    /// A failure cannot be kept or read.
    #[error(transparent)]
    File(#[from] FailureFileError),
    /// Results cannot be written.
    #[error("{path} cannot be written")]
    Write {
        /// Where.
        path: String,
        /// Why.
        source: io::Error,
    },
}

/// Runs a command.
///
/// # Errors
/// [`SearchError`]; the exit code is then [`BAD_SCENARIO`](super::BAD_SCENARIO).
pub(super) fn run(command: &Command, bench: &dyn Bench) -> Result<Verdict, SearchError> {
    match command {
        Command::Campaign(arguments) => campaign::run(arguments, bench),
        Command::Shrink(arguments) => failures::shrink(arguments, bench),
        Command::Replay(arguments) => failures::replay(arguments, bench),
        Command::Meta(arguments) => checks::meta(arguments, bench),
        Command::Modes(arguments) => checks::modes(arguments, bench),
        Command::Mutants(arguments) => checks::mutants(arguments, bench),
        Command::Sweep(arguments) => sizes::sweep(arguments, bench),
        Command::WhatIf(arguments) => sizes::what_if(arguments, bench),
    }
}

/// How many runs, and how.
#[derive(Debug, Args)]
struct Runs {
    /// The first seed; the others follow it
    #[arg(long, value_name = "K", default_value_t = 1)]
    first_seed: u64,

    /// Runs at once [default: as many as this machine has cores; 1 in mode wire]
    #[arg(long, value_name = "T")]
    threads: Option<NonZeroUsize>,

    /// Over what the day runs
    #[arg(long, value_enum, default_value_t = ModeWord::Model)]
    mode: ModeWord,
}

impl Runs {
    fn trials(&self, seeds: u64) -> Trials {
        let usual = match self.mode {
            ModeWord::Model => pool::threads(),
            ModeWord::Wire => NonZeroUsize::MIN,
        };
        Trials {
            seeds: self.first_seed..self.first_seed.saturating_add(seeds),
            threads: self.threads.unwrap_or(usual),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ModeWord {
    /// Everything in memory: fast
    Model,
    /// Real HTTP to the simulated providers, real PostgreSQL
    Wire,
}

impl From<ModeWord> for Mode {
    fn from(word: ModeWord) -> Self {
        match word {
            ModeWord::Model => Self::Model,
            ModeWord::Wire => Self::Wire,
        }
    }
}

fn scenario(bench: &dyn Bench, name: &str) -> Result<Scenario, SearchError> {
    bench.scenario(name).map_err(SearchError::Scenario)
}

fn runner(bench: &dyn Bench, mode: Mode) -> Result<Box<dyn Runner + '_>, SearchError> {
    bench.runner(mode).map_err(SearchError::Run)
}

/// A bar on a terminal, and nothing elsewhere.
struct Progress(ProgressBar);

impl Progress {
    fn of(length: usize, what: &'static str) -> Self {
        let bar = ProgressBar::new(length as u64);
        let style = ProgressStyle::with_template("  {bar:40} {pos}/{len} {msg}, {elapsed}, {eta} to go");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸ "));
        bar.set_message(what);
        Self(bar)
    }

    fn at(&self, done: usize) {
        self.0.set_position(done as u64);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Writes results for machines.
fn write_json(path: &Path, results: &impl Serialize) -> Result<(), SearchError> {
    let failed = |source| SearchError::Write { path: path.display().to_string(), source };
    let text = serde_json::to_string_pretty(results).map_err(|error| failed(error.into()))?;
    fs::write(path, text + "\n").map_err(failed)
}

#[cfg(test)]
mod tests;
