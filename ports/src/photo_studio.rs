//! What turns a file somebody sent into a photo that can be kept.

use async_trait::async_trait;
use bytes::Bytes;
use domain::photo::{PhotoError, PhotoTerms};

use crate::{Photo, PortError};

/// What came of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prepared {
    /// A photo within the terms.
    Ready(Photo),
    /// No photo can be made of it; the reason names the fix.
    Refused(PhotoError),
}

/// Prepares photos: upright, without metadata, within the limits.
///
/// Laws: whatever the bytes are, the answer is one of the three below. A photo that is ready can be opened, is of the
/// format it says and of one the terms allow, has no more bytes than they allow and no more pixels than
/// [`domain::photo::size_to_store`] says; it carries no position, camera data, comments or other metadata, and is
/// shown upright by whoever ignores them. The same file under the same terms becomes the same photo, byte for byte,
/// or a confirmation sent twice would look like two. A file that needs no change loses no quality.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait PhotoStudio: Send + Sync {
    /// Prepares a photo for a model.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Transient`] when it could not be tried.
    async fn prepare(&self, file: Bytes, terms: &PhotoTerms) -> Result<Prepared, PortError>;
}
