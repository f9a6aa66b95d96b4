//! `meta`, `modes` and `mutants`: whether the simulator deserves trust.

use std::num::NonZeroUsize;

use clap::{Args, ValueEnum};

use super::{Bench, Progress, Runs, SearchError, Verdict, runner, scenario};
use crate::{
    cli::screen::print,
    day::Mode,
    search::{Mutant, meta, modes, mutants, pool, sweep::Trials},
};

#[derive(Debug, Args)]
#[command(after_help = META_EXAMPLES)]
pub(in crate::cli) struct MetaArguments {
    /// A built-in scenario's name, or the path of a scenario file
    scenario: String,

    /// How many seeds, each of which is run twice
    #[arg(long, value_name = "N", default_value_t = 20)]
    seeds: u64,

    #[command(flatten)]
    runs: Runs,
}

const META_EXAMPLES: &str = "\
Examples:
  cargo sim meta swarm --seeds 100
  cargo sim meta evening-peak --seeds 10

Everything else rests on this: a failure that comes from a seed can be seen again. Where two runs part, the first
event that differs is shown, with its neighbours.

Exit code: 0 when every seed gave the same run twice, 2 when one did not.";

#[derive(Debug, Args)]
#[command(after_help = MODES_EXAMPLES)]
pub(in crate::cli) struct ModesArguments {
    /// A built-in scenario's name, or the path of a scenario file
    scenario: String,

    /// How many seeds, each of which is run in both modes
    #[arg(long, value_name = "N", default_value_t = 5)]
    seeds: u64,

    /// The first seed; the others follow it
    #[arg(long, value_name = "K", default_value_t = 1)]
    first_seed: u64,
}

const MODES_EXAMPLES: &str = "\
Examples:
  cargo sim modes evening-peak --seeds 5

The end has to be the same: states, ledger, messages. Whether the way there was the same too is told, and no failure.

Exit code: 0 when every seed ended the same, 2 when one did not.";

#[derive(Debug, Args)]
#[command(after_help = MUTANTS_EXAMPLES)]
pub(in crate::cli) struct MutantsArguments {
    /// Which mutants [default: all of them]
    #[arg(value_enum, value_name = "NAME", hide_possible_values = true)]
    names: Vec<Mutant>,

    /// The most seeds to try each with
    #[arg(long, value_name = "N", default_value_t = 20)]
    seeds: u64,

    /// The first seed; the others follow it
    #[arg(long, value_name = "K", default_value_t = 1)]
    first_seed: u64,

    /// Mutants at once [default: as many as this machine has cores]
    #[arg(long, value_name = "T")]
    threads: Option<NonZeroUsize>,

    /// Only say which there are, and what should catch each
    #[arg(long)]
    list: bool,
}

const MUTANTS_EXAMPLES: &str = "\
Examples:
  cargo sim mutants                       all of them
  cargo sim mutants --list                what each does wrong
  cargo sim mutants reaper-off refund-outside-transaction --seeds 50

A mutant is caught when an invariant breaks that holds in the same run without it.

Exit code: 0 when every mutant was caught, 2 when one survived.";

pub(super) fn meta(arguments: &MetaArguments, bench: &dyn Bench) -> Result<Verdict, SearchError> {
    let scenario = scenario(bench, &arguments.scenario)?;
    let runner = runner(bench, arguments.runs.mode.into())?;
    let trials = arguments.runs.trials(arguments.seeds);
    let found = {
        let progress = Progress::of(trials.len(), "seeds, twice each");
        meta::meta(&*runner, &scenario, &trials, &|done| progress.at(done))
    };
    print(&found.text());
    Ok(found.verdict()?)
}

pub(super) fn modes(arguments: &ModesArguments, bench: &dyn Bench) -> Result<Verdict, SearchError> {
    let scenario = scenario(bench, &arguments.scenario)?;
    let (model, wire) = (runner(bench, Mode::Model)?, runner(bench, Mode::Wire)?);
    let first = arguments.first_seed;
    // One after the other: the wire's runs share one machine's sockets and one PostgreSQL.
    let trials = Trials { seeds: first..first.saturating_add(arguments.seeds), threads: NonZeroUsize::MIN };
    let found = {
        let progress = Progress::of(trials.len(), "seeds, in both modes");
        modes::modes(&*model, &*wire, &scenario, &trials, &|done| progress.at(done))
    };
    print(&found.text());
    Ok(found.verdict()?)
}

pub(super) fn mutants(arguments: &MutantsArguments, bench: &dyn Bench) -> Result<Verdict, SearchError> {
    let all = Mutant::value_variants();
    let prey = if arguments.names.is_empty() { all } else { &arguments.names[..] };
    if arguments.list {
        for mutant in prey {
            print(&format!("{:<28} {}", mutant.name(), mutant.about()));
            let by = mutant.expected().join(" or ");
            print(&format!("{:<28}   {by}, in scenario {}", "", mutant.provoked_by()));
        }
        return Ok(Verdict::Pass);
    }
    let runner = runner(bench, Mode::Model)?;
    let first = arguments.first_seed;
    let seeds = first..first.saturating_add(arguments.seeds);
    let threads = arguments.threads.unwrap_or_else(pool::threads);
    let scenario_of = |name: &str| bench.scenario(name);
    let report = {
        let progress = Progress::of(prey.len(), "mutants");
        mutants::hunt(&*runner, prey, &scenario_of, seeds, threads, &|done| progress.at(done))
    };
    let report = report.map_err(SearchError::Scenario)?;
    print(&report.table());
    Ok(report.verdict())
}
