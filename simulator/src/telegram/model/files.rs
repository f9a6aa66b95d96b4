//! Files.

use std::{collections::BTreeMap, fmt, io::Cursor, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use domain::time::Timestamp;
use image::{DynamicImage, ImageFormat, ImageReader};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    TelegramModel,
    params::Params,
    words::{self, Refusal},
};
use crate::time::bits_of;

/// The largest photo and the largest other file a bot may upload, and the largest it may download (Bot API, Sending files, getFile).
const PHOTO_BYTES_MAX: usize = 10 << 20;
const FILE_BYTES_MAX: usize = 50 << 20;
const DOWNLOAD_BYTES_MAX: usize = 20 << 20;
/// How long a link is good for, at least (Bot API, getFile).
const LINK_FOR: Duration = Duration::from_secs(60 * 60);
/// A photo's sides together, and the longer one by the shorter, at most (Bot API, sendPhoto).
const SIDES_MAX: u32 = 10_000;
const RATIO_MAX: u32 = 20;
/// The longer sides of the sizes that clients make of a photo.
const SIZES: [u32; 4] = [90, 320, 800, 1_280];

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A size of a photo.
    Photo,
    /// Any file.
    Document,
    /// A video.
    Video,
}

impl FileKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Photo => "Photo",
            Self::Document => "Document",
            Self::Video => "Video",
        }
    }

    const fn folder(self) -> &'static str {
        match self {
            Self::Photo => "photos",
            Self::Document => "documents",
            Self::Video => "videos",
        }
    }
}

/// What its sender tells of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// In seconds.
    pub duration: u32,
    /// Whether it can be watched while it is fetched.
    pub streams: bool,
    /// Its name.
    pub name: Option<String>,
    /// What it is said to be.
    pub mime: Option<String>,
}

/// A file Telegram keeps.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// `file_id`.
    pub id: String,
    /// `file_unique_id`.
    pub unique: String,
    /// What it is.
    pub kind: FileKind,
    /// Its bytes.
    pub bytes: Bytes,
    /// Their SHA-256, in hexadecimal.
    pub sha256: String,
    /// What its sender tells of it.
    pub facts: Facts,
}

impl fmt::Debug for StoredFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredFile")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("size", &self.bytes.len())
            .field("sha256", &self.sha256)
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

impl StoredFile {
    pub(super) fn json(&self) -> Value {
        let mut file =
            json!({ "file_id": self.id, "file_unique_id": self.unique, "file_size": self.bytes.len() });
        if matches!(self.kind, FileKind::Photo | FileKind::Video) {
            file["width"] = json!(self.facts.width);
            file["height"] = json!(self.facts.height);
        }
        if self.kind == FileKind::Video {
            file["duration"] = json!(self.facts.duration);
        }
        if self.kind != FileKind::Photo {
            if let Some(name) = &self.facts.name {
                file["file_name"] = json!(name);
            }
            if let Some(mime) = &self.facts.mime {
                file["mime_type"] = json!(mime);
            }
        }
        file
    }
}

/// A link to a file.
#[derive(Debug)]
struct Link {
    file: Arc<StoredFile>,
    until: Timestamp,
}

/// All files.
#[derive(Debug, Default)]
pub(super) struct Files {
    by_id: BTreeMap<String, Arc<StoredFile>>,
    links: BTreeMap<String, Link>,
    stored: u64,
}

impl Files {
    pub(super) fn store(&mut self, seed: u64, kind: FileKind, bytes: Bytes, facts: Facts) -> Arc<StoredFile> {
        self.stored += 1;
        let name = |what: &str| bits_of(seed, &format!("{what} {}", self.stored)).to_be_bytes();
        let id = URL_SAFE_NO_PAD.encode([name("file"), name("rest of file")].concat());
        let unique = URL_SAFE_NO_PAD.encode(&name("unique file")[..11]);
        let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let file = Arc::new(StoredFile { id: format!("AgAC{id}"), unique, kind, bytes, sha256, facts });
        self.by_id.insert(file.id.clone(), Arc::clone(&file));
        file
    }

    /// The bytes behind a link, while it is good.
    pub(super) fn linked(&self, path: &str, now: Timestamp) -> Option<Bytes> {
        self.links.get(path).filter(|link| now < link.until).map(|link| link.file.bytes.clone())
    }
}

/// No picture that could be sent as a photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are no picture that could be sent as a photo")]
pub struct NoPhoto;

/// The sizes a client makes of a picture, the smallest first; the largest is the picture itself where it is small enough.
fn sizes(bytes: &Bytes) -> Result<Made, NoPhoto> {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|_| NoPhoto)?;
    let is_jpeg = reader.format() == Some(ImageFormat::Jpeg);
    let picture = reader.decode().map_err(|_| NoPhoto)?;
    let (width, height) = (picture.width(), picture.height());
    let longer = width.max(height);
    let mut made = Vec::new();
    for side in SIZES.into_iter().filter(|side| *side < longer) {
        made.push(jpeg(&picture.thumbnail(side, side))?);
    }
    if longer <= SIZES[SIZES.len() - 1] || made.is_empty() {
        made.push(if is_jpeg { (bytes.clone(), width, height) } else { jpeg(&picture)? });
    }
    Ok(Made { width, height, sizes: made })
}

