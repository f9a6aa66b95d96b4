//! Pictures that tests are made with, and what phones put into them.

use image::{
    DynamicImage, ExtendedColorType, ImageEncoder, ImageFormat, Rgb, RgbImage,
    codecs::{jpeg::JpegEncoder, webp::WebPEncoder},
};
use std::io::Cursor;

/// Whatever must not be found in a photo: what the metadata below is made of.
pub(in crate::photo) const SECRETS: [&[u8]; 5] =
    [b"Exif\0\0", b"http://ns.adobe.com/xap", b"SECRET", b"II\x2a\0", b"MM\0\x2a"];

/// The colours of a picture's corners: top left, top right, bottom left, bottom right.
pub(in crate::photo) const CORNERS: [[u8; 3]; 4] =
    [[220, 30, 30], [30, 200, 30], [30, 30, 220], [230, 220, 40]];

/// A picture that looks different however it is turned: 320x400, a colour in each quarter.
pub(in crate::photo) fn upright() -> RgbImage {
    quarters(320, 400)
}

pub(in crate::photo) fn quarters(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb(CORNERS[usize::from(x >= width / 2) + 2 * usize::from(y >= height / 2)])
    })
}

/// A picture no encoder can make small.
pub(in crate::photo) fn noise(width: u32, height: u32) -> RgbImage {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    RgbImage::from_fn(width, height, |_, _| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let [a, b, c, ..] = state.to_le_bytes();
        Rgb([a, b, c])
    })
}

/// What a camera held as `orientation` says makes of an upright picture (EXIF 2.32, tag 0x0112: which sides of the
/// picture the first row and the first column are).
pub(in crate::photo) fn held(orientation: u8, upright: &RgbImage) -> RgbImage {
    let (width, height) = upright.dimensions();
    let (right, bottom) = (width - 1, height - 1);
    let (w, h) = if orientation < 5 { (width, height) } else { (height, width) };
    RgbImage::from_fn(w, h, |column, row| {
        let (x, y) = match orientation {
            1 => (column, row),
            2 => (right - column, row),
            3 => (right - column, bottom - row),
            4 => (column, bottom - row),
            5 => (row, column),
            6 => (right - row, column),
            7 => (right - row, bottom - column),
            8 => (row, bottom - column),
            _ => unreachable!("EXIF knows eight orientations"),
        };
        *upright.get_pixel(x, y)
    })
}

pub(in crate::photo) fn jpeg(image: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 92).encode_image(image).unwrap();
    bytes
}

pub(in crate::photo) fn file(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

pub(in crate::photo) fn png(image: &RgbImage) -> Vec<u8> {
    file(&image.clone().into(), ImageFormat::Png)
}

/// A WebP, with EXIF if any is given.
pub(in crate::photo) fn webp(image: &RgbImage, exif: Option<Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = WebPEncoder::new_lossless(&mut bytes);
    if let Some(exif) = exif {
        encoder.set_exif_metadata(exif).unwrap();
    }
    encoder.write_image(image, image.width(), image.height(), ExtendedColorType::Rgb8).unwrap();
    bytes
}

/// EXIF with an orientation, a camera's name and a position.
pub(in crate::photo) fn exif(orientation: u8) -> Vec<u8> {
    let mut exif = b"MM\0\x2a\0\0\0\x08\0\x03".to_vec();
    // Orientation, one SHORT.
    exif.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]);
    // Make, eight characters at 50.
    exif.extend([0x01, 0x0f, 0, 2, 0, 0, 0, 8, 0, 0, 0, 50]);
    // The place's own directory, at 58.
    exif.extend([0x88, 0x25, 0, 4, 0, 0, 0, 1, 0, 0, 0, 58]);
    exif.extend([0, 0, 0, 0, 0, 0]);
    exif.truncate(50);
    exif.resize(50, 0);
    exif.extend(b"SECRET1\0");
    // One entry: the latitude's reference.
    exif.extend([0, 1, 0, 1, 0, 2, 0, 0, 0, 2, b'N', 0, 0, 0, 0, 0, 0, 0]);
    exif
}

fn segment(marker: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 2).unwrap().to_be_bytes();
    [&[0xff, marker][..], &length, body].concat()
}

/// The JPEG with everything a phone, an editor and a messenger may add to it.
pub(in crate::photo) fn with_segments(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut added = segment(0xe1, &[b"Exif\0\0", &exif(orientation)[..]].concat());
    added.extend(segment(0xe1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>SECRET</x:xmpmeta>"));
    added.extend(segment(0xe2, b"MPF\0SECRET"));
    added.extend(segment(0xed, b"Photoshop 3.0\08BIM SECRET"));
    added.extend(segment(0xef, b"SECRET"));
    added.extend(segment(0xfe, b"a SECRET comment"));
    [&jpeg[..2], &added, &jpeg[2..]].concat()
}

/// A PNG chunk.
pub(in crate::photo) fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let checksum = crc32(&[&kind[..], data].concat()).to_be_bytes();
    let length = u32::try_from(data.len()).unwrap().to_be_bytes();
    [&length[..], kind, data, &checksum].concat()
}

/// PNG's checksum (W3C PNG, annex D).
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

/// The PNG with these chunks behind its header.
pub(in crate::photo) fn with_chunks(png: &[u8], chunks: &[Vec<u8>]) -> Vec<u8> {
    // The signature and IHDR.
    let (head, rest) = png.split_at(33);
    [head, &chunks.concat(), rest].concat()
}
