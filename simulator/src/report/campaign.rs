//! Many seeds of one scenario, summed up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    data::{BrokenRow, Digests, RunReport, SCHEMA, ScenarioFacts, Verdict, Versions, ratio, short},
    key_metrics::{Better, key_metrics},
};

/// What many seeds of one scenario came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CampaignReport {
    /// The version of this form; see [`SCHEMA`].
    pub schema: u32,
    /// How it ended; see [`Campaign::new`].
    pub verdict: Verdict,
    /// What was simulated.
    pub scenario: ScenarioFacts,
    /// `model` or `wire`.
    pub mode: String,
    /// What was run.
    pub versions: Versions,
    /// The share of seeds that has to meet each threshold.
    pub required_share: f64,
    /// Every seed, in the order they were run.
    pub seeds: Vec<SeedRow>,
    /// How far the seeds lie apart.
    pub metrics: Vec<Spread>,
    /// How many seeds meet each threshold.
    pub thresholds: Vec<ThresholdShare>,
    /// In how many seeds each goal was reached.
    pub goals: Vec<GoalShare>,
    /// What was found broken, seed by seed.
    pub broken: Vec<BrokenSeed>,
    /// The seed that took longest, in real time.
    pub slowest_seed: u64,
    /// The seed whose videos waited longest, by the 95th percentile of the main window (of the day without one).
    pub worst_seed: u64,
    /// Real time over all seeds, in seconds.
    pub wall_s: f64,
    /// The command that repeats the campaign.
    pub reproduce: String,
    /// Inputs nobody has measured, by key, and where they come from.
    pub assumptions: BTreeMap<String, String>,
}

/// One seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeedRow {
    /// Which.
    pub seed: u64,
    /// How it ended.
    pub verdict: Verdict,
    /// Orders placed.
    pub orders: u64,
    /// Videos ordered.
    pub videos: u64,
    /// The share of them refunded.
    pub refunded_ratio: Option<f64>,
    /// The 95th percentile of the wait in the main window (in the day without one), in seconds.
    pub wait_p95_s: Option<f64>,
    /// Thresholds it misses.
    pub missed: u64,
    /// Violations found.
    pub broken: u64,
    /// Real time, in seconds.
    pub wall_s: f64,
    /// What identifies it.
    pub digests: Digests,
}

/// One number over all seeds that have it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Its name.
    pub name: String,
    /// Which way is better.
    pub better: Better,
    /// Seeds in which it could be measured.
    pub seeds: u64,
    /// The smallest.
    pub min: f64,
    /// The median; of an even number of seeds the lower of the middle two, so that it is a value that occurred.
    pub median: f64,
    /// The largest.
    pub max: f64,
}

/// A threshold over all seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThresholdShare {
    /// The metric with its labels.
    pub metric: String,
    /// The expression.
    pub expression: String,
    /// Its limit.
    pub limit: f64,
    /// Seeds that meet it.
    pub met: u64,
    /// Seeds.
    pub seeds: u64,
    /// The smallest margin of any seed that could be measured, in the metric's unit; negative if one missed it.
    pub worst_margin: Option<f64>,
    /// That seed.
    pub worst_seed: Option<u64>,
    /// Whether enough seeds meet it.
    pub passed: bool,
}

/// A goal over all seeds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoalShare {
    /// Its name.
    pub name: String,
    /// Seeds that reached it.
    pub seeds: u64,
    /// How often it was reached, over all seeds.
    pub reached: u64,
    /// Whether at least one seed has to reach it.
    pub required: bool,
}

/// A seed in which something was found broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokenSeed {
    /// Which.
    pub seed: u64,
    /// How many violations it had.
    pub total: u64,
    /// The first of each invariant, with the command that shows it again.
    pub first: Vec<BrokenRow>,
    /// What the store's audit found.
    pub audit: Vec<String>,
}

/// Sums up runs as they end, keeping a few numbers of each.
#[derive(Debug, Clone)]
pub struct Campaign {
    required_share: f64,
    last: Option<(ScenarioFacts, String, Versions, BTreeMap<String, String>)>,
    seeds: Vec<SeedRow>,
    values: Vec<(String, Better, Vec<f64>)>,
    thresholds: Vec<ThresholdShare>,
    goals: BTreeMap<String, GoalShare>,
    broken: Vec<BrokenSeed>,
}

impl Campaign {
    /// A campaign in which `required_share` (0 to 1) of the seeds has to meet each threshold. A broken invariant in any
    /// seed breaks it, and every required goal must be reached in at least one seed.
    #[must_use]
    pub const fn new(required_share: f64) -> Self {
        Self {
            required_share,
            last: None,
            seeds: Vec::new(),
            values: Vec::new(),
            thresholds: Vec::new(),
            goals: BTreeMap::new(),
            broken: Vec::new(),
        }
    }

