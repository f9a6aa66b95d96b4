//! `junit.xml`: each threshold, invariant and goal as a test case, for whatever shows test results.

use std::{io, time::Duration};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{
    Unit,
    campaign::CampaignReport,
    data::{RunReport, Threshold},
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
        let case = format!("{}: {}", threshold.metric, threshold.expression);
        (case, (!threshold.passed).then(|| missed(threshold)))
    });
    junit.add_test_suite(suite(name, "thresholds", "missed", thresholds));
    let broken = report.invariants.broken_names();
    let checked = report.invariants.checks.keys().map(String::as_str);
    let names: std::collections::BTreeSet<_> = checked.chain(broken.iter().copied()).collect();
    let invariants = names.into_iter().map(|invariant| {
        let found = report.invariants.broken.iter().filter(|row| row.invariant == invariant);
        let lines: Vec<_> = found.map(|row| format!("{} (replay: {})", row.what, row.replay)).collect();
        (invariant.to_owned(), (!lines.is_empty()).then(|| lines.join("\n")))
    });
    let audit = (!report.audit.is_empty()).then(|| report.audit.join("\n"));
    let invariants = invariants.chain([("audit_of_the_store".to_owned(), audit)]);
    junit.add_test_suite(suite(name, "invariants", "broken", invariants));
    let goals = report.goals.iter().filter(|goal| goal.required || goal.reached > 0);
    let goals = goals.map(|goal| {
        let unreached = (goal.reached == 0).then(|| "never reached in this run".to_owned());
        (goal.name.clone(), unreached)
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
        let case = format!("{}: {}", share.metric, share.expression);
        let met = format!("met in {} of {} seeds", share.met, share.seeds);
        (case, (!share.passed).then_some(met))
    });
    junit.add_test_suite(suite(name, "thresholds", "missed", thresholds));
    let seeds = report.seeds.iter().map(|row| {
        let broken = report.broken.iter().find(|broken| broken.seed == row.seed);
        let lines = broken.map(|broken| {
            let rows = broken.first.iter();
            let rows = rows.map(|row| format!("{}: {} (replay: {})", row.invariant, row.what, row.replay));
            rows.chain(broken.audit.iter().cloned()).collect::<Vec<_>>().join("\n")
        });
        (format!("seed {}", row.seed), lines)
    });
    junit.add_test_suite(suite(name, "invariants", "broken", seeds));
    let goals = report.goals.iter().map(|goal| {
        let unreached = goal.required && goal.seeds == 0;
        (goal.name.clone(), unreached.then(|| "never reached in any seed".to_owned()))
    });
    junit.add_test_suite(suite(name, "goals", "not reached", goals));
    junit.to_string().map_err(io::Error::other)
}

fn missed(threshold: &Threshold) -> String {
    let unit = Unit::of(&threshold.metric);
    threshold.value.map_or_else(
        || "nothing to measure".to_owned(),
        |value| format!("is {}, limit {}", format::value(value, unit), format::value(threshold.limit, unit)),
    )
}

fn suite(
    scenario: &str,
    name: &str,
    kind: &str,
    cases: impl Iterator<Item = (String, Option<String>)>,
) -> TestSuite {
    let mut suite = TestSuite::new(name);
    for (case, problem) in cases {
        let status = problem.map_or_else(TestCaseStatus::success, |problem| {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type(kind).set_message(problem);
            status
        });
        let mut case = TestCase::new(case, status);
        case.set_classname(format!("{scenario}.{name}")).set_time(Duration::ZERO);
        suite.add_test_case(case);
    }
    suite
}
