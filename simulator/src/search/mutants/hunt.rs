//! Running each mutant until something catches it.

use std::{fmt::Write, num::NonZeroUsize, ops::Range};

use serde::Serialize;

use super::Mutant;
use crate::{
    report::Verdict,
    scenario::Scenario,
    search::{Runner, Tried, pool, swarm::swarm},
};

/// The scenario of which every seed makes another one.
const SWARM: &str = "swarm";

/// What came of hunting one mutant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hunted {
    /// The mutant's name.
    pub mutant: String,
    /// The scenario it was provoked by.
    pub scenario: &'static str,
    /// What caught it; `None` when it survived.
    pub caught: Option<Catch>,
    /// Runs made, those without the mutant included.
    pub runs: u64,
    /// Invariants that broke although there was no mutant; whatever broke with one then proves nothing.
    pub broken_anyway: Vec<&'static str>,
    /// Why runs could not be made, the first reason only.
    pub trouble: Option<String>,
}

/// What caught a mutant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Catch {
    /// The invariant.
    pub invariant: &'static str,
    /// Whether it is one of [`Mutant::expected`].
    pub is_expected: bool,
    /// With which seed.
    pub seed: u64,
    /// What was found.
    pub what: String,
}

/// What came of a hunt.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct MutantReport {
    /// Each mutant that was hunted.
    pub hunted: Vec<Hunted>,
}

/// Runs each mutant with one seed after the other until an invariant catches it. A catch counts only when the same
/// run without the mutant keeps that invariant: a law that breaks anyway catches nothing.
///
/// `scenario_of` finds a built-in scenario by name.
///
/// # Errors
/// When a scenario cannot be found.
pub fn hunt(
    runner: &dyn Runner,
    mutants: &[Mutant],
    scenario_of: &dyn Fn(&str) -> Result<Scenario, String>,
    seeds: Range<u64>,
    threads: NonZeroUsize,
    on_done: &(dyn Fn(usize) + Sync),
) -> Result<MutantReport, String> {
    let prey: Vec<(Mutant, Scenario)> = mutants
        .iter()
        .map(|mutant| Ok((*mutant, scenario_of(mutant.provoked_by())?)))
        .collect::<Result<_, String>>()?;
    let hunted = pool::map(prey.len(), threads, on_done, |number| {
        let (mutant, scenario) = prey.get(number).ok_or("there is no such mutant")?;
        Ok(hunt_one(runner, *mutant, scenario, seeds.clone()))
    });
    Ok(MutantReport { hunted: hunted.into_iter().collect::<Result<_, String>>()? })
}

fn hunt_one(runner: &dyn Runner, mutant: Mutant, base: &Scenario, seeds: Range<u64>) -> Hunted {
    let scenario_name = mutant.provoked_by();
    let mut hunted = Hunted {
        mutant: mutant.name(),
        scenario: scenario_name,
        caught: None,
        runs: 0,
        broken_anyway: Vec::new(),
        trouble: None,
    };
    for seed in seeds {
        let scenario = if scenario_name == SWARM { swarm(base, seed) } else { base.clone() };
        let Some(with) = hunted.run(runner, &scenario, seed, Some(mutant)) else { continue };
        if with.broken.is_empty() {
            continue;
        }
        let Some(without) = hunted.run(runner, &scenario, seed, None) else { continue };
        hunted.broken_anyway.extend(without.broken.iter().map(|broken| broken.invariant));
        if let Some(caught) = catch(mutant, seed, &with, &without) {
            hunted.caught = Some(caught);
            break;
        }
    }
    hunted.broken_anyway.sort_unstable();
    hunted.broken_anyway.dedup();
    hunted
}

impl Hunted {
    fn run(
        &mut self,
        runner: &dyn Runner,
        scenario: &Scenario,
        seed: u64,
        mutant: Option<Mutant>,
    ) -> Option<Tried> {
        self.runs += 1;
        match pool::caught(|| runner.run(scenario, seed, mutant)) {
            Ok(tried) => Some(tried),
            Err(why) => {
                self.trouble.get_or_insert(why);
                None
            }
        }
    }
}

