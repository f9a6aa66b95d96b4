//! A private PostgreSQL server for machines where none has been set up.
//!
//! `DATABASE_URL` always wins; without it the program starts a server of its own from whatever programs there are
//! ([`Origin`]). It listens on 127.0.0.1 with a random password and stops with its last user.
//!
//! Processes that name the same directory share one server. Each holds a lock (shared) as long as it uses the server;
//! whoever starts or stops it holds a second lock (exclusive) meanwhile. So a server that runs although nobody holds
//! the first lock is one whose last user was killed, and the next start replaces it.
//!
//! Everything here blocks (it runs programs and waits for them): call it from `spawn_blocking`.

mod binaries;
#[cfg(kadr_bundled_postgres)]
mod bundled;
mod cluster;
mod error;
mod home;
mod identity;
mod launch;
mod options;
mod process;
pub mod test_databases;
#[cfg(test)]
mod tests;
mod wait;
mod watchdog;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use self::binaries::{Search, Toolset};
use self::home::Home;
use self::launch::Facts;
use self::process::Shutdown;
use self::watchdog::Watchdog;

pub use self::binaries::Origin;
pub use self::error::ServerError;
pub use self::options::{BinarySource, Durability, Location, ServerOptions};

/// How long a process waits while another one stops the server: a little longer than the slowest stop.
const STOP_LIMIT: Duration = Duration::from_secs(60);

/// What became of an attempt to join a server.
enum Join {
    Joined(Box<PostgresServer>),
    /// Others use it, and it does not run (or its password is lost).
    Crashed,
    /// Nobody uses it. If it runs all the same, its last user was killed.
    Unused,
}

/// A running private server, and this process's right to use it.
///
/// Dropping it gives the right back; the last one to do so stops the server, and deletes throwaway data. That may
/// take some tenths of a second. In a process that is killed, calls `std::process::exit` or keeps this in a `static`
/// nothing is dropped: then a temporary server is stopped and deleted all the same, by a shell that watches; the
/// server of a directory runs on, until the next start replaces it.
#[derive(Debug)]
pub struct PostgresServer {
    home: Home,
    data: PathBuf,
    /// Holds the shared lock; `None` once the right has been given back.
    users: Option<File>,
    facts: Facts,
    origin: Origin,
    password: SecretString,
    durability: Durability,
    temporary: bool,
    /// Of a temporary server: sees to its end if this process cannot.
    watchdog: Option<Watchdog>,
}

impl PostgresServer {
    /// Starts the server that `options` describe, or joins it if it is already running.
    ///
    /// # Errors
    /// See [`ServerError`]: nothing to start, data of another version or purpose, or the server does not come up.
    pub fn start(options: &ServerOptions) -> Result<Self, ServerError> {
        match &options.location {
            Location::Directory(path) => Self::start_in_directory(path, options),
            Location::Temporary => Self::start_temporary(options),
        }
    }

    fn start_in_directory(path: &Path, options: &ServerOptions) -> Result<Self, ServerError> {
        let wanted = Home::at(path)?;
        let limit = options.start_timeout + STOP_LIMIT;
        // Where the data live is decided under the lock of the wanted folder, the rest under that of their folder.
        let _deciding = decide(&wanted, limit)?;
        let mut home = wanted.followed()?;
        let _starting = if home == wanted { None } else { Some(decide(&home, limit)?) };
        home.check_durability(options.durability)?;
        match Self::join(&home, options)? {
            Join::Joined(server) => return Ok(*server),
            // Its data are theirs, whatever has happened to it.
            Join::Crashed => {}
            Join::Unused if options.durability == Durability::Throwaway => {
                process::stop_all(&home.data(), Shutdown::Immediate)?;
                home.delete_contents()?;
            }
            Join::Unused => {}
        }
        let tools = find(&home, options)?;
        let mut _moving = None;
        if !tools.run_as.can_enter(home.dir()) {
            home = wanted.relocated()?;
            _moving = Some(decide(&home, limit)?);
            home.check_durability(options.durability)?;
        }
        Self::own(home, &tools, options)
    }

    fn start_temporary(options: &ServerOptions) -> Result<Self, ServerError> {
        let home = Home::temporary()?;
        sweep(&home);
        let started = Watchdog::over(home.dir()).and_then(|watchdog| {
            let tools = find(&home, options)?;
            let mut server = Self::own(home.clone(), &tools, options)?;
            server.watchdog = Some(watchdog);
            Ok(server)
        });
        if started.is_err() {
            // The caller needs to hear the first error, not that of the deletion.
            let _ = home.delete();
        }
        started
    }

    /// Joins the server of `home` if others use it and it runs.
    fn join(home: &Home, options: &ServerOptions) -> Result<Join, ServerError> {
        let users = home.users_lock()?;
        if wait::lock_at_once(&users).map_err(ServerError::io("lock", home.dir()))? {
            return Ok(Join::Unused);
        }
        let Some(facts) = Facts::read(home).filter(|facts| facts.hold(home)) else {
            return Ok(Join::Crashed);
        };
        let Some(password) = cluster::known_password(home)? else { return Ok(Join::Crashed) };
        users.lock_shared().map_err(ServerError::io("lock", home.dir()))?;
        let origin = Origin::Attached { pid: facts.pid };
        Ok(Join::Joined(Box::new(Self::with(home.clone(), users, facts, origin, password, options))))
    }

