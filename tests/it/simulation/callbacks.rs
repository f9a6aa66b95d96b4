//! What callbacks are worth: the same evening with and without.

use simulator::{
    report::Verdict,
    search::{Runner, Tried, days::ModelDays, modes::modes},
};

use super::{modes::Wire, one_by_one, scenario};

fn evening(name: &str) -> Tried {
    let tried = ModelDays.run(&scenario(name), 1, None).unwrap();
    assert!(tried.broken.is_empty(), "{name}: {:#?}", tried.broken);
    assert_eq!(tried.thresholds_missed, 0, "{name}: {:?}", tried.figures);
    tried
}

#[test]
fn callbacks_find_the_tasks_of_lost_answers_that_are_paid_twice_without_them() {
    let (heard, deaf) = (evening("lost-answers"), evening("lost-answers-deaf"));
    let doubled = |tried: &Tried| tried.figures["double_submissions"];
    assert!(doubled(&deaf) > 20.0, "one answer in twenty is lost: {:?}", deaf.figures);
    assert!(doubled(&heard) < doubled(&deaf) / 3.0, "{} and {}", doubled(&heard), doubled(&deaf));
    // Each lost answer is found again or paid twice, and most are found.
    let (adopted, injected) = (heard.goals["lost_answer_adopted"], doubled(&deaf));
    assert!(adopted > 20, "{adopted} adopted");
    assert!(doubled(&heard) < injected, "{}", doubled(&heard));
    assert_eq!(deaf.goals["lost_answer_adopted"], 0);
}

#[test]
fn memory_and_the_wire_end_alike_with_callbacks() {
    let mut day = scenario("smoke");
    day.arrivals.orders_per_day = 240.0;
    day.callbacks = scenario("swarm").callbacks;
    (day.errors.answer_lost, day.errors.answer_cut) = (0.2, 0.05);
    (day.database.lost_before_commit, day.database.lost_after_commit) = (0.01, 0.01);
    let found = modes(&ModelDays, &Wire, &day, &one_by_one(1..3), &|_| {});
    assert_eq!(found.verdict(), Ok(Verdict::Pass), "{}", found.text());
    let tried = ModelDays.run(&day, 1, None).unwrap();
    assert!(tried.goals["lost_answer_adopted"] > 0, "{:?}", tried.goals);
}
