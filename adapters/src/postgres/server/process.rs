//! What the operating system says about a server's processes, and stopping them.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::ServerError;
use super::wait::wait_for;

/// How a server is told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shutdown {
    /// Sessions end, the data are written: the way for data that are kept.
    Fast,
    /// At once; the data would need recovery.
    Immediate,
}

/// The signals, from the politest to the one that always works, and how long each may take
/// (PostgreSQL manual, "Shutting Down the Server").
const FAST: (&str, Duration) = ("INT", Duration::from_secs(30));
const IMMEDIATE: (&str, Duration) = ("QUIT", Duration::from_secs(10));
const KILL: (&str, Duration) = ("KILL", Duration::from_secs(5));

/// What `postmaster.pid` tells (its layout is described in PostgreSQL's `miscadmin.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PidFile {
    pub(super) pid: u32,
    pub(super) ready: bool,
}

impl PidFile {
    pub(super) fn read(data: &Path) -> Option<Self> {
        Self::parse(&fs::read_to_string(data.join("postmaster.pid")).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let pid = lines.next()?.trim().parse().ok()?;
        Some(Self { pid, ready: lines.nth(6).is_some_and(|status| status.trim() == "ready") })
    }
}

/// Stops every process that serves `data`, whoever started it, and clears what a dead one leaves behind.
pub(super) fn stop_all(data: &Path, how: Shutdown) -> Result<(), ServerError> {
    if let Some(file) = PidFile::read(data) {
        stop(file.pid, data, how)?;
    }
    // Of a killed postmaster, backends may be left; they must be gone before another one opens the data.
    for pid in backends(data) {
        stop(pid, data, Shutdown::Immediate)?;
    }
    // A zombie, or an unrelated process that has got the old number, would make PostgreSQL refuse to start.
    let file = data.join("postmaster.pid");
    super::home::remove(&file, fs::remove_file(&file))
}

/// Stops the process `pid` of the server of `data`, if it is one.
fn stop(pid: u32, data: &Path, how: Shutdown) -> Result<(), ServerError> {
    let signals: &[_] = match how {
        Shutdown::Fast => &[FAST, IMMEDIATE, KILL],
        Shutdown::Immediate => &[IMMEDIATE, KILL],
    };
    for (signal, limit) in signals {
        if !serves(pid, data) {
            return Ok(());
        }
        send(signal, pid);
        if wait_for(*limit, || (!serves(pid, data)).then_some(())).is_some() {
            return Ok(());
        }
        tracing::warn!(pid, signal, "PostgreSQL did not stop in time");
    }
    Err(ServerError::StillRunning { pid })
}

/// The shell's own `kill` exists everywhere, unlike a program of that name. Whether it worked is seen by what
/// becomes of the process.
fn send(signal: &str, pid: u32) {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "kill -s \"$1\" \"$2\"", "sh", signal, &pid.to_string()]);
    let _ = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
}

/// Whether `pid` is a living process (not a zombie that waits for its parent) of the server of `data`.
pub(super) fn serves(pid: u32, data: &Path) -> bool {
    if !is_alive(pid) || !is_postgres(pid) {
        return false;
    }
    // PostgreSQL's processes work in the data directory; where that cannot be read, the command line names it.
    match fs::read_link(format!("/proc/{pid}/cwd")) {
        Ok(folder) => folder == data,
        Err(_) => command_line(pid).is_some_and(|line| line.contains(&*data.to_string_lossy())),
    }
}

#[cfg(target_os = "linux")]
pub(super) fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The state follows the program's name, which is in parentheses and may itself contain some.
    let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
    state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

/// A shell or an editor that somebody has opened in a data directory is no server.
#[cfg(target_os = "linux")]
fn is_postgres(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.starts_with("postgres"))
}

#[cfg(target_os = "linux")]
fn command_line(pid: u32) -> Option<String> {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    Some(String::from_utf8_lossy(&bytes).replace('\0', " "))
}

/// Living PostgreSQL processes that work in `data`.
#[cfg(target_os = "linux")]
fn backends(data: &Path) -> Vec<u32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| serves(*pid, data)).collect()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn is_alive(pid: u32) -> bool {
    ps(pid, "stat=").is_some_and(|state| !state.is_empty() && !state.starts_with('Z'))
}

#[cfg(not(target_os = "linux"))]
fn is_postgres(pid: u32) -> bool {
    ps(pid, "comm=").is_some_and(|program| program.contains("postgres"))
}

#[cfg(not(target_os = "linux"))]
fn command_line(pid: u32) -> Option<String> {
    ps(pid, "command=")
}

#[cfg(not(target_os = "linux"))]
fn ps(pid: u32, column: &str) -> Option<String> {
    let output = Command::new("ps").args(["-o", column, "-p", &pid.to_string()]).output().ok()?;
    String::from_utf8(output.stdout).ok().map(|text| text.trim().to_owned())
}

/// Without `/proc` they are not looked for; PostgreSQL itself then refuses to start while they hold its memory.
#[cfg(not(target_os = "linux"))]
fn backends(_data: &Path) -> Vec<u32> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_ready_only_when_its_pid_file_says_so() {
        let starting = "4968\n/tmp/data\n1795375161\n15999\n\n127.0.0.1\n 10035744         1\nstarting\n";
        assert_eq!(PidFile::parse(starting), Some(PidFile { pid: 4968, ready: false }));
        let ready = starting.replace("starting", "ready   ");
        assert_eq!(PidFile::parse(&ready), Some(PidFile { pid: 4968, ready: true }));
        assert_eq!(PidFile::parse("-4968\n/tmp/data\n"), None, "a single-user process is no server");
        assert_eq!(PidFile::parse(""), None);
    }

    #[test]
    fn a_zombie_is_not_alive() {
        let mut child = Command::new("/bin/sh").args(["-c", "exit 0"]).spawn().unwrap();
        let died = wait_for(Duration::from_secs(5), || (!is_alive(child.id())).then_some(()));
        assert!(died.is_some(), "nobody has waited for the child yet, so it is a zombie");
        child.wait().unwrap();
    }

    #[test]
    fn a_process_that_merely_has_the_recorded_number_is_left_alone() {
        let data = tempfile::tempdir().unwrap();
        fs::write(data.path().join("postmaster.pid"), format!("{}\n", std::process::id())).unwrap();
        stop_all(data.path(), Shutdown::Immediate).unwrap();
        assert!(!data.path().join("postmaster.pid").exists());
    }
}
