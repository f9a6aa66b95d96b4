//! What a photo has to be like to be kept.

use super::{PhotoError, PhotoFormat, PictureKind};

/// The most pixels a file may declare: a 48-megapixel phone camera's. Pictures are opened whole in memory.
pub const PHOTO_PIXELS_MAX: u64 = 50_000_000;

/// The shortest side of a photo, in pixels: the strictest documented limit of the models (KIE docs: happyhorse and
/// seedance 300, wan and minimax 256).
pub const PHOTO_SIDE_MIN: u32 = 300;

/// The longest side of a stored photo, in pixels; larger ones are scaled down. The strictest documented limit of the
/// models is 5760 (KIE docs: minimax; seedance 6000). A 12-megapixel phone photo (4032 pixels) stays as it is, and a
/// video has at most 1080 lines.
pub const PHOTO_SIDE_MAX: u32 = 4_096;

/// How many times the short side the long side may be: the strictest documented limit (KIE docs: seedance, happyhorse
/// and minimax take width to height from 0.4 to 2.5).
pub const PHOTO_RATIO_MAX: f32 = 2.5;

/// What one model takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhotoTerms {
    /// The formats it reads.
    pub formats: Vec<PhotoFormat>,
    /// The largest photo it takes, in bytes.
    pub bytes_max: u64,
}

impl PhotoTerms {
    /// What a picture of this kind becomes when nothing else has to be changed: its own format where the model reads
    /// it, and [`Self::rewritten`] otherwise.
    #[must_use]
    pub fn format_of(&self, kind: PictureKind) -> PhotoFormat {
        kind.photo_format().filter(|format| self.formats.contains(format)).unwrap_or_else(|| self.rewritten())
    }

    /// The format of a photo that has to be written anew: JPEG, the only one that can be made smaller at will, unless
    /// the model does not read it.
    #[must_use]
    pub fn rewritten(&self) -> PhotoFormat {
        let reads = |format: &PhotoFormat| self.formats.contains(format);
        PhotoFormat::ALL.into_iter().find(reads).unwrap_or(PhotoFormat::Jpeg)
    }
}

/// The size, in pixels, in which a picture of this size is stored.
///
/// # Errors
/// [`PhotoError`] when it has too many or too few pixels or is too long and narrow.
pub fn size_to_store((width, height): (u32, u32)) -> Result<(u32, u32), PhotoError> {
    if u64::from(width) * u64::from(height) > PHOTO_PIXELS_MAX {
        return Err(PhotoError::TooManyPixels { width, height, max: PHOTO_PIXELS_MAX });
    }
    let (short, long) = (width.min(height), width.max(height));
    if short < PHOTO_SIDE_MIN {
        return Err(PhotoError::TooSmall { width, height, min: PHOTO_SIDE_MIN });
    }
    if f64::from(long) > f64::from(short) * f64::from(PHOTO_RATIO_MAX) {
        return Err(PhotoError::TooStretched { width, height });
    }
    if long <= PHOTO_SIDE_MAX {
        return Ok((width, height));
    }
    // Rounded up, so that the ratio does not grow beyond its limit.
    let scaled = |side: u32| {
        let scaled = (u64::from(side) * u64::from(PHOTO_SIDE_MAX)).div_ceil(u64::from(long));
        u32::try_from(scaled).unwrap_or(PHOTO_SIDE_MAX)
    };
    Ok((scaled(width), scaled(height)))
}

/// The next smaller size to try when a photo of this size has too many bytes: three quarters of it. `None` when it
/// would be too small.
#[must_use]
pub fn smaller_size((width, height): (u32, u32)) -> Option<(u32, u32)> {
    let (short, long) = (width.min(height), width.max(height));
    // Rounded so that the ratio does not grow.
    let short = short - short / 4;
    let long = (long - long.div_ceil(4)).max(short);
    (short >= PHOTO_SIDE_MIN).then_some(if width < height { (short, long) } else { (long, short) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_photos_keep_their_size_and_larger_ones_are_scaled_down() {
        for size in [(300, 300), (800, 1_000), (3_024, 4_032), (4_096, 1_639), (300, 750)] {
            assert_eq!(size_to_store(size), Ok(size));
        }
        assert_eq!(size_to_store((8_064, 6_048)), Ok((4_096, 3_072)));
        assert_eq!(size_to_store((6_048, 8_064)), Ok((3_072, 4_096)));
    }

    #[test]
    fn what_no_model_takes_is_refused_with_a_reason() {
        for (size, told) in [
            ((299, 700), "299x700 pixels and each side needs at least 300: send a larger"),
            ((300, 751), "300x751 pixels, and the long side may be at most 2.5 times the short one: crop"),
            ((10_000, 5_001), "10000x5001 pixels and at most 50000000 pixels are opened: send it as a photo"),
            ((0, 0), "0x0 pixels"),
            ((u32::MAX, u32::MAX), "pixels are opened"),
        ] {
            let error = size_to_store(size).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn what_is_written_anew_is_a_jpeg_where_the_model_reads_one() {
        use PhotoFormat::{Jpeg, Png, Webp};
        let terms = |formats: &[PhotoFormat]| PhotoTerms { formats: formats.to_vec(), bytes_max: 1 };
        assert_eq!(terms(&[Png, Jpeg]).format_of(PictureKind::Webp), Jpeg);
        assert_eq!(terms(&[Png, Jpeg]).format_of(PictureKind::Png), Png);
        assert_eq!(terms(&PhotoFormat::ALL).format_of(PictureKind::Gif), Jpeg);
        assert_eq!(terms(&[Webp, Png]).format_of(PictureKind::Jpeg), Png);
    }

    #[test]
    fn a_photo_is_made_smaller_in_steps_and_not_without_end() {
        assert_eq!(smaller_size((4_000, 2_000)), Some((3_000, 1_500)));
        assert_eq!(smaller_size((2_001, 4_003)), Some((1_501, 3_002)));
        assert_eq!(smaller_size((507, 507)), Some((381, 381)));
        assert_eq!(smaller_size((398, 398)), None);
        assert_eq!(smaller_size((0, 0)), None);
    }

    proptest! {
        #[test]
        fn a_smaller_size_keeps_every_limit_too(width in 1_u32..5_000, height in 1_u32..5_000) {
            let smaller = smaller_size((width, height));
            prop_assert_eq!(smaller.is_some(), width.min(height) >= 399);
            if size_to_store((width, height)).is_ok() && let Some((w, h)) = smaller {
                prop_assert_eq!(size_to_store((w, h)), Ok((w, h)));
                prop_assert!(w < width && h < height);
            }
        }

        #[test]
        fn a_stored_size_keeps_every_limit_and_the_proportions(width in 1_u32..20_000, height in 1_u32..20_000) {
            if let Ok((w, h)) = size_to_store((width, height)) {
                prop_assert!(w.min(h) >= PHOTO_SIDE_MIN && w.max(h) <= PHOTO_SIDE_MAX);
                prop_assert!(w <= width && h <= height);
                prop_assert!(f64::from(w.max(h)) <= f64::from(w.min(h)) * f64::from(PHOTO_RATIO_MAX));
                prop_assert_eq!(size_to_store((w, h)), Ok((w, h)), "what is stored is stored as it is");
                let (was, is) = (f64::from(width) / f64::from(height), f64::from(w) / f64::from(h));
                prop_assert!((was / is - 1.0).abs() < 0.002, "{was} became {is}");
            }
        }
    }
}
