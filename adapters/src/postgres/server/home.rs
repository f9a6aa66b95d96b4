//! The folder of one private server: what lies where, and which folder it is.
//!
//! ```text
//! users.lock    held shared by every process that uses the server
//! start.lock    held by the one that starts or stops it
//! data/         the cluster; appears by a rename when it is complete
//! durability    what the cluster was made for
//! password      of the superuser `kadr`, kept across restarts
//! server.json   pid, port and version of the server that was started last
//! url           for people: psql "$(cat url)"
//! server.log, server.log.previous
//! ```

use std::env;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::identity::{self, RunAs};
use super::{Durability, ServerError};

/// Where root keeps data that the server's user could not reach at the place that was asked for.
const RELOCATED: &str = "/var/lib/kadr";

/// The link in the wanted folder that leads to relocated data.
const LINK: &str = "moved-to";

/// Temporary folders are named `kadr-pg-<pid>-<random>`.
const TEMPORARY_PREFIX: &str = "kadr-pg-";

/// Not secret in itself, but everybody must be able to pass through to `data/`, which is.
const PASSABLE: u32 = 0o711;

/// Who owns existing data, and which version wrote them.
#[derive(Clone, Debug)]
pub(super) struct DataOwner {
    pub(super) major: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// The folder of one private server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Home {
    dir: PathBuf,
}

