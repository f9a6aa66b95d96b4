//! Configuration: one typed value from a file and the environment, checked before anything starts.
//!
//! Later wins: built-in defaults, then `kadr.toml`, then the environment. A key `worker.slots` of the file is
//! `KADR_WORKER__SLOTS` in the environment. Every error is one line that names the key and the fix, and none shows a
//! secret.

mod check;
mod error;
mod keys;
mod sections;
mod values;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use config::{Environment, File, FileFormat};
use serde::Deserialize;

pub use error::ConfigError;
pub use sections::{
    Config, DatabaseConfig, DeliveryConfig, HttpConfig, KieSection, LlmSection, LogConfig, LogFormat,
    RetryConfig, TelegramSection, WorkerConfig,
};
pub use values::{
    HttpAddress, KieKeyText, KieKeys, NameList, PackageList, Seconds, SecondsList, Secrets, UserList,
};

/// The file that is read when it lies in the working directory and no other is named.
pub const DEFAULT_FILE: &str = "kadr.toml";

const PREFIX: &str = "KADR_";

/// Variables with our prefix that are no keys: they are read where they are needed.
const NOT_KEYS: [&str; 2] = ["KADR_CONFIG", "KADR_PG_SOURCE"];

/// Where configuration comes from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file, if any.
    pub file: Option<PathBuf>,
    /// The environment.
    pub env: BTreeMap<String, String>,
}

impl Sources {
    /// This process's environment, and the file that the command line names, else `KADR_CONFIG`, else
    /// [`DEFAULT_FILE`] if it is there.
    #[must_use]
    pub fn of_process(named: Option<PathBuf>) -> Self {
        let env: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let named = named.or_else(|| env.get("KADR_CONFIG").filter(|v| !v.is_empty()).map(PathBuf::from));
        let found = || Some(PathBuf::from(DEFAULT_FILE)).filter(|path| path.exists());
        Self { file: named.or_else(found), env }
    }
}

impl Config {
    /// Reads and checks everything.
    ///
    /// # Errors
    /// [`ConfigError`], one line naming the key and the fix.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let mut builder = config::Config::builder();
        if let Some(path) = &sources.file {
            builder = builder.add_source(File::from_str(&read(path)?, FileFormat::Toml));
        }
        builder = builder.add_source(environment(&sources.env));
        let said = builder.build().map_err(|e| ConfigError::explain(e, sources.file.as_deref()))?;

        let tree: serde_json::Value =
            said.clone().try_deserialize().map_err(|e| ConfigError::explain(e, sources.file.as_deref()))?;
        keys::check_known(&tree)?;

        let config = Self::deserialize(said).map_err(|e| ConfigError::explain(e, sources.file.as_deref()))?;
        config.check()?;
        Ok(config)
    }
}

fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path)
        .map_err(|e| ConfigError::Unreadable { path: path.to_owned(), why: e.to_string() })
}

/// Our variables, and the two that other programs know under plain names; ours win.
fn environment(env: &BTreeMap<String, String>) -> Environment {
    let mut ours: config::Map<String, String> = env
        .iter()
        .filter(|(name, _)| name.starts_with(PREFIX) && !NOT_KEYS.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    for (plain, key) in [("DATABASE_URL", "KADR_DATABASE__URL"), ("PG_BIN_DIR", "KADR_DATABASE__BIN_DIR")] {
        if let (Some(value), false) = (env.get(plain), ours.contains_key(key)) {
            ours.insert(key.to_owned(), value.clone());
        }
    }
    // An empty variable is how compose files and unit files say "not set".
    Environment::with_prefix("KADR")
        .prefix_separator("_")
        .separator("__")
        .ignore_empty(true)
        .source(Some(ours))
}

#[cfg(test)]
mod tests;
