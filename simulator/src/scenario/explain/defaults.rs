//! What a scenario leaves to its defaults.

use toml::{Table, Value};

use super::page::short;
use crate::scenario::{document::Document, place::Place, schema::Scenario};

/// Faults: their default is that they are off, which is told once for each table.
const FAULTS: [&str; 7] = ["users", "errors", "callbacks", "crashes", "database", "llm", "messenger"];

/// Each table with the keys the text does not have, and the values that apply.
pub(super) fn lines(text: &str, scenario: &Scenario) -> Vec<String> {
    let (Ok(document), Ok(whole)) = (Document::read(text), Table::try_from(scenario)) else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    let mut off = Vec::new();
    for (name, value) in &whole {
        let Value::Table(keys) = value else { continue };
        if ["thresholds", "assumptions"].contains(&name.as_str()) {
            continue;
        }
        let place = Place::root().key(name);
        let left: Vec<_> = keys.iter().filter(|(key, _)| !document.has(&place.key(*key))).collect();
        let is_nothing = |value: &Value| value.as_float() == Some(0.0) || value.as_bool() == Some(false);
        let is_off = |value: &Value| FAULTS.contains(&name.as_str()) && is_nothing(value);
        let shown: Vec<_> = left
            .iter()
            .filter(|(_, value)| !is_off(value))
            .map(|(key, value)| format!("{key} {}", in_words(value)))
            .collect();
        if left.len() > shown.len() {
            let is_all = left.len() - shown.len() == keys.values().filter(|value| is_off(value)).count()
                && !document.has(&place);
            off.push(if is_all { format!("all of {name}") } else { format!("the rest of {name}") });
        }
        if !shown.is_empty() {
            lines.push(format!("{name}: {}", shown.join(", ")));
        }
    }
    if !off.is_empty() {
        lines.push(format!("off: {}", off.join(", ")));
    }
    lines
}

fn in_words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Float(number) => short(*number),
        Value::Array(elements) if elements.is_empty() => "none".to_owned(),
        Value::Table(table) => {
            let pairs: Vec<_> =
                table.iter().map(|(key, value)| format!("{key}={}", in_words(value))).collect();
            format!("{{{}}}", pairs.join(" "))
        }
        other => other.to_string(),
    }
}
