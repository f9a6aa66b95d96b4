//! The command line `kadr-sim`, or `cargo sim` in the repository.
//!
//! Exit code 0: everything was as it should be. 1: a threshold was missed. 2: an invariant broke, or a trial did not end
//! as it should. 3: a goal was never reached. 4: the scenario or the command line is wrong, or a
//! run could not be made; stderr says how. 130: interrupted.

mod bench;
mod flood;
mod mock;
mod run;
mod scenarios;
mod screen;
mod search;
mod summary;
mod telegram;
mod try_it;

use std::{
    error::Error,
    io::{self, Write},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::{report::Verdict, scenario::ScenarioError, world::TrialError};

/// The exit code where the scenario or the command line is wrong, or a run could not be made.
const BAD_SCENARIO: u8 = 4;

#[derive(Debug, Parser)]
#[command(name = "kadr-sim", bin_name = "cargo sim", version, about, long_about = LONG, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// Kadr's simulator: the whole service against a simulated KIE.AI and language model, on this machine.
const LONG: &str = "Runs Kadr against a simulated KIE.AI and language model.\n\n\
    The services and worker loops are the real ones. In mode wire the HTTP clients and PostgreSQL (a throwaway server, \
    started for the run) are real too; in mode model they have twins in memory. Simulated are the video provider, the \
    language model, the users and the time: minutes of rendering and waiting pass at once. Nothing is sent anywhere \
    and nothing costs anything.";

const EXAMPLES: &str = "Examples:\n  \
    cargo sim try                     one video of the sample photo, start to finish\n  \
    cargo sim try --count 3 --template ad --photo mug.jpg --brief 'A mug for tea lovers'\n  \
    cargo sim try --fail temporary    three retries, then the credit back\n  \
    cargo sim run ordinary-day        a day of 1,000 orders over HTTP and PostgreSQL, with a report to forward\n  \
    cargo sim run evening-peak --mode model --seeds 20\n  \
    cargo sim sweep evening-peak --workers 5..100 --accounts 1..5 --seeds 20\n  \
    cargo sim scenarios list          what there is to run\n  \
    cargo sim mock                    the same providers on fixed ports, for any client\n  \
    cargo sim telegram                a strict Telegram for any bot, and its users";

#[derive(Debug, Subcommand)]
enum Command {
    /// Order videos and watch what the user would get, from the photo to the delivered video or the refund
    Try(try_it::Arguments),
    /// Serve the simulated KIE.AI and language model on given ports until Ctrl-C
    Mock(mock::Arguments),
    /// Serve a strict simulated Telegram, with its users, on a given port until Ctrl-C
    #[command(long_about = telegram::LONG, after_help = telegram::EXAMPLES)]
    Telegram(telegram::Arguments),
    /// List the scenarios that come with the simulator, or explain one
    Scenarios(scenarios::Arguments),
    /// Run a scenario's day and report on it: verdict, figures, charts
    Run(run::Arguments),
    /// Measure in real time what garbage at the address for callbacks costs the workers
    Flood(flood::Arguments),
    /// Tell one job's life in one column
    Timeline(run::TimelineArguments),
    /// Tell what moved between two reports
    Compare(run::CompareArguments),
    #[command(flatten)]
    Search(search::Command),
}

/// Runs the command line and returns its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let is_question = !error.use_stderr();
            // Nobody is left to tell when the terminal has gone.
            error.print().ok();
            return if is_question { ExitCode::SUCCESS } else { ExitCode::from(BAD_SCENARIO) };
        }
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("off"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
    let ended = match &arguments.command {
        Command::Try(arguments) => try_it::run(arguments).map(right),
        Command::Mock(arguments) => mock::run(arguments).map(right),
        Command::Telegram(arguments) => telegram::run(arguments).map(right),
        Command::Scenarios(arguments) => scenarios::run(arguments).map(right),
        Command::Run(arguments) => run::run(arguments),
        Command::Flood(arguments) => flood::run(arguments).map(right),
        Command::Timeline(arguments) => run::run_timeline(arguments),
        Command::Compare(arguments) => run::run_compare(arguments),
        Command::Search(command) => {
            search::run(command, &bench::Workbench).map(Verdict::exit_code).map_err(Into::into)
        }
    };
    ended.map_or_else(|error| failed(&*error), ExitCode::from)
}

/// The exit code of a command that is either right or not.
const fn right(is_right: bool) -> u8 {
    if is_right { 0 } else { Verdict::InvariantBroken.exit_code() }
}

/// Says what went wrong, and returns the exit code.
fn failed(error: &(dyn Error + 'static)) -> ExitCode {
    // A scenario's mistakes have a line each; everything else is told in one.
    let text = match error.downcast_ref() {
        Some(error @ ScenarioError::Wrong(_)) => error.to_string(),
        _ => in_one_line(error),
    };
    writeln!(io::stderr(), "error: {text}").ok();
    match error.downcast_ref() {
        Some(TrialError::Interrupted) => ExitCode::from(130),
        _ => ExitCode::from(BAD_SCENARIO),
    }
}

/// An error with what caused it, in one line, without saying anything twice.
fn in_one_line(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !line.contains(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        next = cause.source();
    }
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn an_error_and_its_causes_become_one_line() {
        #[derive(Debug, thiserror::Error)]
        #[error("the store\nfailed")]
        struct Outer(#[source] io::Error);
        let error = Outer(io::Error::other("no connection"));
        assert_eq!(in_one_line(&error), "the store failed: no connection");
    }
}
