//! `run`: a scenario's day, its verdict and its report.

use std::{
    error::Error,
    fs::File,
    io::BufWriter,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use super::screen::print;
use crate::{
    day::{Mode, Watched, WatchedOptions, report_setup, watch},
    report::{
        Campaign, EventsJsonl, JobsCsv, Progress, RunReport, campaign_summary, compare, from_json, summary,
        to_json, write_campaign, write_comparison, write_with_baseline,
    },
    scenario::{Expected, Loaded, Scenario},
    search::{SHARE_TO_PASS, days::WireDays, pool},
    trace::{Keep, Observer, Shared, Timelines},
};

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// A built-in scenario's name, or the path of a scenario file
    #[arg(value_name = "SCENARIO")]
    scenario: String,

    /// Over what the day runs
    #[arg(long, value_enum, default_value_t = ModeWord::Wire)]
    mode: ModeWord,

    /// Where chance comes from: the same seed gives the same day
    #[arg(long, value_name = "K", default_value_t = 1)]
    seed: u64,

    /// How many seeds, from --seed on; more than one gives a report of the whole campaign
    #[arg(long, value_name = "N", default_value_t = NonZeroUsize::MIN)]
    seeds: NonZeroUsize,

    /// Kadr's worker processes, instead of the scenario's number; kills of one that is not there strike the last, and each
    /// has a worker at least
    #[arg(long, value_name = "N")]
    processes: Option<u16>,

    /// Where the report goes [default: out/SCENARIO]
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,

    /// An older report.json to compare with
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,

    /// Write events.jsonl and jobs.csv, however long they get; days of up to 20,000 videos do so anyway
    #[arg(long)]
    events: bool,

    /// Print the report as JSON instead of the summary
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  cargo sim run ordinary-day                          1,000 orders over real HTTP and PostgreSQL
  cargo sim run evening-peak --mode model --seeds 20  the same evening with 20 seeds, in memory
  cargo sim run my.toml --baseline out/old/report.json

The report's folder holds report.html (one file, forward it), report.json, junit.xml, jobs.csv and events.jsonl.

Exit code: 0 pass, 1 a threshold was missed, 2 an invariant broke, 3 a goal was never reached, 4 the scenario or the
command line is wrong.";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ModeWord {
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

/// Days of up to so many expected videos keep every event and the lives of their longest jobs.
const KEPT_WHOLE: f64 = 20_000.0;
/// Days of more expected videos are not for the wire.
const WIRE_MAX: f64 = 60_000.0;
/// How many of the longest jobs' lives are kept for the report.
const LIVES: usize = 60;

/// What cannot be run as asked.
#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error(
        "`{name}` orders about {videos:.0} videos, too many for real HTTP and PostgreSQL: add --mode model"
    )]
    TooMany { name: String, videos: f64 },
    #[error("{path}: {what}")]
    File { path: String, what: String },
    #[error("{0}")]
    Wire(String),
    #[error("--baseline compares one run with another: leave --seeds away")]
    BaselineOfOne,
}

impl RunError {
    fn file(path: &Path) -> impl FnOnce(String) -> Self {
        let path = path.display().to_string();
        move |what| Self::File { path, what }
    }
}

/// Runs the day; the exit code.
pub(super) fn run(arguments: &Arguments) -> Result<u8, Box<dyn Error>> {
    let mut loaded = Scenario::load(&arguments.scenario)?;
    if let Some(processes) = arguments.processes {
        shared_out_among(&mut loaded.scenario, processes);
        loaded.scenario.check("with --processes")?;
    }
    let videos = Expected::of(&loaded.scenario).videos();
    if arguments.mode == ModeWord::Wire && videos > WIRE_MAX {
        return Err(RunError::TooMany { name: loaded.scenario.name, videos }.into());
    }
    let dir = arguments.report.clone().unwrap_or_else(|| Path::new("out").join(&loaded.scenario.name));
    std::fs::create_dir_all(&dir).map_err(|error| RunError::file(&dir)(error.to_string()))?;
    let wire = match arguments.mode {
        ModeWord::Wire => Some(WireDays::start().map_err(RunError::Wire)?),
        ModeWord::Model => None,
    };
    if !arguments.json {
        print(&opening(&loaded, arguments, wire.as_ref()));
    }
    if arguments.seeds.get() > 1 {
        if arguments.baseline.is_some() {
            return Err(RunError::BaselineOfOne.into());
        }
        return campaign(arguments, &loaded, wire.as_ref(), &dir);
    }
    let baseline = arguments.baseline.as_deref().map(read_report).transpose()?;
    let keeps_all = videos <= KEPT_WHOLE;
    let report = one(arguments, &loaded, wire.as_ref(), &dir, keeps_all)?;
    let comparison = baseline.map(|before| compare(&before, &report));
    let mut files = write_with_baseline(&dir, &report, comparison.as_ref())?;
    if keeps_all || arguments.events {
        files.push(dir.join("jobs.csv"));
        files.push(dir.join("events.jsonl"));
    }
    if arguments.json {
        print(&to_json(&report)?);
    } else {
        let files: Vec<_> = files.iter().map(PathBuf::as_path).collect();
        summary(&report, &files).iter().for_each(|line| print(line));
        comparison.iter().flat_map(crate::report::Comparison::lines).for_each(|line| print(&line));
    }
    Ok(report.verdict.exit_code())
}

