//! Whether the simulator deserves the trust that is put in what it finds.

mod callbacks;
mod command_line;
mod goals;
mod mock;
mod modes;
mod mutants;
mod outage;
mod provider_shapes;
mod queues;
mod twice;

use std::{num::NonZeroUsize, ops::Range};

use simulator::{scenario::Scenario, search::sweep::Trials};

/// A scenario that comes with the simulator.
fn scenario(name: &str) -> Scenario {
    Scenario::load(name).unwrap().scenario
}

/// Seeds, one after the other: other tests run beside this one.
fn one_by_one(seeds: Range<u64>) -> Trials {
    Trials { seeds, threads: NonZeroUsize::MIN }
}
