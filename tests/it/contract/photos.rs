//! Photos.

use domain::id::PhotoId;

use super::laws;
use crate::{
    make::{at, photo},
    stores::Stores,
};

laws![a_photo_is_read_back_unchanged, the_same_photo_is_stored_once];

async fn a_photo_is_read_back_unchanged(stores: Stores) {
    let id = stores.photos.put(&photo(), at(0)).await.unwrap();
    assert_eq!(stores.photos.get(id).await.unwrap(), Some(photo()));
    assert_eq!(stores.photos.get(PhotoId::new(1)).await.unwrap(), None);
}

async fn the_same_photo_is_stored_once(stores: Stores) {
    let first = stores.photos.put(&photo(), at(0)).await.unwrap();
    assert_eq!(stores.photos.put(&photo(), at(5)).await.unwrap(), first);
}