fn shared_out_among(scenario: &mut Scenario, processes: u16) {
    scenario.fleet.processes = processes;
    scenario.fleet.workers = scenario.fleet.workers.max(processes.into());
    let last = processes.saturating_sub(1);
    scenario.kills.iter_mut().for_each(|kill| kill.process = kill.process.map(|process| process.min(last)));
}

fn opening(loaded: &Loaded, arguments: &Arguments, wire: Option<&WireDays>) -> String {
    let over =
        wire.map_or_else(|| "all in memory".to_owned(), |wire| format!("real HTTP, {}", wire.engine()));
    let seeds = match arguments.seeds.get() {
        1 => format!("seed {}", arguments.seed),
        n => format!("seeds {} to {}", arguments.seed, arguments.seed + n as u64 - 1),
    };
    format!("{} ({}), {seeds}, {over}\n{}\n", loaded.scenario.name, loaded.hash, loaded.scenario.about)
}

/// The command that runs this again.
fn reproduce(arguments: &Arguments, seed: u64) -> String {
    let mode = Mode::from(arguments.mode).as_str();
    let processes = arguments.processes.map(|n| format!(" --processes {n}")).unwrap_or_default();
    format!("cargo sim run {} --mode {mode} --seed {seed}{processes}", arguments.scenario)
}

/// Runs one day with everything that is kept of it.
fn one(
    arguments: &Arguments,
    loaded: &Loaded,
    wire: Option<&WireDays>,
    dir: &Path,
    keeps_all: bool,
) -> Result<RunReport, Box<dyn Error>> {
    let scenario = &loaded.scenario;
    let setup = report_setup(scenario)?;
    let create = |name: &str| {
        let path = dir.join(name);
        File::create(&path).map(BufWriter::new).map_err(|error| RunError::file(&path)(error.to_string()))
    };
    let progress = Shared::new(Progress::new(&setup));
    let is_written = keeps_all || arguments.events;
    let jobs = if is_written { Some(Shared::new(JobsCsv::new(create("jobs.csv")?))) } else { None };
    let lives = Shared::new(Timelines::new(Keep::Longest(LIVES), setup.utc_offset_s));
    let events = if is_written { Some(Shared::new(EventsJsonl::new(create("events.jsonl")?))) } else { None };
    let mut observers: Vec<Box<dyn Observer>> = vec![Box::new(progress.clone_hand())];
    if let Some(jobs) = &jobs {
        observers.push(Box::new(jobs.clone_hand()));
    }
    if let Some(events) = &events {
        observers.push(Box::new(events.clone_hand()));
    }
    if keeps_all {
        observers.push(Box::new(lives.clone_hand()));
    }
    let mut options = WatchedOptions {
        seed: arguments.seed,
        database: None,
        mutant: None,
        observers,
        hash: loaded.hash.clone(),
        reproduce: reproduce(arguments, arguments.seed),
        beside: pool::threads() > NonZeroUsize::MIN,
    };
    let watched: Watched = match wire {
        None => watch(scenario, options)?,
        Some(wire) => wire
            .with_database(|database| {
                options.database = Some(database);
                watch(scenario, options)
            })
            .map_err(RunError::Wire)??,
    };
    if let Some(progress) = progress.into_inner() {
        progress.finish();
    }
    if let Some(jobs) = jobs.and_then(Shared::into_inner) {
        jobs.finish()?;
    }
    if let Some(events) = events.and_then(Shared::into_inner) {
        events.finish()?;
    }
    let mut report = watched.report;
    if let Some(lives) = lives.into_inner() {
        for worst in &mut report.worst {
            worst.timeline = lives.of(crate::trace::JobNo(worst.job)).unwrap_or_default();
        }
    }
    Ok(report)
}

