//! What kind of server is wanted, and where.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::ServerError;

/// What the data are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Users' money: what was committed survives a crash of the machine.
    Durable,
    /// Tests and simulations: nothing is forced to disk, and everything is deleted when the last user leaves.
    Throwaway,
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Durable => "durable",
            Self::Throwaway => "throwaway",
        })
    }
}

/// Where the data live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A directory whose server all processes share that name it, now and later.
    ///
    /// When root starts an installed server, which must then run as another user, and that user cannot enter the
    /// directory, the data go to `/var/lib/kadr` and the directory gets a link to them.
    Directory(PathBuf),
    /// A fresh directory among the system's temporary files, for this one owner.
    Temporary,
}

/// Which PostgreSQL may be started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BinarySource {
    /// An installed one if there is one, else the bundled one; `KADR_PG_SOURCE` may narrow this.
    #[default]
    Any,
    /// Only one that is installed on this machine.
    Installed,
    /// Only the one inside this program (cargo feature `bundled-postgres`).
    Bundled,
}

/// How to start a private server.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Where the data live.
    pub location: Location,
    /// What the data are worth.
    pub durability: Durability,
    /// The folder of `initdb` and `postgres`. `None`: taken from the environment variable `PG_BIN_DIR`, else searched.
    pub bin_dir: Option<PathBuf>,
    /// Which PostgreSQL may be started. `Any` is narrowed by the environment variable `KADR_PG_SOURCE`
    /// (`any`, `installed` or `bundled`).
    pub source: BinarySource,
    /// How long a started server may take until it answers; recovery after a crash is part of this time.
    pub start_timeout: Duration,
    /// How many sessions the server admits at the same time.
    pub max_connections: u16,
}

impl ServerOptions {
    /// A durable server in `directory`, shared by all processes that name it.
    pub fn private(directory: impl Into<PathBuf>) -> Self {
        Self {
            location: Location::Directory(directory.into()),
            durability: Durability::Durable,
            bin_dir: None,
            source: BinarySource::Any,
            start_timeout: Duration::from_secs(120),
            max_connections: 100,
        }
    }

    /// A server that lives no longer than its handle.
    pub fn throwaway() -> Self {
        Self {
            location: Location::Temporary,
            durability: Durability::Throwaway,
            start_timeout: Duration::from_secs(60),
            max_connections: 200,
            ..Self::private(PathBuf::new())
        }
    }

    /// The folder named by the caller, else by the operator.
    pub(super) fn chosen_bin_dir(&self) -> Option<PathBuf> {
        let chosen = self.bin_dir.clone().or_else(|| env::var_os("PG_BIN_DIR").map(PathBuf::from));
        chosen.filter(|dir| !dir.as_os_str().is_empty())
    }

    /// The source named by the caller, else by the operator.
    pub(super) fn chosen_source(&self) -> Result<BinarySource, ServerError> {
        match (self.source, env::var_os("KADR_PG_SOURCE")) {
            (BinarySource::Any, Some(value)) => parse_source(&value),
            (source, _) => Ok(source),
        }
    }
}

fn parse_source(value: &OsString) -> Result<BinarySource, ServerError> {
    match value.to_str() {
        Some("" | "any") => Ok(BinarySource::Any),
        Some("installed") => Ok(BinarySource::Installed),
        Some("bundled") => Ok(BinarySource::Bundled),
        _ => Err(ServerError::UnknownSource { value: value.to_string_lossy().into_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_source_is_an_error_and_not_any() {
        assert!(matches!(parse_source(&"bundeld".into()), Err(ServerError::UnknownSource { .. })));
        assert_eq!(parse_source(&"bundled".into()).unwrap(), BinarySource::Bundled);
    }
}
