//! A file that was read but not opened, and the photo that is made of it.

use std::io::Cursor;

use bytes::Bytes;
use domain::photo::{PhotoError, PhotoFormat, PhotoTerms, PictureKind, inspect, size_to_store, smaller_size};
use image::{
    DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageError, ImageFormat, ImageReader,
    ImageResult, Limits, RgbImage,
    codecs::{jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder},
    metadata::Orientation,
};
use ports::Photo;

use super::strip::strip;

/// The most bytes a picture may have when it is opened: 50 megapixels of four bytes. While one is turned, cleaned of
/// its transparency or decoded in several passes, about twice as much comes on top.
pub(super) const OPENED_BYTES_MAX: u64 = 200_000_000;

/// How well a photo is written anew, in JPEG's per cent: as well as its limit in bytes allows.
const QUALITIES: [u8; 3] = [90, 80, 65];

/// The largest colour profile taken over, in bytes. Cameras' have some hundreds, printers' a megabyte.
const PROFILE_BYTES_MAX: usize = 1 << 20;

/// A file that was read and not opened.
#[derive(Debug)]
pub(super) struct Negative {
    kind: PictureKind,
    /// The file without metadata, where it can be had without opening it.
    bytes: Bytes,
    /// How the camera was held.
    orientation: Orientation,
    size: (u32, u32),
    size_to_store: (u32, u32),
    /// Whether it is nothing to send on as it is.
    is_unfit: bool,
    /// How many bytes it has when it is opened.
    pub(super) opened_bytes: u64,
}

impl Negative {
    /// Reads a file's structure and checks what it declares, before anything is opened.
    ///
    /// # Errors
    /// [`PhotoError`] when no photo can be made of it.
    pub(super) fn read(file: &Bytes) -> Result<Self, PhotoError> {
        let kind = inspect(file)?;
        let (bytes, exif, is_unfit) = match kind.photo_format() {
            Some(format) => {
                let clean = strip(format, file)?;
                (Bytes::from(clean.bytes), clean.exif, clean.is_unfit)
            }
            None => (file.clone(), None, true),
        };
        let mut decoder = decoder(kind, &bytes).map_err(|error| unreadable(kind, &error))?;
        let said = match exif {
            Some(exif) => Orientation::from_exif_chunk(&exif),
            None => decoder.orientation().ok(),
        };
        let size = decoder.dimensions();
        let size_to_store = size_to_store(size)?;
        let opened_bytes = decoder.total_bytes();
        if opened_bytes > OPENED_BYTES_MAX {
            let max = OPENED_BYTES_MAX / u64::from(decoder.color_type().bytes_per_pixel()).max(1);
            return Err(PhotoError::TooManyPixels { width: size.0, height: size.1, max });
        }
        drop(decoder);
        let orientation = said.unwrap_or(Orientation::NoTransforms);
        Ok(Self { kind, bytes, orientation, size, size_to_store, is_unfit, opened_bytes })
    }

    /// Opens the picture and makes a photo of it.
    ///
    /// # Errors
    /// [`PhotoError`] when it cannot be opened, or not be made small enough.
    pub(super) fn develop(self, terms: &PhotoTerms) -> Result<Photo, PhotoError> {
        let kind = self.kind;
        let mut decoder = decoder(kind, &self.bytes).map_err(|error| unreadable(kind, &error))?;
        let profile = decoder.icc_profile().ok().flatten().filter(|profile| is_for_screens(profile));
        // Also what is sent on as it is: a picture nobody can open would be refused later, after it was paid for.
        let image = DynamicImage::from_decoder(decoder).map_err(|error| unreadable(kind, &error))?;
        if let Some(format) = self.format_as_it_is(terms) {
            return Ok(Photo { bytes: self.bytes, format });
        }
        let mut image = DynamicImage::ImageRgb8(on_white(image));
        if self.size_to_store != self.size {
            image = image.thumbnail_exact(self.size_to_store.0, self.size_to_store.1);
        }
        image.apply_orientation(self.orientation);
        written(kind, image.into_rgb8(), profile.as_deref(), terms)
    }

    /// What to say when it cannot be opened.
    pub(super) const fn damaged(&self) -> PhotoError {
        PhotoError::Damaged { found: self.kind }
    }

