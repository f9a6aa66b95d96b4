//! `kadr-sim`: see [`simulator::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    simulator::cli::main()
}
