//! A scenario in words, on one screen.

mod defaults;
mod page;
mod troubles;

use std::collections::BTreeMap;

use page::{Page, number, percent, plural, short};

use super::{
    distribution::RenderTimes,
    expected::Expected,
    load::Loaded,
    schema::{Account, ArrivalProcess, Scenario},
};

/// Says what a scenario is: its day, its load by arithmetic, what goes wrong in it, what it has to reach, and where
/// its numbers come from. Plain text of at most 100 columns.
#[must_use]
pub fn explain(loaded: &Loaded) -> String {
    let scenario = &loaded.scenario;
    let expected = Expected::of(scenario);
    let mut page = Page::new();
    page.paragraph(&format!("{}: {}", scenario.name, scenario.about));
    page.paragraph(&format!("(from {}, hash {})", loaded.origin, loaded.hash));
    page.blank();
    day(&mut page, scenario);
    orders(&mut page, scenario, &expected);
    fleet(&mut page, scenario, &expected);
    for line in accounts(&scenario.accounts, &expected) {
        page.item("accounts", &line);
    }
    load(&mut page, scenario, &expected);
    page.blank();
    let chances = troubles::chances(scenario);
    if chances.is_empty() {
        page.item("by chance", "nothing goes wrong");
    }
    chances.iter().for_each(|chance| page.item("by chance", chance));
    for (at, what) in troubles::timeline(scenario) {
        page.item("at a time", &format!("{at}  {what}"));
    }
    page.blank();
    wishes(&mut page, scenario);
    for (source, keys) in grouped(scenario.assumptions.iter().map(|(key, source)| (source, key.as_str()))) {
        page.item("assumed", &format!("{}: {source}", keys.join(", ")));
    }
    for line in defaults::lines(&loaded.text, scenario) {
        page.item("defaults", &line);
    }
    page.text()
}

fn day(page: &mut Page, scenario: &Scenario) {
    let day = &scenario.day;
    let hours = short(day.settle_within_s / 3_600.0);
    page.item(
        "day",
        &format!(
            "{} {}, orders from {} to {}; {hours} h after the last order or fault everything is settled",
            day.date, day.timezone, day.from, day.to
        ),
    );
    let windows: Vec<_> = day.windows.iter().map(|(name, window)| format!("{name} {window}")).collect();
    if !windows.is_empty() {
        page.item("day", &format!("reported apart: {}", windows.join(", ")));
    }
}

fn orders(page: &mut Page, scenario: &Scenario, expected: &Expected) {
    let arrivals = &scenario.arrivals;
    let how = match arrivals.process {
        ArrivalProcess::Poisson => "at random (Poisson)",
        ArrivalProcess::Even => "evenly spaced",
    };
    page.item(
        "orders",
        &format!(
            "{how}: {} expected ({} in 24 h) for {} videos, {} an order",
            number(expected.orders),
            number(arrivals.orders_per_day),
            number(expected.videos()),
            short(expected.videos_per_order)
        ),
    );
    page.item(
        "orders",
        &format!(
            "the busiest hour begins at {}: {} orders for {} videos, one every {} s",
            expected.busiest_hour,
            number(expected.busiest_orders),
            number(expected.busiest_videos()),
            short(3_600.0 / expected.busiest_videos())
        ),
    );
    let shares = |weights: &BTreeMap<String, f64>| {
        let all: f64 = weights.values().sum();
        let shown = weights.iter().filter(|(_, weight)| **weight > 0.0);
        shown.map(|(word, w)| format!("{word} {}", percent(w / all))).collect::<Vec<_>>().join(", ")
    };
    page.item(
        "orders",
        &format!("sizes {}; templates {}", shares(&arrivals.size), shares(&arrivals.template)),
    );
    page.item("orders", &format!("from {} different users", number(f64::from(scenario.users.count))));
}

fn fleet(page: &mut Page, scenario: &Scenario, expected: &Expected) {
    let fleet = &scenario.fleet;
    page.item(
        "fleet",
        &format!(
            "{} in {}, each sending {} messages at once; a silent worker keeps its jobs {} s, a \
             step may take {} s",
            plural(f64::from(fleet.workers), "worker"),
            plural(f64::from(fleet.processes), "process"),
            fleet.message_slots,
            short(fleet.lease_s),
            short(fleet.deadline_s)
        ),
    );
    if fleet.hold_worker_during_render {
        page.item("fleet", "a worker sleeps through the render it started, which Kadr itself does not do");
    }
    if !fleet.outage_breaker {
        page.item("fleet", "no breaker: each job finds out for itself that the provider is down");
    }
    let looks = expected.looks;
    page.item(
        "model",
        &format!(
            "{}: first look after {} s, then every {} s, given up after {} s",
            scenario.model.id,
            short(looks.first_s),
            short(looks.every_s),
            short(looks.give_up_s)
        ),
    );
    let render = match RenderTimes::of(&scenario.render) {
        RenderTimes::LogNormal { median_s, sigma } => {
            format!(
                "log-normal, median {} s, sigma {}, mean {} s",
                short(median_s),
                short(sigma),
                short(expected.render_s)
            )
        }
        RenderTimes::Fixed { seconds } => format!("always {} s", short(seconds)),
        RenderTimes::Exponential { mean_s } => format!("exponential, mean {} s", short(mean_s)),
    };
    page.item("renders", &render);
}

