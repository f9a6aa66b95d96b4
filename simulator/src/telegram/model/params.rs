//! The parameters of a call.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;

use super::words::{self, Refusal};

/// A file in a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// What the sender calls it.
    pub name: Option<String>,
    /// Its bytes.
    pub bytes: Bytes,
}

/// The parameters of a call, however they were sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params {
    fields: BTreeMap<String, String>,
    files: BTreeMap<String, Upload>,
}

impl Params {
    /// Those of a JSON object: strings as they are, everything else as its JSON; a null is none.
    #[must_use]
    pub fn of_json(object: &Value) -> Self {
        let mut params = Self::default();
        for (name, value) in object.as_object().into_iter().flatten() {
            match value {
                Value::Null => {}
                Value::String(text) => params.set(name, text),
                other => params.set(name, &other.to_string()),
            }
        }
        params
    }

    /// Sets a parameter.
    pub fn set(&mut self, name: &str, value: &str) {
        self.fields.insert(name.to_owned(), value.to_owned());
    }

    /// Adds others, which go before those of the same names.
    pub fn merge(&mut self, others: Self) {
        self.fields.extend(others.fields);
        self.files.extend(others.files);
    }

    /// All files, by their names.
    pub fn files(&self) -> impl Iterator<Item = &Upload> {
        self.files.values()
    }

    /// Adds a file.
    pub fn attach(&mut self, name: &str, file: Upload) {
        self.files.insert(name.to_owned(), file);
    }

    /// A parameter that is not empty.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    pub(super) fn needed(&self, name: &str) -> Result<&str, Refusal> {
        self.text(name).ok_or_else(|| words::missing(name))
    }

    /// A parameter that is a whole number.
    #[must_use]
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.text(name)?.trim().parse().ok()
    }

    /// True when it reads `true`, `yes` or `1`, in any case (tdlib/telegram-bot-api).
    pub(super) fn flag(&self, name: &str) -> bool {
        self.text(name).is_some_and(|text| ["true", "yes", "1"].contains(&text.to_ascii_lowercase().as_str()))
    }

    pub(super) fn json(&self, name: &str) -> Option<Result<Value, serde_json::Error>> {
        self.text(name).map(serde_json::from_str)
    }

    /// The file of a parameter: a part of that name, or the part it names by `attach://`.
    pub(super) fn file(&self, name: &str) -> Option<&Upload> {
        let attached = self.text(name).and_then(|text| text.strip_prefix("attach://"));
        self.files.get(attached.unwrap_or(name))
    }

    /// Which chat is meant. Names of channels are none of ours.
    pub(super) fn chat(&self) -> Result<i64, Refusal> {
        let text = self.text("chat_id").ok_or_else(|| Refusal::bad(words::CHAT_EMPTY))?;
        text.trim().parse().ok().filter(|id| *id != 0).ok_or_else(|| Refusal::bad(words::NO_CHAT))
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Params {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(pairs: I) -> Self {
        let mut params = Self::default();
        for (name, value) in pairs {
            params.set(name, value);
        }
        params
    }
}
