//! `sweep` and `what-if`.

use std::path::PathBuf;

use clap::Args;

use super::{Bench, Progress, Runs, SearchError, Verdict, runner, scenario, write_json};
use crate::{
    cli::screen::print,
    report::write_what_if,
    search::{steps::Steps, sweep, what_if},
};

#[derive(Debug, Args)]
#[command(after_help = SWEEP_EXAMPLES)]
pub(in crate::cli) struct SweepArguments {
    /// A built-in scenario's name, or the path of a scenario file
    scenario: String,

    /// Steps worked on at once: 5..100, 5..100:5 for every fifth, or 5,10,20
    #[arg(long, value_name = "RANGE", default_value = "5..100")]
    workers: Steps,

    /// Provider accounts, written likewise
    #[arg(long, value_name = "RANGE", default_value = "1..5")]
    accounts: Steps,

    /// How many seeds a cell
    #[arg(long, value_name = "N", default_value_t = 20)]
    seeds: u64,

    #[command(flatten)]
    runs: Runs,

    /// Write the results as JSON, too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

const SWEEP_EXAMPLES: &str = "\
Examples:
  cargo sim sweep evening-peak
  cargo sim sweep evening-peak --workers 5..100:5 --accounts 1,2 --seeds 50 --json out/sweep.json

A range without a step climbs a ladder: 5, 10, 15, 20, 30, 40, 50, 60, 80, 100. The smallest fleet is the one with
the fewest accounts, and with them the fewest workers, that meets all thresholds in 95 % of the seeds. Further
accounts are copies of the scenario's last one.

Exit code: 0 when some size is enough, 1 when none is, 2 invariant broken, 4 scenario cannot be run.";

#[derive(Debug, Args)]
#[command(after_help = WHAT_IF_EXAMPLES)]
pub(in crate::cli) struct WhatIfArguments {
    /// A built-in scenario's name, or the path of a scenario file
    scenario: String,

    /// How many seeds a row
    #[arg(long, value_name = "N", default_value_t = 20)]
    seeds: u64,

    #[command(flatten)]
    runs: Runs,

    /// Write the results as JSON, too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Write what-if.html (one file, forward it) and what-if.json into this folder
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
}

const WHAT_IF_EXAMPLES: &str = "\
Examples:
  cargo sim what-if evening-peak --seeds 50
  cargo sim what-if provider-outage --seeds 5 --report out/what-if

Side by side with the scenario: nearly twice the failures, an outage of 20 minutes at 20:30, the outage without the
breaker, half as many orders again, one account lost, and workers that sleep through their renders as they did once.

Exit code: that of the scenario as it is; its variations may miss thresholds, but break nothing.";

pub(super) fn sweep(arguments: &SweepArguments, bench: &dyn Bench) -> Result<Verdict, SearchError> {
    let base = scenario(bench, &arguments.scenario)?;
    if base.thresholds.is_empty() {
        let say = "the scenario has no thresholds, so that every size would be enough: add [thresholds]";
        return Err(SearchError::Scenario(say.to_owned()));
    }
    let runner = runner(bench, arguments.runs.mode.into())?;
    let trials = arguments.runs.trials(arguments.seeds);
    let (workers, accounts) = (&arguments.workers, &arguments.accounts);
    let cells = workers.as_slice().len() * accounts.as_slice().len();
    let swept = {
        let progress = Progress::of(cells.saturating_mul(trials.len()), "runs");
        sweep::sweep(&*runner, &base, workers, accounts, &trials, &|done| progress.at(done))
    };
    print(&swept.table());
    if let Some(path) = &arguments.json {
        write_json(path, &swept)?;
    }
    Ok(swept.verdict()?)
}

pub(super) fn what_if(arguments: &WhatIfArguments, bench: &dyn Bench) -> Result<Verdict, SearchError> {
    let base = scenario(bench, &arguments.scenario)?;
    let runner = runner(bench, arguments.runs.mode.into())?;
    let trials = arguments.runs.trials(arguments.seeds);
    let table = {
        let rows = what_if::variations(&base).len();
        let progress = Progress::of(rows.saturating_mul(trials.len()), "runs");
        what_if::what_if(&*runner, &base, &trials, &|done| progress.at(done))
    };
    print(&table.table());
    if let Some(path) = &arguments.json {
        write_json(path, &table)?;
    }
    if let Some(dir) = &arguments.report {
        let (name, seeds) = (&arguments.scenario, arguments.seeds);
        let mode = crate::day::Mode::from(arguments.runs.mode).as_str();
        let first = arguments.runs.first_seed;
        let again = format!("cargo sim what-if {name} --seeds {seeds} --first-seed {first} --mode {mode}");
        let failed = |source| SearchError::Write { path: dir.display().to_string(), source };
        let files = write_what_if(dir, &table.page_table(again)).map_err(failed)?;
        files.iter().for_each(|file| print(&file.display().to_string()));
    }
    Ok(table.verdict()?)
}
