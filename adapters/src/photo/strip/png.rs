//! PNG: a signature, then chunks of length, type, data and checksum (W3C PNG, section 5).

use domain::photo::{PhotoError, PhotoFormat};

use super::{Reader, Stripped, without_prefix};

/// Pixels, palette, transparency and the meaning of colours. Of an animation this leaves the picture that is shown
/// where animations are not.
const KEPT: [&[u8; 4]; 10] =
    [b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sRGB", b"cICP"];

pub(super) fn strip(file: &[u8]) -> Result<Stripped, PhotoError> {
    let mut reader = Reader::new(file, PhotoFormat::Png);
    let mut clean = Stripped { bytes: Vec::with_capacity(file.len()), ..Stripped::default() };
    clean.bytes.extend(reader.take(8)?);
    loop {
        let chunk = reader.rest;
        let length = u32::from_be_bytes(reader.array()?) as usize;
        let kind: [u8; 4] = reader.array()?;
        let data = reader.take(length)?;
        reader.take(4)?;
        if KEPT.contains(&&kind) {
            clean.bytes.extend(&chunk[..chunk.len() - reader.rest.len()]);
        } else if &kind == b"eXIf" && clean.exif.is_none() {
            clean.exif = Some(without_prefix(data));
        }
        if &kind == b"IEND" {
            return Ok(clean);
        }
    }
}