/// A picture's own measures, and its sizes.
struct Made {
    width: u32,
    height: u32,
    sizes: Vec<(Bytes, u32, u32)>,
}

fn jpeg(picture: &DynamicImage) -> Result<(Bytes, u32, u32), NoPhoto> {
    let mut bytes = Cursor::new(Vec::new());
    let plain = DynamicImage::ImageRgb8(picture.to_rgb8());
    plain.write_to(&mut bytes, ImageFormat::Jpeg).map_err(|_| NoPhoto)?;
    Ok((bytes.into_inner().into(), plain.width(), plain.height()))
}

impl TelegramModel {
    /// What a client makes of a picture that is sent as a photo.
    pub(super) fn photo_of(&mut self, bytes: &Bytes) -> Result<Vec<Arc<StoredFile>>, NoPhoto> {
        let made = sizes(bytes)?;
        Ok(self.store_sizes(made))
    }

    fn store_sizes(&mut self, made: Made) -> Vec<Arc<StoredFile>> {
        let seed = self.settings.seed;
        let stored = made.sizes.into_iter().map(|(bytes, width, height)| {
            let facts = Facts { width, height, ..Facts::default() };
            self.files.store(seed, FileKind::Photo, bytes, facts)
        });
        stored.collect()
    }

    /// getFile.
    pub(super) fn get_file(&mut self, params: &Params, now: Timestamp) -> Result<Value, Refusal> {
        let wrong = || Refusal::bad(words::FILE_ID);
        let file = params.text("file_id").and_then(|id| self.files.by_id.get(id)).ok_or_else(wrong)?;
        if file.bytes.len() > DOWNLOAD_BYTES_MAX {
            return Err(Refusal::bad(words::FILE_BIG));
        }
        let path = format!("{}/{}", file.kind.folder(), file.unique);
        let mut said =
            json!({ "file_id": file.id, "file_unique_id": file.unique, "file_size": file.bytes.len() });
        said["file_path"] = json!(path);
        let link = Link { file: Arc::clone(file), until: now.after(LINK_FOR) };
        self.files.links.insert(path, link);
        Ok(said)
    }

    /// The photo of a call: uploaded, or one that was sent before.
    pub(super) fn photo_param(&mut self, params: &Params) -> Result<Vec<Arc<StoredFile>>, Refusal> {
        let Some(upload) = params.file("photo") else {
            return self.known_file(params, "photo", FileKind::Photo).map(|file| vec![file]);
        };
        let bytes = upload.bytes.clone();
        check_size(&bytes, PHOTO_BYTES_MAX)?;
        let made = sizes(&bytes).map_err(|NoPhoto| Refusal::bad(words::NO_PICTURE))?;
        let (longer, shorter) = (made.width.max(made.height), made.width.min(made.height).max(1));
        if longer + shorter > SIDES_MAX || longer / shorter > RATIO_MAX {
            return Err(Refusal::bad(words::PICTURE_SIZE));
        }
        Ok(self.store_sizes(made))
    }

    /// The video of a call.
    pub(super) fn video_param(&mut self, params: &Params) -> Result<Arc<StoredFile>, Refusal> {
        let Some(upload) = params.file("video") else {
            return self.known_file(params, "video", FileKind::Video);
        };
        check_size(&upload.bytes, FILE_BYTES_MAX)?;
        let number = |name| params.integer(name).and_then(|n| u32::try_from(n).ok()).unwrap_or(1);
        let facts = Facts {
            width: number("width"),
            height: number("height"),
            duration: number("duration"),
            streams: params.flag("supports_streaming"),
            name: upload.name.clone(),
            mime: Some("video/mp4".to_owned()),
        };
        Ok(self.files.store(self.settings.seed, FileKind::Video, upload.bytes.clone(), facts))
    }

    fn known_file(&self, params: &Params, name: &str, wanted: FileKind) -> Result<Arc<StoredFile>, Refusal> {
        let given = params.text(name).filter(|text| !text.starts_with("attach://"));
        let id = given.ok_or_else(|| words::no_file(name))?;
        // Whatever has a dot is an address to Telegram. Nothing is fetched here.
        if id.contains('.') {
            return Err(Refusal::bad(words::FILE_URL));
        }
        let file = self.files.by_id.get(id).ok_or_else(|| Refusal::bad(words::REMOTE_FILE))?;
        if file.kind != wanted {
            return Err(words::other_kind(file.kind.name(), wanted.name()));
        }
        Ok(Arc::clone(file))
    }
}

fn check_size(bytes: &Bytes, max: usize) -> Result<(), Refusal> {
    if bytes.is_empty() {
        return Err(Refusal::bad(words::FILE_EMPTY));
    }
    if bytes.len() > FILE_BYTES_MAX {
        return Err(Refusal::new(413, words::TOO_LARGE));
    }
    if bytes.len() > max {
        return Err(Refusal::bad(words::FILE_BIG));
    }
    Ok(())
}
