//! The catalogue of video models: what can be ordered and how KIE is asked for it.

mod check;
mod file;
mod price;
mod shape;

use std::collections::BTreeMap;

use domain::{id::ModelId, model::VideoModel};
use serde_json::Value;

pub use price::KieCredits;
pub(super) use shape::{Endpoint, StateWords};

use self::shape::RequestShape;

/// The catalogue that comes with the program.
const BUILTIN: &str = include_str!("../../../models.toml");

/// The catalogue cannot be used. The text names the entry, the key and the fix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    /// Not TOML, or not of the expected form.
    #[error("model catalogue, line {line}{entry}: {problem}")]
    Form {
        /// Line of the text, from 1.
        line: usize,
        /// The entry it stands in, when one can be told: ` (model `x`)`, else empty.
        entry: String,
        /// What is wrong there.
        problem: String,
    },
    /// Well-formed, but it cannot work.
    #[error("model catalogue, {place}, key `{key}`: {problem}")]
    Content {
        /// The entry.
        place: String,
        /// The key within it.
        key: String,
        /// What is wrong and what to do.
        problem: String,
    },
}

/// The video models Kadr may use.
#[derive(Debug, Clone)]
pub struct Catalogue {
    default_model: ModelId,
    models: Vec<CatalogueModel>,
}

impl Catalogue {
    /// Reads a catalogue and checks all of it.
    ///
    /// # Errors
    /// [`CatalogueError`] naming the first thing to change.
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        check::catalogue(file::read(text)?)
    }

    /// The catalogue that comes with the program.
    ///
    /// # Errors
    /// None in a program whose tests passed: they read it too.
    pub fn builtin() -> Result<Self, CatalogueError> {
        Self::parse(BUILTIN)
    }

    /// The model of orders that name none; it is in the catalogue and enabled.
    #[must_use]
    pub fn default_model(&self) -> &ModelId {
        &self.default_model
    }

    /// A model, enabled or not.
    #[must_use]
    pub fn model(&self, id: &ModelId) -> Option<&CatalogueModel> {
        self.models.iter().find(|model| model.video.id == *id)
    }

    /// Every model, in the order of the text.
    pub fn models(&self) -> impl Iterator<Item = &CatalogueModel> {
        self.models.iter()
    }
}

/// One entry of the catalogue.
#[derive(Debug, Clone)]
pub struct CatalogueModel {
    /// What orders and jobs need to know.
    pub video: VideoModel,
    /// KIE's name for it.
    pub slug: String,
    /// Which of KIE's APIs it is asked through: a name of the catalogue's `api` tables.
    pub api: String,
    /// When shape and price were last compared with KIE's, as `YYYY-MM-DD`.
    pub checked: String,
    /// What an operator should know before using it.
    pub notice: Option<String>,
    /// Price of a clip by its length in seconds; the keys are the lengths KIE offers.
    pub prices: BTreeMap<u32, KieCredits>,
    /// Price of the clip that is ordered: one of [`Self::prices`].
    pub price: KieCredits,
    pub(super) endpoint: Endpoint,
    shape: RequestShape,
}

impl CatalogueModel {
    /// The body of a request for one clip of the default length.
    #[must_use]
    pub fn request_body(&self, prompt: &str, photo_url: &str) -> Value {
        self.request_body_for(prompt, photo_url, self.video.clip_seconds)
    }

    /// The body of a request that says which model and nothing else.
    pub(super) fn empty_request_body(&self) -> Value {
        match self.endpoint.fields_under() {
            "" => serde_json::json!({ "model": self.slug }),
            under => serde_json::json!({ "model": self.slug, under: {} }),
        }
    }

    fn request_body_for(&self, prompt: &str, photo_url: &str, seconds: u32) -> Value {
        self.shape.body(&self.slug, &self.endpoint.fields_under, prompt, photo_url, seconds)
    }
}

#[cfg(test)]
mod tests;
