//! The provider: accounts, render times, how long calls take, outages.

use super::{
    Checks, DAY_S, is_plain,
    kadr::{model_names, within_the_day},
};
use crate::scenario::{
    nearest::did_you_mean,
    place::Place,
    schema::{LogNormal, OutageKind, Scenario},
};

pub(super) fn check(scenario: &Scenario, checks: &mut Checks) {
    accounts(scenario, checks);
    render(scenario, checks);
    latency(scenario, checks);
    outages(scenario, checks);
}

fn accounts(scenario: &Scenario, checks: &mut Checks) {
    let accounts = &scenario.accounts;
    checks.demand(
        !accounts.is_empty(),
        "account",
        "without an account nothing is rendered: write one [[account]]",
    );
    for (index, account) in accounts.iter().enumerate() {
        let place = Place::of("account").index(index);
        let name = &account.name;
        if !is_plain(name) {
            checks.wrong(place.key("name"), "an account needs a name of Latin letters, digits, - or _");
        } else if accounts.iter().take(index).any(|earlier| earlier.name == *name) {
            checks.wrong(
                place.key("name"),
                format!("there is an account `{name}` already: give it another name"),
            );
        }
        checks.demand(
            account.keys > 0,
            place.key("keys"),
            "without a key it cannot be used: write 1 or more",
        );
        checks.demand(
            account.running_max > 0,
            place.key("running_max"),
            "it could run nothing: write 1 or more",
        );
        checks.demand(
            account.new_per_10s > 0,
            place.key("new_per_10s"),
            "it could start nothing: write 1 or more",
        );
        if !(account.credits >= 0.0 && account.credits <= 1e12) {
            let problem =
                format!("{} is no balance: write 0 or more, at most 1000000000000", account.credits);
            checks.wrong(place.key("credits"), problem);
        }
    }
}

fn render(scenario: &Scenario, checks: &mut Checks) {
    let render = &scenario.render;
    let given: Vec<_> = [
        ("lognormal", render.lognormal.is_some()),
        ("fixed_s", render.fixed_s.is_some()),
        ("exponential_mean_s", render.exponential_mean_s.is_some()),
    ]
    .into_iter()
    .filter_map(|(key, is_given)| is_given.then_some(key))
    .collect();
    if given.len() > 1 {
        checks.wrong("render", format!("{} are given: renders have one distribution", given.join(" and ")));
    }
    if let Some(LogNormal { mean_s, median_s, sigma }) = render.lognormal {
        match (mean_s, median_s) {
            (Some(_), Some(_)) => {
                checks.wrong("render.lognormal", "mean_s and median_s are given: write one of them");
            }
            (None, None) => checks.wrong("render.lognormal", "write mean_s or median_s"),
            (Some(mean), None) => checks.positive_time("render.lognormal.mean_s", mean),
            (None, Some(median)) => checks.positive_time("render.lognormal.median_s", median),
        }
        if !(0.0..=5.0).contains(&sigma) {
            checks.wrong("render.lognormal.sigma", format!("{sigma} is no such deviation: write 0 to 5"));
        }
    }
    for (key, time) in
        [("render.fixed_s", render.fixed_s), ("render.exponential_mean_s", render.exponential_mean_s)]
    {
        if let Some(seconds) = time {
            checks.positive_time(key, seconds);
        }
    }
}

fn latency(scenario: &Scenario, checks: &mut Checks) {
    let latency = &scenario.latency;
    for (key, seconds) in [
        ("latency.write_s", latency.write_s),
        ("latency.upload_s", latency.upload_s),
        ("latency.create_s", latency.create_s),
        ("latency.look_s", latency.look_s),
        ("latency.download_s", latency.download_s),
        ("latency.text_s", latency.text_s),
        ("latency.video_s", latency.video_s),
    ] {
        checks.time(key, seconds);
    }
}

fn outages(scenario: &Scenario, checks: &mut Checks) {
    let names: Vec<_> = scenario.accounts.iter().map(|account| account.name.as_str()).collect();
    for (index, outage) in scenario.outages.iter().enumerate() {
        let place = Place::of("outage").index(index);
        within_the_day(scenario, outage.at, &place, checks);
        if !(outage.minutes > 0.0 && outage.minutes <= DAY_S / 60.0) {
            let problem =
                format!("{} is no duration: write minutes, more than 0 and at most 1440", outage.minutes);
            checks.wrong(place.key("minutes"), problem);
        }
        checks.share(place.key("share"), outage.share);
        if let Some(account) = outage.account.as_deref().filter(|account| !names.contains(account)) {
            let problem = format!("there is no account `{account}`{}", did_you_mean(account, &names));
            checks.wrong(place.key("account"), problem);
        }
        if let Some(id) = outage.model.as_deref() {
            let (place, known) = (place.key("model"), model_names());
            let known: Vec<_> = known.iter().map(String::as_str).collect();
            if outage.what != OutageKind::ModelPaused {
                checks.wrong(place, "only `what = \"model-paused\"` hits one model: leave it out");
            } else if !known.is_empty() && !known.contains(&id) {
                checks.wrong(place, format!("there is no model `{id}`{}", did_you_mean(id, &known)));
            }
        }
    }
}
