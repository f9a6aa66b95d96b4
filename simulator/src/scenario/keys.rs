//! Every key a scenario may have.

use std::{borrow::Cow, sync::LazyLock};

use toml::{
    Spanned, Table, Value,
    de::{DeTable, DeValue},
};

use super::{
    nearest::nearest,
    place::{Place, Step},
    schema::{Account, Kill, LogNormal, Model, Outage, OutageKind, Render, Scenario},
    time_of_day::TimeOfDay,
};

/// Tables whose keys the scenario makes up itself.
const FREE: [&str; 5] = ["day.windows", "arrivals.size", "arrivals.template", "thresholds", "assumptions"];

/// A scenario in which every key has a value: serialised, it is the list of all keys.
static EVERY_KEY: LazyLock<Table> = LazyLock::new(|| {
    let text = "name = ''\nabout = ''\n[arrivals]\norders_per_day = 1\ncurve = [['00:00', 1]]";
    let Ok(mut scenario) = toml::from_str::<Scenario>(text) else { return Table::new() };
    let s = Some(1.0);
    scenario.model = Model {
        id: String::new(),
        fallback: vec![String::new()],
        first_poll_s: s,
        poll_every_s: s,
        typical_s: s,
        give_up_s: s,
    };
    scenario.render = Render {
        lognormal: Some(LogNormal { mean_s: s, median_s: s, sigma: 1.0 }),
        fixed_s: s,
        exponential_mean_s: s,
    };
    scenario.accounts = vec![Account::default()];
    scenario.outages = vec![Outage {
        at: TimeOfDay::MIDNIGHT,
        minutes: 1.0,
        what: OutageKind::Gateway,
        share: 1.0,
        account: Some(String::new()),
        model: Some(String::new()),
    }];
    scenario.kills = vec![Kill { at: TimeOfDay::MIDNIGHT, process: Some(0), down_s: 1.0 }];
    Table::try_from(&scenario).unwrap_or_default()
});

/// Whether a dotted path names a key or a table of scenarios. Lists are named without their numbers.
pub(super) fn is_key(dotted: &str) -> bool {
    every_path().iter().any(|path| path == dotted)
        || FREE.iter().any(|free| dotted.strip_prefix(free).is_some_and(|rest| rest.starts_with('.')))
}

/// The path most like this one.
pub(super) fn nearest_path(dotted: &str) -> Option<String> {
    let paths = every_path();
    if let Some(path) = paths.iter().find(|path| last(path) == last(dotted)) {
        return Some(path.clone());
    }
    nearest(dotted, &paths.iter().map(String::as_str).collect::<Vec<_>>()).map(str::to_owned)
}

/// A value that is possible at a place; none in tables of free keys and in lists.
pub(super) fn sample(place: &Place) -> Option<DeValue<'static>> {
    let mut found: Option<&Value> = None;
    for step in place.steps() {
        found = match (step, found) {
            (Step::Key(word), None) => EVERY_KEY.get(word),
            (Step::Key(word), Some(Value::Table(table))) => table.get(word),
            (Step::Index(_), Some(Value::Array(elements))) => elements.first(),
            _ => None,
        };
        found?;
    }
    Some(in_tree(found?))
}

fn in_tree(value: &Value) -> DeValue<'static> {
    let nowhere = |value| Spanned::new(0..0, value);
    match value {
        Value::Boolean(value) => DeValue::Boolean(*value),
        Value::Array(elements) => DeValue::Array(elements.iter().map(|e| nowhere(in_tree(e))).collect()),
        Value::Table(table) => {
            let pairs = table
                .iter()
                .map(|(key, value)| (Spanned::new(0..0, Cow::Owned(key.clone())), nowhere(in_tree(value))));
            DeValue::Table(pairs.collect())
        }
        // A tree keeps numbers as they are written; any number will do.
        Value::Integer(_) | Value::Float(_) => {
            DeValue::parse("1").map_or(DeValue::Boolean(false), Spanned::into_inner)
        }
        Value::String(text) => DeValue::String(Cow::Owned(text.clone())),
        Value::Datetime(value) => DeValue::Datetime(*value),
    }
}

