//! The command line `kadr-sim`, or `cargo sim` in the repository.
//!
//! Exit code 0: everything was as it should be. 2: it was not, or could not be tried; one line on stderr says why.
//! 130: interrupted.

mod mock;
mod scenarios;
mod screen;
pub mod search;
mod summary;
mod try_it;

use std::{
    error::Error,
    io::{self, Write},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::{scenario::ScenarioError, world::TrialError};

#[derive(Debug, Parser)]
#[command(name = "kadr-sim", bin_name = "cargo sim", version, about, long_about = LONG, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// Kadr's simulator: the whole service against a simulated KIE.AI and language model, on this machine.
const LONG: &str = "Runs Kadr against a simulated KIE.AI and language model.\n\n\
    Everything of Kadr is real: services, worker loops, HTTP clients, PostgreSQL (a throwaway server, started for \
    the run). Simulated are the video provider, the language model and the time: minutes of rendering and waiting \
    pass at once. Nothing is sent anywhere and nothing costs anything.";

const EXAMPLES: &str = "Examples:\n  \
    cargo sim try                     one video of the sample photo, start to finish\n  \
    cargo sim try --count 3 --template ad --photo mug.jpg --brief 'A mug for tea lovers'\n  \
    cargo sim try --fail temporary    three retries, then the credit back\n  \
    cargo sim mock                    the same providers on fixed ports, for any client";

#[derive(Debug, Subcommand)]
enum Command {
    /// Order videos and watch what the user would get, from the photo to the delivered video or the refund
    Try(try_it::Arguments),
    /// Serve the simulated KIE.AI and language model on given ports until Ctrl-C
    Mock(mock::Arguments),
    /// List the scenarios that come with the simulator, or explain one
    Scenarios(scenarios::Arguments),
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
            return if is_question { ExitCode::SUCCESS } else { ExitCode::from(2) };
        }
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("off"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
    let ended = match arguments.command {
        Command::Try(arguments) => try_it::run(&arguments),
        Command::Mock(arguments) => mock::run(&arguments),
        Command::Scenarios(arguments) => scenarios::run(&arguments),
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(2),
        Err(error) => {
            // A scenario's mistakes have a line each; everything else is told in one.
            let text = match error.downcast_ref() {
                Some(error @ ScenarioError::Wrong(_)) => error.to_string(),
                _ => in_one_line(&*error),
            };
            writeln!(io::stderr(), "error: {text}").ok();
            let is_interrupted = matches!(error.downcast_ref(), Some(TrialError::Interrupted));
            ExitCode::from(if is_interrupted { 130 } else { 2 })
        }
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
