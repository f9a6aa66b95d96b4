//! Campaigns: one scenario, many seeds.

use std::{borrow::Cow, collections::BTreeMap, fmt::Write};

use serde::Serialize;

use super::{
    NoVerdict, Runner, SHARE_TO_PASS, Tried, pool, share,
    spread::{Spread, shown, spreads},
    swarm::swarm,
    sweep::Trials,
    verdict,
};
use crate::{report::Verdict, scenario::Scenario};

/// Broken seeds that are told in full.
const TOLD_MAX: usize = 5;

/// What came of a campaign.
#[derive(Debug, Clone, PartialEq)]
pub struct Campaign {
    /// The scenario's name.
    pub scenario: String,
    /// Whether each seed drew its own faults.
    pub is_swarm: bool,
    /// Goals the scenario wants reached.
    pub goals_wanted: Vec<String>,
    /// Whether there are thresholds to meet.
    pub has_thresholds: bool,
    /// Each seed with what came of it, in order.
    pub results: Vec<(u64, Result<Tried, String>)>,
}

/// A campaign in figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CampaignSummary {
    /// The scenario's name.
    pub scenario: String,
    /// Whether each seed drew its own faults.
    pub is_swarm: bool,
    /// Seeds tried.
    pub seeds: usize,
    /// Seeds whose run met all thresholds and broke nothing.
    pub good: usize,
    /// Seeds in which an invariant broke, and which the first one was.
    pub broken: BTreeMap<u64, &'static str>,
    /// Seeds whose run could not be made, and why.
    pub failed: BTreeMap<u64, String>,
    /// In how many seeds each goal was reached.
    pub goals: BTreeMap<String, usize>,
    /// Wanted goals that no seed reached.
    pub never_reached: Vec<String>,
    /// Figures over all seeds.
    pub figures: BTreeMap<String, Spread>,
    /// The verdict; nothing where runs could not be made.
    pub verdict: Option<Verdict>,
}

/// Runs a scenario with each seed. With `is_swarm` each seed draws its own faults first.
pub fn campaign(
    runner: &dyn Runner,
    scenario: &Scenario,
    trials: &Trials,
    is_swarm: bool,
    on_done: &(dyn Fn(usize) + Sync),
) -> Campaign {
    let first = trials.seeds.start;
    let results = pool::map(trials.len(), trials.threads, on_done, |number| {
        let seed = first + number as u64;
        runner.run(&of_seed(scenario, seed, is_swarm), seed, None)
    });
    Campaign {
        scenario: scenario.name.clone(),
        is_swarm,
        goals_wanted: scenario.goals.clone(),
        has_thresholds: !is_swarm && !scenario.thresholds.is_empty(),
        results: trials.seeds.clone().zip(results).collect(),
    }
}

/// The scenario a seed is run with.
#[must_use]
pub fn of_seed(scenario: &Scenario, seed: u64, is_swarm: bool) -> Cow<'_, Scenario> {
    if is_swarm { Cow::Owned(swarm(scenario, seed)) } else { Cow::Borrowed(scenario) }
}

impl Campaign {
    fn tried(&self) -> impl Iterator<Item = (u64, &Tried)> {
        self.results.iter().filter_map(|(seed, result)| Some((*seed, result.as_ref().ok()?)))
    }

    /// Seeds whose run met all thresholds and broke nothing.
    #[must_use]
    pub fn good(&self) -> usize {
        self.tried().filter(|(_, tried)| tried.is_good()).count()
    }

    /// Seeds in which an invariant broke.
    pub fn broken(&self) -> impl Iterator<Item = (u64, &Tried)> {
        self.tried().filter(|(_, tried)| !tried.broken.is_empty())
    }

    /// Seeds whose run could not be made.
    pub fn failed(&self) -> impl Iterator<Item = (u64, &str)> {
        self.results.iter().filter_map(|(seed, result)| Some((*seed, result.as_ref().err()?.as_str())))
    }

    /// In how many seeds each goal was reached; those that were wanted and never reached with a zero.
    #[must_use]
    pub fn goals(&self) -> BTreeMap<String, usize> {
        let mut goals: BTreeMap<String, usize> =
            self.goals_wanted.iter().map(|goal| (goal.clone(), 0)).collect();
        for (_, tried) in self.tried() {
            for (goal, times) in &tried.goals {
                *goals.entry((*goal).to_owned()).or_default() += usize::from(*times > 0);
            }
        }
        goals
    }

