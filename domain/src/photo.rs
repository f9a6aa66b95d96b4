//! Photos: told apart by their bytes, never by a file name; and what a file must be like to become one.

mod kind;
mod terms;

use std::fmt;

pub use self::{
    kind::{PictureKind, inspect},
    terms::{
        PHOTO_PIXELS_MAX, PHOTO_RATIO_MAX, PHOTO_SIDE_MAX, PHOTO_SIDE_MIN, PhotoTerms, size_to_store,
        smaller_size,
    },
};

/// The largest file taken for a photo, in bytes: what a Telegram bot can download (Bot API, `getFile`: 20 MB).
pub const PHOTO_FILE_BYTES_MAX: u64 = 20 * 1024 * 1024;

/// The largest photo kept and sent on, in bytes: KIE's own limit for image inputs (KIE docs, market/sora2).
pub const PHOTO_BYTES_MAX: u64 = 10_000_000;

/// A photo format the video models read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PhotoFormat {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    Webp,
}

impl PhotoFormat {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Jpeg, Self::Png, Self::Webp];

    /// The word used in configuration and stores.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::Webp => "webp",
        }
    }

    /// The format a word stands for.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == word)
    }

    /// The file extension that matches the bytes. KIE's file host sets the content type by extension, and a
    /// mismatch fails the render.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Webp => "webp",
        }
    }

    /// The media type.
    #[must_use]
    pub const fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }
}

impl fmt::Display for PhotoFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a file cannot be used as a product photo. Each text names the fix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PhotoError {
    /// Zero bytes.
    #[error("the photo is empty (0 bytes): send a JPEG, PNG or WebP picture")]
    Empty,
    /// Too many bytes.
    #[error("the photo has {bytes} bytes and at most {max} are allowed: send a smaller picture")]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The limit.
        max: u64,
    },
    /// A picture, but of a format that cannot be opened here.
    #[error("the photo is {found}, which cannot be opened here: save it as JPEG, PNG or WebP")]
    UnsupportedFormat {
        /// The format found.
        found: &'static str,
    },
    /// What an iPhone writes unless it is told otherwise. There is no free decoder of it.
    #[error(
        "the photo is a HEIC, which cannot be opened here: send it as a photo and not as a file, or choose Settings > Camera > Formats > Most Compatible on the iPhone and take it again"
    )]
    Heic,
    /// Too few pixels for a video.
    #[error("the photo is {width}x{height} pixels and each side needs at least {min}: send a larger picture")]
    TooSmall {
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
        /// The shortest side allowed.
        min: u32,
    },
    /// More pixels than are opened.
    #[error(
        "the photo is {width}x{height} pixels and at most {max} pixels are opened: send it as a photo and not as a file, or make it smaller"
    )]
    TooManyPixels {
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
        /// The most pixels allowed.
        max: u64,
    },
    /// Much longer than wide, or the other way round.
    #[error(
        "the photo is {width}x{height} pixels, and the long side may be at most {PHOTO_RATIO_MAX} times the short one: crop it to the product"
    )]
    TooStretched {
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
    },
    /// The bytes are not the picture they begin as.
    #[error(
        "the photo is damaged (its {found} data cannot be read): open it, save it anew and send it again"
    )]
    Damaged {
        /// What it begins as.
        found: PictureKind,
    },
    /// The picture breaks off: its end marker is missing.
    #[error("the photo is cut off (no end of {format} data): send the whole file")]
    Truncated {
        /// Its format.
        format: PhotoFormat,
    },
    /// The chosen model does not read this format.
    #[error("the photo is {found}, which model `{model}` does not read: save it as {allowed}")]
    NotForModel {
        /// The format found.
        found: PhotoFormat,
        /// The model.
        model: String,
        /// What it reads.
        allowed: String,
    },
    /// Not a picture at all.
    #[error("the file is not a picture: send a JPEG, PNG or WebP photo of the product")]
    NotAnImage,
}
