//! KIE.AI: the video provider over HTTP.
//!
//! Which models there are and how each is asked for is data ([`Catalogue`], `models.toml`); how an answer is
//! understood is one table (module `map`). Everything else here only carries bytes.
//!
//! Facts about the API come from its documentation (docs.kie.ai) and from publicly recorded traffic of its users.

mod callback;
mod catalogue;
mod client;
mod config;
mod download;
mod inspect;
mod map;
pub(crate) mod mp4;
mod wire;

pub use callback::{CallbackFault, CallbackVerifier, SIGNATURE_HEADER, Seal, TIMESTAMP_HEADER, signature};
pub use catalogue::{Catalogue, CatalogueError, CatalogueModel, KieCredits};
pub use client::KieVideoApi;
pub use config::{KieConfig, KieError, KieKey, KieTimeouts};
pub use inspect::{ModelReport, ModelState};

#[cfg(test)]
mod tests;
