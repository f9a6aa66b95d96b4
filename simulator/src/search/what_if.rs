//! What if: one scenario beside its likely variations.

use std::{collections::BTreeMap, fmt::Write};

use serde::Serialize;

use super::{
    NoVerdict, Runner, SHARE_TO_PASS, share,
    spread::{Spread, shown},
    swarm::time_of_day,
    sweep::{Summary, Trials, headline, with_accounts},
    verdict,
};
use crate::{
    report::{Verdict, WhatIfRow, WhatIfTable},
    scenario::{Outage, OutageKind, Scenario},
};

/// The evening outage: when and how long.
const OUTAGE_AT_S: u32 = 20 * 3_600 + 30 * 60;
const OUTAGE_MINUTES: f64 = 20.0;
/// More failures: the usual share and the bad one.
const FAILURES: (f64, f64) = (0.08, 0.15);

/// The table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WhatIf {
    /// The scenario's name.
    pub scenario: String,
    /// Seeds a row.
    pub seeds: u64,
    /// Whether there are thresholds to meet.
    pub has_thresholds: bool,
    /// Figures shown as columns.
    pub columns: Vec<String>,
    /// The rows, the scenario itself first.
    pub rows: Vec<Row>,
}

/// One variation, tried.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// What is different.
    pub label: String,
    /// Seeds in which all thresholds were met and nothing broke.
    pub met: usize,
    /// Seeds in which an invariant broke.
    pub broken: usize,
    /// Why runs could not be made, the first reason only.
    pub trouble: Option<String>,
    /// Figures over all seeds.
    pub figures: BTreeMap<String, Spread>,
}

/// The scenario and its variations, with what is different about each.
#[must_use]
pub fn variations(base: &Scenario) -> Vec<(String, Scenario)> {
    vec![
        ("as it is".to_owned(), base.clone()),
        more_failures(base),
        outage(base),
        without_breaker(base),
        more_orders(base),
        account_lost(base),
        workers_wait(base),
    ]
}

/// Nearly twice the failures; the bad share where there were none.
fn more_failures(base: &Scenario) -> (String, Scenario) {
    let (usual, bad) = FAILURES;
    let mut scenario = base.clone();
    let now = base.errors.temporary;
    let then = if now > 0.0 { (now * bad / usual).min(1.0) } else { bad };
    scenario.errors.temporary = then;
    (format!("failures {} % instead of {} %", shown(then * 100.0), shown(now * 100.0)), scenario)
}

/// The provider in maintenance in the evening, or in the middle of a day that has no such evening.
fn outage(base: &Scenario) -> (String, Scenario) {
    let mut scenario = base.clone();
    let (from, to) = (base.day.from.seconds(), base.day.to.seconds());
    let is_in_day = (from..to).contains(&OUTAGE_AT_S);
    let at = time_of_day(if is_in_day { OUTAGE_AT_S } else { from.midpoint(to) });
    scenario.outages.push(Outage {
        at,
        minutes: OUTAGE_MINUTES,
        what: OutageKind::Maintenance,
        share: 1.0,
        account: None,
        model: None,
    });
    (format!("an outage of {OUTAGE_MINUTES:.0} min at {at}"), scenario)
}

/// An outage that each job finds out about by itself: the scenario's own, or the one in the evening.
fn without_breaker(base: &Scenario) -> (String, Scenario) {
    let has_outage = !base.outages.is_empty();
    let mut scenario = if has_outage { base.clone() } else { outage(base).1 };
    let has_breaker = base.fleet.outage_breaker;
    scenario.fleet.outage_breaker = !has_breaker;
    let what = if has_outage { "" } else { "that outage, " };
    let how = if has_breaker { "without the breaker" } else { "with the breaker" };
    (format!("{what}{how}"), scenario)
}

fn more_orders(base: &Scenario) -> (String, Scenario) {
    let mut scenario = base.clone();
    scenario.arrivals.orders_per_day = (base.arrivals.orders_per_day * 1.5).round();
    (format!("half as many orders again ({:.0})", scenario.arrivals.orders_per_day), scenario)
}

/// One account fewer; where there is only one, its keys are not accepted any more.
fn account_lost(base: &Scenario) -> (String, Scenario) {
    let number = u32::try_from(base.accounts.len()).unwrap_or(u32::MAX);
    if number > 1 {
        return (format!("one account of {number} lost"), with_accounts(base, number - 1));
    }
    let mut scenario = base.clone();
    scenario.accounts.iter_mut().for_each(|account| account.accepted = false);
    ("the only account lost".to_owned(), scenario)
}

/// The old way, or the present one where the scenario is about the old.
fn workers_wait(base: &Scenario) -> (String, Scenario) {
    let mut scenario = base.clone();
    let waits = !base.fleet.hold_worker_during_render;
    scenario.fleet.hold_worker_during_render = waits;
    let label = if waits { "workers wait for their renders" } else { "workers do not wait for renders" };
    (label.to_owned(), scenario)
}

