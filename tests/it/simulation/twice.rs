//! The same seed is the same day.

use simulator::{
    report::Verdict,
    search::{days::ModelDays, meta::meta},
};

use super::{one_by_one, scenario};

#[test]
fn the_same_seed_runs_the_same_day_twice() {
    let mut days = Vec::new();
    for seed in 1..4 {
        // Each seed of a swarm is another day, and both its runs have to be that one.
        let day = simulator::search::swarm::swarm(&scenario("swarm"), seed);
        let found = meta(&ModelDays, &day, &one_by_one(seed..seed + 1), &|_| {});
        assert_eq!(found.verdict(), Ok(Verdict::Pass), "{}", found.text());
        days.extend(found.seeds.into_iter().map(|(_, twice)| twice));
    }
    days.dedup();
    assert_eq!(days.len(), 3, "other seeds are other days: {days:?}");
}