impl Home {
    /// The folder at `path`, made if need be.
    pub(super) fn at(path: &Path) -> Result<Self, ServerError> {
        let path = std::path::absolute(path).map_err(ServerError::io("find", path))?;
        if !path.is_dir() {
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).map_err(ServerError::io("create", parent))?;
            }
            let mode = if RunAs::caller().is_root() { PASSABLE } else { 0o700 };
            match fs::DirBuilder::new().mode(mode).create(&path) {
                // Set again, because the umask may have taken something away.
                Ok(()) => fs::set_permissions(&path, Permissions::from_mode(mode))
                    .map_err(ServerError::io("set the mode of", &path))?,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(ServerError::io("create", &path)(error)),
            }
        }
        // PostgreSQL's own records have the path without links; it is compared with them.
        let dir = fs::canonicalize(&path).map_err(ServerError::io("find", &path))?;
        let owner = fs::metadata(&dir).map_err(ServerError::io("examine", &dir))?.uid();
        let caller = RunAs::caller();
        if owner != caller.uid() && !caller.is_root() {
            return Err(ServerError::ForeignOwner { path: dir, owner, caller: caller.uid() });
        }
        Ok(Self { dir })
    }

    /// The folder that holds the data of this one: itself, unless root had to move them.
    pub(super) fn followed(&self) -> Result<Self, ServerError> {
        if let Ok(target) = fs::read_link(self.dir.join(LINK)) {
            return Self::at(&target);
        }
        let moved = self.elsewhere();
        if RunAs::caller().is_root() && moved.join("data/PG_VERSION").is_file() {
            Self::at(&moved)
        } else {
            Ok(self.clone())
        }
    }

    /// A folder that the server's user can reach, with a link to it in this one.
    pub(super) fn relocated(&self) -> Result<Self, ServerError> {
        let parent = Path::new(RELOCATED);
        fs::create_dir_all(parent).map_err(ServerError::io("create", parent))?;
        fs::set_permissions(parent, Permissions::from_mode(PASSABLE))
            .map_err(ServerError::io("set the mode of", parent))?;
        let moved = Self::at(&self.elsewhere())?;
        let link = self.dir.join(LINK);
        match symlink(&moved.dir, &link) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(ServerError::io("create", &link)(error));
            }
            _ => {}
        }
        tracing::warn!(
            wanted = %self.dir.display(), actual = %moved.dir.display(),
            "the user who runs PostgreSQL cannot enter the wanted folder; the data go elsewhere"
        );
        Ok(moved)
    }

    fn elsewhere(&self) -> PathBuf {
        let digest = Sha256::digest(self.dir.as_os_str().as_encoded_bytes());
        let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Path::new(RELOCATED).join(name)
    }

    /// A fresh folder among the temporary files that the server's user can enter.
    pub(super) fn temporary() -> Result<Self, ServerError> {
        let base = env::temp_dir();
        let prefix = format!("{TEMPORARY_PREFIX}{}-", std::process::id());
        let mut failure = None;
        // The last two are for root with a private TMPDIR, which the server's user could not enter.
        for base in [base.as_path(), Path::new("/tmp"), Path::new("/var/tmp")] {
            match tempfile::Builder::new().prefix(&prefix).tempdir_in(base) {
                Ok(dir) => {
                    let dir = dir.keep();
                    if !RunAs::caller().is_root() {
                        return Self::at(&dir);
                    }
                    fs::set_permissions(&dir, Permissions::from_mode(PASSABLE))
                        .map_err(ServerError::io("set the mode of", &dir))?;
                    if RunAs::nobody().can_enter(&dir) {
                        return Self::at(&dir);
                    }
                    fs::remove_dir(&dir).map_err(ServerError::io("delete", &dir))?;
                }
                Err(error) => failure = Some(ServerError::io("create a folder in", base)(error)),
            }
        }
        Err(failure.unwrap_or_else(|| {
            ServerError::io("enter, as the user who runs PostgreSQL,", &base)(
                ErrorKind::PermissionDenied.into(),
            )
        }))
    }

    /// Temporary folders of this user beside `self` whose process is gone.
    pub(super) fn abandoned_siblings(&self, is_alive: impl Fn(u32) -> bool) -> Vec<Self> {
        let caller = RunAs::caller();
        let Some(base) = self.dir.parent() else { return Vec::new() };
        let entries = fs::read_dir(base).into_iter().flatten().flatten();
        let abandoned = entries.filter(|entry| {
            let name = entry.file_name();
            let pid = name
                .to_str()
                .and_then(|name| name.strip_prefix(TEMPORARY_PREFIX))
                .and_then(|rest| rest.split('-').next())
                .and_then(|pid| pid.parse().ok());
            let ours = entry.metadata().is_ok_and(|meta| meta.is_dir() && meta.uid() == caller.uid());
            ours && pid.is_some_and(|pid| !is_alive(pid))
        });
        abandoned.map(|entry| Self { dir: entry.path() }).collect()
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.dir.join("server.log")
    }

    pub(super) fn password(&self) -> PathBuf {
        self.dir.join("password")
    }

    pub(super) fn facts(&self) -> PathBuf {
        self.dir.join("server.json")
    }

    pub(super) fn url(&self) -> PathBuf {
        self.dir.join("url")
    }

    fn durability(&self) -> PathBuf {
        self.dir.join("durability")
    }

    /// The data that are already here.
    pub(super) fn existing_data(&self) -> Result<Option<DataOwner>, ServerError> {
        let file = self.data().join("PG_VERSION");
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(ServerError::io("read", &file)(error)),
        };
        let major = text.trim().parse().map_err(|_| {
            ServerError::io("read the version in", &file)(std::io::Error::new(
                ErrorKind::InvalidData,
                text.trim(),
            ))
        })?;
        let meta = fs::metadata(self.data()).map_err(ServerError::io("examine", &self.data()))?;
        Ok(Some(DataOwner { major, uid: meta.uid(), gid: meta.gid() }))
    }

    /// Refuses to treat durable data as throwaway ones, and the other way round.
    pub(super) fn check_durability(&self, asked: Durability) -> Result<(), ServerError> {
        let found = match fs::read_to_string(self.durability()) {
            Ok(text) => text.trim().to_owned(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(ServerError::io("read", &self.durability())(error)),
        };
        if found == asked.to_string() {
            return Ok(());
        }
        Err(ServerError::OtherDurability { dir: self.dir.clone(), found, asked: asked.to_string() })
    }

    pub(super) fn record_durability(&self, durability: Durability) -> Result<(), ServerError> {
        self.write_private(&self.durability(), &durability.to_string())
    }

    /// Replaces a file that only its owner may read, whole or not at all.
    pub(super) fn write_private(&self, path: &Path, text: &str) -> Result<(), ServerError> {
        let written = (|| {
            let mut file = tempfile::NamedTempFile::new_in(&self.dir)?;
            writeln!(file, "{text}")?;
            file.persist(path).map_err(|error| error.error)
        })();
        written.map_err(ServerError::io("write", path))?;
        identity::give_to_owner_of(&self.dir, path)
    }

    /// Forces to disk which cluster this is, so that a power failure cannot part the data from what tells their
    /// worth. (PostgreSQL sees to the data themselves.)
    pub(super) fn sync(&self) -> Result<(), ServerError> {
        for path in [self.durability(), self.password(), self.dir.clone()] {
            File::open(&path).and_then(|file| file.sync_all()).map_err(ServerError::io("write", &path))?;
        }
        Ok(())
    }

    /// Opens the lock held by everybody who uses the server.
    pub(super) fn users_lock(&self) -> Result<File, ServerError> {
        self.lock_file("users.lock")
    }

    /// Opens the lock held by whoever starts or stops the server.
    pub(super) fn start_lock(&self) -> Result<File, ServerError> {
        self.lock_file("start.lock")
    }

    fn lock_file(&self, name: &str) -> Result<File, ServerError> {
        let path = self.dir.join(name);
        let mut open = OpenOptions::new();
        let file = open.read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = file.map_err(ServerError::io("open", &path))?;
        identity::give_to_owner_of(&self.dir, &path)?;
        Ok(file)
    }

    /// Starts a new log and keeps the last one.
    pub(super) fn begin_log(&self) -> Result<(), ServerError> {
        match fs::rename(self.log(), self.dir.join("server.log.previous")) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(ServerError::io("rename", &self.log())(error))
            }
            _ => Ok(()),
        }
    }

    /// Deletes the folder with everything in it.
    pub(super) fn delete(&self) -> Result<(), ServerError> {
        match fs::remove_dir_all(&self.dir) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(ServerError::io("delete", &self.dir)(error))
            }
            _ => Ok(()),
        }
    }

    /// Deletes what this module has made in a folder that others may use too. The locks stay: somebody may be
    /// waiting for them.
    pub(super) fn delete_contents(&self) -> Result<(), ServerError> {
        for dir in [self.data(), self.dir.join("runtime")] {
            remove(&dir, fs::remove_dir_all(&dir))?;
        }
        let previous = self.dir.join("server.log.previous");
        for file in [self.log(), previous, self.facts(), self.url(), self.password(), self.durability()] {
            remove(&file, fs::remove_file(&file))?;
        }
        Ok(())
    }
}

