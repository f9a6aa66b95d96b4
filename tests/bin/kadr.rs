//! `kadr`, built for the tests that start, feed and kill it as a process.

use std::process::ExitCode;

fn main() -> ExitCode {
    app::cli::main()
}
