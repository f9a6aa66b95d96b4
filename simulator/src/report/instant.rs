//! Instants as reports write them: RFC 3339 in UTC for programs, the scenario's local time for people.

use chrono::{DateTime, FixedOffset, SecondsFormat, Utc};
use domain::time::Timestamp;
use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

/// RFC 3339 in UTC, to the millisecond.
#[must_use]
pub(super) fn iso(at: Timestamp) -> String {
    DateTime::<Utc>::from_timestamp_millis(at.as_millis())
        .map_or_else(String::new, |at| at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// Local time in a format of `chrono`.
#[must_use]
pub(super) fn local(at: Timestamp, utc_offset_s: i32, format: &str) -> String {
    let at = DateTime::<Utc>::from_timestamp_millis(at.as_millis());
    match (at, FixedOffset::east_opt(utc_offset_s)) {
        (Some(at), Some(offset)) => at.with_timezone(&offset).format(format).to_string(),
        _ => String::new(),
    }
}

/// An offset as `UTC+3` or `UTC+5:30`.
#[must_use]
pub(super) fn offset(utc_offset_s: i32) -> String {
    let sign = if utc_offset_s < 0 { '-' } else { '+' };
    let minutes = utc_offset_s.unsigned_abs() / 60;
    match (minutes / 60, minutes % 60) {
        (0, 0) => "UTC".to_owned(),
        (hours, 0) => format!("UTC{sign}{hours}"),
        (hours, minutes) => format!("UTC{sign}{hours}:{minutes:02}"),
    }
}

pub(super) fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&iso(*at))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

fn parse(text: &str) -> Result<Timestamp, chrono::ParseError> {
    DateTime::parse_from_rfc3339(text).map(|at| Timestamp::from_millis(at.timestamp_millis()))
}

/// The same for an instant that may be missing.
pub(super) mod optional {
    use super::{Deserialize, Deserializer, Serializer, Timestamp, iso, parse};
    use serde::de::Error as _;

    #[expect(clippy::ref_option, reason = "the signature is serde's")]
    pub(in crate::report) fn serialize<S: Serializer>(
        at: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => serializer.serialize_some(&iso(*at)),
            None => serializer.serialize_none(),
        }
    }

    pub(in crate::report) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| parse(&text).map_err(D::Error::custom)).transpose()
    }
}
