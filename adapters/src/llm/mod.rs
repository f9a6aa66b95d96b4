//! The language model that writes prompts: any service that speaks OpenAI's chat completions.
//!
//! The two structures of that exchange are written here, on the HTTP client the other adapters use.

mod config;
mod wire;
mod writer;

pub use config::{AnswerLimitField, LlmConfig};
pub use writer::ChatPromptWriter;

#[cfg(test)]
mod tests;
