//! The call, and what its failures mean.

use std::fmt;

use async_trait::async_trait;
use domain::prompt::WritingTask;
use ports::{ErrorKind, Photo, PortError, PromptWriter};
use reqwest::Client;
use secrecy::ExposeSecret;
use serde_json::Value;

use super::{
    config::LlmConfig,
    wire::{self, ChatRequest, Written},
};
use crate::http::{self, ExchangeError, HttpError};

/// The most of a service's sentence that is quoted, in characters.
const QUOTED_CHARS_MAX: usize = 300;

/// Writes prompts with a language model behind OpenAI's chat completions.
pub struct ChatPromptWriter {
    config: LlmConfig,
    client: Client,
}

/// Leaves the HTTP client out: it would show the proxy's credentials.
impl fmt::Debug for ChatPromptWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatPromptWriter").field("config", &self.config).finish_non_exhaustive()
    }
}

impl ChatPromptWriter {
    /// Checks the configuration and makes the HTTP client; nothing is sent.
    ///
    /// # Errors
    /// [`HttpError`] when the configuration cannot work.
    pub fn new(config: LlmConfig) -> Result<Self, HttpError> {
        http::check_base(&config.base_url, "the language model")?;
        if !config.api_key.expose_secret().bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(HttpError::Key { service: "the language model" });
        }
        // The key travels with the request, so no redirect is followed.
        let client = http::client(&http::HttpOptions { redirects_max: 0, ..config.http.clone() })?;
        Ok(Self { config, client })
    }

    /// Quotes the service, without the key should it repeat it, in one line.
    fn quote(&self, sentence: &str) -> String {
        let key = self.config.api_key.expose_secret();
        let sentence = if key.is_empty() { sentence.to_owned() } else { sentence.replace(key, "[key]") };
        let line = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
        line.chars().filter(|c| !c.is_control()).take(QUOTED_CHARS_MAX).collect()
    }

    fn refused(&self, status: u16, sentence: &str) -> PortError {
        let kind = match status {
            408 | 429 | 500..=599 => ErrorKind::Transient,
            _ => ErrorKind::Rejected,
        };
        PortError::new(kind, format!("the language model answered {status}: {}", self.quote(sentence)))
    }
}

#[async_trait]
impl PromptWriter for ChatPromptWriter {
    async fn write(&self, task: &WritingTask, photo: &Photo) -> Result<String, PortError> {
        let request = self
            .client
            .post(http::join(&self.config.base_url, "chat/completions"))
            .bearer_auth(self.config.api_key.expose_secret())
            .json(&ChatRequest::new(&self.config, task, photo));
        let answer = http::exchange(request, self.config.answer_bytes_max).await.map_err(lost)?;
        tracing::debug!(
            http_status = answer.status,
            bytes = answer.body.len(),
            "the language model answered"
        );
        if !(200..300).contains(&answer.status) {
            let sentence = match serde_json::from_slice::<Value>(&answer.body) {
                Ok(value) => wire::error_sentence(&value),
                Err(_) => String::from_utf8_lossy(&answer.body).into_owned(),
            };
            return Err(self.refused(answer.status, &sentence));
        }
        match wire::read(&answer.body) {
            Written::Text(text) => Ok(text),
            Written::Failed(number, sentence) => Err(self.refused(number, &sentence)),
            Written::Refused(why) => {
                let why = self.quote(&why);
                Err(PortError::new(ErrorKind::Rejected, format!("the language model wrote no prompt: {why}")))
            }
            Written::Unreadable => {
                Err(PortError::new(ErrorKind::AnswerLost, "the language model's answer cannot be read"))
            }
        }
    }
}

fn lost(error: ExchangeError) -> PortError {
    let kind = match error {
        ExchangeError::NeverLeft(_) => ErrorKind::Transient,
        ExchangeError::TimedOut(_) | ExchangeError::CutOff(_) => ErrorKind::AnswerLost,
        ExchangeError::TooLarge { .. } => ErrorKind::Rejected,
    };
    PortError::with_source(kind, "the language model gave no answer", error)
}
