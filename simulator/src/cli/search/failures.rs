//! `shrink` and `replay`.

use std::{path::PathBuf, process};

use clap::{Args, builder::PossibleValuesParser};
use indicatif::{ProgressBar, ProgressStyle};

use super::{Bench, ModeWord, SearchError, Verdict, runner, scenario};
use crate::{
    cli::screen::print,
    day::Mode,
    oracle::INVARIANTS,
    search::{
        campaign::of_seed,
        replay::{Failure, Replayed},
        shrink,
    },
};

#[derive(Debug, Args)]
#[command(after_help = SHRINK_EXAMPLES)]
pub(in crate::cli) struct ShrinkArguments {
    /// A built-in scenario's name, or the path of a scenario file
    scenario: String,

    /// The seed that breaks something
    #[arg(long, value_name = "N")]
    seed: u64,

    /// The seed drew its own faults, as in `campaign --swarm`
    #[arg(long)]
    swarm: bool,

    /// Which invariant to keep broken [default: the first that breaks]
    #[arg(long, value_name = "NAME", value_parser = invariants(), hide_possible_values = true)]
    invariant: Option<String>,

    /// The most runs to spend on it
    #[arg(long, value_name = "N", default_value_t = 500)]
    runs: u32,

    /// Over what the day runs
    #[arg(long, value_enum, default_value_t = ModeWord::Model)]
    mode: ModeWord,

    /// Where failure.json and failure.toml are written
    #[arg(long, value_name = "DIR", default_value = "out")]
    out: PathBuf,
}

const SHRINK_EXAMPLES: &str = "\
Examples:
  cargo sim shrink swarm --swarm --seed 417
  cargo sim shrink evening-peak --seed 12 --invariant one_end_per_hold --out out/holds

Orders go first, then hours, faults, outages and kills, machines, order sizes. A step counts only when the same
invariant still breaks. The result is a scenario like any other: run it, change it, keep it as a test.

Exit code: 2 when a failure was found and made small, 4 when there was none.";

#[derive(Debug, Args)]
#[command(after_help = REPLAY_EXAMPLES)]
pub(in crate::cli) struct ReplayArguments {
    /// A failure.json that `shrink` wrote
    file: PathBuf,
}

const REPLAY_EXAMPLES: &str = "\
Examples:
  cargo sim replay out/failure.json

Exit code: 0 when nothing breaks any more, 2 when it still does, in the same run or in another.";

/// The names an invariant may have.
fn invariants() -> PossibleValuesParser {
    PossibleValuesParser::new(INVARIANTS.iter().map(|(name, _)| *name))
}

pub(super) fn shrink(arguments: &ShrinkArguments, bench: &dyn Bench) -> Result<Verdict, SearchError> {
    let base = scenario(bench, &arguments.scenario)?;
    let start = of_seed(&base, arguments.seed, arguments.swarm);
    let runner = runner(bench, arguments.mode.into())?;
    let spinner = ProgressBar::new_spinner();
    let style = ProgressStyle::with_template("  {spinner} run {pos}: without {msg}");
    spinner.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    let on_run = |run: u32, label: &str| {
        spinner.set_position(run.into());
        spinner.set_message(label.to_owned());
    };
    let invariant = arguments.invariant.as_deref();
    let shrunk = shrink::shrink(&*runner, &start, arguments.seed, invariant, arguments.runs, &on_run);
    spinner.finish_and_clear();
    let shrunk = shrunk?;

    let failure = Failure::of(&shrunk, arguments.seed, &*runner, commit())?;
    let path = failure.write(&arguments.out)?;
    print(&format!("`{}` still breaks: {}", shrunk.invariant, shrunk.what));
    print(&format!("{} steps taken in {} runs:", shrunk.taken.len(), shrunk.runs));
    shrunk.taken.iter().for_each(|label| print(&format!("  without {label}")));
    if shrunk.is_cut_short {
        print("Stopped early: more --runs may make it smaller.");
    }
    print(&format!("\nThe scenario: {}", path.with_extension("toml").display()));
    print(&format!("Again: cargo sim replay {}", path.display()));
    Ok(Verdict::InvariantBroken)
}

pub(super) fn replay(arguments: &ReplayArguments, bench: &dyn Bench) -> Result<Verdict, SearchError> {
    let failure = Failure::read(&arguments.file)?;
    let modes = [Mode::Model, Mode::Wire];
    let mode = modes.into_iter().find(|mode| mode.as_str() == failure.mode);
    let mode = mode.ok_or_else(|| SearchError::Run(format!("there is no mode `{}`", failure.mode)))?;
    let runner = runner(bench, mode)?;
    let replayed = failure.replay(&*runner).map_err(SearchError::Run)?;
    let Failure { invariant, what, seed, digest, commit, .. } = &failure;
    let commit = commit.as_deref().unwrap_or("an unknown commit");
    Ok(match replayed {
        Replayed::Same => {
            print(&format!(
                "The same failure: `{invariant}` breaks with seed {seed}, digest {digest}\n  {what}"
            ));
            Verdict::InvariantBroken
        }
        Replayed::OtherRun { digest: now } => {
            print(&format!(
                "`{invariant}` still breaks, but in another run: digest {now} instead of {digest}. The program has \
                 changed since {commit}."
            ));
            Verdict::InvariantBroken
        }
        Replayed::OtherFailure { invariants } => {
            print(&format!("`{invariant}` holds now, and others break: {}", invariants.join(", ")));
            Verdict::InvariantBroken
        }
        Replayed::Holds => {
            print(&format!("`{invariant}` holds now; it broke at {commit}."));
            Verdict::Pass
        }
    })
}

/// The commit that is checked out; `None` outside of a repository.
fn commit() -> Option<String> {
    let told = process::Command::new("git").args(["rev-parse", "HEAD"]).output().ok()?;
    let told = told.status.success().then_some(told.stdout)?;
    let commit = String::from_utf8(told).ok()?.trim().to_owned();
    (!commit.is_empty()).then_some(commit)
}
