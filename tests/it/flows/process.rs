//! The program as a process: fed, watched and killed from outside.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::Arc,
    time::Duration,
};

use adapters::{postgres::PgStores, system::SystemClock};
use ports::{Clock, JobFilter, JobRecord};
use secrecy::{ExposeSecret, SecretString};
use simulator::world::Outside;
use tempfile::TempDir;

use crate::stores::{self, Stores};

/// A photo that passes every check.
pub(crate) fn mug() -> PathBuf {
    crate::architecture::root().join("simulator/assets/mug.jpg")
}

/// A place for the program to live in, with a database of its own.
pub(crate) struct Place {
    pub(crate) stores: Stores,
    pub(crate) dir: TempDir,
    database: SecretString,
    env: Vec<(&'static str, String)>,
}

impl Place {
    /// Points the program at a simulated outside, with short times so that nobody waits for real ones.
    pub(crate) async fn new(outside: &Outside) -> Self {
        let database = stores::fresh_database().await;
        let dir = tempfile::tempdir().unwrap();
        let models = dir.path().join("models.toml");
        std::fs::write(&models, impatient_models()).unwrap();
        let mut env = outside.env();
        env.extend([
            ("KADR_MODELS_FILE", models.display().to_string()),
            ("KADR_WORKER__LEASE_S", "5".to_owned()),
            ("KADR_WORKER__SAFETY_POLL_S", "1".to_owned()),
            ("KADR_RETRY__DELAYS_S", "1,1,1".to_owned()),
            ("KADR_RETRY__LOST_ANSWER_GRACE_S", "2".to_owned()),
        ]);
        let stores = stores::of_postgres(&PgStores::connect(&database, 2).await.unwrap());
        Self { stores, dir, database, env }
    }

    /// Another setting of the program.
    pub(crate) fn set(&mut self, name: &'static str, value: &str) {
        self.env.push((name, value.to_owned()));
    }

    /// The program with its environment, not started yet.
    pub(crate) fn kadr(&self, arguments: &[&str]) -> Command {
        let mut command = bare_kadr(self.dir.path(), arguments);
        command.env("DATABASE_URL", self.database.expose_secret()).envs(self.env.iter().cloned());
        command
    }

    /// Runs a command to its end and expects it to succeed.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let output = self.kadr(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        output
    }

    /// Starts the worker.
    pub(crate) fn start_worker(&self) -> Worker {
        let log = std::fs::File::options().create(true).append(true).open(self.log()).unwrap();
        let child = self.kadr(&["run"]).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        Worker { child }
    }

    /// What the workers logged.
    pub(crate) fn log(&self) -> PathBuf {
        self.dir.path().join("worker.log")
    }

    /// Every job, oldest first.
    pub(crate) async fn jobs(&self) -> Vec<JobRecord> {
        let filter = JobFilter { limit: 100, ..JobFilter::default() };
        let mut jobs = self.stores.jobs.list(&filter).await.unwrap();
        jobs.reverse();
        jobs
    }

    /// Looks at the jobs until `is_so`, for at most a minute of real time.
    pub(crate) async fn wait_until(
        &self,
        what: &str,
        is_so: impl Fn(&[JobRecord]) -> bool,
    ) -> Vec<JobRecord> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        for _ in 0..1_200 {
            let jobs = self.jobs().await;
            if is_so(&jobs) {
                return jobs;
            }
            clock.sleep_until(clock.now().after(Duration::from_millis(50))).await;
        }
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        panic!("never came to be: {what}\n{:#?}\n{log}", self.jobs().await);
    }
}

/// A running worker process; killed when dropped.
pub(crate) struct Worker {
    child: Child,
}

impl Worker {
    /// SIGKILL: no goodbye.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and its exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program in a folder, with nothing of ours in its environment.
pub(crate) fn bare_kadr(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kadr-under-test"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("KADR_") || name == "DATABASE_URL" {
            command.env_remove(name);
        }
    }
    command.current_dir(dir).args(arguments).stdin(Stdio::null());
    command
}

/// What a finished process said.
pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The built-in catalogue with looks every second.
fn impatient_models() -> String {
    let text = include_str!("../../../adapters/models.toml");
    let quick = "timing = { first_poll_s = 1, every_s = 1, typical_s = 2, give_up_s = 60 }";
    let lines = text.lines().map(|line| if line.starts_with("timing = ") { quick } else { line });
    lines.collect::<Vec<_>>().join("\n")
}
