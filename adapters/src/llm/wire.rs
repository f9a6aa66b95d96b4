//! Chat completions as they travel (OpenAI API reference, chat/create).

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::prompt::WritingTask;
use ports::Photo;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::config::{AnswerLimitField, LlmConfig};

#[derive(Serialize)]
pub(super) struct ChatRequest<'a> {
    model: &'a str,
    messages: [Value; 2],
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
}

impl<'a> ChatRequest<'a> {
    /// The photo travels inside the request: it is nobody's business to fetch it from us.
    pub(super) fn new(config: &'a LlmConfig, task: &WritingTask, photo: &Photo) -> Self {
        let picture = format!("data:{};base64,{}", photo.format.mime(), STANDARD.encode(&photo.bytes));
        let limit =
            |field| config.answer_tokens_max.filter(|(named, _)| *named == field).map(|(_, tokens)| tokens);
        Self {
            model: &config.model,
            messages: [
                json!({ "role": "system", "content": task.system }),
                json!({ "role": "user", "content": [
                    { "type": "text", "text": task.user },
                    { "type": "image_url", "image_url": { "url": picture } },
                ]}),
            ],
            max_tokens: limit(AnswerLimitField::MaxTokens),
            max_completion_tokens: limit(AnswerLimitField::MaxCompletionTokens),
            temperature: config.temperature,
        }
    }
}

/// What an answer holds. Everything may be missing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ChatAnswer {
    choices: Vec<Choice>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Choice {
    message: Message,
    finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Message {
    /// Text, or a list of parts.
    content: Value,
    refusal: Option<String>,
}

/// What came of a request that was answered in full.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// A text, not empty.
    Text(String),
    /// The service wrote nothing on purpose.
    Refused(String),
    /// The service wrapped an error into a success, with this number: KIE's chat models do.
    Failed(u16, String),
    /// It cannot be read.
    Unreadable,
}

/// Reads the body of a successful answer.
pub(super) fn read(body: &[u8]) -> Written {
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return Written::Unreadable };
    if value.get("choices").is_none() {
        return match error_number(&value) {
            Some(number) => Written::Failed(number, error_sentence(&value)),
            None => Written::Unreadable,
        };
    }
    let Ok(answer) = serde_json::from_value::<ChatAnswer>(value) else { return Written::Unreadable };
    let Some(choice) = answer.choices.into_iter().next() else {
        return Written::Refused("no choice was offered".to_owned());
    };
    if let Some(refusal) = choice.message.refusal.filter(|refusal| !refusal.trim().is_empty()) {
        return Written::Refused(refusal);
    }
    if choice.finish_reason.as_deref() == Some("content_filter") {
        return Written::Refused("stopped by the content filter".to_owned());
    }
    let text = content_text(&choice.message.content);
    if text.trim().is_empty() {
        Written::Refused("the answer is empty".to_owned())
    } else {
        Written::Text(text)
    }
}

fn content_text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts
            .iter()
            .filter_map(|part| part.get("text").and_then(Value::as_str))
            .collect::<Vec<_>>()
            .join(""),
        _ => String::new(),
    }
}

fn error_number(value: &Value) -> Option<u16> {
    let code = value.get("code")?;
    code.as_u64().or_else(|| code.as_str()?.trim().parse().ok()).and_then(|code| u16::try_from(code).ok())
}

/// The sentence of an error body: OpenAI's `error.message`, or `msg`, or `message`; else empty.
pub(super) fn error_sentence(value: &Value) -> String {
    let places =
        [value.pointer("/error/message"), value.get("error"), value.get("msg"), value.get("message")];
    places.into_iter().flatten().find_map(Value::as_str).unwrap_or_default().to_owned()
}
