//! `kadr-sim`: see [`simulator::cli`].

use std::process::ExitCode;

/// A simulated day makes and drops some thousand small values a millisecond, so the allocator is a tenth of its time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    simulator::cli::main()
}
