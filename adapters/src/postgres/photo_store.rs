//! Photos, as rows: every host reaches them.

use async_trait::async_trait;
use bytes::Bytes;
use domain::{id::PhotoId, photo::PhotoFormat, time::Timestamp};
use ports::{Photo, PhotoStore, PortError};
use uuid::Uuid;

use super::{
    PgStores,
    error::{failed, inconsistent},
    time::to_db,
};
use crate::memory::photo_id;

#[async_trait]
impl PhotoStore for PgStores {
    async fn put(&self, photo: &Photo, now: Timestamp) -> Result<PhotoId, PortError> {
        let id = photo_id(&photo.bytes);
        sqlx::query(
            // Stored again it is as good as new, so that nobody forgets it before its order is placed.
            "INSERT INTO photos AS p (id, format, bytes, stored_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (id) DO UPDATE SET bytes = coalesce(p.bytes, EXCLUDED.bytes),
                                            stored_at = greatest(p.stored_at, EXCLUDED.stored_at)",
        )
        .bind(Uuid::from_u128(id.value()))
        .bind(photo.format.as_str())
        .bind(photo.bytes.as_ref())
        .bind(to_db(now))
        .execute(&self.connections)
        .await
        .map_err(failed("store the photo"))?;
        Ok(id)
    }

    async fn get(&self, id: PhotoId) -> Result<Option<Photo>, PortError> {
        if let Some(photo) = self.photos.get(&id) {
            return Ok(Some(photo));
        }
        let row: Option<(String, Vec<u8>)> =
            sqlx::query_as("SELECT format, bytes FROM photos WHERE id = $1 AND bytes IS NOT NULL")
                .bind(Uuid::from_u128(id.value()))
                .fetch_optional(&self.connections)
                .await
                .map_err(failed("read the photo"))?;
        let Some((format, bytes)) = row else { return Ok(None) };
        let format = PhotoFormat::parse(&format).ok_or_else(|| inconsistent("photos", "format", id))?;
        let photo = Photo { bytes: Bytes::from(bytes), format };
        self.photos.keep(id, photo.clone(), photo.bytes.len());
        Ok(Some(photo))
    }
}
