//! Kadr's processes, the video model, and processes that are killed.

use domain::id::ModelId;

use super::Checks;
use crate::scenario::{
    expected::catalogue, nearest::did_you_mean, place::Place, schema::Scenario, time_of_day::TimeOfDay,
};

pub(super) fn check(scenario: &Scenario, checks: &mut Checks) {
    fleet(scenario, checks);
    model(scenario, checks);
    kills(scenario, checks);
}

fn fleet(scenario: &Scenario, checks: &mut Checks) {
    let fleet = &scenario.fleet;
    checks.demand(
        fleet.processes > 0,
        "fleet.processes",
        "without a process nothing happens: write 1 or more",
    );
    checks.demand(
        fleet.message_slots > 0,
        "fleet.message_slots",
        "no message could be sent: write 1 or more",
    );
    if fleet.workers == 0 {
        checks.wrong("fleet.workers", "without a worker nothing happens: write 1 or more");
    } else if fleet.workers < u32::from(fleet.processes) {
        let problem = format!(
            "{} workers cannot be shared out among {} processes: write at least as many",
            fleet.workers, fleet.processes
        );
        checks.wrong("fleet.workers", problem);
    }
    checks.demand(
        fleet.workers <= 100_000,
        "fleet.workers",
        "these are too many to simulate: at most 100000",
    );
    checks.positive_time("fleet.lease_s", fleet.lease_s);
    checks.positive_time("fleet.deadline_s", fleet.deadline_s);
    checks.positive_time("fleet.safety_poll_s", fleet.safety_poll_s);
    // The program's own configuration refuses this too.
    if fleet.deadline_s < fleet.lease_s {
        let problem = format!("a step may take at least as long as a lease: write {} or more", fleet.lease_s);
        checks.wrong("fleet.deadline_s", problem);
    }
}

/// The names of the catalogue's models.
pub(super) fn model_names() -> Vec<String> {
    catalogue().map_or_else(Vec::new, |all| all.models().map(|model| model.video.id.to_string()).collect())
}

fn model(scenario: &Scenario, checks: &mut Checks) {
    let model = &scenario.model;
    for (key, time) in [
        ("model.first_poll_s", model.first_poll_s),
        ("model.poll_every_s", model.poll_every_s),
        ("model.typical_s", model.typical_s),
        ("model.give_up_s", model.give_up_s),
    ] {
        if let Some(seconds) = time {
            checks.positive_time(key, seconds);
        }
    }
    let Some(catalogue) = catalogue() else { return };
    let known: Vec<_> = catalogue.models().map(|model| model.video.id.as_str()).collect();
    let found = ModelId::new(&model.id).ok().and_then(|id| catalogue.model(&id));
    let Some(found) = found else {
        checks.wrong(
            "model.id",
            format!("there is no model `{}`{}", model.id, did_you_mean(&model.id, &known)),
        );
        return;
    };
    if !found.video.enabled {
        checks
            .wrong("model.id", format!("`{}` takes no orders: choose a model that is switched on", model.id));
    }
    let stands_in = |id: &str| ModelId::new(id).ok().and_then(|id| catalogue.model(&id));
    for (index, id) in model.fallback.iter().enumerate() {
        let place = Place::of("model").key("fallback").index(index);
        match stands_in(id) {
            None => checks.wrong(place, format!("there is no model `{id}`{}", did_you_mean(id, &known))),
            Some(other) if !other.video.enabled => {
                checks.wrong(place, format!("`{id}` takes no orders: choose a model that is switched on"));
            }
            Some(_) if model.fallback[..index].contains(id) => {
                checks.wrong(place, format!("`{id}` is listed twice: once is enough"));
            }
            Some(_) => {}
        }
    }
    let first = model.first_poll_s.unwrap_or(found.video.timing.first_poll.as_secs_f64());
    let give_up = model.give_up_s.unwrap_or(found.video.timing.give_up.as_secs_f64());
    if first >= give_up {
        let problem =
            format!("renders are given up after {give_up} s, before the first look after {first} s");
        checks.wrong("model.give_up_s", problem);
    }
}

fn kills(scenario: &Scenario, checks: &mut Checks) {
    let processes = scenario.fleet.processes;
    for (index, kill) in scenario.kills.iter().enumerate() {
        let place = Place::of("kill").index(index);
        within_the_day(scenario, kill.at, &place, checks);
        if let Some(process) = kill.process.filter(|process| *process >= processes) {
            let last = processes.saturating_sub(1);
            let problem = format!("there is no process {process}: they are numbered from 0 to {last}");
            checks.wrong(place.key("process"), problem);
        }
        checks.time(place.key("down_s"), kill.down_s);
    }
    let crashes = &scenario.crashes;
    if !(0.0..=3_600.0).contains(&crashes.per_hour) {
        let problem = format!("{} is no rate: write kills an hour, from 0 to 3600", crashes.per_hour);
        checks.wrong("crashes.per_hour", problem);
    }
    checks.share("crashes.in_call", crashes.in_call);
    checks.time("crashes.down_s", crashes.down_s);
}

/// What happens at a time happens while orders come.
pub(super) fn within_the_day(scenario: &Scenario, at: TimeOfDay, place: &Place, checks: &mut Checks) {
    let (from, to) = (scenario.day.from, scenario.day.to);
    if at < from || at >= to {
        checks.wrong(place.key("at"), format!("{at} is outside the day, which lasts from {from} to {to}"));
    }
}
