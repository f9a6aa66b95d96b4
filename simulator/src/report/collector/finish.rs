//! From a watched run to its report.

use std::collections::{BTreeMap, BTreeSet};

use domain::failure::FailureClass;

use super::{
    Collector, Setup,
    distribution::{GroupSamples, samples as samples_of},
    millis,
    series::Lines,
    step::worst_job,
    wait::Waits,
};
use crate::{
    oracle::Broken,
    report::data::{
        AccountFacts, AccountSeries, BrokenRow, Digests, Facts, Goal, GroupCount, Invariants, Judged,
        RunReport, RunTime, SCHEMA, SampleGroup, ScenarioFacts, Series, Verdict, Versions, Window, short,
    },
};

impl Collector {
    /// The report of the run, which is over.
    #[must_use]
    pub fn finish(mut self, facts: Facts) -> RunReport {
        let ended = self.last_at;
        let bins = self.lines.close(self.setup.day_to, ended);
        let thresholds = self.judge(&facts);
        let invariants = invariants(&facts);
        let goals = goals(&facts);
        let audit: Vec<_> = facts.audit.findings.iter().map(|finding| finding.what.clone()).collect();
        let unfinished = u64::try_from(self.live.len()).unwrap_or(u64::MAX);
        let live = std::mem::take(&mut self.live);
        for (job, live) in &live {
            self.worst.add(&worst_job(*job, live, None, millis(live.placed_at, ended), None));
        }
        let mut counts = self.tally.counts(unfinished);
        counts.by_group =
            self.groups.named(&self.setup.windows).map(|(group, of)| count(group, of)).collect();
        let samples = self.groups.named(&self.setup.windows);
        let samples = samples.flat_map(|(group, of)| samples_of(&group, of)).collect();
        RunReport {
            schema: SCHEMA,
            verdict: verdict(&invariants, &audit, &thresholds, &goals),
            time: RunTime {
                from: self.setup.day_from,
                to: self.setup.day_to,
                healed_at: self.healed_at,
                settled_at: self.settled_at,
                ended_at: ended,
                utc_offset_s: self.setup.utc_offset_s,
                wall_s: short(facts.wall.as_secs_f64()),
                events: self.events,
            },
            series: series(self.lines, &self.setup, self.waits, bins),
            scenario: scenario(self.setup, facts.about, facts.scenario_hash),
            seed: facts.seed,
            mode: facts.mode.as_str().to_owned(),
            versions: Versions { kadr: env!("CARGO_PKG_VERSION").to_owned(), commit: facts.commit },
            real_calls: facts.real_calls,
            digests: Digests { outcome: facts.outcome_digest, timeline: facts.timeline_digest },
            thresholds,
            invariants,
            goals,
            samples,
            money: self.tally.money(),
            counts,
            bill: facts.bill,
            audit,
            worst: self.worst.finish(),
            reproduce: facts.reproduce,
            assumptions: facts.assumptions,
        }
    }

    fn judge(&self, facts: &Facts) -> Vec<Judged> {
        let thresholds = facts.thresholds.iter();
        thresholds.map(|threshold| Judged::of(threshold, self.measure(threshold, &facts.bill))).collect()
    }
}

fn count(group: SampleGroup, of: &GroupSamples) -> GroupCount {
    GroupCount {
        group,
        videos: of.videos,
        delivered: of.delivered,
        refunded: of.refunded,
        cancelled: of.cancelled,
    }
}

fn scenario(setup: Setup, about: String, hash: String) -> ScenarioFacts {
    let accounts = setup.accounts.into_iter().map(|(name, running_max)| AccountFacts { name, running_max });
    let windows = setup.windows.into_iter().map(|(name, from, to)| Window { name, from, to });
    ScenarioFacts {
        name: setup.scenario_name,
        about,
        hash,
        workers: setup.workers,
        accounts: accounts.collect(),
        windows: windows.collect(),
    }
}

fn invariants(facts: &Facts) -> Invariants {
    let row = |broken: &Broken| BrokenRow {
        invariant: broken.invariant.to_owned(),
        what: broken.what.clone(),
        at: broken.at,
        seq: broken.seq,
        job: broken.job.map(|job| job.0),
        order: broken.order.map(|order| order.0),
        replay: facts.reproduce.clone(),
    };
    Invariants {
        checks: facts.checks.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect(),
        broken_total: u64::try_from(facts.broken.len()).unwrap_or(u64::MAX),
        broken: first_of_each(&facts.broken).map(row).collect(),
    }
}

/// The first violations of each invariant: a flood of one must not hide another.
fn first_of_each(broken: &[Broken]) -> impl Iterator<Item = &Broken> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    broken.iter().filter(move |broken| {
        let count = seen.entry(broken.invariant).or_default();
        *count += 1;
        *count <= Invariants::BROKEN_MAX
    })
}

/// Every goal that is known, by its name.
fn goals(facts: &Facts) -> Vec<Goal> {
    let required: BTreeSet<&str> = facts.required_goals.iter().map(String::as_str).collect();
    let mut reached: BTreeMap<&str, u64> = required.iter().map(|name| (*name, 0)).collect();
    reached.extend(facts.goals.iter().map(|(name, n)| (*name, *n)));
    let goals = reached.into_iter().map(|(name, reached)| Goal {
        name: name.to_owned(),
        reached,
        required: required.contains(name),
    });
    goals.collect()
}

fn verdict(invariants: &Invariants, audit: &[String], thresholds: &[Judged], goals: &[Goal]) -> Verdict {
    Verdict::worst([
        (Verdict::InvariantBroken, invariants.broken_total > 0 || !audit.is_empty()),
        (Verdict::ThresholdMissed, thresholds.iter().any(|threshold| !threshold.passed)),
        (Verdict::GoalNotReached, goals.iter().any(|goal| goal.required && goal.reached == 0)),
    ])
}

fn series(lines: Lines, setup: &Setup, waits: Waits, bins: usize) -> Series {
    let unsigned = |values: Vec<i64>| -> Vec<u32> {
        values.into_iter().map(|value| u32::try_from(value).unwrap_or(0)).collect()
    };
    let (hours_from, from, bin_s) = (lines.hours_from(), lines.grid.from, lines.grid.bin_s);
    let waits = waits.finish(bins);
    let in_seconds = |ms: u32| f64::from(ms) / 1_000.0;
    let accounts = setup.accounts.iter().zip(lines.accounts).map(|((name, running_max), level)| {
        AccountSeries { name: name.clone(), running_max: *running_max, running: unsigned(level.max) }
    });
    let failures = FailureClass::ALL.into_iter().zip(lines.failures);
    let failures = failures.filter(|(_, counts)| counts.iter().any(|n| *n > 0));
    Series {
        from,
        bin_s: u32::try_from(bin_s).unwrap_or(1),
        orders: lines.orders,
        videos: lines.videos,
        queue_last: unsigned(lines.queue.last),
        queue_max: unsigned(lines.queue.max),
        accounts: accounts.collect(),
        wait_p50_s: waits.iter().map(|wait| wait.map(|(p50, _)| in_seconds(p50))).collect(),
        wait_p95_s: waits.iter().map(|wait| wait.map(|(_, p95)| in_seconds(p95))).collect(),
        failures: failures.map(|(class, counts)| (class.as_str().to_owned(), counts)).collect(),
        held: lines.held.last,
        captured: lines.captured.last,
        released: lines.released.last,
        kills: lines.kills,
        hours_from,
        delivered_per_hour: lines.delivered_per_hour,
        outages: lines.outages,
    }
}
