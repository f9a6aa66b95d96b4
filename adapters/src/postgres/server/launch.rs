//! Starting the server of a cluster and waiting until it answers.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::{Child, ExitStatus};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use serde::{Deserialize, Serialize};

use super::binaries::Toolset;
use super::home::Home;
use super::process::{self, PidFile, Shutdown};
use super::wait::wait_for;
use super::{Durability, ServerError, ServerOptions, cluster, identity};

/// Between our look at a port and PostgreSQL's, another program may take it; so several are tried.
const PORTS_TRIED: usize = 8;

/// The line in the log of a server whose port was taken.
const PORT_TAKEN: &str = "could not create any TCP/IP sockets";

/// What others need to know of a running server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Facts {
    pub(super) pid: u32,
    pub(super) port: u16,
    pub(super) version: String,
    /// The folder of its socket file, if it has one.
    #[serde(default)]
    pub(super) socket: Option<PathBuf>,
}

impl Facts {
    /// What the last server of `home` has left there.
    pub(super) fn read(home: &Home) -> Option<Self> {
        serde_json::from_str(&fs::read_to_string(home.facts()).ok()?).ok()
    }

    /// Whether that server still runs and answers.
    pub(super) fn hold(&self, home: &Home) -> bool {
        let file = PidFile::read(&home.data());
        file == Some(PidFile { pid: self.pid, ready: true }) && process::serves(self.pid, &home.data())
    }
}

enum Attempt {
    Ready(u32),
    PortTaken,
    Failed(String),
}

/// Starts the server. It gets the port of the last time if that is free, so that addresses written down stay right.
pub(super) fn launch(home: &Home, tools: &Toolset, options: &ServerOptions) -> Result<Facts, ServerError> {
    home.begin_log()?;
    let mut preferred = Facts::read(home).map(|facts| facts.port);
    let mut reason = String::new();
    for _ in 0..PORTS_TRIED {
        let port =
            free_port(preferred.take()).map_err(ServerError::io("find a free port for", &home.data()))?;
        match attempt(home, tools, options, port)? {
            Attempt::Ready(pid) => {
                let version = tools.version.text.clone();
                return Ok(Facts { pid, port, version, socket: socket_folder(home, options) });
            }
            Attempt::PortTaken => reason = format!("port {port} and {} others were taken", PORTS_TRIED - 1),
            Attempt::Failed(failure) => {
                reason = failure;
                break;
            }
        }
    }
    process::stop_all(&home.data(), Shutdown::Immediate)?;
    let text = fs::read_to_string(home.log()).unwrap_or_default();
    Err(ServerError::NotReady { reason, log: home.log(), tail: cluster::last_lines(&text) })
}

fn attempt(home: &Home, tools: &Toolset, options: &ServerOptions, port: u16) -> Result<Attempt, ServerError> {
    let log = open_log(home)?;
    let errors = log.try_clone().map_err(ServerError::io("open", &home.log()))?;
    let mut command = tools.command("postgres");
    command.arg("-D").arg(home.data()).args(settings(home, options, port)).stdout(log).stderr(errors);
    let child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Ok(Attempt::Failed(error.to_string())),
    };
    let pid = child.id();
    let exit = reap(child).map_err(ServerError::io("watch the server of", &home.data()))?;
    let answer = wait_for(options.start_timeout, || match exit.try_recv() {
        Ok(status) => Some(Err(status)),
        Err(_) => (PidFile::read(&home.data()) == Some(PidFile { pid, ready: true })).then_some(Ok(())),
    });
    Ok(match answer {
        Some(Ok(())) => Attempt::Ready(pid),
        Some(Err(_)) if fs::read_to_string(home.log()).is_ok_and(|log| log.contains(PORT_TAKEN)) => {
            Attempt::PortTaken
        }
        Some(Err(status)) => Attempt::Failed(status),
        None => Attempt::Failed(format!("not ready after {} s", options.start_timeout.as_secs())),
    })
}

/// Waits for the server in a thread, so that it never stays behind as a zombie of this process.
fn reap(mut child: Child) -> std::io::Result<Receiver<String>> {
    let (sender, receiver) = mpsc::channel();
    let wait = move || {
        let status =
            child.wait().map_or_else(|error| error.to_string(), |status: ExitStatus| status.to_string());
        // Once the server is ready nobody listens any more.
        let _ = sender.send(status);
    };
    thread::Builder::new().name("postgres-reaper".to_owned()).spawn(wait)?;
    Ok(receiver)
}

fn open_log(home: &Home) -> Result<File, ServerError> {
    let path = home.log();
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
    let file = file.map_err(ServerError::io("open", &path))?;
    identity::give_to_owner_of(home.dir(), &path)?;
    Ok(file)
}

/// Where a throwaway server puts its socket file, over which a simulated day is a tenth shorter than over TCP: into its
/// data, which nobody else may enter. None where the path would be longer than systems allow (104 bytes on some).
fn socket_folder(home: &Home, options: &ServerOptions) -> Option<PathBuf> {
    const PATH_MAX: usize = 103;
    let folder = home.data();
    let path_bytes = folder.as_os_str().len() + "/.s.PGSQL.65535.lock".len();
    (options.durability == Durability::Throwaway && path_bytes <= PATH_MAX).then_some(folder)
}

/// Loopback TCP, no interface of the network, and at most one socket file of our own: the usual folder may belong to
/// the system's own server.
fn settings(home: &Home, options: &ServerOptions, port: u16) -> Vec<OsString> {
    let forced = match options.durability {
        Durability::Durable => "on",
        Durability::Throwaway => "off",
    };
    // A simulated day passes in seconds, and the queue's index fills with a day's dead entries: every claim reads past
    // them until a vacuum comes, which would look only once a minute.
    let vacuum: &[&str] = match options.durability {
        Durability::Durable => &[],
        Durability::Throwaway => &["autovacuum_naptime=1s", "autovacuum_vacuum_cost_delay=0"],
    };
    [
        "listen_addresses=127.0.0.1".to_owned(),
        format!("port={port}"),
        format!("unix_socket_directories={}", socket_folder(home, options).unwrap_or_default().display()),
        "ssl=off".to_owned(),
        format!("max_connections={}", options.max_connections),
        format!("fsync={forced}"),
        format!("full_page_writes={forced}"),
        format!("synchronous_commit={forced}"),
        "timezone=UTC".to_owned(),
        "log_timezone=UTC".to_owned(),
        "logging_collector=off".to_owned(),
        "log_destination=stderr".to_owned(),
        "cluster_name=kadr".to_owned(),
    ]
    .into_iter()
    .chain(vacuum.iter().map(|setting| (*setting).to_owned()))
    .flat_map(|setting| ["-c".into(), setting.into()])
    .collect()
}

fn free_port(preferred: Option<u16>) -> std::io::Result<u16> {
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let listener = match preferred.map(bind) {
        Some(Ok(listener)) => listener,
        _ => bind(0)?,
    };
    Ok(listener.local_addr()?.port())
}
