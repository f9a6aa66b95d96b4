//! A day with everything that watches it: the oracle, the goals, the digests, the report.

use std::{collections::BTreeMap, time::Duration};

use ports::LeaseTerms;
use secrecy::SecretString;

use super::{DayError, DayOptions, DayOutcome, Mode, run};
use crate::{
    oracle::{self, Broken, Oracle, goals::Goals},
    report::{self, Collector, Facts, RunReport},
    scenario::{Calendar, CalendarError, Scenario, Threshold},
    search::Mutant,
    trace::{Event, Observer, OutcomeDigest, Shared, TimelineDigest},
};

/// How long the most urgent due job may be passed over: a worker looks for work every 30 s at least and waits as long
/// after trouble with its store.
const FAIRNESS_BOUND: Duration = Duration::from_secs(300);

/// What to run and how.
pub struct WatchedOptions {
    /// Where chance comes from.
    pub seed: u64,
    /// An empty database for wire mode; without one the day runs in memory.
    pub database: Option<SecretString>,
    /// A bug to put between the services and their ports.
    pub mutant: Option<Mutant>,
    /// Who else is told of every event.
    pub observers: Vec<Box<dyn Observer>>,
    /// The hash of the scenario's text, for the report.
    pub hash: String,
    /// The command that repeats the run, for the report.
    pub reproduce: String,
}

/// What came of it.
#[derive(Debug)]
pub struct Watched {
    /// What the day itself knows.
    pub outcome: DayOutcome,
    /// Invariants that did not hold, the earliest first; at most 50.
    pub broken: Vec<Broken>,
    /// How often each goal was reached.
    pub goals: BTreeMap<&'static str, u64>,
    /// The digest of states, ledger and messages.
    pub outcome_digest: u128,
    /// The digest of every event with its time.
    pub timeline_digest: u128,
    /// Everything measured.
    pub report: RunReport,
}

/// Everything that watches, behind one door: the log tells one observer, not six.
struct Watchers {
    oracle: Oracle,
    goals: Goals,
    outcome: OutcomeDigest,
    timeline: TimelineDigest,
    collector: Collector,
}

impl Observer for Watchers {
    fn see(&mut self, event: &Event<'_>) {
        self.oracle.see(event);
        self.goals.see(event);
        self.outcome.see(event);
        self.timeline.see(event);
        self.collector.see(event);
    }
}

/// Runs a day and watches all of it.
///
/// # Errors
/// [`DayError`] when it cannot be run. Broken invariants and missed thresholds are no errors but findings.
pub fn watch(scenario: &Scenario, options: WatchedOptions) -> Result<Watched, DayError> {
    let mode = if options.database.is_some() { Mode::Wire } else { Mode::Model };
    let watchers = Shared::new(Watchers {
        oracle: Oracle::new(oracle_setup(scenario)?),
        goals: Goals::new(),
        outcome: OutcomeDigest::default(),
        timeline: TimelineDigest::default(),
        collector: Collector::new(report_setup(scenario)?),
    });
    let mut observers: Vec<Box<dyn Observer>> = vec![Box::new(watchers.clone_hand())];
    observers.extend(options.observers);
    let outcome = run(
        scenario,
        DayOptions { seed: options.seed, database: options.database, mutant: options.mutant, observers },
    )?;
    let Some(mut watchers) = watchers.into_inner() else {
        return Err(DayError::setup("the day's watchers are still at work")("an observer was not let go"));
    };
    let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    watchers.oracle.end(&oracle::End {
        audit: outcome.audit.clone(),
        bill: oracle::ProviderBill {
            tasks: number(outcome.bill.tasks),
            charged_tasks: number(outcome.bill.charged_tasks),
        },
        now: outcome.ended,
    });
    let (broken, goals) = (watchers.oracle.broken().to_vec(), watchers.goals.all());
    let (outcome_digest, timeline_digest) = (watchers.outcome.value(), watchers.timeline.value());
    let report = watchers.collector.finish(Facts {
        about: scenario.about.clone(),
        scenario_hash: options.hash,
        seed: options.seed,
        mode,
        commit: option_env!("KADR_COMMIT").map(str::to_owned),
        wall: outcome.wall,
        real_calls: number(outcome.real_calls),
        outcome_digest: format!("{outcome_digest:032x}"),
        timeline_digest: format!("{timeline_digest:032x}"),
        broken: broken.clone(),
        checks: watchers.oracle.checks(),
        goals: goals.clone(),
        required_goals: scenario.goals.clone(),
        audit: outcome.audit.clone(),
        bill: report::ProviderBill {
            tasks: number(outcome.bill.tasks),
            charged_tasks: number(outcome.bill.charged_tasks),
            charged_hundredths: outcome.bill.charged.hundredths(),
        },
        thresholds: thresholds(scenario),
        reproduce: options.reproduce,
        assumptions: scenario.assumptions.clone(),
    });
    Ok(Watched { outcome, broken, goals, outcome_digest, timeline_digest, report })
}

fn oracle_setup(scenario: &Scenario) -> Result<oracle::Setup, DayError> {
    let fleet = &scenario.fleet;
    let accounts = scenario.accounts.iter().map(|account| oracle::AccountLimits {
        running_max: account.running_max,
        new_per_10s: account.new_per_10s,
    });
    Ok(oracle::Setup {
        retry: super::compose::retry(scenario),
        lease: LeaseTerms {
            lease: Duration::from_secs_f64(fleet.lease_s),
            deadline: super::compose::deadline(scenario),
        },
        accounts: accounts.collect(),
        roster: super::compose::roster(scenario)?,
        settle_within: Duration::from_secs_f64(scenario.day.settle_within_s),
        fairness_bound: FAIRNESS_BOUND,
        processes: fleet.processes,
    })
}

/// What a report has to know of a scenario beforehand.
///
/// # Errors
/// The scenario's day names no instants.
pub fn report_setup(scenario: &Scenario) -> Result<report::Setup, CalendarError> {
    let calendar = Calendar::of(&scenario.day)?;
    let windows = calendar.windows().iter().map(|window| (window.name.clone(), window.from, window.to));
    // Local midnight tells how far the scenario's clocks are ahead of UTC.
    let noon_utc = calendar.midnight().as_millis().rem_euclid(24 * 3_600_000) / 1_000;
    let ahead = (24 * 3_600 - noon_utc) % (24 * 3_600);
    let offset = if ahead > 14 * 3_600 { ahead - 24 * 3_600 } else { ahead };
    Ok(report::Setup {
        scenario_name: scenario.name.clone(),
        windows: windows.collect(),
        day_from: calendar.at(scenario.day.from),
        day_to: calendar.at(scenario.day.to),
        utc_offset_s: i32::try_from(offset).unwrap_or_default(),
        accounts: scenario.accounts.iter().map(|a| (a.name.clone(), a.running_max)).collect(),
        workers: scenario.fleet.workers,
    })
}

/// The scenario's thresholds. They were checked when it was read; one that cannot be read any more is left out.
fn thresholds(scenario: &Scenario) -> Vec<Threshold> {
    let all = scenario.thresholds.iter().flat_map(|(metric, expressions)| {
        expressions.iter().filter_map(|expression| Threshold::parse(metric, expression).ok())
    });
    all.collect()
}
