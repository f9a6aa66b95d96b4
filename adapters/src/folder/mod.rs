//! A messenger for one machine: videos become files in a folder, texts become lines with a time.

use std::{
    fmt, io,
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Local, Utc};
use domain::{
    id::{JobId, OrderId},
    notice::Audience,
};
use ports::{Clock, ErrorKind, Messenger, OrderText, PortError, VideoMessage};

/// Saves videos into a folder and writes texts to `out`.
pub struct FolderMessenger {
    dir: PathBuf,
    out: Mutex<Box<dyn Write + Send>>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for FolderMessenger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FolderMessenger").field("dir", &self.dir).finish_non_exhaustive()
    }
}

impl FolderMessenger {
    /// Videos go to `dir`, which is made when the first one comes; texts go to `out`, with the clock's time.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>, out: Box<dyn Write + Send>, clock: Arc<dyn Clock>) -> Self {
        Self { dir: dir.into(), out: Mutex::new(out), clock }
    }

    /// Makes the folder and checks that files can be written there, so that this is known before a video is paid for.
    ///
    /// # Errors
    /// [`ErrorKind::Rejected`] naming the folder.
    pub fn check_dir(&self) -> Result<(), PortError> {
        let probe = self.dir.join(format!(".kadr-probe-{}", std::process::id()));
        let checked = std::fs::create_dir_all(&self.dir)
            .and_then(|()| std::fs::write(&probe, b""))
            .and_then(|()| std::fs::remove_file(&probe));
        checked.map_err(|e| {
            let say =
                format!("videos cannot be saved in {}: choose a folder you may write to", self.dir.display());
            PortError::with_source(ErrorKind::Rejected, say, e)
        })
    }

    /// Where a video of an order is saved: `(number, of)`.
    #[must_use]
    pub fn file_of(dir: &Path, order: OrderId, (number, of): (u8, u8)) -> PathBuf {
        dir.join(format!("{order}-{number}of{of}.mp4"))
    }

    fn say(&self, to: Audience, text: &str) -> Result<(), PortError> {
        let now = DateTime::<Utc>::from_timestamp_millis(self.clock.now().as_millis()).unwrap_or_default();
        let time = now.with_timezone(&Local).format("%H:%M:%S");
        let head = match to {
            Audience::User(user) => format!("{time}  user {user}  "),
            Audience::Operator => format!("{time}  operator  "),
        };
        let indent = " ".repeat(head.chars().count());
        let mut lines = String::new();
        for (number, line) in text.lines().enumerate() {
            lines.push_str(if number == 0 { &head } else { &indent });
            lines.push_str(line);
            lines.push('\n');
        }
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        match out.write_all(lines.as_bytes()).and_then(|()| out.flush()) {
            // Nobody reads along any more; the videos are saved all the same.
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written
                .map_err(|e| PortError::with_source(ErrorKind::Transient, "could not write a message", e)),
        }
    }
}

/// Copies beside the final name first, so that whoever sees a video there sees all of it. Doing it again puts the
/// same file there again.
fn save(dir: &Path, from: &Path, to: &Path, job: JobId) -> io::Result<u64> {
    std::fs::create_dir_all(dir)?;
    let part = dir.join(format!(".{job}.part"));
    let copied = copy_durably(from, &part).and_then(|bytes| std::fs::rename(&part, to).map(|()| bytes));
    if copied.is_err() {
        // The disk may be full: leave nothing behind. That this fails too adds nothing to the story.
        std::fs::remove_file(&part).ok();
    }
    copied
}

fn copy_durably(from: &Path, to: &Path) -> io::Result<u64> {
    let mut source = std::fs::File::open(from)?;
    let mut target = std::fs::File::create(to)?;
    let bytes = io::copy(&mut source, &mut target)?;
    target.sync_all()?;
    Ok(bytes)
}

