//! The service and the operator's command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    app::cli::main()
}
