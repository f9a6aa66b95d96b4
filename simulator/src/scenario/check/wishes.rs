//! What a run has to reach, and where its numbers come from.

use super::Checks;
use crate::{
    oracle::goals::GOALS,
    scenario::{
        keys::{is_key, nearest_path},
        nearest::did_you_mean,
        place::Place,
        schema::Scenario,
        threshold::Threshold,
    },
};

pub(super) fn check(scenario: &Scenario, checks: &mut Checks) {
    thresholds(scenario, checks);
    goals(scenario, checks);
    let assumptions = Place::of("assumptions");
    for (key, source) in &scenario.assumptions {
        if !is_key(key) {
            let hint = nearest_path(key).map_or_else(String::new, |path| format!(": did you mean `{path}`?"));
            checks.wrong(assumptions.key(key), format!("there is no key `{key}`{hint}"));
        }
        checks.demand(!source.trim().is_empty(), assumptions.key(key), "say where the number comes from");
    }
}

fn thresholds(scenario: &Scenario, checks: &mut Checks) {
    for (metric, expressions) in &scenario.thresholds {
        let place = Place::of("thresholds").key(metric);
        checks.demand(
            !expressions.is_empty(),
            place.clone(),
            "write at least one expression, as `p(95) < 60`",
        );
        let mut is_labelled_right = false;
        for (index, expression) in expressions.iter().enumerate() {
            match Threshold::parse(metric, expression) {
                // The labels are the same for every expression of a metric.
                Ok(threshold) if !is_labelled_right => {
                    is_labelled_right = true;
                    labels(scenario, &threshold, &place, checks);
                }
                Ok(_) => {}
                Err(error) => checks.wrong(place.index(index), error.to_string()),
            }
        }
    }
}

fn labels(scenario: &Scenario, threshold: &Threshold, place: &Place, checks: &mut Checks) {
    let day = &scenario.day;
    let windows: Vec<_> = day.windows.keys().map(String::as_str).collect();
    let accounts: Vec<_> = scenario.accounts.iter().map(|account| account.name.as_str()).collect();
    for (label, value) in &threshold.labels {
        let known = match label.as_str() {
            "size" => &["1", "3", "5"][..],
            "account" => &accounts[..],
            _ => &windows[..],
        };
        if !known.contains(&value.as_str()) {
            checks
                .wrong(place.clone(), format!("there is no {label} `{value}`{}", did_you_mean(value, known)));
        }
        let outside =
            day.windows.get(value).filter(|w| label == "window" && (w.to <= day.from || w.from >= day.to));
        if let Some(window) = outside {
            let problem = format!(
                "the window `{value}` ({window}) lies outside the day, which lasts from {} to {}",
                day.from, day.to
            );
            checks.wrong(place.clone(), problem);
        }
    }
}

fn goals(scenario: &Scenario, checks: &mut Checks) {
    let known: Vec<_> = GOALS.iter().map(|(name, _)| *name).collect();
    for (index, goal) in scenario.goals.iter().enumerate() {
        let place = Place::of("goals").index(index);
        if !known.contains(&goal.as_str()) {
            checks.wrong(place, format!("there is no goal `{goal}`{}", did_you_mean(goal, &known)));
        } else if scenario.goals.iter().take(index).any(|earlier| earlier == goal) {
            checks.wrong(place, format!("`{goal}` is listed twice"));
        }
    }
}
