//! Twenty minutes of maintenance in the evening, and keys that run dry.

use std::sync::{Arc, Mutex};

use domain::{job::State, notice::RefundCause, time::Timestamp};
use simulator::{
    scenario::{Calendar, Scenario, TimeOfDay},
    search::{Runner, days::ModelDays},
    trace::{Event, Kind, Observer},
};

use super::scenario;

/// How many videos of a day were refunded for a cause, counted by watching.
#[derive(Clone)]
struct Refunds {
    counts: fn(RefundCause) -> bool,
    until: Timestamp,
    seen: Arc<Mutex<u64>>,
}

impl Observer for Refunds {
    fn see(&mut self, event: &Event<'_>) {
        if let Kind::Stepped { step, .. } = event.kind
            && let State::Refunded { cause, .. } = step.job.state
            && (self.counts)(cause)
            && event.at < self.until
        {
            *self.seen.lock().unwrap() += 1;
        }
    }
}

/// Runs a day in which nothing may break, and counts what happens before a time of day.
fn refunds(day: &Scenario, until: TimeOfDay, counts: fn(RefundCause) -> bool) -> u64 {
    let until = Calendar::of(&day.day).unwrap().at(until);
    let refunds = Refunds { counts, until, seen: Arc::default() };
    let tried = ModelDays.watch(day, 1, None, vec![Box::new(refunds.clone())]).unwrap();
    assert!(tried.broken.is_empty(), "{}: {:#?}", day.name, tried.broken);
    let seen = refunds.seen.lock().unwrap();
    *seen
}

#[test]
fn an_outage_refunds_at_most_a_tenth_of_what_it_does_without_the_breaker() {
    let with = scenario("provider-outage");
    let mut without = with.clone();
    without.fleet.outage_breaker = false;
    let count = |day| refunds(day, TimeOfDay::END, RefundCause::is_providers);
    let (few, many) = (count(&with), count(&without));
    assert!(many >= 100 && few * 10 <= many, "{few} with the breaker, {many} without");
}

#[test]
fn no_order_is_lost_for_want_of_a_key_while_another_account_has_credit() {
    // At 22:15 the second account's key is refused, while the first one has no credit left.
    let day = scenario("key-exhausted");
    assert_eq!(day.outages.len(), 1);
    let lost_until = |until| refunds(&day, until, |cause| cause == RefundCause::NoKey);
    assert_eq!(lost_until(day.outages[0].at), 0);
    assert!(lost_until(TimeOfDay::END) > 0, "nothing was exhausted");
}

/// The oracle holds both the provider's limits and ours after every event. All scenarios: `.ci/run`.
#[test]
fn no_scenario_exceeds_an_accounts_limits_with_one_process_or_with_three() {
    for name in ["provider-outage", "key-exhausted", "evening-peak", "crash-storm", "smoke", "swarm"] {
        for processes in [1, 3] {
            let mut day = scenario(name);
            day.fleet.processes = processes;
            let tried = ModelDays.run(&day, 1, None).unwrap();
            let ours = ["provider_limits", "outage_discipline"];
            let broken: Vec<_> = tried.broken.iter().filter(|b| ours.contains(&b.invariant)).collect();
            assert!(broken.is_empty(), "{name}, {processes} processes: {broken:#?}");
        }
    }
}
