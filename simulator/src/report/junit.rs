//! `junit.xml`: each threshold, invariant and goal as a test case, for whatever shows test results.

use std::{io, time::Duration};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{
    Unit,
    campaign::CampaignReport,
    data::{Judged, RunReport},
    format,
};

/// A run as JUnit's XML.
///
/// # Errors
/// When it cannot be written as XML.
pub fn to_junit(report: &RunReport) -> io::Result<String> {
    let name = &report.scenario.name;
    let mut junit = Report::new(format!("kadr-sim {name} seed {}", report.seed));
    junit.set_time(Duration::try_from_secs_f64(report.time.wall_s).unwrap_or_default());
    let thresholds = report.thresholds.iter().map(|threshold| {
        let case = format::threshold(&threshold.metric, &threshold.expression);
        (case, Ended::bad_if(!threshold.passed, || missed(threshold)))
    });
    junit.add_test_suite(suite(name, "thresholds", "missed", thresholds));
    let broken = report.invariants.broken_names();
    let checked = report.invariants.checks.keys().map(String::as_str);
    let names: std::collections::BTreeSet<_> = checked.chain(broken.iter().copied()).collect();
    let invariants = names.into_iter().map(|invariant| {
        let found = report.invariants.broken.iter().filter(|row| row.invariant == invariant);
        let lines: Vec<_> = found.map(|row| format!("{} (replay: {})", row.what, row.replay)).collect();
        let is_checked = report.invariants.checks.get(invariant).is_none_or(|checks| *checks > 0);
        let ended = match (lines.is_empty(), is_checked) {
            (true, false) => Ended::Unknown("never checked in this run"),
            (is_good, _) => Ended::bad_if(!is_good, || lines.join("\n")),
        };
        (invariant.to_owned(), ended)
    });
    let audit = Ended::bad_if(!report.audit.is_empty(), || report.audit.join("\n"));
    let invariants = invariants.chain([("audit_of_the_store".to_owned(), audit)]);
    junit.add_test_suite(suite(name, "invariants", "broken", invariants));
    let goals = report.goals.iter().map(|goal| {
        let never = "never reached in this run";
        let ended = match (goal.reached, goal.required) {
            (0, false) => Ended::Unknown(never),
            (reached, _) => Ended::bad_if(reached == 0, || never.to_owned()),
        };
        (goal.name.clone(), ended)
    });
    junit.add_test_suite(suite(name, "goals", "not reached", goals));
    junit.to_string().map_err(io::Error::other)
}

/// A campaign as JUnit's XML: thresholds over all seeds, what each seed broke, and goals over all seeds.
///
/// # Errors
/// When it cannot be written as XML.
pub fn campaign_to_junit(report: &CampaignReport) -> io::Result<String> {
    let name = &report.scenario.name;
    let mut junit = Report::new(format!("kadr-sim {name} {} seeds", report.seeds.len()));
    junit.set_time(Duration::try_from_secs_f64(report.wall_s).unwrap_or_default());
    let thresholds = report.thresholds.iter().map(|share| {
        let case = format::threshold(&share.metric, &share.expression);
        let met = || format!("met in {} of {} seeds", share.met, share.seeds);
        (case, Ended::bad_if(!share.passed, met))
    });
    junit.add_test_suite(suite(name, "thresholds", "missed", thresholds));
    let seeds = report.seeds.iter().map(|row| {
        let broken = report.broken.iter().find(|broken| broken.seed == row.seed);
        let ended = broken.map_or(Ended::Good, |broken| {
            let rows = broken.first.iter();
            let rows = rows.map(|row| format!("{}: {} (replay: {})", row.invariant, row.what, row.replay));
            Ended::Bad(rows.chain(broken.audit.iter().cloned()).collect::<Vec<_>>().join("\n"))
        });
        (format!("seed {}", row.seed), ended)
    });
    junit.add_test_suite(suite(name, "invariants", "broken", seeds));
    let goals = report.goals.iter().map(|goal| {
        let never = "never reached in any seed";
        let ended = match (goal.seeds, goal.required) {
            (0, false) => Ended::Unknown(never),
            (seeds, _) => Ended::bad_if(seeds == 0, || never.to_owned()),
        };
        (goal.name.clone(), ended)
    });
    junit.add_test_suite(suite(name, "goals", "not reached", goals));
    junit.to_string().map_err(io::Error::other)
}

/// How a case ended.
enum Ended {
    Good,
    Bad(String),
    /// Nothing can be said, which is not the same as good.
    Unknown(&'static str),
}

impl Ended {
    fn bad_if(is_bad: bool, what: impl FnOnce() -> String) -> Self {
        if is_bad { Self::Bad(what()) } else { Self::Good }
    }
}

fn missed(threshold: &Judged) -> String {
    let unit = Unit::of(&threshold.metric);
    threshold.value.map_or_else(
        || "nothing to measure".to_owned(),
        |value| format!("is {}, limit {}", format::value(value, unit), format::value(threshold.limit, unit)),
    )
}

fn suite(scenario: &str, name: &str, kind: &str, cases: impl Iterator<Item = (String, Ended)>) -> TestSuite {
    let mut suite = TestSuite::new(name);
    for (case, ended) in cases {
        let mut status = match ended {
            Ended::Good => TestCaseStatus::success(),
            Ended::Bad(_) => TestCaseStatus::non_success(NonSuccessKind::Failure),
            Ended::Unknown(_) => TestCaseStatus::skipped(),
        };
        match ended {
            Ended::Good => {}
            Ended::Bad(problem) => {
                status.set_type(kind).set_message(problem);
            }
            Ended::Unknown(why) => {
                status.set_message(why);
            }
        }
        let mut case = TestCase::new(case, status);
        case.set_classname(format!("{scenario}.{name}")).set_time(Duration::ZERO);
        suite.add_test_case(case);
    }
    suite
}
