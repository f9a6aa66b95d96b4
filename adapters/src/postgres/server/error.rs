//! Why a private server could not be had, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

/// Why a private PostgreSQL server could not be started, shared or stopped. Every message names the remedy
/// where there is one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// There is nothing on this machine that could be started.
    #[error(
        "no PostgreSQL 15 or newer to start ({}). Install one with `apt-get install postgresql`, \
         or name a running server in DATABASE_URL",
        list(.examined)
    )]
    NoServerInstalled {
        /// What was examined, and why each was rejected.
        examined: Vec<String>,
    },
    /// The folder that the operator named holds no usable server.
    #[error("PG_BIN_DIR names {}, which cannot be used: {reason}", .bin_dir.display())]
    UnusableBinDir {
        /// The folder.
        bin_dir: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// `KADR_PG_SOURCE` has a value without a meaning.
    #[error("KADR_PG_SOURCE is `{value}`; it must be `any`, `installed` or `bundled`")]
    UnknownSource {
        /// The value found.
        value: String,
    },
    /// The data were written by a major version that is not available here.
    #[error(
        "the data in {} were written by PostgreSQL {data_major}, which is not available here ({}). \
         Install it with `apt-get install postgresql-{data_major}`, or set PG_BIN_DIR to its programs",
        .data_dir.display(), list(.examined)
    )]
    VersionMismatch {
        /// The data directory.
        data_dir: PathBuf,
        /// The major version that wrote it.
        data_major: u32,
        /// What was examined, and why each was rejected.
        examined: Vec<String>,
    },
    /// The directory holds a cluster that was made for another purpose.
    #[error(
        "{} holds a {found} cluster, and a {asked} one was asked for: durable data are never opened without \
         fsync or deleted. Use another directory",
        .dir.display()
    )]
    OtherDurability {
        /// The directory.
        dir: PathBuf,
        /// What the cluster in it is.
        found: String,
        /// What the caller wanted.
        asked: String,
    },
    /// The directory belongs to somebody else.
    #[error(
        "{} belongs to the user with uid {owner}, and this program runs as uid {caller}. \
         Run it as that user, or use another directory",
        .path.display()
    )]
    ForeignOwner {
        /// The file or directory.
        path: PathBuf,
        /// Its owner's uid.
        owner: u32,
        /// The uid of this process.
        caller: u32,
    },
    /// Another process is starting or stopping a server in the same directory and does not finish.
    #[error(
        "another process has been starting or stopping the server of {} for more than {seconds} s. \
         See who holds it with `fuser {}`",
        .dir.display(), .dir.display()
    )]
    Busy {
        /// The directory.
        dir: PathBuf,
        /// How long this process has waited, in seconds.
        seconds: u64,
    },
    /// `initdb`, or the step that creates the first database, failed.
    #[error("{program} failed ({status}): {output}")]
    ProgramFailed {
        /// The program.
        program: String,
        /// Its exit status.
        status: String,
        /// The last lines that it printed.
        output: String,
    },
    /// The server did not become ready.
    #[error("PostgreSQL did not start ({reason}). Last lines of {}:\n{tail}", .log.display())]
    NotReady {
        /// What happened.
        reason: String,
        /// The server's log.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    /// The server is still there after every signal.
    #[error("the PostgreSQL server with pid {pid} does not stop; stop it by hand with `kill -9 {pid}`")]
    StillRunning {
        /// The pid of the postmaster.
        pid: u32,
    },
    /// A file operation failed.
    #[error("cannot {action} {}: {source}", .path.display())]
    Io {
        /// What was being done, as a verb.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

impl ServerError {
    /// Makes the error of a failed file operation: `fs::read(p).map_err(ServerError::io("read", p))`.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { action, path, source }
    }
}

fn list(reasons: &[String]) -> String {
    if reasons.is_empty() { "nothing found".to_owned() } else { reasons.join("; ") }
}
