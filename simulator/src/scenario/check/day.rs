//! The day, its orders and its users.

use super::{Checks, is_plain};
use crate::scenario::{
    calendar::{Calendar, CalendarError, WINDOWS_MAX},
    place::Place,
    rate::OrderRate,
    schema::Scenario,
    time_of_day::TimeOfDay,
};

/// More orders than a run can number and a machine can hold.
const ORDERS_MAX: f64 = 5_000_000.0;

pub(super) fn check(scenario: &Scenario, checks: &mut Checks) {
    checks.demand(
        is_plain(&scenario.name),
        "name",
        "the name is the file's too: write 1 to 60 Latin letters, digits, - or _",
    );
    checks.demand(!scenario.about.trim().is_empty(), "about", "say in a sentence what the scenario shows");
    day(scenario, checks);
    orders(scenario, checks);
    users(scenario, checks);
}

fn day(scenario: &Scenario, checks: &mut Checks) {
    let day = &scenario.day;
    match Calendar::of(day) {
        Ok(_) => {}
        Err(error @ CalendarError::Timezone(_)) => checks.wrong("day.timezone", error.to_string()),
        Err(error @ CalendarError::Date(_)) => checks.wrong("day.date", error.to_string()),
    }
    if day.from >= day.to {
        let problem =
            format!("the day ends at {} before it begins at {}: orders lie within one day", day.to, day.from);
        checks.wrong("day.to", problem);
    }
    for name in day.windows.keys().filter(|name| !is_plain(name)) {
        let problem = "a window's name is a label: write Latin letters, digits, - or _";
        checks.wrong(Place::of("day.windows").key(name), problem);
    }
    if day.windows.len() > WINDOWS_MAX {
        let problem =
            format!("{} windows are too many to report apart: at most {WINDOWS_MAX}", day.windows.len());
        checks.wrong("day.windows", problem);
    }
    let settle = day.settle_within_s;
    if !(settle > 0.0 && settle <= 7.0 * super::DAY_S) {
        checks.wrong(
            "day.settle_within_s",
            format!("{settle} is no such time: write more than 0 and at most a week"),
        );
    }
}

fn orders(scenario: &Scenario, checks: &mut Checks) {
    let arrivals = &scenario.arrivals;
    let orders = arrivals.orders_per_day;
    if orders > ORDERS_MAX && orders.is_finite() {
        let problem = format!("{orders} orders are more than can be simulated: at most {ORDERS_MAX}");
        checks.wrong("arrivals.orders_per_day", problem);
    } else if !(orders > 0.0 && orders.is_finite()) {
        checks.wrong("arrivals.orders_per_day", format!("{orders} orders are none: write more than 0"));
    }
    let before = checks.findings.len();
    curve(&arrivals.curve, checks);
    let (from, to) = (scenario.day.from, scenario.day.to);
    let is_shape_right = checks.findings.len() == before && orders > 0.0 && from < to;
    if is_shape_right && OrderRate::of(arrivals).orders_between(from, to) <= 0.0 {
        checks
            .wrong("arrivals.curve", format!("its weight is 0 from {from} to {to}, so no order would come"));
    }
    let sizes = Place::of("arrivals.size");
    for size in arrivals.size.keys().filter(|size| !["1", "3", "5"].contains(&size.as_str())) {
        checks.wrong(sizes.key(size), format!("no order has {size} videos: write 1, 3 or 5"));
    }
    checks.weights(&sizes, arrivals.size.iter().map(|(size, weight)| (sizes.key(size), weight)));
    let templates = Place::of("arrivals.template");
    let known = ["ugc", "ad", "own"];
    for template in arrivals.template.keys().filter(|template| !known.contains(&template.as_str())) {
        checks.wrong(
            templates.key(template),
            format!("there is no template `{template}`: write ugc, ad or own"),
        );
    }
    checks.weights(&templates, arrivals.template.iter().map(|(word, weight)| (templates.key(word), weight)));
}

fn curve(curve: &[(TimeOfDay, f64)], checks: &mut Checks) {
    let place = Place::of("arrivals.curve");
    for (index, pair) in curve.windows(2).enumerate() {
        if let [(before, _), (after, _)] = pair
            && before >= after
        {
            let problem =
                format!("{after} does not come after {before}: write the curve in the order of the day");
            checks.wrong(place.index(index + 1), problem);
        }
    }
    if let Some((_, _)) = curve.last().filter(|(at, _)| *at == TimeOfDay::END) {
        checks.wrong(place.index(curve.len() - 1), "nothing comes after 24:00: leave this pair out");
    }
    if !curve.is_empty() {
        checks.weights(&place, curve.iter().enumerate().map(|(index, (_, w))| (place.index(index), w)));
    }
}

fn users(scenario: &Scenario, checks: &mut Checks) {
    let users = &scenario.users;
    checks.demand(users.count > 0, "users.count", "somebody has to order: write 1 or more");
    for (key, share) in [
        ("users.double_tap", users.double_tap),
        ("users.repeated_order", users.repeated_order),
        ("users.no_credits", users.no_credits),
        ("users.cancel", users.cancel),
    ] {
        checks.share(key, share);
    }
    checks.positive_time("users.cancel_after_s", users.cancel_after_s);
}
