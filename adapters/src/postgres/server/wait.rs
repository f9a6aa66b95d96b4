//! Waiting for another process of this machine. Its time is real time, so it does not come from the `Clock` port.

use std::fs::{File, TryLockError};
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(5);

/// Asks until there is an answer or `limit` is over.
#[expect(clippy::disallowed_methods, reason = "waits for a real process, whose time no Clock sets")]
pub(super) fn wait_for<T>(limit: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let begin = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if begin.elapsed() >= limit {
            return None;
        }
        std::thread::sleep(PAUSE);
    }
}

/// Takes the exclusive lock of `file`, or gives up (`false`) after `limit`.
pub(super) fn lock_within(file: &File, limit: Duration) -> std::io::Result<bool> {
    let answer = wait_for(limit, || match file.try_lock() {
        Ok(()) => Some(Ok(())),
        Err(TryLockError::WouldBlock) => None,
        Err(TryLockError::Error(error)) => Some(Err(error)),
    });
    match answer {
        Some(Ok(())) => Ok(true),
        Some(Err(error)) => Err(error),
        None => Ok(false),
    }
}

/// Takes the exclusive lock of `file` if nobody holds it.
pub(super) fn lock_at_once(file: &File) -> std::io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
