//! Where photos are prepared: on threads of their own, no more at a time than memory allows.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::photo::{PhotoError, PhotoTerms};
use ports::{ErrorKind, Photo, PhotoStudio, PortError, Prepared};
use tokio::{sync::Semaphore, task};

use super::negative::{Negative, OPENED_BYTES_MAX};

/// What memory is counted in, in bytes.
const MEGABYTE: u64 = 1_000_000;

/// Prepares photos on this machine.
#[derive(Debug, Clone)]
pub struct ImageStudio {
    /// One permit for each megabyte of opened pictures: a single large one, or several of an ordinary size.
    memory: Arc<Semaphore>,
}

impl Default for ImageStudio {
    fn default() -> Self {
        let megabytes = usize::try_from(OPENED_BYTES_MAX / MEGABYTE).unwrap_or(1);
        Self { memory: Arc::new(Semaphore::new(megabytes)) }
    }
}

impl ImageStudio {
    async fn photo_of(&self, file: Bytes, terms: PhotoTerms) -> Result<Result<Photo, PhotoError>, PortError> {
        let negative = on_a_thread(PhotoError::NotAnImage, move || Negative::read(&file)).await?;
        let negative = match negative {
            Ok(negative) => negative,
            Err(refused) => return Ok(Err(refused)),
        };
        let megabytes = u32::try_from(negative.opened_bytes / MEGABYTE).unwrap_or(u32::MAX).max(1);
        let memory = Arc::clone(&self.memory).acquire_many_owned(megabytes).await;
        let memory = memory.map_err(|e| untried("the studio is closed", e))?;
        let damaged = negative.damaged();
        on_a_thread(damaged, move || {
            // Given back by the thread: it goes on when nobody waits for it any more.
            let _memory = memory;
            negative.develop(&terms)
        })
        .await
    }
}

fn untried(why: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> PortError {
    PortError::with_source(ErrorKind::Transient, format!("the photo could not be prepared: {why}"), source)
}

/// Does what takes a processor's time where it holds up nobody. A picture that makes a decoder panic is refused for
/// the reason `if_it_panics`: the next try would end no better.
async fn on_a_thread<T: Send + 'static>(
    if_it_panics: PhotoError,
    work: impl FnOnce() -> Result<T, PhotoError> + Send + 'static,
) -> Result<Result<T, PhotoError>, PortError> {
    match task::spawn_blocking(work).await {
        Ok(done) => Ok(done),
        Err(error) if error.is_panic() => {
            tracing::error!(%error, "a decoder failed over a photo; it was refused as unreadable");
            Ok(Err(if_it_panics))
        }
        Err(error) => Err(untried("the program is stopping", error)),
    }
}

#[async_trait]
impl PhotoStudio for ImageStudio {
    async fn prepare(&self, file: Bytes, terms: &PhotoTerms) -> Result<Prepared, PortError> {
        let size = file.len();
        let prepared = self.photo_of(file, terms.clone()).await?;
        match &prepared {
            Ok(photo) => {
                tracing::debug!(bytes = size, stored = photo.bytes.len(), format = %photo.format, "photo prepared");
            }
            Err(why) => tracing::debug!(bytes = size, %why, "photo refused"),
        }
        Ok(prepared.map_or_else(Prepared::Refused, Prepared::Ready))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_over_a_photo_refuses_the_photo_and_nothing_else() {
        let refused = on_a_thread(PhotoError::NotAnImage, || -> Result<(), _> { panic!("a decoder's bug") });
        assert_eq!(refused.await.unwrap(), Err(PhotoError::NotAnImage));
        assert_eq!(on_a_thread(PhotoError::NotAnImage, || Ok(5)).await.unwrap(), Ok(5));
    }

    #[tokio::test]
    async fn a_photo_that_cannot_be_tried_is_neither_taken_nor_refused() {
        let studio = ImageStudio::default();
        studio.memory.close();
        let terms = PhotoTerms { formats: Vec::new(), bytes_max: 1 };
        let file = crate::photo::tests::pictures::png(&crate::photo::tests::pictures::upright());
        let error = studio.prepare(file.into(), &terms).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transient);
    }
}