    /// Wanted goals that no seed reached.
    #[must_use]
    pub fn never_reached(&self) -> Vec<String> {
        let goals = self.goals();
        self.goals_wanted.iter().filter(|goal| goals.get(*goal) == Some(&0)).cloned().collect()
    }

    /// Figures over all seeds.
    #[must_use]
    pub fn figures(&self) -> BTreeMap<String, Spread> {
        spreads(self.tried().map(|(_, tried)| &tried.figures))
    }

    /// The verdict. Thresholds are met when enough of the seeds meet them.
    ///
    /// # Errors
    /// [`NoVerdict`] where a run could not be made and nothing broke in the others.
    pub fn verdict(&self) -> Result<Verdict, NoVerdict> {
        let is_complete = self.failed().next().is_none() && !self.results.is_empty();
        let is_missed = self.has_thresholds && share(self.good(), self.results.len()) < SHARE_TO_PASS;
        let findings = [
            (Verdict::InvariantBroken, self.broken().next().is_some()),
            (Verdict::ThresholdMissed, is_missed),
            (Verdict::GoalNotReached, !self.never_reached().is_empty()),
        ];
        verdict(is_complete, findings)
    }

    /// The campaign in figures, for machines.
    #[must_use]
    pub fn summary(&self) -> CampaignSummary {
        let first = |tried: &Tried| tried.broken.first().map_or("", |broken| broken.invariant);
        CampaignSummary {
            scenario: self.scenario.clone(),
            is_swarm: self.is_swarm,
            seeds: self.results.len(),
            good: self.good(),
            broken: self.broken().map(|(seed, tried)| (seed, first(tried))).collect(),
            failed: self.failed().map(|(seed, why)| (seed, why.to_owned())).collect(),
            goals: self.goals(),
            never_reached: self.never_reached(),
            figures: self.figures(),
            verdict: self.verdict().ok(),
        }
    }