/// Tries the scenario and its variations.
pub fn what_if(
    runner: &dyn Runner,
    base: &Scenario,
    trials: &Trials,
    on_done: &(dyn Fn(usize) + Sync),
) -> WhatIf {
    let (labels, scenarios): (Vec<_>, Vec<_>) = variations(base).into_iter().unzip();
    let results = trials.of_each(runner, &scenarios, on_done);
    let rows: Vec<Row> = labels
        .into_iter()
        .zip(results)
        .map(|(label, results)| {
            let Summary { met, broken, trouble, figures } = Summary::of(&results);
            Row { label, met, broken, trouble, figures }
        })
        .collect();
    let usual =
        ["wait_s{window=peak}.p95", "refunded_ratio", "provider_refunded_ratio", "videos_per_hour.max"]
            .map(str::to_owned);
    let mut columns: Vec<String> = headline(base).into_iter().chain(usual).collect();
    let mut seen = std::collections::BTreeSet::new();
    columns.retain(|name| rows.iter().any(|row| row.figures.contains_key(name)) && seen.insert(name.clone()));
    WhatIf {
        scenario: base.name.clone(),
        seeds: trials.len() as u64,
        has_thresholds: !base.thresholds.is_empty(),
        columns,
        rows,
    }
}

impl WhatIf {
    /// The table as a page shows it. `reproduce` is the command that makes it again.
    #[must_use]
    pub fn page_table(&self, reproduce: String) -> WhatIfTable {
        let rows = self.rows.iter().map(|row| {
            let median = |name: &str| row.figures.get(name).map(|figure| figure.median);
            let p95 = |name: &&String| name.starts_with("wait_s{") && name.ends_with(".p95");
            let window = row.figures.keys().find(p95).and_then(|name| median(name));
            WhatIfRow {
                what: row.label.clone(),
                seeds: self.seeds,
                passed: u64::try_from(row.met).unwrap_or(u64::MAX),
                p95_wait_s: window.or_else(|| median("wait_s.p95")),
                refunded_ratio: median("refunded_ratio"),
                provider_refunded_ratio: median("provider_refunded_ratio"),
                provider_credits_per_video: median("provider_credits_per_video"),
                queue_max: median("queue_depth.max"),
            }
        });
        WhatIfTable { scenario: self.scenario.clone(), rows: rows.collect(), reproduce }
    }

    /// The verdict on the scenario as it is: its variations may miss thresholds, but nothing may ever break.
    ///
    /// # Errors
    /// [`NoVerdict`] where a run could not be made and nothing broke in the others.
    pub fn verdict(&self) -> Result<Verdict, NoVerdict> {
        let seeds = usize::try_from(self.seeds).unwrap_or(usize::MAX);
        let is_missed = self.rows.first().is_none_or(|row| share(row.met, seeds) < SHARE_TO_PASS);
        let is_complete = self.rows.iter().all(|row| row.trouble.is_none());
        let findings = [
            (Verdict::InvariantBroken, self.rows.iter().any(|row| row.broken > 0)),
            (Verdict::ThresholdMissed, self.has_thresholds && is_missed),
        ];
        verdict(is_complete, findings)
    }

    /// The table as text: medians over the seeds.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = format!("{:<36} {:>9}", "what if", "met");
        for name in &self.columns {
            write!(text, " {name:>24}").ok();
        }
        for row in &self.rows {
            write!(text, "\n{:<36} {:>9}", row.label, format!("{}/{}", row.met, self.seeds)).ok();
            for name in &self.columns {
                let median = row.figures.get(name).map_or_else(|| "-".to_owned(), |f| shown(f.median));
                write!(text, " {median:>24}").ok();
            }
            if row.broken > 0 {
                write!(text, "  {} broken", row.broken).ok();
            }
            if let Some(why) = &row.trouble {
                write!(text, "  {why}").ok();
            }
        }
        write!(text, "\nMedians of {} seeds.", self.seeds).ok();
        text
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;
    use crate::search::{
        Tried,
        fake::{self, Fake},
    };

    #[test]
    fn each_variation_differs_in_what_its_label_says() {
        let base = fake::scenario();
        let all = variations(&base);
        let labels: Vec<_> = all.iter().map(|(label, _)| label.as_str()).collect();
        assert_eq!(
            labels,
            [
                "as it is",
                "failures 15 % instead of 8 %",
                "an outage of 20 min at 20:30",
                "without the breaker",
                "half as many orders again (1500)",
                "one account of 2 lost",
                "workers wait for their renders",
            ]
        );
        assert!(all.iter().skip(1).all(|(_, scenario)| *scenario != base));
        assert_eq!(all[0].1, base);
    }

    #[test]
    fn the_table_puts_them_side_by_side() {
        let runner = Fake::new(|scenario, _, _| {
            let wait = if scenario.fleet.hold_worker_during_render { 4_667.0 } else { 1.5 };
            Ok(Tried {
                thresholds_missed: usize::from(wait > 60.0),
                figures: BTreeMap::from([("wait_s{window=peak}.p95".to_owned(), wait)]),
                ..Tried::default()
            })
        });
        let trials = Trials { seeds: 0..4, threads: NonZeroUsize::new(2).unwrap() };
        let table = what_if(&runner, &fake::scenario(), &trials, &|_| {});
        assert_eq!((table.rows.len(), table.rows[6].met), (7, 0));
        assert_eq!(table.columns, ["wait_s{window=peak}.p95"]);
        assert_eq!(table.verdict(), Ok(Verdict::Pass));
        assert!(table.table().contains("4667"), "{}", table.table());
    }
}
