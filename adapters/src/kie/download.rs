//! A result's way from its host into a file.

use std::{io, path::Path, time::Duration};

use domain::failure::Reason;
use futures_util::StreamExt;
use ports::{ProviderRefusal, Reply};
use reqwest::{Client, Response, header};
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt;
use url::Url;

use super::{map, mp4};
use crate::http::{self, ExchangeError};

/// Why there is no file.
enum Trouble {
    Refused(ProviderRefusal),
    Broken(ExchangeError),
    /// Our own disk.
    Disk(io::Error),
}

impl From<ExchangeError> for Trouble {
    fn from(error: ExchangeError) -> Self {
        Self::Broken(error)
    }
}

impl From<reqwest::Error> for Trouble {
    fn from(error: reqwest::Error) -> Self {
        Self::Broken(error.into())
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

fn refused(reason: Reason, why: &str) -> Trouble {
    Trouble::Refused(ProviderRefusal {
        failure: reason.into(),
        evidence: format!("download: {why}"),
        retry_after: None,
    })
}

/// Downloads an MP4 of at most `bytes_max` into `file`, which appears whole or not at all. Its folder is made if need be.
pub(super) async fn download(client: &Client, url: &str, file: &Path, bytes_max: u64) -> Reply<u64> {
    match fetch(client, url, file, bytes_max).await {
        Ok(bytes) => Reply::Yes(bytes),
        Err(Trouble::Refused(refusal)) => Reply::No(refusal),
        Err(Trouble::Broken(error)) => map::unanswered(&error),
        Err(Trouble::Disk(error)) => {
            Reply::Unknown(format!("download: cannot write {}: {error}", file.display()))
        }
    }
}

async fn fetch(client: &Client, url: &str, file: &Path, bytes_max: u64) -> Result<u64, Trouble> {
    let url = Url::parse(url).ok().filter(http::is_http);
    let url = url.ok_or_else(|| refused(Reason::ProviderFault, "not an http or https address"))?;
    let host = url.host_str().unwrap_or_default().to_owned();
    // Unpacked, so that the host's Content-Length is the file's and a cut-off file is noticed.
    let response = client.get(url).header(header::ACCEPT_ENCODING, "identity").send().await?;
    let status = response.status().as_u16();
    tracing::debug!(
        call = "download",
        host,
        http_status = status,
        length = response.content_length(),
        "answered"
    );
    if status != 200 {
        return Err(Trouble::Refused(map::download_refused(status)));
    }
    if response.content_length().is_some_and(|length| length > bytes_max) {
        return Err(too_large(bytes_max));
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    tokio::fs::create_dir_all(folder).await?;
    // Under a name of its own until it is whole: a late worker may be downloading the same result.
    let part = part_file(folder)?;
    let bytes = save(response, &part, bytes_max).await?;
    let time = playing_time(&part).await?;
    part.persist(file).map_err(|error| Trouble::Disk(error.error))?;
    let seconds = time.map(|time| time.as_secs_f64());
    tracing::info!(host, bytes, seconds, "result saved");
    Ok(bytes)
}

fn too_large(bytes_max: u64) -> Trouble {
    refused(Reason::Unrecognised, &format!("the result has more than {bytes_max} bytes"))
}

/// How long a saved result plays, where it says so. What does not play is not handed over.
async fn playing_time(part: &NamedTempFile) -> Result<Option<Duration>, Trouble> {
    let mut file = part.reopen()?;
    let looked = tokio::task::spawn_blocking(move || mp4::playing_time(&mut file)).await;
    looked.map_err(io::Error::other)?.map_err(|unplayable| match unplayable {
        mp4::Unplayable::Flaw(flaw) => refused(Reason::ProviderFault, flaw.as_str()),
        mp4::Unplayable::Unread(error) => Trouble::Disk(error),
    })
}

/// A new file that others may read, as far as the process's mask allows: operators look at results.
fn part_file(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".download-").suffix(".part");
    #[cfg(unix)]
    {
        use std::{fs::Permissions, os::unix::fs::PermissionsExt};
        builder.permissions(Permissions::from_mode(0o644));
    }
    builder.tempfile_in(folder)
}

async fn save(response: Response, part: &NamedTempFile, bytes_max: u64) -> Result<u64, Trouble> {
    let mut file = tokio::fs::File::from_std(part.reopen()?);
    let mut head = Vec::with_capacity(mp4::HEAD_BYTES);
    let mut bytes = 0_u64;
    let mut pieces = response.bytes_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece?;
        bytes += piece.len() as u64;
        if bytes > bytes_max {
            return Err(too_large(bytes_max));
        }
        if head.len() < mp4::HEAD_BYTES {
            head.extend(piece.iter().take(mp4::HEAD_BYTES - head.len()));
            if head.len() == mp4::HEAD_BYTES && !mp4::is_mp4(&head) {
                return Err(not_a_video());
            }
        }
        file.write_all(&piece).await?;
    }
    file.flush().await?;
    match bytes {
        0 => Err(refused(Reason::ProviderFault, "the result is empty (0 bytes)")),
        _ if head.len() < mp4::HEAD_BYTES => Err(not_a_video()),
        _ => Ok(bytes),
    }
}

fn not_a_video() -> Trouble {
    refused(Reason::ProviderFault, "the result is not an MP4 video")
}
