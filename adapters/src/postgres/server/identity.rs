//! The operating-system user that a server runs as.
//!
//! PostgreSQL's own programs refuse to run as root, so a root process hands an installed server to `nobody`.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, chown, lchown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::ServerError;

/// Debian, Fedora and Alpine all give `nobody` this number; used when `/etc/passwd` does not tell.
const NOBODY: (u32, u32) = (65534, 65534);

/// A user and a group, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RunAs {
    uid: u32,
    gid: u32,
    /// Whether that is somebody else than the user of this process.
    switch: bool,
}

impl RunAs {
    /// The user of this process.
    pub(super) fn caller() -> Self {
        let (uid, gid) = caller_ids();
        Self { uid, gid, switch: false }
    }

    /// The user with these numbers.
    pub(super) fn user(uid: u32, gid: u32) -> Self {
        let caller = Self::caller();
        if caller.uid == uid { caller } else { Self { uid, gid, switch: true } }
    }

    /// The user without rights to whom root hands an installed server.
    pub(super) fn nobody() -> Self {
        let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let (uid, gid) = nobody_in(&passwd).unwrap_or(NOBODY);
        Self::user(uid, gid)
    }

    pub(super) fn uid(self) -> u32 {
        self.uid
    }

    pub(super) fn is_root(self) -> bool {
        self.uid == 0
    }

    /// Whether the system knows a name for this user. In containers there are users who are only a number.
    pub(super) fn has_name(self) -> bool {
        let mut command = Command::new("id");
        command.args(["-un", "--", &self.uid.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
        // Without the program `id` the answer is unknown, and names are the rule.
        command.status().map_or(true, |status| status.success())
    }

    /// A command of this user: in a folder that everybody can enter, in no terminal's process group (a Ctrl-C is
    /// meant for us, not for the server), without the caller's PostgreSQL settings, with messages in English.
    pub(super) fn command(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/").stdin(Stdio::null()).process_group(0);
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("PG") || name.starts_with("LC_")) {
                command.env_remove(name);
            }
        }
        command.env("LC_ALL", "C");
        if self.switch {
            // As root this also drops all supplementary groups.
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// Whether this user can reach the contents of `dir`. The system is asked, so that access lists count too.
    pub(super) fn can_enter(self, dir: &Path) -> bool {
        if !self.switch {
            return true;
        }
        let mut command = self.command(Path::new("/bin/sh"));
        command.args(["-c", "cd -- \"$1\"", "sh"]).arg(dir).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    /// Makes this user the owner of `root` and of everything below it.
    pub(super) fn own(self, root: &Path) -> Result<(), ServerError> {
        let meta = fs::symlink_metadata(root).map_err(ServerError::io("examine", root))?;
        if meta.uid() == self.uid {
            return Ok(());
        }
        if !self.switch && !self.is_root() {
            return Err(ServerError::ForeignOwner {
                path: root.to_path_buf(),
                owner: meta.uid(),
                caller: self.uid,
            });
        }
        self.own_tree(root, meta.is_dir()).map_err(ServerError::io("change the owner of", root))
    }

    fn own_tree(self, path: &Path, is_dir: bool) -> io::Result<()> {
        if is_dir {
            for entry in fs::read_dir(path)? {
                let entry = entry?;
                self.own_tree(&entry.path(), entry.file_type()?.is_dir())?;
            }
        }
        // The folder itself comes last: its owner says that everything below is done.
        lchown(path, Some(self.uid), Some(self.gid))
    }
}

/// Gives `path`, which this process has just made, to the owner of the folder it lies in. So a root process leaves
/// nothing behind in a user's folder that the user could not open.
pub(super) fn give_to_owner_of(folder: &Path, path: &Path) -> Result<(), ServerError> {
    let folder_owner = fs::metadata(folder).map_err(ServerError::io("examine", folder))?;
    let owner = fs::metadata(path).map_err(ServerError::io("examine", path))?;
    if owner.uid() != folder_owner.uid() && caller_ids().0 == 0 {
        chown(path, Some(folder_owner.uid()), Some(folder_owner.gid()))
            .map_err(ServerError::io("change the owner of", path))?;
    }
    Ok(())
}

/// The effective user and group of this process.
fn caller_ids() -> (u32, u32) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = |label: &str| -> Option<u32> {
        status.lines().find_map(|line| line.strip_prefix(label))?.split_whitespace().nth(1)?.parse().ok()
    };
    match (effective("Uid:"), effective("Gid:")) {
        (Some(uid), Some(gid)) => (uid, gid),
        _ => (id_says("-u").unwrap_or(NOBODY.0), id_says("-g").unwrap_or(NOBODY.1)),
    }
}

/// Systems without `/proc` have the program `id`.
fn id_says(flag: &str) -> Option<u32> {
    let output = Command::new("id").arg(flag).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

fn nobody_in(passwd: &str) -> Option<(u32, u32)> {
    let line = passwd.lines().find(|line| line.starts_with("nobody:"))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_nobody_come_from_the_passwd_file() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\nnobody:x:99:98:Nobody:/:/sbin/nologin\n";
        assert_eq!(nobody_in(passwd), Some((99, 98)));
        assert_eq!(nobody_in("root:x:0:0:root:/root:/bin/bash\n"), None);
    }

    #[test]
    fn the_caller_is_who_owns_the_files_it_makes() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(file.as_file().metadata().unwrap().uid(), RunAs::caller().uid());
    }
}
