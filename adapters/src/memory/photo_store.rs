//! Photos.

use async_trait::async_trait;
use domain::{id::PhotoId, time::Timestamp};
use ports::{Photo, PhotoStore, PortError};
use sha2::{Digest, Sha256};

use super::MemStores;

/// A photo's id: the first 128 bits of the SHA-256 of its bytes.
pub(crate) fn photo_id(bytes: &[u8]) -> PhotoId {
    let digest = Sha256::digest(bytes);
    let mut head = [0; 16];
    head.copy_from_slice(&digest[..16]);
    PhotoId::new(u128::from_be_bytes(head))
}

#[async_trait]
impl PhotoStore for MemStores {
    async fn put(&self, photo: &Photo, now: Timestamp) -> Result<PhotoId, PortError> {
        let id = photo_id(&photo.bytes);
        let mut world = self.lock();
        world.photos.entry(id).or_insert_with(|| photo.clone());
        world.bot.photos_stored_at.insert(id, now);
        Ok(id)
    }

    async fn get(&self, id: PhotoId) -> Result<Option<Photo>, PortError> {
        Ok(self.lock().photos.get(&id).cloned())
    }
}
