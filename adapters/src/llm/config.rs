//! What the prompt writer needs to be told.

use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use crate::http::HttpOptions;

/// The name under which the answer's length is limited. Services that imitate OpenAI know the old one; OpenAI's
/// reasoning models accept only the new one (OpenAI API reference, chat/create).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AnswerLimitField {
    /// `max_tokens`.
    #[default]
    MaxTokens,
    /// `max_completion_tokens`.
    MaxCompletionTokens,
}

/// Which language model, where, and how patiently.
#[derive(Debug, Clone)]
pub struct LlmConfig {
    /// Address under which `/chat/completions` lies, such as `https://api.openai.com/v1`.
    pub base_url: Url,
    /// The key.
    pub api_key: SecretString,
    /// The model's name; it must read pictures.
    pub model: String,
    /// The longest answer, in tokens, and the field that says so; `None` leaves it to the service.
    pub answer_tokens_max: Option<(AnswerLimitField, u32)>,
    /// How freely it writes, 0 to 2; `None` leaves it to the service (reasoning models accept nothing else).
    pub temperature: Option<f32>,
    /// Time-outs, proxy and User-Agent.
    pub http: HttpOptions,
    /// The largest answer that is read, in bytes.
    pub answer_bytes_max: u64,
}

impl LlmConfig {
    /// A configuration with everything else at its default: 1,000 tokens, temperature 0.8, 60 s, 1 MB.
    #[must_use]
    pub fn new(base_url: Url, api_key: SecretString, model: impl Into<String>) -> Self {
        let limit = Duration::from_secs(60);
        Self {
            base_url,
            api_key,
            model: model.into(),
            answer_tokens_max: Some((AnswerLimitField::default(), 1_000)),
            temperature: Some(0.8),
            http: HttpOptions { read_timeout: limit, total_timeout: Some(limit), ..HttpOptions::default() },
            answer_bytes_max: 1_000_000,
        }
    }
}
