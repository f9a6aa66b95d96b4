//! How a request is put together and where an answer keeps its parts, once checked.

use serde_json::{Map, Value};

use super::file::{DurationJson, PhotoShape};

/// One of KIE's APIs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::kie) struct Endpoint {
    /// Path that creates a task.
    pub(in crate::kie) create: String,
    /// Path that looks at one.
    pub(in crate::kie) poll: String,
    /// The body's object that holds the fields; empty when they stand beside `model`.
    pub(super) fields_under: String,
    /// The record's field that tells how the task is doing.
    pub(in crate::kie) state_field: String,
    /// What stands in it.
    pub(in crate::kie) states: StateWords,
    /// Where the result's address may be: paths into the record.
    pub(in crate::kie) url_paths: Vec<Vec<String>>,
    /// The record's field with a failure's code.
    pub(in crate::kie) failure_code: String,
    /// The record's field with a failure's sentence.
    pub(in crate::kie) failure_text: String,
}

impl Endpoint {
    /// The body's object that holds the fields; empty when they stand beside `model`.
    pub(in crate::kie) fn fields_under(&self) -> &str {
        &self.fields_under
    }
}

/// The words of a state field. Numbers are written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::kie) struct StateWords {
    pub(in crate::kie) running: Vec<String>,
    pub(in crate::kie) done: Vec<String>,
    pub(in crate::kie) failed: Vec<String>,
}

/// How one model wants to be asked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RequestShape {
    pub(super) photo_field: String,
    pub(super) photo: PhotoShape,
    pub(super) prompt_field: String,
    pub(super) duration_field: String,
    pub(super) duration: DurationJson,
    /// The field and the word for a vertical clip, where the clip does not simply follow the photo.
    pub(super) portrait: Option<(String, String)>,
    pub(super) constants: Map<String, Value>,
}

impl RequestShape {
    /// `model`, the constants and the bound fields, nothing else.
    pub(super) fn body(&self, slug: &str, under: &str, prompt: &str, photo_url: &str, seconds: u32) -> Value {
        let mut fields = self.constants.clone();
        let photo = match self.photo {
            PhotoShape::String => Value::from(photo_url),
            PhotoShape::List => Value::from(vec![photo_url]),
        };
        let duration = match self.duration {
            DurationJson::String => Value::from(seconds.to_string()),
            DurationJson::Int => Value::from(seconds),
        };
        fields.insert(self.photo_field.clone(), photo);
        fields.insert(self.prompt_field.clone(), Value::from(prompt));
        fields.insert(self.duration_field.clone(), duration);
        if let Some((field, word)) = &self.portrait {
            fields.insert(field.clone(), Value::from(word.as_str()));
        }
        let mut body = if under.is_empty() {
            fields
        } else {
            Map::from_iter([(under.to_owned(), Value::Object(fields))])
        };
        body.insert("model".to_owned(), Value::from(slug));
        Value::Object(body)
    }

    /// The fields bound to something of the order, each with the entry's key that binds it.
    pub(super) fn bound_fields(&self) -> Vec<(&'static str, &str)> {
        let mut bound = vec![
            ("photo.field", self.photo_field.as_str()),
            ("prompt.field", self.prompt_field.as_str()),
            ("duration.field", self.duration_field.as_str()),
        ];
        bound.extend(self.portrait.iter().map(|(field, _)| ("aspect.field", field.as_str())));
        bound
    }
}