/// Keys that no scenario has, each with what may have been meant.
pub(super) fn unknown_keys(tree: &Spanned<DeTable<'_>>) -> Vec<(Place, String)> {
    let mut found = Vec::new();
    compare_tables(tree.get_ref(), &EVERY_KEY, &Place::root(), &mut found);
    found
}

fn compare_tables(table: &DeTable<'_>, known: &Table, at: &Place, found: &mut Vec<(Place, String)>) {
    for (key, value) in table {
        let word = key.get_ref().as_ref();
        let place = at.key(word);
        match known.get(word) {
            Some(known) => compare(value.get_ref(), known, &place, found),
            None => {
                let siblings: Vec<_> = known.keys().map(String::as_str).collect();
                found.push((place, format!("there is no such key{}", hint(word, at, &siblings))));
            }
        }
    }
}

fn compare(value: &DeValue<'_>, known: &Value, at: &Place, found: &mut Vec<(Place, String)>) {
    if FREE.iter().any(|free| *at == Place::of(free)) {
        return;
    }
    match (value, known) {
        (DeValue::Table(table), Value::Table(known)) => compare_tables(table, known, at, found),
        (DeValue::Array(elements), Value::Array(samples)) => {
            let Some(sample) = samples.first() else { return };
            for (index, element) in elements.iter().enumerate() {
                compare(element.get_ref(), sample, &at.index(index), found);
            }
        }
        // A value of another type than expected is for the deserialiser to say.
        _ => {}
    }
}

/// The same word elsewhere first: a key in the wrong table is no typo.
fn hint(word: &str, at: &Place, siblings: &[&str]) -> String {
    let paths = every_path();
    let elsewhere = paths.iter().find(|path| last(path) == word).cloned();
    let beside = || nearest(word, siblings).map(|sibling| at.key(sibling).to_string());
    let similar = || {
        let words: Vec<_> = paths.iter().map(|path| last(path)).collect();
        let meant = nearest(word, &words)?;
        paths.iter().find(|path| last(path) == meant).cloned()
    };
    match elsewhere.or_else(beside).or_else(similar) {
        Some(path) => format!(": did you mean `{path}`?"),
        None => format!(": there is {}", siblings.join(", ")),
    }
}

fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// Dotted paths of every key and table, lists without numbers, those of free tables left out.
fn every_path() -> &'static [String] {
    static PATHS: LazyLock<Vec<String>> = LazyLock::new(|| {
        let mut paths = Vec::new();
        collect(&EVERY_KEY, "", &mut paths);
        paths
    });
    &PATHS
}

fn collect(table: &Table, above: &str, paths: &mut Vec<String>) {
    for (key, value) in table {
        let path = if above.is_empty() { key.clone() } else { format!("{above}.{key}") };
        paths.push(path.clone());
        let is_free = FREE.contains(&path.as_str());
        let below = match value {
            Value::Table(below) if !is_free => Some(below),
            Value::Array(elements) => elements.first().and_then(Value::as_table),
            _ => None,
        };
        if let Some(below) = below {
            collect(below, &path, paths);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_known_by_its_path() {
        for path in [
            "name",
            "day.settle_within_s",
            "arrivals.curve",
            "users.cancel_after_s",
            "model.give_up_s",
            "account.running_max",
            "render.lognormal.median_s",
            "render.exponential_mean_s",
            "errors.strange_state",
            "outage.account",
            "kill.process",
            "crashes.in_call",
            "day.windows.peak",
            "thresholds",
            "goals",
        ] {
            assert!(is_key(path), "{path}");
        }
        assert!(!is_key("errors.temporry") && !is_key("account.nam") && !is_key("window"));
        assert_eq!(nearest_path("error.temporary").as_deref(), Some("errors.temporary"));
        assert_eq!(nearest_path("errors.temporry").as_deref(), Some("errors.temporary"));
    }
}
