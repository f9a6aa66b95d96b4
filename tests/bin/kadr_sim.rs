//! `kadr-sim`, built for the tests that start it as a process.

use std::process::ExitCode;

fn main() -> ExitCode {
    simulator::cli::main()
}