    /// Starts the server of `home`, after stopping whatever a dead owner has left running.
    fn own(home: Home, tools: &Toolset, options: &ServerOptions) -> Result<Self, ServerError> {
        process::stop_all(&home.data(), shutdown_for(options.durability))?;
        let password = cluster::prepare(&home, tools, options.durability)?;
        let facts = launch::launch(&home, tools, options)?;
        let users = home.users_lock()?;
        users.lock_shared().map_err(ServerError::io("lock", home.dir()))?;
        let server = Self::with(home, users, facts, tools.origin.clone(), password, options);
        let facts = serde_json::to_string(&server.facts).map_err(std::io::Error::other);
        let facts = facts.map_err(ServerError::io("write", &server.home.facts()))?;
        server.home.write_private(&server.home.facts(), &facts)?;
        server.home.write_private(&server.home.url(), server.database_url().expose_secret())?;
        Ok(server)
    }

    fn with(
        home: Home,
        users: File,
        facts: Facts,
        origin: Origin,
        password: SecretString,
        options: &ServerOptions,
    ) -> Self {
        let temporary = options.location == Location::Temporary;
        let data = home.data();
        Self {
            home,
            data,
            users: Some(users),
            facts,
            origin,
            password,
            durability: options.durability,
            temporary,
            watchdog: None,
        }
    }

    /// The address of `database` for sqlx and for `psql`. It holds the password.
    pub fn url(&self, database: &str) -> SecretString {
        let socket = self.facts.socket.as_ref().map(|folder| percent_encoded(&folder.to_string_lossy()));
        format!(
            "postgres://{}:{}@127.0.0.1:{}/{}?sslmode=disable{}",
            cluster::NAME,
            self.password.expose_secret(),
            self.facts.port,
            percent_encoded(database),
            socket.map(|folder| format!("&host={folder}")).unwrap_or_default()
        )
        .into()
    }

    /// The address of the database `kadr`, which exists and belongs to the superuser of the same name.
    pub fn database_url(&self) -> SecretString {
        self.url(cluster::NAME)
    }

    /// The server's version, such as `15.18`.
    pub fn version(&self) -> &str {
        &self.facts.version
    }

    /// Whose programs run.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The data directory.
    pub fn data_dir(&self) -> &Path {
        &self.data
    }

    /// One line for a status display, without secrets.
    pub fn describe(&self) -> String {
        let Facts { port, version, .. } = &self.facts;
        format!("PostgreSQL {version} ({}), 127.0.0.1:{port}, data in {}", self.origin, self.data.display())
    }

    /// Gives the right to use the server back; the last one to do so stops it.
    ///
    /// # Errors
    /// The server does not stop, or throwaway data cannot be deleted.
    pub fn stop(mut self) -> Result<(), ServerError> {
        self.release()
    }

    fn release(&mut self) -> Result<(), ServerError> {
        let Some(users) = self.users.take() else { return Ok(()) };
        let _stopping = decide(&self.home, STOP_LIMIT)?;
        let lock_failed = |error| ServerError::io("lock", self.home.dir())(error);
        users.unlock().map_err(lock_failed)?;
        if !wait::lock_at_once(&users).map_err(lock_failed)? {
            return Ok(());
        }
        process::stop_all(&self.data, shutdown_for(self.durability))?;
        match (self.temporary, self.durability) {
            (true, _) => self.home.delete(),
            (false, Durability::Throwaway) => self.home.delete_contents(),
            // The rest stays: `server.json` remembers the port.
            (false, Durability::Durable) => home::remove(&self.home.url(), fs::remove_file(self.home.url())),
        }
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if let Err(error) = self.release() {
            tracing::warn!(%error, "the private PostgreSQL server was not stopped cleanly");
        }
    }
}

/// Takes the right to start and stop the server of `home`; it ends when the file is closed.
fn decide(home: &Home, limit: Duration) -> Result<File, ServerError> {
    let lock = home.start_lock()?;
    if wait::lock_within(&lock, limit).map_err(ServerError::io("lock", home.dir()))? {
        return Ok(lock);
    }
    Err(ServerError::Busy { dir: home.dir().to_path_buf(), seconds: limit.as_secs() })
}

fn find(home: &Home, options: &ServerOptions) -> Result<Toolset, ServerError> {
    let source = options.chosen_source()?;
    Search { source, bin_dir: options.chosen_bin_dir(), home, data: home.existing_data()? }.run()
}

/// Stops and deletes temporary servers whose owners were killed. Failing at that is no reason not to start.
fn sweep(own: &Home) {
    for abandoned in own.abandoned_siblings(process::is_alive) {
        let swept = abandoned.users_lock().and_then(|users| {
            // Held: its owner lives where our view of processes does not reach, such as in another container.
            if wait::lock_at_once(&users).map_err(ServerError::io("lock", abandoned.dir()))? {
                process::stop_all(&abandoned.data(), Shutdown::Immediate)?;
                abandoned.delete()?;
            }
            Ok(())
        });
        if let Err(error) = swept {
            tracing::debug!(%error, "an abandoned temporary server is still there");
        }
    }
}

fn shutdown_for(durability: Durability) -> Shutdown {
    match durability {
        Durability::Durable => Shutdown::Fast,
        Durability::Throwaway => Shutdown::Immediate,
    }
}

fn percent_encoded(name: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    name.bytes().map(encode).collect()
}
