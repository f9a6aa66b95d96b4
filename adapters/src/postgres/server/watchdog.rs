//! Cleaning up after an owner that had no chance to: it was killed, it called `std::process::exit`, or it kept the
//! handle in a `static`, which Rust never drops.

use std::path::Path;
use std::process::{Child, Stdio};

use super::ServerError;
use super::identity::RunAs;

/// Its input ends when the owner is gone, however it went. A server that stops deletes its `postmaster.pid`; one that
/// does not within seconds loses its folder all the same, and stops when it notices.
const SCRIPT: &str = r#"
read -r _
if read -r pid < "$1/data/postmaster.pid"; then
    kill -s QUIT "$pid"
    tries=0
    while [ -e "$1/data/postmaster.pid" ] && [ "$tries" -lt 50 ]; do
        tries=$((tries + 1))
        sleep 0.1
    done
fi
rm -rf -- "$1"
"#;

/// A shell that waits for the end of this process and then deletes a temporary server.
#[derive(Debug)]
pub(super) struct Watchdog {
    shell: Child,
}

impl Watchdog {
    /// Watches this process on behalf of the server in `home`.
    pub(super) fn over(home: &Path) -> Result<Self, ServerError> {
        let mut command = RunAs::caller().command(Path::new("/bin/sh"));
        command.args(["-c", SCRIPT, "kadr-watchdog"]).arg(home);
        // The other end of this pipe is ours alone: programs that we start do not inherit it.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let shell = command.spawn().map_err(ServerError::io("start a shell that watches over", home))?;
        Ok(Self { shell })
    }
}

impl Drop for Watchdog {
    /// The owner cleans up itself.
    fn drop(&mut self) {
        // Both fail only for a shell that is already gone.
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}
