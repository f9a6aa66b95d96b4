//! The log: to stderr, from here and nowhere else.

use std::io::{self, IsTerminal};

use tracing_subscriber::{EnvFilter, fmt};

use crate::config::{LogConfig, LogFormat};

/// For commands that are watched.
pub(super) const QUIET: &str = "warn";
/// For the service.
pub(super) const BUSY: &str = "info,sqlx=warn,hyper=warn,reqwest=warn";

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
    if started.is_ok() {
        // A bug in one step ends that step; the log says where it is, and the loops go on.
        std::panic::set_hook(Box::new(|bug| tracing::error!(%bug, "a bug: please report it")));
    }
}
