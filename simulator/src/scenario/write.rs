//! From a scenario back to a text.

use toml::{Table, Value, ser::Error};

use super::schema::{Account, Scenario};

impl Scenario {
    /// The scenario as a text that reads back as the same scenario. What stands at its default is left out, so that
    /// a reduced scenario shows what matters.
    #[must_use]
    pub fn to_toml(&self) -> String {
        // Every part of a scenario has a form in TOML; were it otherwise, reading the text back would say so.
        written(self).unwrap_or_else(|error| format!("# this scenario cannot be written: {error}\n"))
    }
}

fn written(scenario: &Scenario) -> Result<String, Error> {
    let mut table = Table::try_from(scenario)?;
    without_defaults(&mut table, &plain()?);
    let account = Table::try_from(Account::default())?;
    if let Some(Value::Array(accounts)) = table.get_mut("account") {
        for one in accounts.iter_mut().filter_map(Value::as_table_mut) {
            one.retain(|key, value| key == "name" || account.get(key) != Some(value));
        }
    }
    toml::to_string(&table)
}

/// A scenario of nothing but defaults, without the keys that have none.
fn plain() -> Result<Table, Error> {
    let text = "name = ''\nabout = ''\n[arrivals]\norders_per_day = 0";
    let Ok(scenario) = toml::from_str::<Scenario>(text) else { return Ok(Table::new()) };
    let mut table = Table::try_from(scenario)?;
    // The list of accounts is what a scenario is about, even where it is the default.
    for key in ["name", "about", "account"] {
        table.remove(key);
    }
    if let Some(Value::Table(arrivals)) = table.get_mut("arrivals") {
        arrivals.remove("orders_per_day");
    }
    Ok(table)
}

/// Takes out what equals the default. Tables of free keys, which are read as a whole, are kept or left out whole.
fn without_defaults(table: &mut Table, defaults: &Table) {
    table.retain(|key, value| {
        let Some(default) = defaults.get(key) else { return true };
        if value == default {
            return false;
        }
        let is_whole = ["windows", "size", "template", "thresholds", "assumptions"].contains(&key);
        if let (Value::Table(value), Value::Table(default), false) = (value, default, is_whole) {
            without_defaults(value, default);
        }
        true
    });
}