    /// Takes in one more seed of the same scenario.
    pub fn add(&mut self, report: &RunReport) {
        self.seeds.push(seed_row(report));
        for metric in key_metrics(report) {
            let known = self.values.iter().position(|(name, ..)| *name == metric.name);
            let place = known.unwrap_or(self.values.len());
            if known.is_none() {
                self.values.push((metric.name, metric.better, Vec::new()));
            }
            self.values[place].2.extend(metric.value);
        }
        self.add_thresholds(report);
        for goal in &report.goals {
            let share = self.goals.entry(goal.name.clone()).or_insert_with(|| GoalShare {
                name: goal.name.clone(),
                seeds: 0,
                reached: 0,
                required: false,
            });
            share.seeds += u64::from(goal.reached > 0);
            share.reached += goal.reached;
            share.required |= goal.required;
        }
        if report.verdict == Verdict::InvariantBroken {
            let mut first: Vec<BrokenRow> = Vec::new();
            for row in &report.invariants.broken {
                if first.iter().all(|known| known.invariant != row.invariant) {
                    first.push(row.clone());
                }
            }
            let (seed, total) = (report.seed, report.invariants.broken_total);
            self.broken.push(BrokenSeed { seed, total, first, audit: report.audit.clone() });
        }
        let (scenario, mode) = (report.scenario.clone(), report.mode.clone());
        self.last = Some((scenario, mode, report.versions.clone(), report.assumptions.clone()));
    }

    fn add_thresholds(&mut self, report: &RunReport) {
        for threshold in &report.thresholds {
            let is_same = |known: &ThresholdShare| {
                known.metric == threshold.metric && known.expression == threshold.expression
            };
            let known = self.thresholds.iter().position(is_same);
            let place = known.unwrap_or(self.thresholds.len());
            if known.is_none() {
                self.thresholds.push(ThresholdShare {
                    metric: threshold.metric.clone(),
                    expression: threshold.expression.clone(),
                    limit: threshold.limit,
                    met: 0,
                    seeds: 0,
                    worst_margin: None,
                    worst_seed: None,
                    passed: false,
                });
            }
            let share = &mut self.thresholds[place];
            share.seeds += 1;
            share.met += u64::from(threshold.passed);
            if let Some(margin) =
                threshold.margin.filter(|m| share.worst_margin.is_none_or(|worst| *m < worst))
            {
                share.worst_margin = Some(margin);
                share.worst_seed = Some(report.seed);
            }
        }
    }

    /// The report, with the command that repeats the campaign; nothing if no seed was run.
    #[must_use]
    pub fn finish(mut self, reproduce: String) -> Option<CampaignReport> {
        let (scenario, mode, versions, assumptions) = self.last?;
        for share in &mut self.thresholds {
            share.passed = ratio(share.met, share.seeds).is_some_and(|met| met >= self.required_share);
        }
        let goals: Vec<_> = self.goals.into_values().collect();
        let verdict = Verdict::worst([
            (Verdict::InvariantBroken, !self.broken.is_empty()),
            (Verdict::ThresholdMissed, self.thresholds.iter().any(|share| !share.passed)),
            (Verdict::GoalNotReached, goals.iter().any(|goal| goal.required && goal.seeds == 0)),
        ]);
        let most = |of: fn(&SeedRow) -> f64| {
            let first = self.seeds.iter().rev().max_by(|a, b| of(a).total_cmp(&of(b)));
            first.map_or(0, |row| row.seed)
        };
        Some(CampaignReport {
            schema: SCHEMA,
            verdict,
            scenario,
            mode,
            versions,
            required_share: self.required_share,
            slowest_seed: most(|row| row.wall_s),
            worst_seed: most(|row| row.wait_p95_s.unwrap_or(-1.0)),
            wall_s: short(self.seeds.iter().map(|row| row.wall_s).sum()),
            seeds: self.seeds,
            metrics: self.values.into_iter().filter_map(spread).collect(),
            thresholds: self.thresholds,
            goals,
            broken: self.broken,
            reproduce,
            assumptions,
        })
    }
}

fn seed_row(report: &RunReport) -> SeedRow {
    let wait = report.percentiles("wait_s", &report.main_window());
    SeedRow {
        seed: report.seed,
        verdict: report.verdict,
        orders: report.counts.orders,
        videos: report.counts.videos,
        refunded_ratio: report.counts.refunded_ratio().map(short),
        wait_p95_s: wait.map(|wait| wait.p95_s),
        missed: u64::try_from(report.thresholds.iter().filter(|t| !t.passed).count()).unwrap_or(u64::MAX),
        broken: report.invariants.broken_total,
        wall_s: report.time.wall_s,
        digests: report.digests.clone(),
    }
}

fn spread((name, better, mut values): (String, Better, Vec<f64>)) -> Option<Spread> {
    values.sort_unstable_by(f64::total_cmp);
    Some(Spread {
        name,
        better,
        seeds: u64::try_from(values.len()).unwrap_or(u64::MAX),
        min: *values.first()?,
        median: *values.get((values.len() - 1) / 2)?,
        max: *values.last()?,
    })
}
