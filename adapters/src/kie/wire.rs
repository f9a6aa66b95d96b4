//! KIE's answers as they really come: lenient in form, so that no oddity is more than a missing value.
//!
//! Seen in the wild: numbers as text, `msg` or `message`, `data` absent or null, a result that is JSON inside a
//! string, empty strings for "nothing".

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use url::Url;

use crate::http;

/// What every answer is wrapped in.
#[derive(Debug, PartialEq)]
pub(super) struct Envelope {
    /// KIE's own status, which counts before the HTTP one.
    pub(super) code: Option<i64>,
    /// Its sentence; empty when there is none.
    pub(super) message: String,
    /// The matter; null when there is none.
    pub(super) data: Value,
}

#[derive(Deserialize)]
struct RawEnvelope {
    #[serde(default, deserialize_with = "number")]
    code: Option<i64>,
    #[serde(default, deserialize_with = "sentence")]
    msg: Option<String>,
    #[serde(default, deserialize_with = "sentence")]
    message: Option<String>,
    #[serde(default, deserialize_with = "sentence")]
    error: Option<String>,
    #[serde(default)]
    data: Value,
}

impl Envelope {
    /// Reads an answer; `None` when it is not a JSON object.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        // Through `Value`, where a repeated key is no error.
        let value: Value = serde_json::from_slice(body).ok()?;
        let raw: RawEnvelope = value.is_object().then(|| serde_json::from_value(value).ok()).flatten()?;
        let message = raw.msg.or(raw.message).or(raw.error).unwrap_or_default();
        Some(Self { code: raw.code, message, data: raw.data })
    }
}

fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Ok(Value::deserialize(deserializer)
        .ok()
        .and_then(|value| text(&value))
        .and_then(|text| text.parse().ok()))
}

fn sentence<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    // Gateways wrap their sentence in an object: {"error": {"message": "…"}}.
    Ok(text(&value).or_else(|| value.get("message").and_then(text)))
}

/// A scalar as text: strings trimmed, numbers and flags written out; `None` when there is nothing to read.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The first usable web address at `path` below `record`. A string on the way, or at its end, may hold JSON.
pub(super) fn web_address_at(record: &Value, path: &[String]) -> Option<String> {
    let Some((step, rest)) = path.split_first() else { return web_address(record) };
    match record {
        Value::String(text) => {
            // A string that holds a string would never end.
            let inner: Value = serde_json::from_str(text).ok().filter(Value::is_object)?;
            web_address_at(inner.get(step)?, rest)
        }
        _ => web_address_at(record.get(step)?, rest),
    }
}

fn web_address(value: &Value) -> Option<String> {
    match value {
        Value::Array(values) => values.iter().find_map(|value| value.as_str().and_then(as_web_address)),
        Value::String(text) if text.trim_start().starts_with('[') => {
            let values: Vec<Value> = serde_json::from_str(text).ok()?;
            values.iter().find_map(|value| value.as_str().and_then(as_web_address))
        }
        Value::String(text) => as_web_address(text),
        _ => None,
    }
}

/// Longer than any address a server would accept.
const ADDRESS_BYTES_MAX: usize = 8_192;

/// The text, if it is an http or https address.
pub(super) fn as_web_address(text: &str) -> Option<String> {
    let url = Url::parse(text.trim()).ok().filter(http::is_http)?;
    Some(String::from(url)).filter(|url| url.len() <= ADDRESS_BYTES_MAX)
}
