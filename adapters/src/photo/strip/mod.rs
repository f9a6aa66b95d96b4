//! Files without whatever a decoder does not need. The parts that carry pixels and the meaning of colours are copied
//! as they are, everything else is left out: what is not known does not get through.

mod jpeg;
mod png;
mod webp;

use domain::photo::{PhotoError, PhotoFormat};

/// What is left of a file, and what has to be known of what is not.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Stripped {
    /// The file, clean.
    pub(super) bytes: Vec<u8>,
    /// What the camera said (EXIF, without a prefix): it may say how to turn the picture.
    pub(super) exif: Option<Vec<u8>>,
    /// Whether the clean file is still nothing to send on: an animation, or colours for print.
    pub(super) is_unfit: bool,
}

/// Strips a file of this format.
///
/// # Errors
/// [`PhotoError`] when the file ends before its picture does, or is not built as its format demands.
pub(super) fn strip(format: PhotoFormat, file: &[u8]) -> Result<Stripped, PhotoError> {
    match format {
        PhotoFormat::Jpeg => jpeg::strip(file),
        PhotoFormat::Png => png::strip(file),
        PhotoFormat::Webp => webp::strip(file),
    }
}

/// Reads a file from its beginning to its end and never past it.
struct Reader<'a> {
    rest: &'a [u8],
    format: PhotoFormat,
}

impl<'a> Reader<'a> {
    fn new(file: &'a [u8], format: PhotoFormat) -> Self {
        Self { rest: file, format }
    }

    /// The next `length` bytes.
    fn take(&mut self, length: usize) -> Result<&'a [u8], PhotoError> {
        let truncated = PhotoError::Truncated { format: self.format };
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], PhotoError> {
        let truncated = PhotoError::Truncated { format: self.format };
        self.take(N)?.try_into().map_err(|_| truncated)
    }

    fn byte(&mut self) -> Result<u8, PhotoError> {
        self.array::<1>().map(|[byte]| byte)
    }
}

/// EXIF as it is defined, without the prefix JPEG demands and others sometimes copy.
fn without_prefix(exif: &[u8]) -> Vec<u8> {
    exif.strip_prefix(b"Exif\0\0").unwrap_or(exif).to_vec()
}
