//! An oracle is worth the bugs it finds.

use std::num::NonZeroUsize;

use clap::ValueEnum;
use simulator::{
    report::Verdict,
    search::{Mutant, days::ModelDays, mutants::hunt},
};

use super::scenario;

/// Seeds tried until a mutant is caught. Every mutant there is falls to one of the first few.
const SEEDS: std::ops::Range<u64> = 1..16;

#[test]
fn every_mutant_is_caught() {
    let threads = NonZeroUsize::MIN.saturating_add(1);
    let scenario_of = |name: &str| Ok(scenario(name));
    let report = hunt(&ModelDays, Mutant::value_variants(), &scenario_of, SEEDS, threads, &|_| {}).unwrap();
    assert_eq!(report.verdict(), Verdict::Pass, "{}", report.table());
    let by_accident: Vec<_> =
        report.hunted.iter().filter(|h| h.caught.as_ref().is_some_and(|by| !by.is_expected)).collect();
    assert!(by_accident.is_empty(), "caught, and not by what was to catch them: {by_accident:#?}");
}
