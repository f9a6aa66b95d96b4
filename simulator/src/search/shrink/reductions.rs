//! What can be taken away from a scenario, the most at once first.

use std::collections::BTreeMap;

use crate::{
    scenario::{Callbacks, Crashes, Database, Errors, Llm, MessengerFaults, Scenario, TimeOfDay, Users},
    search::{swarm::time_of_day, sweep::with_accounts},
};

/// Smaller scenarios with what was taken away.
type Candidates = Vec<(String, Scenario)>;

/// The passes in their order.
pub(super) const PASSES: [fn(&Scenario) -> Candidates; 9] =
    [bystanders, orders, horizon, fault_groups, faults, outages_and_kills, machines, accounts, sizes];

/// A day shorter than this is not cut further.
const DAY_MIN_S: u32 = 60;

fn with(base: &Scenario, label: impl Into<String>, change: impl FnOnce(&mut Scenario)) -> (String, Scenario) {
    let mut smaller = base.clone();
    change(&mut smaller);
    (label.into(), smaller)
}

/// What has no part in the run itself.
fn bystanders(base: &Scenario) -> Candidates {
    vec![with(base, "thresholds, goals and windows", |scenario| {
        scenario.thresholds.clear();
        scenario.goals.clear();
        scenario.assumptions.clear();
        scenario.day.windows.clear();
    })]
}

fn orders(base: &Scenario) -> Candidates {
    let now = base.arrivals.orders_per_day;
    let fewer = [(now / 2.0).floor(), (now * 0.9).floor(), now.ceil() - 1.0];
    let fewer = fewer.into_iter().filter(|orders| *orders >= 1.0 && *orders < now);
    fewer
        .map(|orders| {
            with(base, format!("orders: {orders:.0} a day"), |scenario| {
                scenario.arrivals.orders_per_day = orders;
            })
        })
        .collect()
}

fn horizon(base: &Scenario) -> Candidates {
    let (from, to) = (base.day.from.seconds(), base.day.to.seconds());
    let length = to.saturating_sub(from);
    let cuts = [2, 4, 10].into_iter().map(|part| length / part);
    cuts.filter(|cut| *cut > 0 && length - cut >= DAY_MIN_S)
        .flat_map(|cut| {
            [(time_of_day(from), time_of_day(to - cut)), (time_of_day(from + cut), time_of_day(to))]
        })
        .map(|(from, to)| with(base, format!("the day: {from} to {to}"), |scenario| cut(scenario, from, to)))
        .collect()
}

/// Cuts the day, and what happens outside of it.
fn cut(scenario: &mut Scenario, from: TimeOfDay, to: TimeOfDay) {
    // The rate stays what it was, so the orders of the rest of the day stay as many.
    (scenario.day.from, scenario.day.to) = (from, to);
    scenario.outages.retain(|outage| (from..to).contains(&outage.at));
    scenario.kills.retain(|kill| (from..to).contains(&kill.at));
    scenario.day.windows.retain(|_, window| window.from < to && window.to > from);
}

/// Whole kinds of faults.
fn fault_groups(base: &Scenario) -> Candidates {
    vec![
        with(base, "every fault", |scenario| {
            scenario.errors = Errors::default();
            scenario.callbacks = quiet(&scenario.callbacks);
            scenario.database = Database::default();
            scenario.llm = Llm::default();
            scenario.messenger = MessengerFaults::default();
            scenario.crashes = Crashes::default();
            scenario.outages.clear();
            scenario.kills.clear();
            well_behaved(&mut scenario.users);
        }),
        with(base, "errors of the provider", |scenario| scenario.errors = Errors::default()),
        with(base, "what goes wrong with callbacks", |scenario| {
            scenario.callbacks = quiet(&scenario.callbacks);
        }),
        with(base, "callbacks", |scenario| scenario.callbacks = Callbacks::default()),
        with(base, "errors of the database", |scenario| scenario.database = Database::default()),
        with(base, "errors of the language model", |scenario| scenario.llm = Llm::default()),
        with(base, "errors of the messenger", |scenario| scenario.messenger = MessengerFaults::default()),
        with(base, "crashes", |scenario| scenario.crashes = Crashes::default()),
        with(base, "outages", |scenario| scenario.outages.clear()),
        with(base, "kills", |scenario| scenario.kills.clear()),
        with(base, "users' slips", |scenario| well_behaved(&mut scenario.users)),
    ]
}

/// Callbacks of which each comes once and on time, if there are any.
fn quiet(callbacks: &Callbacks) -> Callbacks {
    Callbacks { heard: callbacks.heard, ..Callbacks::default() }
}

fn well_behaved(users: &mut Users) {
    let Users { double_tap, repeated_order, no_credits, cancel, .. } = Users::default();
    *users = Users { double_tap, repeated_order, no_credits, cancel, ..users.clone() };
}

/// The way to one number of a scenario.
type Share = fn(&mut Scenario) -> &mut f64;