#[async_trait]
impl Messenger for FolderMessenger {
    async fn send_text<'a>(&self, to: Audience, text: OrderText<'a>) -> Result<(), PortError> {
        self.say(to, text.text)
    }

    async fn send_video<'a>(&self, to: Audience, video: VideoMessage<'a>) -> Result<(), PortError> {
        let target = Self::file_of(&self.dir, video.order, video.video);
        let job = video.job;
        let (dir, from, into) = (self.dir.clone(), video.file.to_owned(), target.clone());
        // Files wait for the disk, and the loops must not.
        let saved = tokio::task::spawn_blocking(move || save(&dir, &from, &into, job)).await;
        saved.map_err(io::Error::other).flatten().map_err(|e| {
            let say = format!("could not save a video as {}", target.display());
            PortError::with_source(ErrorKind::Transient, say, e)
        })?;
        self.say(to, &format!("{}\n{}", video.caption, target.display()))
    }
}

#[cfg(test)]
mod tests {
    use domain::{id::UserId, time::Timestamp};
    use ports::TextRole;

    use super::*;

    struct Noon;

    #[async_trait]
    impl Clock for Noon {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(1_790_000_000_000)
        }

        async fn sleep_until(&self, _at: Timestamp) {}
    }

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct ClosedPipe;

    impl Write for ClosedPipe {
        fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const TO: Audience = Audience::User(UserId::new(5));

    fn message(file: &Path) -> VideoMessage<'_> {
        VideoMessage {
            order: OrderId::new(7),
            job: JobId::new(8),
            video: (2, 3),
            file,
            caption: "Done!",
            link: None,
            keyboard: &[],
        }
    }

    fn text(text: &str) -> OrderText<'_> {
        OrderText {
            order: OrderId::new(7),
            text,
            role: TextRole::Progress,
            is_followed: false,
            keyboard: &[],
        }
    }

    fn files(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn a_video_sent_twice_is_one_whole_file() {
        let dir = tempfile::tempdir().unwrap();
        let (out, source) = (dir.path().join("out"), dir.path().join("source"));
        std::fs::write(&source, b"a video").unwrap();
        let messenger = FolderMessenger::new(&out, Box::new(Page::default()), Arc::new(Noon));
        messenger.send_video(TO, message(&source)).await.unwrap();
        messenger.send_video(TO, message(&source)).await.unwrap();
        assert_eq!(files(&out), ["00000000-0000-0000-0000-000000000007-2of3.mp4"]);
        assert_eq!(
            std::fs::read(FolderMessenger::file_of(&out, OrderId::new(7), (2, 3))).unwrap(),
            b"a video"
        );
    }

    #[tokio::test]
    async fn what_cannot_be_saved_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let messenger = FolderMessenger::new(dir.path(), Box::new(Page::default()), Arc::new(Noon));
        let error = messenger.send_video(TO, message(Path::new("/nonexistent/video"))).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transient);
        assert!(files(dir.path()).is_empty());
    }

    #[tokio::test]
    async fn texts_are_lines_with_a_time_and_a_reader() {
        let page = Page::default();
        let messenger = FolderMessenger::new("/nonexistent", Box::new(page.clone()), Arc::new(Noon));
        messenger.send_text(TO, text("first\nsecond")).await.unwrap();
        messenger.send_text(Audience::Operator, text("alert")).await.unwrap();
        let written = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<_> = written.lines().map(|line| &line[8..]).collect();
        assert_eq!(lines, ["  user 5  first", "          second", "  operator  alert"]);
    }

    #[tokio::test]
    async fn a_reader_who_left_harms_nobody() {
        let messenger = FolderMessenger::new("/nonexistent", Box::new(ClosedPipe), Arc::new(Noon));
        messenger.send_text(TO, text("unread")).await.unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, b"").unwrap();
        let messenger = FolderMessenger::new(file.join("out"), Box::new(Page::default()), Arc::new(Noon));
        let error = messenger.check_dir().unwrap_err();
        assert!(error.to_string().contains("file/out"), "{error}");
    }
}
