//! Swarms: every seed draws which faults exist at all, then how many.
//!
//! One scenario with every fault in it explores little: what only happens while something else does not, never
//! happens. So each kind of fault is in a run with a chance of one half, and only then gets a weight. Each draw has a
//! name of its own, so that one more of them does not move the others.

use crate::{
    scenario::{Account, Callbacks, Kill, Outage, OutageKind, Scenario, TimeOfDay},
    time::chance,
};

/// The chance of each kind of fault to exist in a run.
const EXISTS: f64 = 0.5;
const KINDS: [OutageKind; 8] = [
    OutageKind::Maintenance,
    OutageKind::Gateway,
    OutageKind::Silent,
    OutageKind::RendersFail,
    OutageKind::NoCredits,
    OutageKind::KeysRefused,
    OutageKind::TooFast,
    OutageKind::ModelPaused,
];
const OUTAGES_MAX: u32 = 3;
const KILLS_MAX: u32 = 4;

/// The longest name a scenario may have is 60 characters; a seed has at most 20.
const NAME_MAX: usize = 33;
/// What shares of one thing may come to together.
const TOGETHER_MAX: f64 = 0.9;

/// The scenario that `seed` makes of `base`: the same day and the same orders, other faults, another fleet, other
/// accounts. A fault the base has is drawn up to what it is there, any other up to a default; each outage and kill of
/// the base stays or goes, and others come. Thresholds are dropped, because they were meant for the base.
#[must_use]
pub fn swarm(base: &Scenario, seed: u64) -> Scenario {
    let draw = Draw { seed };
    let mut scenario = base.clone();
    let name: String = base.name.chars().take(NAME_MAX).collect();
    scenario.name = format!("{name}-swarm-{seed}");
    scenario.thresholds.clear();
    fleet(&draw, &mut scenario);
    accounts(&draw, &mut scenario);
    users(&draw, &mut scenario);
    provider(&draw, &mut scenario);
    callbacks(&draw, &mut scenario);
    own_side(&draw, &mut scenario);
    outages(&draw, &mut scenario);
    kills(&draw, &mut scenario);
    scenario
}

/// A time of day by its seconds; the last one for more than a day has.
pub(super) fn time_of_day(seconds: u32) -> TimeOfDay {
    let seconds = seconds.min(TimeOfDay::END.seconds());
    let text = format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    text.parse().unwrap_or(TimeOfDay::END)
}

struct Draw {
    seed: u64,
}

impl Draw {
    fn chance(&self, name: &str) -> f64 {
        chance(self.seed, &format!("swarm/{name}"))
    }

    fn exists(&self, name: &str) -> bool {
        self.chance(&format!("{name}/exists")) < EXISTS
    }

    /// Draws a weight anew: nothing at all half of the time, else up to what it is, or up to `usual_max` if it is
    /// nothing.
    fn weigh(&self, name: &str, usual_max: f64, weight: &mut f64) {
        let max = if *weight > 0.0 { *weight } else { usual_max };
        let chance = self.chance(&format!("{name}/weight"));
        // Four digits: whoever reads the scenario should be able to.
        let drawn = ((max * chance * 10_000.0).ceil() / 10_000.0).min(max);
        *weight = if self.exists(name) { drawn } else { 0.0 };
    }

    /// Draws shares anew of which at most one can happen at a time.
    fn weigh_together(&self, group: &str, shares: &mut [(&str, f64, &mut f64)]) {
        for (name, usual_max, share) in shares.iter_mut() {
            self.weigh(&format!("{group}/{name}"), *usual_max, share);
        }
        let sum: f64 = shares.iter().map(|(_, _, share)| **share).sum();
        if sum > TOGETHER_MAX {
            shares.iter_mut().for_each(|(_, _, share)| **share *= TOGETHER_MAX / sum);
        }
    }

