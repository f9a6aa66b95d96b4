//! What each video model takes, as the provider checks it.

use serde_json::Value;

use super::{
    credit::Price,
    words::{self, No},
};

/// One model's request shape.
#[derive(Debug)]
pub(super) struct Spec {
    /// Its slug.
    pub(super) slug: &'static str,
    /// Its fields.
    pub(super) fields: &'static [Field],
    /// Fields it refuses although others take them.
    pub(super) refuses: &'static [&'static str],
    /// The field with the clip's length.
    pub(super) seconds: &'static str,
    /// What it costs.
    pub(super) price: Price,
}

/// One field.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) required: bool,
    pub(super) kind: Kind,
}

/// What a field takes. KIE is strict about JSON types per model: `5` fails where `"5"` works and the other way
/// round (`elibarnett/kie-mcp`, 4.3.4).
#[derive(Debug)]
pub(super) enum Kind {
    /// Text of at most so many characters.
    Text(usize),
    /// One photo's address.
    Photo,
    /// A list of at most so many photo addresses.
    Photos(usize),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A word that is a whole number in this range.
    NumberWord(i64, i64),
    /// A whole number in this range.
    Int(i64, i64),
    /// Yes or no.
    Bool,
}

impl Spec {
    /// Checks a request's input.
    pub(super) fn check(&self, input: &Value) -> Result<(), No> {
        for field in self.fields {
            match input.get(field.name).filter(|value| !value.is_null()) {
                None if field.required => return Err(words::missing(field.name)),
                None => {}
                Some(value) => field.check(value)?,
            }
        }
        self.refuses
            .iter()
            .find(|name| input.get(name).is_some())
            .map_or(Ok(()), |name| Err(words::not_allowed(name)))
    }

    /// The photo addresses of a checked input.
    pub(super) fn photos<'a>(&self, input: &'a Value) -> Vec<&'a str> {
        let mut found = Vec::new();
        for field in self.fields {
            match (&field.kind, input.get(field.name)) {
                (Kind::Photo, Some(Value::String(url))) => found.push(url.as_str()),
                (Kind::Photos(_), Some(Value::Array(urls))) => {
                    found.extend(urls.iter().filter_map(Value::as_str));
                }
                _ => {}
            }
        }
        found
    }

    /// The clip's length of a checked input, in seconds; the shortest usual one when it was left out.
    pub(super) fn clip_seconds(&self, input: &Value) -> u32 {
        let asked = match input.get(self.seconds) {
            Some(Value::String(text)) => text.parse().ok(),
            Some(value) => value.as_u64().and_then(|seconds| u32::try_from(seconds).ok()),
            None => None,
        };
        asked.filter(|seconds| *seconds > 0).unwrap_or(5)
    }
}

impl Field {
    fn check(&self, value: &Value) -> Result<(), No> {
        let fits = match (&self.kind, value) {
            (Kind::Text(max), Value::String(text)) => {
                if text.trim().is_empty() && self.required {
                    return Err(words::missing(self.name));
                }
                if text.chars().count() > *max {
                    return Err(words::prompt_too_long(*max));
                }
                true
            }
            (Kind::Photo, Value::String(url)) => return self.check_photo(url),
            (Kind::Photos(max), Value::Array(urls)) => {
                if urls.is_empty() && self.required {
                    return Err(words::missing(self.name));
                }
                for url in urls {
                    self.check_photo(url.as_str().unwrap_or_default())?;
                }
                urls.len() <= *max
            }
            (Kind::Word(words), Value::String(text)) => words.contains(&text.as_str()),
            (Kind::NumberWord(min, max), Value::String(text)) => {
                text.parse::<i64>().is_ok_and(|number| (*min..=*max).contains(&number))
            }
            (Kind::Int(min, max), Value::Number(number)) => {
                number.as_i64().is_some_and(|number| (*min..=*max).contains(&number))
            }
            (Kind::Bool, Value::Bool(_)) => true,
            _ => false,
        };
        if fits { Ok(()) } else { Err(words::not_allowed(self.name)) }
    }

    /// A photo must be a web address that ends like a picture; its bytes are looked at later.
    fn check_photo(&self, url: &str) -> Result<(), No> {
        const ENDINGS: [&str; 4] = [".jpg", ".jpeg", ".png", ".webp"];
        let is_web = url.starts_with("http://") || url.starts_with("https://");
        let path = url.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
        if is_web && ENDINGS.iter().any(|ending| path.ends_with(ending)) {
            Ok(())
        } else {
            Err(words::photo_type(self.name))
        }
    }
}