/// Things with the same second part together, in the order of their first ones.
fn grouped<'a, T: PartialEq>(items: impl Iterator<Item = (T, &'a str)>) -> Vec<(T, Vec<&'a str>)> {
    let mut groups: Vec<(T, Vec<&str>)> = Vec::new();
    for (what, name) in items {
        match groups.iter_mut().find(|(other, _)| *other == what) {
            Some((_, names)) => names.push(name),
            None => groups.push((what, vec![name])),
        }
    }
    groups
}

fn accounts(accounts: &[Account], expected: &Expected) -> Vec<String> {
    let words = accounts.iter().map(|account| (account_in_words(account, expected), account.name.as_str()));
    let line = |(words, names): (String, Vec<&str>)| {
        let each = if names.len() > 1 { "each " } else { "" };
        format!("{}: {each}{words}", names.join(", "))
    };
    grouped(words).into_iter().map(line).collect()
}

fn account_in_words(account: &Account, expected: &Expected) -> String {
    let lasts = expected.price.filter(|price| *price > 0.0).map_or_else(String::new, |price| {
        format!(", good for {} videos at {}", number((account.credits / price).floor()), short(price))
    });
    format!(
        "{}, {} tasks at once, {} new in 10 s, {} credits{lasts}{}",
        plural(f64::from(account.keys), "key"),
        number(f64::from(account.running_max)),
        number(f64::from(account.new_per_10s)),
        number(account.credits),
        if account.accepted { "" } else { "; its keys are not accepted" }
    )
}

#[expect(clippy::cast_precision_loss, reason = "slots are few enough for a double, and are shown rounded")]
fn load(page: &mut Page, scenario: &Scenario, expected: &Expected) {
    let slots = expected.slots as f64;
    let verdict = match expected.offered / slots {
        share if share >= 1.0 => "more than there is room for: a queue builds up".to_owned(),
        share => percent((share * 1_000.0).round() / 1_000.0),
    };
    page.item(
        "load",
        &format!(
            "busiest hour: {} videos/s x {} submissions x {} s = {} Erlangs against {} slots ({verdict})",
            short(expected.busiest_videos() / 3_600.0),
            short(expected.submissions_per_video),
            short(expected.render_s),
            short(expected.offered),
            number(slots)
        ),
    );
    let starts: u64 = scenario.accounts.iter().filter(|a| a.accepted).map(|a| u64::from(a.new_per_10s)).sum();
    page.item(
        "load",
        &format!(
            "new tasks: {} in 10 s against {} that are allowed",
            short(expected.busiest_videos() / 360.0 * expected.submissions_per_video),
            number(starts as f64)
        ),
    );
    page.item(
        "load",
        &format!(
            "workers: {} s of work a video keep {} of {} busy",
            short(expected.worker_s_per_video),
            short(expected.workers_busy()),
            number(f64::from(scenario.fleet.workers))
        ),
    );
}

fn wishes(page: &mut Page, scenario: &Scenario) {
    for (metric, expressions) in &scenario.thresholds {
        page.item("must hold", &format!("{metric}: {}", expressions.join(" and ")));
    }
    if !scenario.goals.is_empty() {
        page.item("must happen", &scenario.goals.join(", "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::BUILT_IN;

    #[test]
    fn every_built_in_scenario_is_explained_within_a_hundred_columns() {
        for builtin in BUILT_IN {
            let text = explain(&Scenario::load(builtin.name).unwrap());
            let widest = text.lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(100), "{}: {widest:?}", builtin.name);
            assert!(text.starts_with(&format!("{}: ", builtin.name)));
        }
    }

    #[test]
    fn an_explanation_shows_load_faults_thresholds_and_defaults() {
        let text = explain(&Scenario::load("provider-outage").unwrap());
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for expected in [
            "orders from 19:00 to 23:00",
            "at random (Poisson): 460 expected (1,000 in 24 h) for 966 videos, 2.1 an order",
            "the busiest hour begins at 20:00: 175 orders for 368 videos",
            "= 33.3 Erlangs against 100 slots (33.3 %)",
            "8 % of tasks fail by the provider's own fault",
            "20:30 for 20 minutes: createTask refuses, the provider is in maintenance",
            "wait_s: p(95) < 1500",
            "lease_s 45",
        ] {
            assert!(text.contains(expected), "{expected:?} is not in:\n{text}");
        }
        assert!(!text.contains("dead address"), "a fault that is off is not told of:\n{text}");
    }
}
