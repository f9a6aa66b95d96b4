//! Memory stands in for HTTP and PostgreSQL: a day has to end the same over both.

use std::collections::BTreeSet;

use simulator::{
    day::{Mode, WatchedOptions, watch},
    report::Verdict,
    scenario::Scenario,
    search::{Mutant, Runner, Tried, days::ModelDays, modes::modes},
    trace::Observer,
};

use super::{one_by_one, scenario};
use crate::stores;

/// Days over real HTTP and the PostgreSQL of this test run.
pub(super) struct Wire;

impl Runner for Wire {
    fn mode(&self) -> Mode {
        Mode::Wire
    }

    fn watch(
        &self,
        scenario: &Scenario,
        seed: u64,
        mutant: Option<Mutant>,
        observers: Vec<Box<dyn Observer>>,
    ) -> Result<Tried, String> {
        // Virtual time wants a runtime to itself, so this one is gone before the day begins.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let database = Some(runtime.block_on(stores::fresh_database()));
        drop(runtime);
        let (hash, reproduce) = (String::new(), String::new());
        let options = WatchedOptions { seed, database, mutant, observers, hash, reproduce, beside: false };
        let watched = watch(scenario, options).map_err(|error| format!("{error:?}"))?;
        Ok(Tried {
            broken: watched.broken,
            goals: watched.goals,
            outcome_digest: watched.outcome_digest,
            timeline_digest: watched.timeline_digest,
            ..Tried::default()
        })
    }
}

/// The smallest day there is, with fewer orders still.
fn small_day() -> Scenario {
    let mut day = scenario("smoke");
    day.arrivals.orders_per_day = 240.0; // ten in its hour
    day
}

fn ends_alike(day: &Scenario) {
    let found = modes(&ModelDays, &Wire, day, &one_by_one(1..4), &|_| {});
    assert_eq!(found.verdict(), Ok(Verdict::Pass), "{}", found.text());
}

#[test]
fn memory_and_the_wire_end_alike() {
    ends_alike(&small_day());
}

#[test]
fn memory_and_the_wire_end_alike_whatever_goes_wrong() {
    let mut day = small_day();
    (day.errors.answer_lost, day.errors.answer_cut) = (0.1, 0.05);
    (day.errors.gateway_page, day.errors.unseen) = (0.05, 0.1);
    (day.errors.dead_link, day.errors.user_violation_at_once) = (0.1, 0.05);
    (day.users.double_tap, day.users.no_credits) = (0.3, 0.1);
    (day.messenger.fails, day.messenger.answer_lost, day.messenger.blocked) = (0.1, 0.05, 0.1);
    (day.database.lost_before_commit, day.database.lost_after_commit) = (0.01, 0.01);
    ends_alike(&day);
    let met: BTreeSet<_> = (1..4)
        .flat_map(|seed| ModelDays.run(&day, seed, None).unwrap().goals)
        .filter_map(|(goal, times)| (times > 0).then_some(goal))
        .collect();
    for goal in [
        "lost_answer_resubmitted",
        "gateway_page_survived",
        "double_tap_deduplicated",
        "message_retried",
        "write_lost_retried",
        "commit_answer_lost_survived",
    ] {
        assert!(met.contains(goal), "{goal} is not among {met:?}");
    }
}
