//! A campaign in which nothing went wrong proves nothing.

use std::collections::BTreeSet;

use simulator::{
    oracle::goals::GOALS,
    search::{Runner, days::ModelDays, swarm::swarm},
};

use super::scenario;

/// Seeds of the nightly campaign that reach every goal between them; the night runs many more.
const SEEDS: [u64; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

#[test]
fn every_goal_is_reached_in_the_nightly_campaign() {
    let base = scenario("swarm");
    let wanted: BTreeSet<_> = base.goals.iter().map(String::as_str).collect();
    let all: BTreeSet<_> = GOALS.iter().map(|(name, _)| *name).collect();
    assert_eq!(wanted, all, "the campaign wants every goal there is");
    let mut never = all;
    for seed in SEEDS {
        let tried = ModelDays.run(&swarm(&base, seed), seed, None).unwrap();
        assert!(tried.broken.is_empty(), "seed {seed}: {:#?}", tried.broken);
        never.retain(|goal| tried.goals.get(goal).is_none_or(|times| *times == 0));
    }
    assert!(never.is_empty(), "never reached: {never:?}");
}
