//! WebP: a RIFF file of chunks, each a type, a length and data padded to an even length (RFC 9649, section 2).

use domain::photo::{PhotoError, PhotoFormat};

use super::{Reader, Stripped, without_prefix};

/// The flags of an extended file's header (RFC 9649, section 2.7.1).
const IS_ANIMATED: u8 = 0x02;
const HAS_METADATA: u8 = 0x04 | 0x08;

pub(super) fn strip(file: &[u8]) -> Result<Stripped, PhotoError> {
    let mut reader = Reader::new(file, PhotoFormat::Webp);
    let mut clean = Stripped { bytes: Vec::with_capacity(file.len()), ..Stripped::default() };
    reader.take(4)?;
    let declared = u32::from_le_bytes(reader.array()?) as usize;
    // Whatever lies behind the declared end is not the picture's.
    let mut reader = Reader::new(reader.take(declared)?, PhotoFormat::Webp);
    reader.take(4)?;
    clean.bytes.extend(b"RIFF\0\0\0\0WEBP");
    while !reader.rest.is_empty() {
        let kind: [u8; 4] = reader.array()?;
        let length = u32::from_le_bytes(reader.array()?) as usize;
        let data = reader.take(length)?;
        if length % 2 == 1 && !reader.rest.is_empty() {
            reader.take(1)?;
        }
        match &kind {
            b"VP8X" => {
                let mut header = data.to_vec();
                if let Some(flags) = header.first_mut() {
                    clean.is_unfit |= *flags & IS_ANIMATED != 0;
                    *flags &= !HAS_METADATA;
                }
                copy(&mut clean.bytes, kind, &header);
            }
            // ANIM and ANMF are an animation's; its first frame is taken out when it is written anew.
            b"VP8 " | b"VP8L" | b"ALPH" | b"ICCP" | b"ANIM" | b"ANMF" => {
                copy(&mut clean.bytes, kind, data);
            }
            b"EXIF" if clean.exif.is_none() => clean.exif = Some(without_prefix(data)),
            _ => {}
        }
    }
    let size = u32::try_from(clean.bytes.len() - 8).unwrap_or(u32::MAX);
    clean.bytes[4..8].copy_from_slice(&size.to_le_bytes());
    Ok(clean)
}

fn copy(clean: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    clean.extend(kind);
    clean.extend(length.to_le_bytes());
    clean.extend(data);
    if data.len() % 2 == 1 {
        clean.push(0);
    }
}
