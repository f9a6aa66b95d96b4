//! Pictures of every kind, whole and broken, made into photos.

mod cases;
mod laws;
pub(in crate::photo) mod pictures;

use bytes::Bytes;
use domain::photo::{PhotoError, PhotoFormat, PhotoTerms};
use image::{ImageFormat, RgbImage};
use ports::Photo;

use super::negative::Negative;

fn terms() -> PhotoTerms {
    PhotoTerms { formats: PhotoFormat::ALL.to_vec(), bytes_max: 10_000_000 }
}

fn prepare(file: Vec<u8>, terms: &PhotoTerms) -> Result<Photo, PhotoError> {
    Negative::read(&Bytes::from(file))?.develop(terms)
}

/// What somebody sees who opens the photo and heeds nothing but its pixels.
fn seen(photo: &Photo) -> RgbImage {
    let format = match photo.format {
        PhotoFormat::Jpeg => ImageFormat::Jpeg,
        PhotoFormat::Png => ImageFormat::Png,
        PhotoFormat::Webp => ImageFormat::WebP,
    };
    assert_eq!(image::guess_format(&photo.bytes).unwrap(), format);
    image::load_from_memory_with_format(&photo.bytes, format).unwrap().into_rgb8()
}

/// The names of a photo's parts: JPEG's markers, the chunks of the others.
fn parts(photo: &Photo) -> Vec<String> {
    let bytes = &photo.bytes[..];
    let mut parts = Vec::new();
    match photo.format {
        PhotoFormat::Jpeg => {
            let mut at = 2;
            while bytes[at + 1] != 0xda {
                assert_eq!(bytes[at], 0xff);
                parts.push(format!("{:02x}", bytes[at + 1]));
                at += 2 + usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
            }
            // Behind the first scan no other segment than tables and scans may follow.
            let rest = bytes[at..].windows(2).filter(|pair| pair[0] == 0xff && pair[1] > 0xdd);
            parts.extend(rest.map(|pair| format!("{:02x}", pair[1])));
            assert!(bytes.ends_with(&[0xff, 0xd9]), "something lies behind the end");
        }
        PhotoFormat::Png => {
            let mut at = 8;
            while at < bytes.len() {
                parts.push(String::from_utf8_lossy(&bytes[at + 4..at + 8]).into_owned());
                at += 12 + u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
            }
            assert_eq!(parts.last().map(String::as_str), Some("IEND"));
        }
        PhotoFormat::Webp => {
            let mut at = 12;
            while at < bytes.len() {
                parts.push(String::from_utf8_lossy(&bytes[at..at + 4]).into_owned());
                let length = u32::from_le_bytes(bytes[at + 4..at + 8].try_into().unwrap()) as usize;
                at += 8 + length + length % 2;
            }
        }
    }
    parts
}

/// Asserts that nothing but pixels and the meaning of their colours is left.
fn assert_clean(photo: &Photo) {
    let allowed: &[&str] = match photo.format {
        PhotoFormat::Jpeg => &["e0", "e2", "ee", "c0", "c1", "c2", "c4", "cc", "db", "dc", "dd", "d9"],
        PhotoFormat::Png => &["IHDR", "PLTE", "IDAT", "IEND", "tRNS", "cHRM", "gAMA", "iCCP", "sRGB", "cICP"],
        PhotoFormat::Webp => &["VP8 ", "VP8L", "VP8X", "ALPH", "ICCP"],
    };
    for part in parts(photo) {
        assert!(allowed.contains(&part.as_str()), "{part} is left in a {}", photo.format);
    }
    for secret in pictures::SECRETS {
        let found = memchr::memmem::find(&photo.bytes, secret);
        assert_eq!(found, None, "{} is left in a {}", String::from_utf8_lossy(secret), photo.format);
    }
}