    /// The campaign as text. `scenario` is how it was named on the command line, for the commands to go on with.
    #[must_use]
    pub fn text(&self, scenario: &str) -> String {
        let (of, good) = (self.results.len(), self.good());
        let broken: Vec<_> = self.broken().collect();
        let mut text = format!("{of} seeds: {good} good, {} broke an invariant", broken.len());
        let failed: Vec<_> = self.failed().collect();
        if !failed.is_empty() {
            write!(text, ", {} could not be run", failed.len()).ok();
        }
        text.push('\n');
        let swarm = if self.is_swarm { " --swarm" } else { "" };
        for (seed, tried) in broken.iter().take(TOLD_MAX) {
            if let Some(first) = tried.broken.first() {
                writeln!(text, "\nseed {seed}: {}\n  {}", first.invariant, first.what).ok();
                writeln!(text, "  smaller: cargo sim shrink {scenario} --seed {seed}{swarm}").ok();
            }
        }
        if broken.len() > TOLD_MAX {
            let more: Vec<_> = broken.iter().skip(TOLD_MAX).map(|(seed, _)| seed.to_string()).collect();
            writeln!(text, "\nand seeds {}", more.join(", ")).ok();
        }
        for (seed, why) in failed.iter().take(TOLD_MAX) {
            writeln!(text, "\nseed {seed} could not be run: {why}").ok();
        }
        let goals = self.goals();
        if !goals.is_empty() {
            text.push_str("\nGoals, and in how many seeds they were reached:\n");
            for (goal, seeds) in &goals {
                let never = if *seeds == 0 { "   NEVER" } else { "" };
                writeln!(text, "  {goal:<44} {seeds:>5}{never}").ok();
            }
        }
        let figures = self.figures();
        if !figures.is_empty() {
            writeln!(text, "\n{:<46} {:>10} {:>10} {:>10}", "Figures", "min", "median", "max").ok();
            for (name, Spread { min, median, max }) in &figures {
                let [min, median, max] = [min, median, max].map(|value| shown(*value));
                writeln!(text, "  {name:<44} {min:>10} {median:>10} {max:>10}").ok();
            }
        }
        match self.verdict() {
            Ok(verdict) => write!(text, "\nVerdict: {}", verdict.title()).ok(),
            Err(error) => write!(text, "\nVerdict: {error}").ok(),
        };
        text
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;
    use crate::search::fake::{self, Fake, broken};

    fn run(runner: &Fake, threads: usize) -> Campaign {
        let trials = Trials { seeds: 10..50, threads: NonZeroUsize::new(threads).unwrap() };
        campaign(runner, &fake::scenario(), &trials, false, &|_| {})
    }

    fn seeds_tell() -> Fake {
        Fake::new(|_, seed, _| {
            let goals = if seed == 12 { BTreeMap::from([("a", 3), ("b", 1)]) } else { BTreeMap::new() };
            let figures = BTreeMap::from([("wait".to_owned(), f64::from(u32::try_from(seed).unwrap()))]);
            Ok(Tried { goals, figures, timeline_digest: seed.into(), ..Tried::default() })
        })
    }

    #[test]
    fn results_come_in_the_order_of_their_seeds_however_many_threads_there_are() {
        let (one, four) = (run(&seeds_tell(), 1), run(&seeds_tell(), 4));
        assert_eq!(one, four);
        assert!(one.results.iter().map(|(seed, _)| *seed).eq(10..50));
        assert!(one.tried().all(|(seed, tried)| tried.timeline_digest == seed.into()));
        assert_eq!(one.figures()["wait"], Spread { min: 10.0, median: 29.5, max: 49.0 });
        assert_eq!(one.goals(), BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 1)]));
        assert_eq!(one.verdict(), Ok(Verdict::Pass));
    }

    #[test]
    fn a_goal_that_is_never_reached_fails_a_campaign() {
        let never = run(&Fake::new(|_, _, _| Ok(Tried::default())), 2);
        assert_eq!(never.never_reached(), ["a", "b"]);
        assert_eq!(never.verdict(), Ok(Verdict::GoalNotReached));
        assert!(never.text("fake").contains("NEVER"));
    }

    #[test]
    fn broken_seeds_are_named_with_the_command_that_makes_them_small() {
        let runner = Fake::new(|_, seed, _| {
            let broken = if seed % 5 == 0 { vec![broken("holds")] } else { Vec::new() };
            Ok(Tried { broken, ..Tried::default() })
        });
        let found = run(&runner, 3);
        assert_eq!(found.verdict(), Ok(Verdict::InvariantBroken));
        let text = found.text("evening-peak");
        assert!(text.contains("cargo sim shrink evening-peak --seed 10\n"), "{text}");
        assert!(text.contains("and seeds 35, 40, 45"), "{text}");
        assert_eq!(found.summary().broken.len(), 8);
    }

    #[test]
    fn thresholds_have_a_budget_of_one_seed_in_twenty() {
        let missing = |every| {
            Fake::new(move |_, seed, _| {
                let goals = BTreeMap::from([("a", 1), ("b", 1)]);
                let missed = usize::from(seed % every == 0);
                Ok(Tried { goals, thresholds_missed: missed, ..Tried::default() })
            })
        };
        assert_eq!(run(&missing(20), 2).verdict(), Ok(Verdict::Pass));
        assert_eq!(run(&missing(10), 2).verdict(), Ok(Verdict::ThresholdMissed));
    }

    #[test]
    fn a_missed_threshold_is_worse_than_a_goal_that_is_not_reached() {
        let both = run(&Fake::new(|_, _, _| Ok(Tried { thresholds_missed: 1, ..Tried::default() })), 2);
        assert_eq!(both.never_reached(), ["a", "b"]);
        assert_eq!(both.verdict(), Ok(Verdict::ThresholdMissed));
        assert_eq!(serde_json::to_value(both.summary()).unwrap()["verdict"], "threshold_missed");
    }

    #[test]
    fn runs_that_could_not_be_made_give_no_verdict_unless_something_broke() {
        let failing = |breaks: bool| {
            Fake::new(move |_, seed, _| match seed {
                11 => Err("no room".to_owned()),
                12 if breaks => Ok(Tried { broken: vec![broken("holds")], ..Tried::default() }),
                _ => Ok(Tried::default()),
            })
        };
        let failed = run(&failing(false), 2);
        assert_eq!((failed.verdict(), failed.summary().verdict), (Err(NoVerdict), None));
        assert!(
            failed.text("fake").ends_with("Verdict: not every run could be made, so there is no verdict")
        );
        assert_eq!(run(&failing(true), 2).verdict(), Ok(Verdict::InvariantBroken));
    }
}
