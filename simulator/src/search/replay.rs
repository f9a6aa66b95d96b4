//! Failures in a file: enough to see the same failure again, and to know that it is the same.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{Runner, pool, shrink::Shrunk};
use crate::scenario::Scenario;

/// The version of the file's form.
const VERSION: u32 = 1;

/// A failure as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// The form's version.
    pub version: u32,
    /// The invariant that broke.
    pub invariant: String,
    /// What was found.
    pub what: String,
    /// With which seed.
    pub seed: u64,
    /// Over which adapters.
    pub mode: String,
    /// The digest of the run's timeline, in hexadecimal.
    pub digest: String,
    /// The commit it was found at, if that could be told.
    pub commit: Option<String>,
    /// The scenario, in TOML.
    pub scenario: String,
}

/// A failure cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum FailureFileError {
    /// A file cannot be written.
    #[error("{path} cannot be written")]
    Write {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be read.
    #[error("{path} cannot be read: give the failure.json that `cargo sim shrink` wrote")]
    Read {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// It holds no failure.
    #[error("{path} holds no failure: give the failure.json that `cargo sim shrink` wrote")]
    Form {
        /// Which.
        path: String,
        /// Why.
        source: serde_json::Error,
    },
    /// It was written by another version.
    #[error(
        "the failure was written in form {0} and this program reads form {VERSION}: check its commit out"
    )]
    Version(u32),
    /// The scenario in it is none.
    #[error("the scenario in it cannot be read")]
    Scenario(#[from] toml::de::Error),
    /// The scenario cannot be written as TOML.
    #[error("the scenario cannot be written down")]
    Toml(#[from] toml::ser::Error),
    /// The failure cannot be written as JSON.
    #[error("the failure cannot be written down")]
    Json(#[from] serde_json::Error),
}

/// What a replay came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replayed {
    /// The same invariant broke in the same run, event by event.
    Same,
    /// The same invariant broke in another run: the program has changed since.
    OtherRun {
        /// The digest of this run.
        digest: String,
    },
    /// Other invariants broke.
    OtherFailure {
        /// Which.
        invariants: Vec<String>,
    },
    /// Nothing broke.
    Holds,
}

/// A digest as files and commands write it.
#[must_use]
pub fn hex(digest: u128) -> String {
    format!("{digest:032x}")
}

impl Failure {
    /// The failure that a shrinking found.
    ///
    /// # Errors
    /// [`FailureFileError::Toml`] when the scenario cannot be written as TOML.
    pub fn of(
        shrunk: &Shrunk,
        seed: u64,
        runner: &dyn Runner,
        commit: Option<String>,
    ) -> Result<Self, FailureFileError> {
        Ok(Self {
            version: VERSION,
            invariant: shrunk.invariant.clone(),
            what: shrunk.what.clone(),
            seed,
            mode: runner.mode().as_str().to_owned(),
            digest: hex(shrunk.timeline_digest),
            commit,
            scenario: toml::to_string_pretty(&shrunk.scenario)?,
        })
    }

    /// The scenario in it.
    ///
    /// # Errors
    /// [`FailureFileError::Scenario`] when it holds none.
    pub fn scenario(&self) -> Result<Scenario, FailureFileError> {
        Ok(toml::from_str(&self.scenario)?)
    }

    /// Writes `failure.json`, and the scenario alone as `failure.toml`, into a folder, and returns the path of the
    /// former.
    ///
    /// # Errors
    /// [`FailureFileError`] when a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<PathBuf, FailureFileError> {
        let failed = |path: &Path| {
            let path = path.display().to_string();
            move |source| FailureFileError::Write { path, source }
        };
        fs::create_dir_all(folder).map_err(failed(folder))?;
        let (json, toml) = (folder.join("failure.json"), folder.join("failure.toml"));
        fs::write(&toml, &self.scenario).map_err(failed(&toml))?;
        fs::write(&json, serde_json::to_string_pretty(self)? + "\n").map_err(failed(&json))?;
        Ok(json)
    }

    /// Reads a `failure.json`.
    ///
    /// # Errors
    /// [`FailureFileError`] when it is none.
    pub fn read(path: &Path) -> Result<Self, FailureFileError> {
        let shown = || path.display().to_string();
        let text =
            fs::read_to_string(path).map_err(|source| FailureFileError::Read { path: shown(), source })?;
        let failure: Self =
            serde_json::from_str(&text).map_err(|source| FailureFileError::Form { path: shown(), source })?;
        if failure.version != VERSION {
            return Err(FailureFileError::Version(failure.version));
        }
        Ok(failure)
    }

    /// Runs it again.
    ///
    /// # Errors
    /// Why the run could not be made.
    pub fn replay(&self, runner: &dyn Runner) -> Result<Replayed, String> {
        let scenario = self.scenario().map_err(|error| error.to_string())?;
        let tried = pool::caught(|| runner.run(&scenario, self.seed, None))?;
        let digest = hex(tried.timeline_digest);
        Ok(if tried.breaks(&self.invariant) {
            if digest == self.digest { Replayed::Same } else { Replayed::OtherRun { digest } }
        } else if tried.broken.is_empty() {
            Replayed::Holds
        } else {
            let mut invariants: Vec<_> =
                tried.broken.iter().map(|broken| broken.invariant.to_owned()).collect();
            invariants.dedup();
            Replayed::OtherFailure { invariants }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::{
        Tried,
        fake::{self, Fake, broken},
        shrink::shrink,
    };

    fn breaking(invariant: &'static str, digest: u128) -> Fake {
        Fake::new(move |_, _, _| {
            let broken = vec![broken(invariant)];
            Ok(Tried { broken, timeline_digest: digest, ..Tried::default() })
        })
    }

    #[test]
    fn a_failure_survives_its_file_and_is_told_apart_from_others() {
        let folder = tempfile::tempdir().unwrap();
        let runner = breaking("holds", 0xab);
        let shrunk = shrink(&runner, &fake::scenario(), 9, None, 3, &|_, _| {}).unwrap();
        let failure = Failure::of(&shrunk, 9, &runner, Some("abc".to_owned())).unwrap();
        let path = failure.write(folder.path()).unwrap();
        let read = Failure::read(&path).unwrap();
        assert_eq!(read, failure);
        assert_eq!(read.scenario().unwrap(), shrunk.scenario);
        let alone = fs::read_to_string(folder.path().join("failure.toml")).unwrap();
        assert_eq!(toml::from_str::<Scenario>(&alone).unwrap(), shrunk.scenario);

        assert_eq!(read.replay(&runner), Ok(Replayed::Same));
        let digest = hex(0xcd);
        assert_eq!(read.replay(&breaking("holds", 0xcd)), Ok(Replayed::OtherRun { digest }));
        let invariants = vec!["other".to_owned()];
        assert_eq!(read.replay(&breaking("other", 0xab)), Ok(Replayed::OtherFailure { invariants }));
        assert_eq!(read.replay(&Fake::new(|_, _, _| Ok(Tried::default()))), Ok(Replayed::Holds));
    }

    #[test]
    fn what_is_no_failure_is_refused_with_a_hint() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("failure.json");
        assert!(matches!(Failure::read(&path), Err(FailureFileError::Read { .. })));
        fs::write(&path, "{}").unwrap();
        assert!(matches!(Failure::read(&path), Err(FailureFileError::Form { .. })));
    }
}
