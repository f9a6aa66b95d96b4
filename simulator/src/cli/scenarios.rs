//! `scenarios`: what comes with the simulator, and what a scenario says.

use std::error::Error;

use clap::{Args, Subcommand};

use super::screen::print;
use crate::scenario::{BUILT_IN, Scenario, explain};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The scenarios that come with the simulator
    List,
    /// Check a scenario and say in words what it is, what load it amounts to and what goes wrong in it
    Explain {
        /// The name of a built-in scenario, or a file that ends in .toml
        #[arg(value_name = "NAME_OR_FILE")]
        scenario: String,
    },
}

pub(super) fn run(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    match &arguments.command {
        Command::List => {
            for builtin in BUILT_IN {
                let about = Scenario::load(builtin.name)?.scenario.about;
                print(&format!("{:<16} {about}", builtin.name));
            }
        }
        Command::Explain { scenario } => print(explain(&Scenario::load(scenario)?).trim_end()),
    }
    Ok(true)
}