    /// A whole number of `from..=to`.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a chance is in 0..1, so that the product is in 0..=u32::MAX"
    )]
    fn number(&self, name: &str, from: u32, to: u32) -> u32 {
        let width = f64::from(to.saturating_sub(from)) + 1.0;
        from + (self.chance(name) * width) as u32
    }

    fn one_of<T: Copy>(&self, name: &str, choices: &[T], usual: T) -> T {
        let last = u32::try_from(choices.len()).unwrap_or(u32::MAX).saturating_sub(1);
        choices.get(self.number(name, 0, last) as usize).copied().unwrap_or(usual)
    }

    /// A time of the scenario's day.
    fn time(&self, name: &str, scenario: &Scenario) -> TimeOfDay {
        let (from, to) = (scenario.day.from.seconds(), scenario.day.to.seconds());
        time_of_day(self.number(name, from, to.saturating_sub(1).max(from)))
    }
}

fn fleet(draw: &Draw, scenario: &mut Scenario) {
    let fleet = &mut scenario.fleet;
    fleet.workers = draw.one_of("fleet/workers", &[2, 4, 8, 20, 60], fleet.workers);
    fleet.processes = draw.one_of("fleet/processes", &[1, 2, 3, 5], fleet.processes);
    // Every process has a worker, or it is none.
    fleet.workers = fleet.workers.max(u32::from(fleet.processes));
    // A step may take at least as long as a lease.
    fleet.lease_s = draw.one_of("fleet/lease", &[20.0, 45.0, 90.0], fleet.lease_s).min(fleet.deadline_s);
}

fn accounts(draw: &Draw, scenario: &mut Scenario) {
    let number = draw.number("accounts", 1, 3);
    *scenario = super::sweep::with_accounts(scenario, number);
    for (at, account) in scenario.accounts.iter_mut().enumerate() {
        let name = |what: &str| format!("account/{at}/{what}");
        account.keys = draw.one_of(&name("keys"), &[1, 2], account.keys);
        if draw.exists(&name("small")) {
            let small = Account { running_max: 10, new_per_10s: 5, ..account.clone() };
            *account = small;
        }
        // The first account stays good: without any there is nothing to see.
        if at > 0 {
            account.accepted = !(draw.exists(&name("refused")) && draw.exists(&name("refused/really")));
        }
    }
}

fn users(draw: &Draw, scenario: &mut Scenario) {
    let users = &mut scenario.users;
    draw.weigh("users/double-tap", 0.3, &mut users.double_tap);
    draw.weigh("users/repeated-order", 0.1, &mut users.repeated_order);
    draw.weigh("users/no-credits", 0.1, &mut users.no_credits);
    draw.weigh("users/cancel", 0.3, &mut users.cancel);
    users.cancel_after_s = draw.one_of("users/cancel-after", &[1.0, 10.0, 60.0], users.cancel_after_s);
}

fn provider(draw: &Draw, scenario: &mut Scenario) {
    let errors = &mut scenario.errors;
    let mut shares: [(&str, f64, &mut f64); 15] = [
        ("temporary", 0.2, &mut errors.temporary),
        ("unknown", 0.05, &mut errors.unknown),
        ("user-violation", 0.1, &mut errors.user_violation),
        ("user-violation-at-once", 0.05, &mut errors.user_violation_at_once),
        ("user-violation-late", 0.05, &mut errors.user_violation_late),
        ("rate-limited", 0.1, &mut errors.rate_limited),
        ("billing", 0.03, &mut errors.billing),
        ("answer-lost", 0.05, &mut errors.answer_lost),
        ("answer-cut", 0.03, &mut errors.answer_cut),
        ("gateway-page", 0.03, &mut errors.gateway_page),
        ("never-ends", 0.02, &mut errors.never_ends),
        ("no-result", 0.03, &mut errors.no_result),
        ("dead-link", 0.05, &mut errors.dead_link),
        ("unseen", 0.1, &mut errors.unseen),
        ("strange-state", 0.03, &mut errors.strange_state),
    ];
    // Not all of them exclude each other, but together they leave something that goes well.
    draw.weigh_together("errors", &mut shares);
}

