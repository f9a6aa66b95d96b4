//! The PostgreSQL runtime inside this program (`build.rs` says how it got here), and its place on disk.
//!
//! The archive is the one of the package `pglite-rs-lib-*`: `bin`, `lib` and `share` of PostgreSQL 17.5, built
//! without the check that refuses root. It is unpacked once per user and reused.

use std::env;
use std::fs;
use std::io::{self, BufReader, Error};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::identity::RunAs;

const ARCHIVE: &[u8] = include_bytes!(env!("KADR_BUNDLED_POSTGRES_ARCHIVE"));

/// Names version and contents of the archive: another archive gets another folder.
const KEY: &str = env!("KADR_BUNDLED_POSTGRES_KEY");

/// How much is decompressed at a time.
const BUFFER: usize = 256 * 1024;

/// Makes sure that the runtime is on disk, and tells the folder of its programs. `spare` is used when no cache
/// folder can be written.
pub(super) fn unpack(spare: &Path) -> io::Result<PathBuf> {
    let mut failure = Error::other("no cache folder");
    for cache in cache_folders().into_iter().chain([spare.join("runtime")]) {
        match unpack_into(&cache) {
            Ok(bin_dir) => return Ok(bin_dir),
            Err(error) => failure = Error::new(error.kind(), format!("{}: {error}", cache.display())),
        }
    }
    Err(failure)
}

/// Root's cache is one that the user who runs the server can enter, which root's home is not.
fn cache_folders() -> Vec<PathBuf> {
    if RunAs::caller().is_root() {
        return vec![PathBuf::from("/var/cache/kadr")];
    }
    let named = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let of_user = named("XDG_CACHE_HOME").or_else(|| named("HOME").map(|home| home.join(".cache")));
    of_user.into_iter().map(|cache| cache.join("kadr")).collect()
}

fn unpack_into(cache: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(cache)?;
    let meta = fs::metadata(cache)?;
    let (owner, caller) = (meta.uid(), RunAs::caller().uid());
    if owner != caller || meta.mode() & 0o022 != 0 {
        // Programs that somebody else can replace are not run.
        return Err(Error::other("others than this user can write there"));
    }
    let target = cache.join(format!("postgres-{KEY}"));
    if !target.is_dir() {
        // Unpacking takes seconds in an unoptimised build, so those who come at the same time wait for the first.
        let turn = fs::File::create(cache.join("unpacking.lock"))?;
        turn.lock()?;
        if !target.is_dir() {
            unpack_as(&target, cache)?;
        }
    }
    Ok(target.join("bin"))
}

/// Complete or absent: the folder gets its name when everything is in it.
fn unpack_as(target: &Path, cache: &Path) -> io::Result<()> {
    let partial = tempfile::Builder::new().prefix("unpacking-").tempdir_in(cache)?;
    let decoder = ruzstd::decoding::StreamingDecoder::new(ARCHIVE).map_err(Error::other)?;
    let mut archive = tar::Archive::new(BufReader::with_capacity(BUFFER, decoder));
    archive.set_preserve_permissions(true);
    archive.unpack(partial.path())?;
    for folder in ["", "bin", "lib", "share"] {
        fs::set_permissions(partial.path().join(folder), fs::Permissions::from_mode(0o755))?;
    }
    fs::rename(partial.path(), target)?;
    // What was renamed must not be deleted.
    drop(partial.keep());
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn unpacking_at_the_same_time_yields_one_complete_runtime() {
        let cache = tempfile::tempdir().unwrap();
        let folders: Vec<PathBuf> = thread::scope(|scope| {
            let tasks: Vec<_> = (0..3).map(|_| scope.spawn(|| unpack_into(cache.path()).unwrap())).collect();
            tasks.into_iter().map(|task| task.join().unwrap()).collect()
        });
        assert!(folders.iter().all(|folder| *folder == folders[0]));
        assert!(folders[0].join("postgres").is_file() && folders[0].join("initdb").is_file());
        let names = fs::read_dir(cache.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let half_made = names.filter(|name| name.starts_with("unpacking-"));
        assert_eq!(half_made.count(), 0);
    }

    #[test]
    fn a_cache_that_others_can_write_is_not_used() {
        let cache = tempfile::tempdir().unwrap();
        fs::set_permissions(cache.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(unpack_into(cache.path()).is_err());
    }
}
