//! JPEG: segments, each a marker and a length, and coded pixels after a scan's header (ITU-T T.81, annex B).

use domain::photo::{PhotoError, PhotoFormat};

use super::{Reader, Stripped, without_prefix};

const START: u8 = 0xd8;
const END: u8 = 0xd9;
const SCAN: u8 = 0xda;
const JFIF: u8 = 0xe0;
const EXIF: u8 = 0xe1;
const COLOURS: u8 = 0xe2;
const ADOBE: u8 = 0xee;

/// The first picture of the file, up to its end marker: behind it lie further pictures (MPO, gain maps), films
/// (motion photos) and whatever else.
pub(super) fn strip(file: &[u8]) -> Result<Stripped, PhotoError> {
    let mut reader = Reader::new(file, PhotoFormat::Jpeg);
    let mut clean = Stripped { bytes: Vec::with_capacity(file.len()), ..Stripped::default() };
    clean.bytes.extend(reader.take(2)?);
    loop {
        let marker = next_marker(&mut reader)?;
        match marker {
            END => {
                clean.bytes.extend([0xff, END]);
                return Ok(clean);
            }
            // Markers without a segment; out of place here.
            START | 0x00 | 0x01 | 0xd0..=0xd7 => continue,
            _ => {}
        }
        let length = u16::from_be_bytes(reader.array()?);
        let body = reader.take(usize::from(length).saturating_sub(2))?;
        match marker {
            // The frame, its tables and its scans.
            0xc0..=0xcf | SCAN..=0xdd => {
                clean.is_unfit |= is_frame(marker) && body.get(5) == Some(&COMPONENTS_FOR_PRINT);
                copy(&mut clean.bytes, marker, body);
                if marker == SCAN {
                    clean.bytes.extend(scan(&mut reader)?);
                }
            }
            // Without the small picture it may carry.
            JFIF if body.starts_with(b"JFIF\0") && body.len() >= 14 => {
                copy(&mut clean.bytes, JFIF, &[&body[..12], &[0, 0]].concat());
            }
            COLOURS if body.starts_with(b"ICC_PROFILE\0") => copy(&mut clean.bytes, COLOURS, body),
            // Says how colours are coded; without it some files turn green.
            ADOBE if body.starts_with(b"Adobe") && body.len() >= 12 => {
                copy(&mut clean.bytes, ADOBE, &body[..12]);
            }
            EXIF if clean.exif.is_none() && body.starts_with(b"Exif\0\0") => {
                clean.exif = Some(without_prefix(body));
            }
            _ => {}
        }
    }
}

/// CMYK and its relatives have four.
const COMPONENTS_FOR_PRINT: u8 = 4;

/// Whether a segment is a frame's header and not a table (DHT, DAC) or reserved (JPG).
const fn is_frame(marker: u8) -> bool {
    matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc)
}

fn next_marker(reader: &mut Reader<'_>) -> Result<u8, PhotoError> {
    // Decoders forgive bytes between segments, so files with them exist.
    while reader.byte()? != 0xff {}
    loop {
        match reader.byte()? {
            0xff => {}
            marker => return Ok(marker),
        }
    }
}

fn copy(clean: &mut Vec<u8>, marker: u8, body: &[u8]) {
    // A body came from a segment and is never longer than one.
    let length = u16::try_from(body.len() + 2).unwrap_or(u16::MAX);
    clean.extend([0xff, marker]);
    clean.extend(length.to_be_bytes());
    clean.extend(body);
}

/// Coded pixels, up to the next marker that is not part of them.
fn scan<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], PhotoError> {
    let pixels = reader.rest;
    let is_end = |at: &usize| !matches!(pixels.get(at + 1), Some(0x00 | 0xd0..=0xd7 | 0xff));
    let end = memchr::memchr_iter(0xff, pixels).find(is_end).unwrap_or(pixels.len());
    reader.take(end)
}
