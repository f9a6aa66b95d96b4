//! Where a trial's videos go.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use adapters::system::SystemClock;
use async_trait::async_trait;
use domain::notice::Audience;
use ports::{Clock, ErrorKind, Messenger, OrderText, PortError, VideoMessage};

/// Saves videos as `NAME-1of3.mp4` in a folder; what is said is left to the trial's watcher.
#[derive(Debug)]
pub struct DemoMessenger {
    dir: PathBuf,
    name: String,
    pause: Duration,
}

impl DemoMessenger {
    /// Videos go to `dir`, which is made when the first one comes, and are named after the photo. After each
    /// message it waits for `pause` in real time, so that a person can follow.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>, name: impl Into<String>, pause: Duration) -> Self {
        Self { dir: dir.into(), name: name.into(), pause }
    }

    /// Where a video is saved: `(number, of)`.
    #[must_use]
    pub fn file_of(&self, (number, of): (u8, u8)) -> PathBuf {
        self.dir.join(format!("{}-{number}of{of}.mp4", self.name))
    }

    /// Makes the folder, so that it is known before the trial whether videos can be saved.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn make_dir(&self) -> io::Result<()> {
        std::fs::create_dir_all(&self.dir)
    }

    async fn pause(&self) {
        if !self.pause.is_zero() {
            let clock = SystemClock::new();
            clock.sleep_until(clock.now().after(self.pause)).await;
        }
    }
}

#[async_trait]
impl Messenger for DemoMessenger {
    async fn send_text<'a>(&self, _to: Audience, _text: OrderText<'a>) -> Result<(), PortError> {
        self.pause().await;
        Ok(())
    }

    async fn send_video<'a>(&self, _to: Audience, video: VideoMessage<'a>) -> Result<(), PortError> {
        let (from, to) = (video.file.to_owned(), self.file_of(video.video));
        let shown = to.clone();
        let saved = tokio::task::spawn_blocking(move || save(&from, &to)).await;
        saved.map_err(io::Error::other).flatten().map_err(|error| {
            let what = format!("could not save {}", shown.display());
            PortError::with_source(ErrorKind::Transient, what, error)
        })?;
        self.pause().await;
        Ok(())
    }
}

/// Copies beside the final name first, so that whoever sees a video sees all of it.
fn save(from: &Path, to: &Path) -> io::Result<()> {
    let part = to.with_extension("part");
    std::fs::copy(from, &part)?;
    std::fs::rename(&part, to)
}
