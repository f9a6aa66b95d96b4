//! Product photos.

use async_trait::async_trait;
use bytes::Bytes;
use domain::{id::PhotoId, photo::PhotoFormat, time::Timestamp};

use crate::PortError;

/// A stored photo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Photo {
    /// Its bytes.
    pub bytes: Bytes,
    /// Its format, told from the bytes.
    pub format: PhotoFormat,
}

/// Where photos are kept, within reach of every worker.
///
/// Laws: what is stored is read back unchanged; the same bytes get the same id and are stored once.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait PhotoStore: Send + Sync {
    /// Stores a photo.
    async fn put(&self, photo: &Photo, now: Timestamp) -> Result<PhotoId, PortError>;

    /// Reads a photo.
    async fn get(&self, id: PhotoId) -> Result<Option<Photo>, PortError>;
}
