//! Uploaded files.

use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;
use domain::time::Timestamp;
use rustc_hash::FxHashMap;

/// How long an uploaded file is kept: 24 hours by KIE's newer pages, three days by older ones.
const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// The oldest files make room beyond this many bytes, so that a long run does not fill the memory.
const BYTES_MAX: usize = 256 << 20;
/// And beyond this many files.
const FILES_MAX: usize = 100_000;

/// A file the provider holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// Its path below the upload host, `kieai/<account>/<folder>/<name>`.
    pub path: String,
    /// Its name.
    pub name: String,
    /// Its content type: told from the name, as KIE's host does (`elibarnett/kie-mcp`, 5.2.1).
    pub mime: &'static str,
    /// Its bytes; `None` for a file that was named by its address, because the simulated provider fetches nothing.
    pub bytes: Option<Bytes>,
    /// When it was uploaded.
    pub at: Timestamp,
}

impl StoredFile {
    /// Its size in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.as_ref().map_or(0, Bytes::len)
    }

    /// Whether its bytes are the picture its name promises: a JPEG named `.png` failed 7 of 7 times
    /// (`elibarnett/kie-mcp`, 5.2.1).
    pub(super) fn is_what_it_says(&self) -> bool {
        let Some(bytes) = &self.bytes else { return true };
        match self.mime {
            "image/jpeg" => bytes.starts_with(&[0xff, 0xd8, 0xff]),
            "image/png" => bytes.starts_with(b"\x89PNG\r\n"),
            "image/webp" => bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP".as_slice()),
            _ => false,
        }
    }
}

/// All files.
#[derive(Debug, Default)]
pub(super) struct Files {
    by_path: FxHashMap<String, StoredFile>,
    /// Oldest first; a path that was written again stands here twice.
    by_age: VecDeque<(Timestamp, String)>,
    bytes: usize,
}

impl Files {
    /// Stores a file; the same name overwrites.
    pub(super) fn put(&mut self, file: StoredFile) {
        let now = file.at;
        self.bytes += file.size();
        self.by_age.push_back((file.at, file.path.clone()));
        if let Some(old) = self.by_path.insert(file.path.clone(), file) {
            self.bytes -= old.size();
        }
        let is_over = |(at, _): &&(Timestamp, String)| now.since(*at) >= KEPT_FOR;
        while self.by_path.len() > 1
            && (self.bytes > BYTES_MAX
                || self.by_path.len() > FILES_MAX
                || self.by_age.front().is_some_and(|f| is_over(&f)))
        {
            let Some((at, path)) = self.by_age.pop_front() else { return };
            if self.by_path.get(&path).is_some_and(|file| file.at == at)
                && let Some(file) = self.by_path.remove(&path)
            {
                self.bytes -= file.size();
            }
        }
    }

    /// A file that is still kept.
    pub(super) fn get(&self, path: &str, now: Timestamp) -> Option<&StoredFile> {
        self.by_path.get(path).filter(|file| now.since(file.at) < KEPT_FOR)
    }
}

/// The content type a name promises.
pub(super) fn mime_of(name: &str) -> &'static str {
    match name.rsplit('.').next().map(str::to_ascii_lowercase).as_deref() {
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("png") => "image/png",
        Some("webp") => "image/webp",
        Some("mp4") => "video/mp4",
        _ => "application/octet-stream",
    }
}
