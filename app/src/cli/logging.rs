//! The log: to stderr, from here and nowhere else.

use std::io::{self, IsTerminal, Write};

use tracing_subscriber::{EnvFilter, fmt};

use crate::config::{LogConfig, LogFormat};

/// For commands that are watched.
/// sqlx repeats unknown parameters of a mistyped database URL, and with them what may be its password.
pub(super) const QUIET: &str = "warn,sqlx_postgres::options=error";
/// For the service.
pub(super) const BUSY: &str = "info,sqlx=warn,hyper=warn,reqwest=warn,sqlx_postgres::options=error";

/// Starts the log; `usual` is the filter when none is configured. A second start changes nothing.
pub(super) fn start(config: &LogConfig, usual: &str) {
    let filter = config.filter.as_deref().unwrap_or(usual);
    // The filter was checked with the configuration.
    let filter = EnvFilter::builder().parse_lossy(filter);
    let log = fmt().with_env_filter(filter).with_writer(io::stderr);
    let started = match config.format {
        LogFormat::Json => log.json().try_init(),
        LogFormat::Text => log.with_ansi(io::stderr().is_terminal()).try_init(),
    };
    if let Err(error) = started {
        tracing::debug!(%error, "the log was started before");
    }
}

/// Has panics told in the log, or in one line where there is none yet. A bug in one step ends that step; the loops
/// go on.
pub(super) fn catch_bugs() {
    std::panic::set_hook(Box::new(|bug| {
        if tracing::dispatcher::has_been_set() {
            tracing::error!(%bug, "a bug: please report it");
        } else {
            let bug = bug.to_string().replace('\n', " ");
            writeln!(io::stderr(), "error: a bug, please report it: {bug}").ok();
        }
    }));
}
