//! `report.json`: the report for programs.

use std::io;

use serde::{Serialize, de::DeserializeOwned};

use super::data::SCHEMA;

/// The report as JSON, indented, with a line break at its end.
///
/// # Errors
/// When a value cannot be written as JSON.
pub fn to_json<T: Serialize>(report: &T) -> io::Result<String> {
    let mut text = serde_json::to_string_pretty(report).map_err(io::Error::other)?;
    text.push('\n');
    Ok(text)
}

/// A report that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It was written by another version.
    #[error(
        "the report has schema {found} and this version reads schema {SCHEMA}: write it again with `kadr-sim run`"
    )]
    Schema {
        /// Its schema.
        found: u64,
    },
    /// It is no report.
    #[error("this is no report of the simulator: {0}")]
    Form(#[from] serde_json::Error),
}

/// Reads what [`to_json`] wrote.
///
/// # Errors
/// [`ReadError`] when the text is no report of this schema.
pub fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, ReadError> {
    #[derive(serde::Deserialize)]
    struct Head {
        schema: u64,
    }
    let Head { schema } = serde_json::from_str(text)?;
    if schema != u64::from(SCHEMA) {
        return Err(ReadError::Schema { found: schema });
    }
    Ok(serde_json::from_str(text)?)
}
