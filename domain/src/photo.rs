//! Photos: told apart by their bytes, never by a file name.

use std::fmt;

/// The largest photo Kadr takes, in bytes: KIE's own limit for image inputs (KIE docs, market/sora2).
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
    /// A picture, but of a format no video model reads.
    #[error("the photo is {found}, which the video models do not read: save it as JPEG, PNG or WebP")]
    UnsupportedFormat {
        /// The format found.
        found: &'static str,
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

/// Tells a photo's format from its bytes and checks that it is whole and not too large.
///
/// # Errors
/// [`PhotoError`] naming what is wrong and what to do.
pub fn inspect(bytes: &[u8]) -> Result<PhotoFormat, PhotoError> {
    if bytes.is_empty() {
        return Err(PhotoError::Empty);
    }
    let size = bytes.len() as u64;
    if size > PHOTO_BYTES_MAX {
        return Err(PhotoError::TooLarge { bytes: size, max: PHOTO_BYTES_MAX });
    }
    let format = sniff(bytes)?;
    if is_whole(format, bytes) { Ok(format) } else { Err(PhotoError::Truncated { format }) }
}

fn sniff(bytes: &[u8]) -> Result<PhotoFormat, PhotoError> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Ok(PhotoFormat::Jpeg),
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Ok(PhotoFormat::Png),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Ok(PhotoFormat::Webp),
        [b'G', b'I', b'F', b'8', ..] => Err(PhotoError::UnsupportedFormat { found: "a GIF" }),
        [b'B', b'M', ..] if bytes.len() > 26 => Err(PhotoError::UnsupportedFormat { found: "a BMP" }),
        [b'I', b'I', 0x2a, 0, ..] | [b'M', b'M', 0, 0x2a, ..] => {
            Err(PhotoError::UnsupportedFormat { found: "a TIFF" })
        }
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] if brand.len() >= 4 => match &brand[..4] {
            b"heic" | b"heix" | b"hevc" | b"heim" | b"heis" | b"mif1" | b"msf1" => {
                Err(PhotoError::UnsupportedFormat { found: "a HEIC" })
            }
            b"avif" | b"avis" => Err(PhotoError::UnsupportedFormat { found: "an AVIF" }),
            _ => Err(PhotoError::NotAnImage),
        },
        _ => Err(PhotoError::NotAnImage),
    }
}

/// Whether the end of the picture is there. Cameras append bytes after the end of a JPEG, so its end marker is
/// looked for anywhere in the second half.
fn is_whole(format: PhotoFormat, bytes: &[u8]) -> bool {
    match format {
        PhotoFormat::Jpeg => bytes[bytes.len() / 2..].windows(2).any(|pair| pair == [0xff, 0xd9]),
        PhotoFormat::Png => bytes.windows(4).rev().take(1 << 16).any(|chunk| chunk == b"IEND"),
        PhotoFormat::Webp => {
            let declared = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]) as usize;
            bytes.len() >= declared.saturating_add(8) && declared > 4
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n....IHDR........IEND\xaeB`\x82";

    #[test]
    fn formats_are_told_by_bytes() {
        assert_eq!(inspect(&[0xff, 0xd8, 0xff, 0xe0, 1, 2, 0xff, 0xd9]), Ok(PhotoFormat::Jpeg));
        assert_eq!(inspect(PNG), Ok(PhotoFormat::Png));
        assert_eq!(inspect(b"RIFF\x08\x00\x00\x00WEBPVP8 "), Ok(PhotoFormat::Webp));
    }

    #[test]
    fn what_is_not_a_photo_is_refused_with_a_reason() {
        assert_eq!(inspect(b""), Err(PhotoError::Empty));
        assert_eq!(inspect(b"hello"), Err(PhotoError::NotAnImage));
        assert_eq!(inspect(b"%PDF-1.7 and so on"), Err(PhotoError::NotAnImage));
        assert_eq!(
            inspect(b"\0\0\0\x18ftypheic\0\0\0\0"),
            Err(PhotoError::UnsupportedFormat { found: "a HEIC" })
        );
        assert_eq!(inspect(b"GIF89a"), Err(PhotoError::UnsupportedFormat { found: "a GIF" }));
        assert_eq!(
            inspect(&[0xff, 0xd8, 0xff, 0xe0, 0, 0, 0, 0]),
            Err(PhotoError::Truncated { format: PhotoFormat::Jpeg })
        );
        assert!(matches!(inspect(&vec![0; 30_000_000]), Err(PhotoError::TooLarge { .. })));
    }
}
