//! The simulated outside world: KIE.AI and a language model.
//!
//! [`KieModel`] is pure: it knows no sockets and no clock, and every call is a function of its state, its
//! arguments and `now`. [`wire`] puts it behind HTTP with wiremock, speaking KIE's protocol as it was seen in
//! recorded traffic; [`llm`] does the same for an OpenAI-compatible chat endpoint.

mod http;
pub mod kie_model;
pub mod llm;
pub mod memory;
pub mod wire;

pub use http::{RequestLine, RequestLog};
pub use kie_model::KieModel;
