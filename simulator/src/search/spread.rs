//! One figure over many runs.

use std::collections::BTreeMap;

use serde::Serialize;

/// The smallest, the middle and the largest of a figure's values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The smallest.
    pub min: f64,
    /// The middle one; of an even number the mean of the two.
    pub median: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// The spread of some values; `None` of none. What is not a number is left out.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().filter(|value| !value.is_nan()).collect();
        values.sort_by(f64::total_cmp);
        let upper = values.len() / 2;
        let lower = if values.len().is_multiple_of(2) { upper.checked_sub(1)? } else { upper };
        let median = f64::midpoint(*values.get(lower)?, *values.get(upper)?);
        Some(Self { min: *values.first()?, median, max: *values.last()? })
    }
}

/// The spread of each figure over the runs that have it.
#[must_use]
pub fn spreads<'a>(runs: impl IntoIterator<Item = &'a BTreeMap<String, f64>>) -> BTreeMap<String, Spread> {
    let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (name, value) in runs.into_iter().flatten() {
        values.entry(name.clone()).or_default().push(*value);
    }
    values.into_iter().filter_map(|(name, values)| Some((name, Spread::of(values)?))).collect()
}

/// A figure as people read it: no more digits than it deserves.
#[must_use]
pub fn shown(value: f64) -> String {
    let size = value.abs();
    let digits = match size {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    if !text.contains('.') {
        return text;
    }
    match text.trim_end_matches('0').trim_end_matches('.') {
        // Too small for three digits, and not nothing.
        "0" | "-0" if size > 0.0 => format!("{value:.1e}"),
        short => short.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_min_median_and_max() {
        assert_eq!(Spread::of([]), None);
        assert_eq!(Spread::of([3.0, 1.0, f64::NAN]), Some(Spread { min: 1.0, median: 2.0, max: 3.0 }));
        assert_eq!(Spread::of([5.0, 1.0, 2.0]).map(|spread| spread.median), Some(2.0));
    }

    #[test]
    fn figures_are_shown_without_idle_digits() {
        let shown = [1_234.56, 60.0, 12.34, 8.0, 0.125, 0.0, 0.000_04, -0.5].map(shown);
        assert_eq!(shown, ["1235", "60", "12.3", "8", "0.125", "0", "4.0e-5", "-0.5"]);
    }
}
