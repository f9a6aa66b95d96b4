//! `campaign`.

use std::path::PathBuf;

use clap::Args;

use super::{Bench, Progress, Runs, SearchError, Verdict, runner, scenario, write_json};
use crate::{cli::screen::print, search::campaign::campaign};

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Arguments {
    /// A built-in scenario's name, or the path of a scenario file
    scenario: String,

    /// How many seeds
    #[arg(long, value_name = "N", default_value_t = 100)]
    seeds: u64,

    /// Let every seed draw its own faults, fleet and accounts: which kinds of fault exist at all, then how many
    #[arg(long)]
    swarm: bool,

    #[command(flatten)]
    runs: Runs,

    /// Write the results as JSON, too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  cargo sim campaign evening-peak --seeds 200
  cargo sim campaign swarm --swarm --seeds 1000      other faults in every run
  cargo sim campaign my.toml --seeds 20 --first-seed 500 --mode wire

Thresholds count as met when 95 % of the seeds meet them. Invariants have no such budget, and a goal of the
scenario has to be reached in one seed at least: a fault that never happened proves nothing.

Exit code: 0 pass, 1 threshold missed, 2 invariant broken, 3 goal not reached, 4 scenario cannot be run.";

pub(super) fn run(arguments: &Arguments, bench: &dyn Bench) -> Result<Verdict, SearchError> {
    let base = scenario(bench, &arguments.scenario)?;
    let runner = runner(bench, arguments.runs.mode.into())?;
    let trials = arguments.runs.trials(arguments.seeds);
    let found = {
        let progress = Progress::of(trials.len(), "seeds");
        campaign(&*runner, &base, &trials, arguments.swarm, &|done| progress.at(done))
    };
    print(&found.text(&arguments.scenario));
    if let Some(path) = &arguments.json {
        write_json(path, &found.summary())?;
    }
    Ok(found.verdict()?)
}