/// A base that hears callbacks hears them in half of its seeds.
fn callbacks(draw: &Draw, scenario: &mut Scenario) {
    let callbacks = &mut scenario.callbacks;
    if !callbacks.heard || !draw.exists("callbacks") {
        *callbacks = Callbacks::default();
        return;
    }
    let mut shares: [(&str, f64, &mut f64); 2] =
        [("lost", 0.2, &mut callbacks.lost), ("early", 0.1, &mut callbacks.early)];
    draw.weigh_together("callbacks", &mut shares);
    draw.weigh("callbacks/duplicate", 0.2, &mut callbacks.duplicate);
    draw.weigh("callbacks/forged", 0.2, &mut callbacks.forged);
    callbacks.late_s = draw.one_of("callbacks/late-s", &[0.0, 2.0, 60.0], 2.0);
}

/// What goes wrong in Kadr's own house and on the way to people.
fn own_side(draw: &Draw, scenario: &mut Scenario) {
    let database = &mut scenario.database;
    let mut calls: [(&str, f64, &mut f64); 3] = [
        ("before", 0.02, &mut database.lost_before_commit),
        ("after", 0.02, &mut database.lost_after_commit),
        ("slow", 0.02, &mut database.slow),
    ];
    draw.weigh_together("database", &mut calls);
    database.slow_s = draw.one_of("database/slow-s", &[1.0, 5.0, 20.0], 5.0);
    let llm = &mut scenario.llm;
    let mut calls: [(&str, f64, &mut f64); 4] = [
        ("fails", 0.2, &mut llm.fails),
        ("empty", 0.1, &mut llm.empty),
        ("refuses", 0.1, &mut llm.refuses),
        ("slow", 0.1, &mut llm.slow),
    ];
    draw.weigh_together("llm", &mut calls);
    llm.slow_s = draw.one_of("llm/slow-s", &[10.0, 30.0, 60.0], 30.0);
    let messenger = &mut scenario.messenger;
    let mut messages: [(&str, f64, &mut f64); 2] =
        [("fails", 0.1, &mut messenger.fails), ("answer-lost", 0.05, &mut messenger.answer_lost)];
    draw.weigh_together("messenger", &mut messages);
    draw.weigh("messenger/blocked", 0.05, &mut messenger.blocked);
    let crashes = &mut scenario.crashes;
    draw.weigh("crashes/per-hour", 6.0, &mut crashes.per_hour);
    draw.weigh("crashes/in-call", 0.003, &mut crashes.in_call);
    crashes.down_s = draw.one_of("crashes/down", &[1.0, 30.0, 300.0], crashes.down_s);
}

fn outages(draw: &Draw, scenario: &mut Scenario) {
    let mut number = 0;
    scenario.outages.retain(|_| {
        number += 1;
        draw.exists(&format!("own-outage/{number}"))
    });
    let number = if draw.exists("outages") { draw.number("outages", 1, OUTAGES_MAX) } else { 0 };
    let others: Vec<_> = (0..number)
        .map(|at| {
            let name = |what: &str| format!("outage/{at}/{what}");
            let one = draw.number(&name("account"), 0, u32::try_from(scenario.accounts.len()).unwrap_or(0));
            let what = draw.one_of(&name("what"), &KINDS, OutageKind::Maintenance);
            let is_paused = what == OutageKind::ModelPaused;
            // Every other pause is the ordered model's alone.
            let model = (is_paused && draw.exists(&name("model"))).then(|| scenario.model.id.clone());
            Outage {
                at: draw.time(&name("at"), scenario),
                minutes: draw.one_of(&name("minutes"), &[1.0, 5.0, 20.0], 5.0),
                what,
                share: draw.one_of(&name("share"), &[0.5, 1.0], 1.0),
                // One beyond the last account is all of them.
                account: scenario.accounts.get(one as usize).map(|account| account.name.clone()),
                model,
            }
        })
        .collect();
    scenario.outages.extend(others);
}