/// Runs many seeds in parallel and sums them up.
fn campaign(
    arguments: &Arguments,
    loaded: &Loaded,
    wire: Option<&WireDays>,
    dir: &Path,
) -> Result<u8, Box<dyn Error>> {
    let scenario = &loaded.scenario;
    let seeds: Vec<u64> = (arguments.seed..).take(arguments.seeds.get()).collect();
    let threads = if wire.is_some() { NonZeroUsize::MIN } else { pool::threads() };
    let bar = ProgressBar::new(seeds.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} seeds, {eta} left") {
        bar.set_style(style);
    }
    let show = |done: usize| bar.set_position(done as u64);
    let reports = pool::map(seeds.len(), threads, &show, |place| {
        let seed = seeds[place];
        let options = WatchedOptions {
            seed,
            database: None,
            mutant: None,
            observers: Vec::new(),
            hash: loaded.hash.clone(),
            reproduce: reproduce(arguments, seed),
            // The other core has another day.
            beside: false,
        };
        let watched = match wire {
            None => watch(scenario, options).map_err(|error| error.to_string()),
            Some(wire) => wire.with_database(|database| {
                let options = WatchedOptions { database: Some(database), ..options };
                watch(scenario, options).map_err(|error| error.to_string())
            })?,
        };
        watched.map(|watched| watched.report)
    });
    bar.finish_and_clear();
    let mut campaign = Campaign::new(SHARE_TO_PASS);
    for report in reports {
        campaign.add(&report.map_err(RunError::Wire)?);
    }
    let command = format!("{} --seeds {}", reproduce(arguments, arguments.seed), arguments.seeds);
    let Some(report) = campaign.finish(command) else { return Ok(0) };
    let files = write_campaign(dir, &report, None)?;
    if arguments.json {
        print(&to_json(&report)?);
    } else {
        let files: Vec<_> = files.iter().map(PathBuf::as_path).collect();
        campaign_summary(&report, &files).iter().for_each(|line| print(line));
    }
    Ok(report.verdict.exit_code())
}

/// Reads a report.json.
fn read_report(path: &Path) -> Result<RunReport, Box<dyn Error>> {
    let text = std::fs::read_to_string(path).map_err(|error| RunError::file(path)(error.to_string()))?;
    Ok(from_json(&text).map_err(|error| RunError::file(path)(error.to_string()))?)
}

/// `compare`: two reports side by side.
#[derive(Debug, Args)]
pub(super) struct CompareArguments {
    /// The older report.json
    #[arg(value_name = "BEFORE")]
    before: PathBuf,

    /// The newer one
    #[arg(value_name = "AFTER")]
    after: PathBuf,

    /// Write compare.html (one file, forward it) and compare.json into this folder
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
}

pub(super) fn run_compare(arguments: &CompareArguments) -> Result<u8, Box<dyn Error>> {
    let comparison = compare(&read_report(&arguments.before)?, &read_report(&arguments.after)?);
    comparison.lines().iter().for_each(|line| print(line));
    if let Some(dir) = &arguments.report {
        let files = write_comparison(dir, &comparison)?;
        files.iter().for_each(|file| print(&file.display().to_string()));
    }
    Ok(0)
}

/// `timeline`: one job's life.
#[derive(Debug, Args)]
pub(super) struct TimelineArguments {
    /// A built-in scenario's name, or the path of a scenario file
    #[arg(value_name = "SCENARIO")]
    scenario: String,

    /// Which job, by the number that reports give it
    #[arg(long, value_name = "J")]
    job: u32,

    /// The seed of the run it is in
    #[arg(long, value_name = "K", default_value_t = 1)]
    seed: u64,

    /// Over what the day runs
    #[arg(long, value_enum, default_value_t = ModeWord::Model)]
    mode: ModeWord,
}

pub(super) fn run_timeline(arguments: &TimelineArguments) -> Result<u8, Box<dyn Error>> {
    let loaded = Scenario::load(&arguments.scenario)?;
    let job = crate::trace::JobNo(arguments.job);
    let lives = Shared::new(Timelines::new(Keep::Only(job), report_setup(&loaded.scenario)?.utc_offset_s));
    let mut options = WatchedOptions {
        seed: arguments.seed,
        database: None,
        mutant: None,
        observers: vec![Box::new(lives.clone_hand())],
        hash: loaded.hash.clone(),
        reproduce: String::new(),
        beside: false,
    };
    match arguments.mode {
        ModeWord::Model => drop(watch(&loaded.scenario, options)?),
        ModeWord::Wire => {
            let wire = WireDays::start().map_err(RunError::Wire)?;
            let watched = wire.with_database(|database| {
                options.database = Some(database);
                watch(&loaded.scenario, options)
            });
            drop(watched.map_err(RunError::Wire)??);
        }
    }
    match lives.into_inner().and_then(|lives| lives.of(job)) {
        Some(lines) => {
            lines.iter().for_each(|line| print(line));
            Ok(0)
        }
        None => {
            print(&format!("seed {} of {} has no job {}", arguments.seed, arguments.scenario, arguments.job));
            Ok(4)
        }
    }
}
