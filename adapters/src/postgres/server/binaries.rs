//! Finding the programs `initdb` and `postgres`.

use std::env;
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

#[cfg(kadr_bundled_postgres)]
use super::bundled;
use super::home::{DataOwner, Home};
use super::identity::RunAs;
use super::wait::wait_for;
use super::{BinarySource, ServerError};

/// The oldest major version whose SQL Kadr speaks.
const OLDEST_MAJOR: u32 = 15;

/// How long a program's file may be busy.
const BUSY_LIMIT: Duration = Duration::from_secs(5);

/// Folders in which distributions keep one sub-folder (or sibling) per major version: the part before the version
/// and the part after it.
const VERSIONED_FOLDERS: [(&str, &str, &str); 4] = [
    ("/usr/lib/postgresql", "", "bin"),          // Debian, Ubuntu
    ("/usr", "pgsql-", "bin"),                   // the PostgreSQL project's packages for Fedora and Red Hat
    ("/usr/libexec", "postgresql", ""),          // Alpine
    ("/opt/homebrew/opt", "postgresql@", "bin"), // Homebrew
];

/// Whose programs a server runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Programs installed on this machine, in this folder.
    Installed(PathBuf),
    /// The runtime inside this program, of this version.
    Bundled(String),
    /// A server that another process, or another handle in this one, has started; `pid` is its postmaster's.
    Attached {
        /// The postmaster's pid.
        pid: u32,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Installed(dir) => write!(f, "installed in {}", dir.display()),
            Self::Bundled(_) => f.write_str("bundled with this program"),
            Self::Attached { pid } => write!(f, "already running as pid {pid}"),
        }
    }
}

/// Programs that can be run, and by whom.
#[derive(Clone, Debug)]
pub(super) struct Toolset {
    bin_dir: PathBuf,
    pub(super) version: Version,
    pub(super) origin: Origin,
    pub(super) run_as: RunAs,
}

impl Toolset {
    pub(super) fn command(&self, program: &str) -> Command {
        self.run_as.command(&self.bin_dir.join(program))
    }
}

/// A version as `postgres --version` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) major: u32,
    pub(super) text: String,
}

impl Version {
    /// Reads `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
    fn parse(line: &str) -> Option<Self> {
        let text = line.split_whitespace().nth(2)?;
        let digits = text.split(|c: char| !c.is_ascii_digit()).next()?;
        Some(Self { major: digits.parse().ok()?, text: text.to_owned() })
    }
}

/// What the programs must fit.
pub(super) struct Search<'a> {
    pub(super) source: BinarySource,
    pub(super) bin_dir: Option<PathBuf>,
    pub(super) home: &'a Home,
    /// Set when the home already holds data: only their major version, and a user who may read them, will do.
    pub(super) data: Option<DataOwner>,
}

