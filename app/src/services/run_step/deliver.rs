//! Fetching a finished video and handing it over.

use std::{
    io,
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

use domain::{
    id::{AttemptId, KeyId},
    job::{DeliveryFailure, Event, State},
    notice::Audience,
    time::Timestamp,
};
use ports::{ErrorKind, PortError, Reply, VideoMessage};

use super::{Finding, Turn};
use crate::{bot::screens, services::addressee::language_of, texts};

impl Turn<'_> {
    /// Downloads into a file of this lease's own, sends it, removes it. Whatever goes wrong short of a recipient
    /// who is gone and a refused message is passing: a second copy harms nobody, and the domain counts the tries.
    pub(super) async fn deliver(&self) -> Result<Finding, PortError> {
        let State::Delivering { attempt, key, url, .. } = &self.leased.job.state else {
            return Err(self.out_of_place("hand its video over"));
        };
        let passing = Event::DeliveryFailed { attempt: *attempt, failure: DeliveryFailure::Passing };
        let lease = self.leased.lease;
        let name = format!("{}-{}.mp4", lease.job, lease.number);
        let file = WorkFile { path: self.policy.delivery.work_dir.join(name) };
        let limit = self.policy.lease.deadline * 4 / 5;
        let gives_up_at = self.ports.clock.now().after(limit);
        tokio::select! {
            biased;
            found = self.fetch_and_hand_over(*attempt, key, url, &file.path) => Ok(found),
            // Cut off by the deadline instead, the step would count for nothing and be repeated for ever.
            () = self.ports.clock.sleep_until(gives_up_at) => {
                let seen = format!("it took longer than {} s", limit.as_secs());
                tracing::warn!(job.id = %lease.job, %seen, "the video could not be handed over");
                Ok(Finding::seen(passing, seen))
            }
        }
    }

    async fn fetch_and_hand_over(&self, attempt: AttemptId, key: &KeyId, url: &str, file: &Path) -> Finding {
        let job = self.leased.lease.job;
        match self.fetch(key, url, file).await {
            Ok(bytes) => tracing::info!(job.id = %job, bytes, "video downloaded"),
            Err(seen) => {
                tracing::warn!(job.id = %job, %seen, "the video could not be downloaded");
                return Finding::seen(
                    Event::DeliveryFailed { attempt, failure: DeliveryFailure::Passing },
                    seen,
                );
            }
        }
        match self.hand_over(file).await {
            Ok(()) => Event::Delivered { attempt }.into(),
            Err(error) => {
                let failure = match error.kind() {
                    ErrorKind::Unreachable => DeliveryFailure::RecipientGone,
                    ErrorKind::Rejected => DeliveryFailure::Refused,
                    _ => DeliveryFailure::Passing,
                };
                let told = &error as &dyn std::error::Error;
                tracing::warn!(job.id = %job, ?failure, error = told, "the video was not sent");
                Finding::seen(Event::DeliveryFailed { attempt, failure }, error.to_string())
            }
        }
    }

    /// Downloads the result; when its address is refused, once more from a fresh one. Returns its size in
    /// bytes, or what was seen instead.
    async fn fetch(&self, key: &KeyId, url: &str, file: &Path) -> Result<u64, String> {
        let (video, bytes_max) = (&self.ports.video, self.policy.delivery.video_bytes_max);
        let refused = match video.download(url, file, bytes_max).await {
            Reply::Yes(bytes) => return Ok(bytes),
            Reply::Unknown(seen) => return Err(seen),
            Reply::No(refusal) => refusal,
        };
        self.log_refusal("download", &refused);
        let fresh = match video.fresh_link(key, url).await {
            Reply::Yes(fresh) => fresh,
            Reply::No(refusal) => {
                return Err(format!("{}; no fresh link: {}", refused.evidence, refusal.evidence));
            }
            Reply::Unknown(seen) => return Err(format!("{}; no fresh link: {seen}", refused.evidence)),
        };
        match video.download(&fresh, file, bytes_max).await {
            Reply::Yes(bytes) => Ok(bytes),
            Reply::No(refusal) => Err(format!("with a fresh link: {}", refusal.evidence)),
            Reply::Unknown(seen) => Err(format!("with a fresh link: {seen}")),
        }
    }

    async fn hand_over(&self, file: &Path) -> Result<(), PortError> {
        let job = &self.leased.job;
        let made_with = self.rendered_with(job);
        let stand_in = (*made_with != self.order.model).then_some((&self.order.model, made_with));
        let reader = Audience::User(job.user);
        let language = language_of(self.ports, self.policy, reader).await;
        let caption = texts::caption(language, job.video, stand_in);
        let keyboard = screens::after_video(language, job.order);
        let video = VideoMessage {
            order: job.order,
            job: job.id,
            video: job.video,
            file,
            caption: &caption,
            link: None,
            keyboard: &keyboard,
        };
        self.ports.messenger.send_video(reader, video).await
    }
}

/// A place for one download, gone when the step is, however the step ends.
struct WorkFile {
    path: PathBuf,
}

impl Drop for WorkFile {
    fn drop(&mut self) {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(file = %self.path.display(), %error, "a work file could not be removed");
            }
            Ok(()) | Err(_) => {}
        }
    }
}

/// Removes files that a killed process left in the work directory: those not written to for `older_than`.
/// Whatever cannot be read or removed is left for the next time.
pub fn sweep_work_dir(dir: &Path, now: Timestamp, older_than: Duration) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    let oldest =
        Duration::from_millis(u64::try_from(now.as_millis()).unwrap_or(0)).saturating_sub(older_than);
    for entry in entries.flatten() {
        let path = entry.path();
        let written = entry.metadata().and_then(|m| m.modified()).ok();
        let written = written.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        // Finished downloads, and those a process died over.
        let is_ours = path.extension().is_some_and(|extension| extension == "mp4" || extension == "part");
        if is_ours && written.is_some_and(|at| at < oldest) && std::fs::remove_file(&path).is_ok() {
            tracing::info!(file = %path.display(), "removed what a killed process left behind");
        }
    }
}
