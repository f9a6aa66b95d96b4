//! What a file begins as.

use std::fmt;

use super::{PHOTO_FILE_BYTES_MAX, PhotoError, PhotoFormat};

/// A kind of picture that can be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PictureKind {
    /// JPEG, also the several pictures in one file that some phones write (MPO): the first one counts.
    Jpeg,
    /// PNG; of an animation, the picture shown where animations are not.
    Png,
    /// WebP; of an animation, the first frame.
    Webp,
    /// GIF; of an animation, the first frame.
    Gif,
    /// BMP.
    Bmp,
    /// TIFF; its first page.
    Tiff,
}

impl PictureKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [Self::Jpeg, Self::Png, Self::Webp, Self::Gif, Self::Bmp, Self::Tiff];

    /// The photo format it is; `None` for kinds that no video model reads and that have to be converted.
    #[must_use]
    pub const fn photo_format(self) -> Option<PhotoFormat> {
        match self {
            Self::Jpeg => Some(PhotoFormat::Jpeg),
            Self::Png => Some(PhotoFormat::Png),
            Self::Webp => Some(PhotoFormat::Webp),
            Self::Gif | Self::Bmp | Self::Tiff => None,
        }
    }
}

impl fmt::Display for PictureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Webp => "WebP",
            Self::Gif => "GIF",
            Self::Bmp => "BMP",
            Self::Tiff => "TIFF",
        })
    }
}

/// Tells a picture's kind from its bytes and checks that it is whole and not too large, without opening it.
///
/// # Errors
/// [`PhotoError`] naming what is wrong and what to do.
pub fn inspect(bytes: &[u8]) -> Result<PictureKind, PhotoError> {
    if bytes.is_empty() {
        return Err(PhotoError::Empty);
    }
    let size = bytes.len() as u64;
    if size > PHOTO_FILE_BYTES_MAX {
        return Err(PhotoError::TooLarge { bytes: size, max: PHOTO_FILE_BYTES_MAX });
    }
    let kind = sniff(bytes)?;
    match kind.photo_format() {
        Some(format) if !is_whole(format, bytes) => Err(PhotoError::Truncated { format }),
        _ => Ok(kind),
    }
}

fn sniff(bytes: &[u8]) -> Result<PictureKind, PhotoError> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Ok(PictureKind::Jpeg),
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Ok(PictureKind::Png),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Ok(PictureKind::Webp),
        [b'G', b'I', b'F', b'8', ..] => Ok(PictureKind::Gif),
        [b'B', b'M', ..] if bytes.len() > 26 => Ok(PictureKind::Bmp),
        [b'I', b'I', 0x2a, 0, ..] | [b'M', b'M', 0, 0x2a, ..] => Ok(PictureKind::Tiff),
        [0xff, 0x0a, ..] | [0, 0, 0, 0x0c, b'J', b'X', b'L', b' ', ..] => {
            Err(PhotoError::UnsupportedFormat { found: "a JPEG XL" })
        }
        [0, 0, 0, 0x0c, b'j', b'P', b' ', b' ', ..] => {
            Err(PhotoError::UnsupportedFormat { found: "a JPEG 2000" })
        }
        [_, _, _, _, b'f', b't', b'y', b'p', brands @ ..] => sniff_brands(brands),
        _ => Err(PhotoError::NotAnImage),
    }
}

/// HEIC and AVIF are one container (ISO/IEC 23008-12) and told apart by their brands: one of the file, and after
/// its version those it is compatible with. `mif1` and `msf1` stand for either.
fn sniff_brands(brands: &[u8]) -> Result<PictureKind, PhotoError> {
    let mut brands = brands.chunks_exact(4).take(8);
    match brands.next() {
        Some(b"avif" | b"avis") => Err(PhotoError::UnsupportedFormat { found: "an AVIF" }),
        Some(b"mif1" | b"msf1") if brands.any(|brand| matches!(brand, b"avif" | b"avis")) => {
            Err(PhotoError::UnsupportedFormat { found: "an AVIF" })
        }
        Some(b"heic" | b"heix" | b"hevc" | b"hevx" | b"heim" | b"heis" | b"mif1" | b"msf1") => {
            Err(PhotoError::Heic)
        }
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
    use proptest::prelude::*;

    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n....IHDR........IEND\xaeB`\x82";

    #[test]
    fn formats_are_told_by_bytes() {
        assert_eq!(inspect(&[0xff, 0xd8, 0xff, 0xe0, 1, 2, 0xff, 0xd9]), Ok(PictureKind::Jpeg));
        assert_eq!(inspect(PNG), Ok(PictureKind::Png));
        assert_eq!(inspect(b"RIFF\x08\x00\x00\x00WEBPVP8 "), Ok(PictureKind::Webp));
        assert_eq!(inspect(b"GIF89a"), Ok(PictureKind::Gif));
        assert_eq!(
            inspect(b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\0\0\0\0\0\0\0\0\0"),
            Ok(PictureKind::Bmp)
        );
        assert_eq!(inspect(b"II\x2a\0\x08\0\0\0"), Ok(PictureKind::Tiff));
        assert_eq!(inspect(b"MM\0\x2a\0\0\0\x08"), Ok(PictureKind::Tiff));
    }

    #[test]
    fn what_is_not_a_photo_is_refused_with_a_reason() {
        assert_eq!(inspect(b""), Err(PhotoError::Empty));
        assert_eq!(inspect(b"hello"), Err(PhotoError::NotAnImage));
        assert_eq!(inspect(b"%PDF-1.7 and so on"), Err(PhotoError::NotAnImage));
        assert_eq!(inspect(b"\0\0\0\x18ftypisom\0\0\0\0"), Err(PhotoError::NotAnImage), "a film");
        for (file, found) in [
            (&b"\0\0\0\x1cftypavif\0\0\0\0avifmif1"[..], "an AVIF"),
            (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", "an AVIF"),
            (b"\xff\x0a\xfa\x7f", "a JPEG XL"),
            (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000"),
        ] {
            assert_eq!(inspect(file), Err(PhotoError::UnsupportedFormat { found }));
        }
        assert_eq!(
            inspect(&[0xff, 0xd8, 0xff, 0xe0, 0, 0, 0, 0]),
            Err(PhotoError::Truncated { format: PhotoFormat::Jpeg })
        );
        assert!(matches!(inspect(&vec![0; 30_000_000]), Err(PhotoError::TooLarge { .. })));
    }

    #[test]
    fn an_iphones_heic_is_refused_with_what_to_press() {
        for file in [&b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"[..], b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic"] {
            let told = inspect(file).unwrap_err();
            assert_eq!(told, PhotoError::Heic);
            assert!(told.to_string().contains("Settings > Camera > Formats > Most Compatible"), "{told}");
            assert!(told.to_string().contains("as a photo and not as a file"), "{told}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_upset_the_inspection(
            head in prop::sample::select(vec![&b""[..], PNG, b"\xff\xd8\xff", b"RIFF", b"\0\0\0\x18ftyp", b"BM"]),
            rest in prop::collection::vec(any::<u8>(), 0..64),
        ) {
            let file = [head, &rest].concat();
            if let Err(error) = inspect(&file) {
                prop_assert!(error.to_string().contains(": "), "{} names no fix", error);
            }
        }
    }
}
