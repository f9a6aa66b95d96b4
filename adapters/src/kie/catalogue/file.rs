//! The catalogue's text: its form, nothing about its sense.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::value::Datetime;

use super::CatalogueError;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CatalogueFile {
    pub(super) default_model: String,
    pub(super) api: BTreeMap<String, ApiTable>,
    pub(super) model: Vec<ModelEntry>,
}

/// How one of KIE's APIs is talked to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApiTable {
    pub(super) create: String,
    pub(super) poll: String,
    pub(super) fields_under: String,
    pub(super) state: StateTable,
    pub(super) urls: Vec<String>,
    pub(super) failure: FailureTable,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StateTable {
    pub(super) field: String,
    pub(super) running: Vec<StateWord>,
    pub(super) done: Vec<StateWord>,
    pub(super) failed: Vec<StateWord>,
}

/// KIE's newer API uses words, Veo's numbers.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum StateWord {
    Number(i64),
    Word(String),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FailureTable {
    pub(super) code: String,
    pub(super) text: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ModelEntry {
    pub(super) id: String,
    pub(super) slug: String,
    pub(super) api: String,
    pub(super) enabled: bool,
    pub(super) off_reason: Option<String>,
    pub(super) notice: Option<String>,
    pub(super) checked: Datetime,
    pub(super) photo: PhotoTable,
    pub(super) prompt: PromptTable,
    pub(super) duration: DurationTable,
    pub(super) aspect: Option<AspectTable>,
    #[serde(default)]
    pub(super) constants: toml::Table,
    pub(super) price: PriceTable,
    pub(super) timing: TimingTable,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PhotoTable {
    pub(super) field: String,
    pub(super) shape: PhotoShape,
    pub(super) formats: Vec<String>,
    pub(super) max_bytes: u64,
}

/// Whether the photo's address travels alone or in a list of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum PhotoShape {
    String,
    List,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PromptTable {
    pub(super) field: String,
    pub(super) min: usize,
    pub(super) max: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DurationTable {
    pub(super) field: String,
    pub(super) json: DurationJson,
    pub(super) values: Vec<u32>,
    pub(super) default: u32,
}

/// The JSON type in which seconds travel. KIE refuses the other one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum DurationJson {
    String,
    Int,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AspectTable {
    pub(super) field: String,
    pub(super) map: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PriceTable {
    pub(super) per_clip: Option<BTreeMap<String, String>>,
    pub(super) per_second: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TimingTable {
    pub(super) first_poll_s: u64,
    pub(super) every_s: u64,
    pub(super) typical_s: u64,
    pub(super) give_up_s: u64,
}

/// Reads the form.
pub(super) fn read(text: &str) -> Result<CatalogueFile, CatalogueError> {
    toml::from_str(text).map_err(|error| CatalogueError::Form {
        line: line_of(text, error.span().map_or(0, |span| span.start)),
        entry: misformed_entry(text).unwrap_or_default(),
        problem: error.message().split_whitespace().collect::<Vec<_>>().join(" "),
    })
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

/// Names the entry that is not of the form, when the text is TOML at all and one of them is the culprit.
fn misformed_entry(text: &str) -> Option<String> {
    let table: toml::Table = text.parse().ok()?;
    let entries = table.get("model")?.as_array()?;
    entries.iter().enumerate().find(|(_, entry)| ModelEntry::deserialize((*entry).clone()).is_err()).map(
        |(place, entry)| match entry.get("id").and_then(toml::Value::as_str) {
            Some(id) => format!(" (model `{id}`)"),
            None => format!(" (model number {})", place + 1),
        },
    )
}