fn kills(draw: &Draw, scenario: &mut Scenario) {
    let (processes, mut number) = (scenario.fleet.processes, 0);
    scenario.kills.retain(|kill| {
        number += 1;
        // The fleet may have fewer processes than the base's.
        kill.process.is_none_or(|process| process < processes) && draw.exists(&format!("own-kill/{number}"))
    });
    let number = if draw.exists("kills") { draw.number("kills", 1, KILLS_MAX) } else { 0 };
    let others: Vec<_> = (0..number)
        .map(|at| {
            let name = |what: &str| format!("kill/{at}/{what}");
            // One beyond the last process is all of them.
            let process = draw.number(&name("process"), 0, u32::from(processes));
            let process = u16::try_from(process).ok().filter(|one| *one < processes);
            let down_s = draw.one_of(&name("down"), &[1.0, 30.0, 300.0], 30.0);
            Kill { at: draw.time(&name("at"), scenario), process, down_s }
        })
        .collect();
    scenario.kills.extend(others);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::fake;

    #[test]
    fn a_seed_always_makes_the_same_scenario_and_seeds_differ() {
        let base = fake::scenario();
        assert_eq!(swarm(&base, 7), swarm(&base, 7));
        assert_ne!(swarm(&base, 7).errors, swarm(&base, 8).errors);
    }

    #[test]
    fn whatever_is_drawn_can_be_run_and_written_down() {
        let mut base = fake::scenario();
        base.name = "n".repeat(60);
        (base.errors.temporary, base.llm.fails) = (0.9, 1.0);
        for seed in 0..300 {
            let scenario = swarm(&base, seed);
            let errors = toml::Table::try_from(&scenario.errors).unwrap();
            let shares: Vec<f64> = errors.values().filter_map(toml::Value::as_float).collect();
            assert_eq!(shares.len(), 15);
            assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)), "{seed}");
            assert!(shares.iter().sum::<f64>() < 1.0, "{seed}");
            let llm = &scenario.llm;
            assert!(llm.fails + llm.empty + llm.refuses + llm.slow < 1.0, "{seed}");
            assert!(scenario.errors.temporary <= 0.9 && scenario.errors.unknown <= 0.05, "{seed}");
            assert!(scenario.name.len() <= 60 && scenario.fleet.deadline_s >= scenario.fleet.lease_s);
            assert!(scenario.fleet.workers >= u32::from(scenario.fleet.processes), "{seed}");
            assert!(scenario.accounts[0].accepted);
            for outage in &scenario.outages {
                assert!((scenario.day.from..scenario.day.to).contains(&outage.at), "{seed}");
                let names: Vec<_> = scenario.accounts.iter().map(|account| &account.name).collect();
                assert!(outage.account.as_ref().is_none_or(|name| names.contains(&name)), "{seed}");
            }
            for kill in &scenario.kills {
                assert!(kill.process.is_none_or(|process| process < scenario.fleet.processes), "{seed}");
            }
            let written = toml::to_string(&scenario).unwrap();
            assert_eq!(toml::from_str::<Scenario>(&written).unwrap(), scenario, "{seed}");
        }
    }

    #[test]
    fn each_kind_of_fault_is_absent_in_about_half_of_the_runs() {
        let base = fake::scenario();
        let has = |of: fn(&Scenario) -> bool| (0..200).filter(|seed| of(&swarm(&base, *seed))).count();
        for with in [
            has(|scenario| scenario.errors.temporary > 0.0),
            has(|scenario| scenario.database.lost_after_commit > 0.0),
            has(|scenario| scenario.crashes.in_call > 0.0),
            has(|scenario| scenario.outages.iter().any(|outage| outage.at.to_string() == "20:30")),
            has(|scenario| scenario.messenger.blocked > 0.0),
        ] {
            assert!((70..130).contains(&with), "{with}");
        }
    }

    #[test]
    fn times_of_day_are_made_of_seconds() {
        assert_eq!(time_of_day(0), TimeOfDay::MIDNIGHT);
        assert_eq!(time_of_day(73_805).to_string(), "20:30:05");
        assert_eq!(time_of_day(999_999), TimeOfDay::END);
    }
}