/// Every fault by chance.
const FAULTS: [(&str, Share); 35] = [
    ("errors.temporary", |s| &mut s.errors.temporary),
    ("errors.unknown", |s| &mut s.errors.unknown),
    ("errors.user_violation", |s| &mut s.errors.user_violation),
    ("errors.user_violation_at_once", |s| &mut s.errors.user_violation_at_once),
    ("errors.user_violation_late", |s| &mut s.errors.user_violation_late),
    ("errors.rate_limited", |s| &mut s.errors.rate_limited),
    ("errors.billing", |s| &mut s.errors.billing),
    ("errors.answer_lost", |s| &mut s.errors.answer_lost),
    ("errors.answer_cut", |s| &mut s.errors.answer_cut),
    ("errors.gateway_page", |s| &mut s.errors.gateway_page),
    ("errors.never_ends", |s| &mut s.errors.never_ends),
    ("errors.no_result", |s| &mut s.errors.no_result),
    ("errors.dead_link", |s| &mut s.errors.dead_link),
    ("errors.unseen", |s| &mut s.errors.unseen),
    ("errors.strange_state", |s| &mut s.errors.strange_state),
    ("callbacks.lost", |s| &mut s.callbacks.lost),
    ("callbacks.early", |s| &mut s.callbacks.early),
    ("callbacks.duplicate", |s| &mut s.callbacks.duplicate),
    ("callbacks.forged", |s| &mut s.callbacks.forged),
    ("database.lost_before_commit", |s| &mut s.database.lost_before_commit),
    ("database.lost_after_commit", |s| &mut s.database.lost_after_commit),
    ("database.slow", |s| &mut s.database.slow),
    ("llm.fails", |s| &mut s.llm.fails),
    ("llm.empty", |s| &mut s.llm.empty),
    ("llm.refuses", |s| &mut s.llm.refuses),
    ("llm.slow", |s| &mut s.llm.slow),
    ("messenger.fails", |s| &mut s.messenger.fails),
    ("messenger.answer_lost", |s| &mut s.messenger.answer_lost),
    ("messenger.blocked", |s| &mut s.messenger.blocked),
    ("crashes.per_hour", |s| &mut s.crashes.per_hour),
    ("crashes.in_call", |s| &mut s.crashes.in_call),
    ("users.double_tap", |s| &mut s.users.double_tap),
    ("users.repeated_order", |s| &mut s.users.repeated_order),
    ("users.no_credits", |s| &mut s.users.no_credits),
    ("users.cancel", |s| &mut s.users.cancel),
];

fn faults(base: &Scenario) -> Candidates {
    let off = FAULTS.iter().map(|(name, share)| with(base, *name, |scenario| *share(scenario) = 0.0));
    off.collect()
}

fn outages_and_kills(base: &Scenario) -> Candidates {
    let outages = (0..base.outages.len()).map(|at| {
        with(base, format!("outage {at}"), |scenario| {
            scenario.outages.remove(at);
        })
    });
    let kills = (0..base.kills.len()).map(|at| {
        with(base, format!("kill {at}"), |scenario| {
            scenario.kills.remove(at);
        })
    });
    outages.chain(kills).collect()
}

fn machines(base: &Scenario) -> Candidates {
    let fleet = &base.fleet;
    let mut candidates = Vec::new();
    for processes in [1, fleet.processes / 2, fleet.processes.saturating_sub(1)] {
        if (1..fleet.processes).contains(&processes) {
            candidates.push(with(base, format!("processes: {processes}"), |scenario| {
                scenario.fleet.processes = processes;
                scenario.kills.retain(|kill| kill.process.is_none_or(|process| process < processes));
            }));
        }
    }
    for workers in [u32::from(fleet.processes), fleet.workers / 2, fleet.workers.saturating_sub(1)] {
        if (u32::from(fleet.processes).max(1)..fleet.workers).contains(&workers) {
            candidates
                .push(with(base, format!("workers: {workers}"), |scenario| scenario.fleet.workers = workers));
        }
    }
    candidates
}

fn accounts(base: &Scenario) -> Candidates {
    let number = u32::try_from(base.accounts.len()).unwrap_or(u32::MAX);
    let mut candidates = Vec::new();
    for fewer in [1, number.saturating_sub(1)] {
        if (1..number).contains(&fewer) {
            candidates.push((format!("accounts: {fewer}"), with_accounts(base, fewer)));
        }
    }
    if base.accounts.iter().any(|account| account.keys > 1) {
        candidates.push(with(base, "keys: 1 an account", |scenario| {
            scenario.accounts.iter_mut().for_each(|account| account.keys = 1);
        }));
    }
    candidates
}

/// One video an order, one template, few users.
fn sizes(base: &Scenario) -> Candidates {
    let only = |name: &str| BTreeMap::from([(name.to_owned(), 1.0)]);
    let users = base.users.count;
    let mut candidates = vec![
        with(base, "size: 1 video an order", |scenario| scenario.arrivals.size = only("1")),
        with(base, "size: 3 videos an order", |scenario| {
            scenario.arrivals.size.retain(|size, _| size != "5");
        }),
        with(base, "template: own only", |scenario| scenario.arrivals.template = only("own")),
    ];
    // Neither is a step down any more once the orders are as small.
    candidates.retain(|(_, smaller)| {
        !smaller.arrivals.size.is_empty() && smaller.arrivals.size.len() <= base.arrivals.size.len()
    });
    for fewer in [1, users / 2] {
        if (1..users).contains(&fewer) {
            candidates.push(with(base, format!("users: {fewer}"), |scenario| scenario.users.count = fewer));
        }
    }
    candidates
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::fake;

    #[test]
    fn no_fault_by_chance_is_forgotten() {
        let mut base = fake::scenario();
        for (_, share) in FAULTS {
            *share(&mut base) = 0.5;
        }
        for section in
            [toml::Table::try_from(&base.errors).unwrap(), toml::Table::try_from(&base.messenger).unwrap()]
        {
            assert!(section.values().all(|value| value.as_float() == Some(0.5)), "{section:?}");
        }
        assert_eq!(faults(&base).len(), FAULTS.len());
    }

    #[test]
    fn no_pass_goes_on_for_ever() {
        // Everything a pass offers is taken; what it then offers must come to an end.
        for candidates in PASSES {
            let mut scenario = fake::scenario();
            let mut taken = 0;
            while let Some((_, smaller)) =
                candidates(&scenario).into_iter().find(|(_, smaller)| *smaller != scenario)
            {
                scenario = smaller;
                taken += 1;
                assert!(taken < 200);
            }
        }
    }
}