impl Search<'_> {
    /// The first programs, in the order of preference, that fit.
    pub(super) fn run(&self) -> Result<Toolset, ServerError> {
        let mut examined = Vec::new();
        if self.source != BinarySource::Bundled {
            for dir in self.folders() {
                match self.examine(&dir, Origin::Installed(dir.clone())) {
                    Ok(toolset) => return Ok(toolset),
                    Err(reason) => examined.push(format!("{}: {reason}", dir.display())),
                }
            }
            if let (Some(bin_dir), None) = (&self.bin_dir, &self.data) {
                return Err(ServerError::UnusableBinDir {
                    bin_dir: bin_dir.clone(),
                    reason: examined.join("; "),
                });
            }
        }
        if self.source != BinarySource::Installed {
            match self.examine_bundled() {
                Ok(toolset) => return Ok(toolset),
                Err(reason) => examined.push(format!("bundled: {reason}")),
            }
        }
        Err(match &self.data {
            Some(data) => {
                ServerError::VersionMismatch { data_dir: self.home.data(), data_major: data.major, examined }
            }
            None => ServerError::NoServerInstalled { examined },
        })
    }

    /// Folders that might hold installed programs, most preferred first, each once.
    fn folders(&self) -> Vec<PathBuf> {
        let candidates = match &self.bin_dir {
            Some(dir) => vec![std::path::absolute(dir).unwrap_or_else(|_| dir.clone())],
            None => pg_config_folder()
                .into_iter()
                .chain(versioned_folders())
                .chain(env::var_os("PATH").iter().flat_map(env::split_paths).filter(|dir| dir.is_absolute()))
                .filter(|dir| dir.join("postgres").exists())
                .collect(),
        };
        let mut seen = Vec::new();
        let mut folders = Vec::new();
        for dir in candidates {
            let program = fs::canonicalize(dir.join("postgres")).unwrap_or_else(|_| dir.join("postgres"));
            if !seen.contains(&program) {
                seen.push(program);
                folders.push(dir);
            }
        }
        folders
    }

    fn examine(&self, bin_dir: &Path, origin: Origin) -> Result<Toolset, String> {
        let run_as = self.user_for(&origin);
        if self.data.is_none() && matches!(origin, Origin::Installed(_)) && !run_as.has_name() {
            return Err(format!(
                "initdb wants a user with a name, and uid {} has none in /etc/passwd",
                run_as.uid()
            ));
        }
        let answer = ask_version(run_as, bin_dir, "postgres")?;
        ask_version(run_as, bin_dir, "initdb")?;
        let version =
            Version::parse(&answer).ok_or_else(|| format!("unreadable version `{}`", answer.trim()))?;
        if version.major < OLDEST_MAJOR {
            return Err(format!("version {} is older than {OLDEST_MAJOR}", version.text));
        }
        if let Some(data) = &self.data {
            if data.major != version.major {
                return Err(format!("version {}", version.text));
            }
            if !run_as.can_enter(self.home.dir()) {
                return Err(format!("uid {} cannot enter {}", run_as.uid(), self.home.dir().display()));
            }
        }
        let origin = match origin {
            Origin::Bundled(_) => Origin::Bundled(version.text.clone()),
            other => other,
        };
        Ok(Toolset { bin_dir: bin_dir.to_path_buf(), version, origin, run_as })
    }

    /// Whoever owns the data goes on owning them, except that an installed server never runs as root.
    fn user_for(&self, origin: &Origin) -> RunAs {
        let owner = self.data.as_ref().map_or_else(RunAs::caller, |data| RunAs::user(data.uid, data.gid));
        if owner.is_root() && !matches!(origin, Origin::Bundled(_)) { RunAs::nobody() } else { owner }
    }

    #[cfg(kadr_bundled_postgres)]
    fn examine_bundled(&self) -> Result<Toolset, String> {
        let bin_dir = bundled::unpack(self.home.dir()).map_err(|error| error.to_string())?;
        self.examine(&bin_dir, Origin::Bundled(String::new()))
    }

    #[cfg(not(kadr_bundled_postgres))]
    #[expect(clippy::unused_self, reason = "the signature of the build that carries a runtime")]
    fn examine_bundled(&self) -> Result<Toolset, String> {
        Err("this program carries no PostgreSQL (cargo feature `bundled-postgres`)".to_owned())
    }
}

/// Runs `program --version` as the user who will run it later, which shows whether that user can run it at all.
fn ask_version(run_as: RunAs, bin_dir: &Path, program: &str) -> Result<String, String> {
    let path = bin_dir.join(program);
    if !path.exists() {
        return Err(format!("has no {program}"));
    }
    let mut command = run_as.command(&path);
    command.arg("--version");
    // A file that was written a moment ago counts as busy while another thread's new child, which has inherited the
    // open file, has not yet come to its own program.
    let output = wait_for(BUSY_LIMIT, || match command.output() {
        Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => None,
        other => Some(other),
    });
    match output {
        Some(Ok(output)) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Some(Ok(output)) => {
            Err(format!("{program} fails: {}", String::from_utf8_lossy(&output.stderr).trim()))
        }
        Some(Err(error)) => Err(format!("{program} cannot be run as uid {}: {error}", run_as.uid())),
        None => Err(format!("{program} is being written")),
    }
}

fn pg_config_folder() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").stdin(Stdio::null()).output().ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !folder.trim().is_empty()).then(|| PathBuf::from(folder.trim()))
}

/// The distributions' folders, newest major version first.
fn versioned_folders() -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for (parent, prefix, sub) in VERSIONED_FOLDERS {
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let major =
                name.to_str().and_then(|name| name.strip_prefix(prefix)).and_then(|rest| rest.parse().ok());
            if let Some(major) = major {
                found.push((major, entry.path().join(sub)));
            }
        }
    }
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, dir)| dir).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_releases_and_of_test_releases_are_read() {
        let debian = Version::parse("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n").unwrap();
        assert_eq!((debian.major, debian.text.as_str()), (15, "15.18"));
        assert_eq!(Version::parse("postgres (PostgreSQL) 19beta1").unwrap().major, 19);
        assert_eq!(Version::parse("command not found"), None);
    }
}