    /// The format of a picture that needs no change.
    fn format_as_it_is(&self, terms: &PhotoTerms) -> Option<PhotoFormat> {
        let is_fit = !self.is_unfit
            && self.orientation == Orientation::NoTransforms
            && self.size == self.size_to_store
            && self.bytes.len() as u64 <= terms.bytes_max;
        let own = self.kind.photo_format()?;
        (is_fit && terms.format_of(self.kind) == own).then_some(own)
    }
}

/// Writes a photo as well as its limit in bytes allows.
fn written(
    kind: PictureKind,
    mut image: RgbImage,
    profile: Option<&[u8]>,
    terms: &PhotoTerms,
) -> Result<Photo, PhotoError> {
    let format = terms.rewritten();
    let qualities = if format == PhotoFormat::Jpeg { &QUALITIES[..] } else { &QUALITIES[..1] };
    loop {
        let mut smallest = u64::MAX;
        for quality in qualities {
            let bytes = encode(format, *quality, &image, profile);
            let bytes = bytes.map_err(|error| unreadable(kind, &error))?;
            smallest = bytes.len() as u64;
            if smallest <= terms.bytes_max {
                return Ok(Photo { bytes: bytes.into(), format });
            }
        }
        let too_large = PhotoError::TooLarge { bytes: smallest, max: terms.bytes_max };
        let (width, height) = smaller_size(image.dimensions()).ok_or(too_large)?;
        image = DynamicImage::ImageRgb8(image).thumbnail_exact(width, height).into_rgb8();
    }
}

fn encode(
    format: PhotoFormat,
    quality: u8,
    image: &RgbImage,
    profile: Option<&[u8]>,
) -> ImageResult<Vec<u8>> {
    fn write(mut encoder: impl ImageEncoder, image: &RgbImage, profile: Option<&[u8]>) -> ImageResult<()> {
        if let Some(profile) = profile {
            encoder.set_icc_profile(profile.to_vec()).map_err(ImageError::Unsupported)?;
        }
        encoder.write_image(image.as_raw(), image.width(), image.height(), ExtendedColorType::Rgb8)
    }
    let mut bytes = Vec::new();
    match format {
        PhotoFormat::Jpeg => write(JpegEncoder::new_with_quality(&mut bytes, quality), image, profile)?,
        PhotoFormat::Png => write(PngEncoder::new(&mut bytes), image, profile)?,
        PhotoFormat::Webp => write(WebPEncoder::new_lossless(&mut bytes), image, profile)?,
    }
    Ok(bytes)
}

fn decoder(kind: PictureKind, bytes: &Bytes) -> ImageResult<impl ImageDecoder> {
    let format = match kind {
        PictureKind::Jpeg => ImageFormat::Jpeg,
        PictureKind::Png => ImageFormat::Png,
        PictureKind::Webp => ImageFormat::WebP,
        PictureKind::Gif => ImageFormat::Gif,
        PictureKind::Bmp => ImageFormat::Bmp,
        PictureKind::Tiff => ImageFormat::Tiff,
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes.clone()), format);
    let mut limits = Limits::default();
    // What a decoder needs besides the picture itself.
    limits.max_alloc = Some(OPENED_BYTES_MAX);
    reader.limits(limits);
    reader.into_decoder()
}

fn unreadable(kind: PictureKind, error: &ImageError) -> PhotoError {
    tracing::debug!(%kind, %error, "a picture cannot be read");
    PhotoError::Damaged { found: kind }
}

/// Whether a colour profile describes red, green and blue (ICC.1, 7.2.6: the data colour space at byte 16), which is
/// what is written.
fn is_for_screens(profile: &[u8]) -> bool {
    profile.len() <= PROFILE_BYTES_MAX && profile.get(16..20) == Some(b"RGB ")
}

/// Without transparency: what is clear becomes white, as in a shop's picture, and not the black that decoders make of
/// it.
fn on_white(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let image = image.into_rgba8();
    let mut pixels = Vec::with_capacity(image.as_raw().len() / 4 * 3);
    for [red, green, blue, alpha] in image.as_raw().as_chunks::<4>().0 {
        let over = |colour: u8| {
            let (colour, alpha) = (u32::from(colour), u32::from(*alpha));
            u8::try_from((colour * alpha + 255 * (255 - alpha) + 127) / 255).unwrap_or(u8::MAX)
        };
        pixels.extend([over(*red), over(*green), over(*blue)]);
    }
    RgbImage::from_raw(image.width(), image.height(), pixels).unwrap_or_default()
}