/// The first expected invariant that the mutant alone broke, else the first of any kind.
fn catch(mutant: Mutant, seed: u64, with: &Tried, without: &Tried) -> Option<Catch> {
    let is_expected = |invariant| mutant.expected().contains(&invariant);
    let mut fresh = with.broken.iter().filter(|broken| !without.breaks(broken.invariant));
    let first = fresh.clone().next()?;
    let broken = fresh.find(|broken| is_expected(broken.invariant)).unwrap_or(first);
    Some(Catch {
        invariant: broken.invariant,
        is_expected: is_expected(broken.invariant),
        seed,
        what: broken.what.clone(),
    })
}

impl MutantReport {
    /// Mutants that nothing caught.
    pub fn survivors(&self) -> impl Iterator<Item = &Hunted> {
        self.hunted.iter().filter(|hunted| hunted.caught.is_none())
    }

    /// A pass when nothing survived and nothing broke by itself.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let is_clean = self.hunted.iter().all(|hunted| hunted.broken_anyway.is_empty());
        if is_clean && self.survivors().next().is_none() { Verdict::Pass } else { Verdict::InvariantBroken }
    }

    /// The hunt as a table: mutant, what caught it, with which seed, after how many runs.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text =
            format!("{:<28} {:<34} {:>6} {:>5}  {}\n", "mutant", "caught by", "seed", "runs", "scenario");
        for hunted in &self.hunted {
            let (by, seed) = match &hunted.caught {
                Some(Catch { invariant, is_expected: true, seed, .. }) => {
                    ((*invariant).to_owned(), seed.to_string())
                }
                Some(Catch { invariant, seed, .. }) => {
                    (format!("{invariant} (unexpected)"), seed.to_string())
                }
                None => ("SURVIVED".to_owned(), "-".to_owned()),
            };
            let (mutant, runs, scenario) = (&hunted.mutant, hunted.runs, hunted.scenario);
            writeln!(text, "{mutant:<28} {by:<34} {seed:>6} {runs:>5}  {scenario}").ok();
            if !hunted.broken_anyway.is_empty() {
                let anyway = hunted.broken_anyway.join(", ");
                writeln!(text, "    broken without the mutant too: {anyway}").ok();
            }
            if let Some(why) = &hunted.trouble {
                writeln!(text, "    some runs could not be made: {why}").ok();
            }
        }
        let survivors = self.survivors().count();
        write!(text, "{survivors} of {} survived.", self.hunted.len()).ok();
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::fake::{self, Fake, broken};

    fn hunted(runner: &Fake, mutants: &[Mutant]) -> MutantReport {
        let one = NonZeroUsize::MIN;
        hunt(runner, mutants, &|_| Ok(fake::scenario()), 0..5, one, &|_| {}).unwrap()
    }

    #[test]
    fn a_mutant_is_hunted_until_it_is_caught_and_no_longer() {
        let runner = Fake::new(|_, seed, mutant| {
            let is_caught = mutant == Some(Mutant::ReaperOff) && seed >= 2;
            let broken = if is_caught { vec![broken("a"), broken("liveness")] } else { Vec::new() };
            Ok(Tried { broken, ..Tried::default() })
        });
        let report = hunted(&runner, &[Mutant::ReaperOff, Mutant::LimitIgnored]);
        let [caught, survivor] = &report.hunted[..] else { panic!("{report:?}") };
        let catch = caught.caught.as_ref().unwrap();
        assert_eq!((catch.invariant, catch.is_expected, catch.seed), ("liveness", true, 2));
        assert_eq!((caught.runs, survivor.runs, &survivor.caught), (4, 5, &None));
        assert_eq!(report.verdict(), Verdict::InvariantBroken);
        assert!(report.table().ends_with("1 of 2 survived."), "{}", report.table());
    }

    #[test]
    fn what_breaks_without_the_mutant_catches_nothing() {
        let runner = Fake::new(|_, _, _| Ok(Tried { broken: vec![broken("x")], ..Tried::default() }));
        let report = hunted(&runner, &[Mutant::ReaperOff]);
        assert_eq!(report.hunted[0].caught, None);
        assert_eq!(report.hunted[0].broken_anyway, ["x"]);
    }

    #[test]
    fn a_run_that_cannot_be_made_catches_nothing() {
        let report = hunted(&Fake::new(|_, _, _| Err("no".to_owned())), &[Mutant::ReaperOff]);
        assert_eq!(
            (report.hunted[0].caught.is_none(), report.hunted[0].trouble.as_deref()),
            (true, Some("no"))
        );
    }
}