/// What is already gone need not be deleted.
pub(super) fn remove(path: &Path, result: std::io::Result<()>) -> Result<(), ServerError> {
    match result {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(ServerError::io("delete", path)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durable_data_are_never_opened_as_throwaway() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path()).unwrap();
        home.check_durability(Durability::Throwaway).unwrap();
        home.record_durability(Durability::Durable).unwrap();
        home.check_durability(Durability::Durable).unwrap();
        let refused = home.check_durability(Durability::Throwaway).unwrap_err();
        assert!(matches!(refused, ServerError::OtherDurability { .. }), "{refused}");
    }

    #[test]
    fn only_folders_of_dead_processes_count_as_abandoned() {
        let base = tempfile::tempdir().unwrap();
        for name in ["kadr-pg-11-a", "kadr-pg-22-b", "kadr-pg-x-c", "other-11-d"] {
            fs::create_dir(base.path().join(name)).unwrap();
        }
        let home = Home::at(&base.path().join("kadr-pg-22-b")).unwrap();
        let found = home.abandoned_siblings(|pid| pid == 22);
        assert_eq!(found, [Home { dir: fs::canonicalize(base.path()).unwrap().join("kadr-pg-11-a") }]);
    }

    #[test]
    fn secrets_are_written_for_their_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path()).unwrap();
        home.write_private(&home.password(), "secret").unwrap();
        let meta = fs::metadata(home.password()).unwrap();
        assert_eq!(meta.mode() & 0o777, 0o600);
        assert_eq!(fs::read_to_string(home.password()).unwrap(), "secret\n");
    }
}
