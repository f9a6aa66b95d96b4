//! Videos, from a file to a chat.

use std::{path::Path, time::Duration};

use domain::id::UserId;
use ports::{
    ErrorKind, PortError, VideoMessage,
    bot::{ChatMessage, Keyboard, SentVideo},
};
use reqwest::{
    Body,
    multipart::{Form, Part},
};
use teloxide_core::{payloads::SendVideo, requests::Payload};

use super::{
    TelegramMessenger,
    chat::{Sent, SentFile, cut, markup, too_soon},
    pace::Cause,
    wire::Repeat,
};
use crate::kie::mp4;

const WHAT: &str = "send a video";
/// The largest file a bot may upload, in bytes (Bot API, Sending files).
const UPLOAD_BYTES_MAX: u64 = 50 << 20;
/// The longest caption, counted as [`super::chat`] counts texts (Bot API, sendVideo).
const CAPTION_MAX: usize = 1_024;

/// How long a video is kept for its turn in the chat: that of five at once, and the messages between.
const PATIENCE: Duration = Duration::from_secs(15);

/// Sends a video once: one that was sent before is not sent again, whoever asks.
pub(super) async fn hand_over(
    messenger: &TelegramMessenger,
    chat: UserId,
    video: VideoMessage<'_>,
) -> Result<(), PortError> {
    let TelegramMessenger { client, messages, .. } = messenger;
    if messages.video(video.job).await?.is_some() {
        return Ok(());
    }
    let (bytes, size) = measure(video.file).await?;
    let link = match (bytes > UPLOAD_BYTES_MAX, video.link) {
        (false, _) => None,
        (true, Some(link)) => Some(link),
        (true, None) => {
            let say = format!("a video of {bytes} bytes is more than the 50 MB a bot may send");
            return Err(PortError::new(ErrorKind::Rejected, say));
        }
    };
    let turn = client.pace.reserve(chat, PATIENCE, client.clock.now());
    client.clock.sleep_until(turn.map_err(|at| too_soon(WHAT, at))?).await;
    // Asked when it goes, so that the buttons come with the last one.
    let keyboard = messenger.last_keyboard(video.order, chat, video.video, video.keyboard).await?;
    let sent = match link {
        Some(link) => {
            let text = format!("{}\n{link}", video.caption);
            client.send(chat, Cause::Reserved, &ChatMessage { text, keyboard }).await?
        }
        None => upload(messenger, chat, video, bytes, size, &keyboard).await?,
    };
    let Sent { message_id, video: file, animation, document } = sent;
    let file = file.or(animation).or(document).map(|SentFile { file_id }| file_id);
    let kept = SentVideo { message: message_id, file };
    let now = client.clock.now();
    messenger.insist("a video", || messages.keep_video(video.job, &kept, now)).await;
    Ok(())
}

async fn upload(
    messenger: &TelegramMessenger,
    chat: UserId,
    video: VideoMessage<'_>,
    bytes: u64,
    size: Option<(u32, u32)>,
    keyboard: &Keyboard,
) -> Result<Sent, PortError> {
    let client = &messenger.client;
    let file = tokio::fs::File::open(video.file).await.map_err(unreadable)?;
    // Told beforehand how long it is: Telegram's servers take no body in chunks.
    let part = Part::stream_with_length(Body::from(file), bytes)
        .file_name("video.mp4")
        .mime_str("video/mp4")
        .map_err(unreadable)?;
    let mut form = Form::new()
        .text("chat_id", chat.to_string())
        .text("caption", cut(video.caption, CAPTION_MAX))
        .text("supports_streaming", "true");
    if let Some((width, height)) = size {
        form = form.text("width", width.to_string()).text("height", height.to_string());
    }
    if let Some(markup) = markup(keyboard) {
        let markup = serde_json::to_string(&markup).map_err(unreadable)?;
        form = form.text("reply_markup", markup);
    }
    client
        .upload(SendVideo::NAME, form.part("video", part))
        .await
        .map_err(|error| client.failed(chat, error, WHAT, Repeat::Seen))
}

/// How many bytes a file has, and how large its picture is, as far as it says so.
async fn measure(file: &Path) -> Result<(u64, Option<(u32, u32)>), PortError> {
    let file = file.to_owned();
    // Files wait for the disk, and the loops must not.
    let measured = tokio::task::spawn_blocking(move || {
        let mut file = std::fs::File::open(file)?;
        let bytes = file.metadata()?.len();
        Ok((bytes, mp4::picture_size(&mut file)))
    });
    measured.await.map_err(std::io::Error::other).flatten().map_err(unreadable)
}

fn unreadable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> PortError {
    PortError::with_source(ErrorKind::Transient, "could not read a video to send", error)
}
