//! The studio as a simulated process sees it.

use async_trait::async_trait;
use bytes::Bytes;
use domain::photo::{self, PhotoTerms};
use ports::{Photo, PhotoStudio, PortError, Prepared};

use super::faults::Passage;

/// Takes files as they are, whatever the port's laws say of them: simulated users send the same small, clean photo
/// thousands of times a day, and a day is not about pictures.
pub(crate) struct AsSent;

#[async_trait]
impl PhotoStudio for AsSent {
    async fn prepare(&self, file: Bytes, terms: &PhotoTerms) -> Result<Prepared, PortError> {
        Ok(match photo::inspect(&file) {
            Ok(kind) => Prepared::Ready(Photo { bytes: file, format: terms.format_of(kind) }),
            Err(why) => Prepared::Refused(why),
        })
    }
}

/// A real studio, which works while simulated time stands still.
pub(crate) struct SimStudio<S> {
    pub(crate) real: S,
    pub(crate) passage: Passage,
}

#[async_trait]
impl<S: PhotoStudio> PhotoStudio for SimStudio<S> {
    async fn prepare(&self, file: Bytes, terms: &PhotoTerms) -> Result<Prepared, PortError> {
        self.passage.through(self.real.prepare(file, terms)).await
    }
}
