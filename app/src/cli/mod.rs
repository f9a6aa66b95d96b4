//! The command line: reads arguments, calls a service, shows its answer. Every failure is one line on stderr that
//! names the fix; a reader who left (a broken pipe) is not a failure.

mod args;
mod classify;
mod credits;
mod failure;
mod jobs;
mod keys;
mod logging;
mod migrate;
mod models;
mod order;
mod output;
mod run;
mod shown;
mod signals;

use std::{ffi::OsString, future::Future, pin::Pin, process::ExitCode};

use clap::{Parser, error::ErrorKind};

pub use self::output::Output;
use self::{
    args::{Cli, Command, ModelsCommand},
    failure::Failure,
};
use crate::{
    compose::House,
    config::{Config, Sources},
};

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    logging::catch_bugs();
    ExitCode::from(run_with(std::env::args_os(), &mut Output::of_process()))
}

/// Runs a command line given as arguments, the program's name first, with this process's environment, and returns
/// its exit code.
#[must_use]
pub fn run_with(args: impl IntoIterator<Item = OsString>, out: &mut Output) -> u8 {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) if !error.use_stderr() => {
            let ended = shown_help(&error, out);
            return out.finish(ended);
        }
        Err(error) if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            out.note(&error.render().to_string());
            return failure::USAGE;
        }
        Err(error) => return out.finish(Err(Failure::from(error))),
    };
    out.set_json(cli.json);
    let ended = dispatch(cli, out);
    out.finish(ended)
}

/// `--help` and `--version` are answers, not errors.
fn shown_help(error: &clap::Error, out: &mut Output) -> Result<u8, Failure> {
    out.text(&error.render().to_string())?;
    Ok(0)
}

/// What a command came to: the exit code, or why not.
type Ended = Result<u8, Failure>;

fn dispatch(cli: Cli, out: &mut Output) -> Ended {
    let config = || Config::load(&Sources::of_process(cli.config.clone())).map_err(Failure::from);
    match cli.command {
        Command::Classify(command) => classify::run(&command, &mut std::io::stdin().lock(), out),
        Command::Models(args) => match args.command {
            None => models::run(&config()?, out),
            Some(ModelsCommand::Check { models }) => {
                let config = config()?;
                logging::start(&config.log, logging::QUIET);
                block_on(models::check(&config, &models, out))
            }
        },
        Command::Migrate => {
            let config = config()?;
            logging::start(&config.log, logging::QUIET);
            block_on(migrate::run(&config, out))
        }
        Command::Run => {
            let config = config()?;
            logging::start(&config.log, logging::BUSY);
            block_on(run::run(&config, out))
        }
        Command::Order(command) => {
            let mut config = config()?;
            let (new, wait) = order::checked(command, &mut config)?;
            logging::start(&config.log, logging::QUIET);
            block_on(order::run(new, wait, &config, out))
        }
        Command::Credits(command) => {
            let config = config()?;
            logging::start(&config.log, logging::QUIET);
            block_on(in_house(&config, out, move |house, out| Box::pin(credits::run(command, house, out))))
        }
        Command::Keys => {
            let config = config()?;
            run::need_keys(&config)?;
            logging::start(&config.log, logging::QUIET);
            block_on(in_house(&config, out, |house, out| Box::pin(keys::run(house, out))))
        }
        Command::Jobs(command) => {
            let config = config()?;
            logging::start(&config.log, logging::QUIET);
            block_on(in_house(&config, out, move |house, out| Box::pin(jobs::run(command, house, out))))
        }
    }
}

fn block_on(command: impl Future<Output = Ended>) -> Ended {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|e| Failure::runtime("the program could not start its threads", &e))?;
    runtime.block_on(command)
}

type Asked<'a> = Pin<Box<dyn Future<Output = Ended> + 'a>>;

/// Opens the house, lets a short command work in it, and closes it again, also when the command fails or is
/// interrupted.
async fn in_house<Work>(config: &Config, out: &mut Output, work: Work) -> Ended
where
    Work: for<'a> FnOnce(&'a House, &'a mut Output) -> Asked<'a>,
{
    let house = House::open(config, Box::new(std::io::sink()), &mut out.noting()).await?;
    let ended = tokio::select! {
        biased;
        ended = work(&house, out) => ended,
        () = signals::first() => Err(Failure::interrupted("interrupted")),
    };
    house.close().await?;
    ended
}

#[cfg(test)]
mod tests;
