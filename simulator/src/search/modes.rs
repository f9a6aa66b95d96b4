//! Memory against the real thing: the same seed has to come to the same end over both.

use std::fmt::Write;

use serde::Serialize;

use super::{NoVerdict, Runner, pool, replay::hex, sweep::Trials, verdict};
use crate::{report::Verdict, scenario::Scenario};

/// What one seed came to in two modes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Both {
    /// The same end by the same way.
    Same,
    /// The same end, and something on the way happened in another order or at another time.
    SameEnd,
    /// Another end.
    OtherEnd {
        /// The outcome's digest in the first mode.
        one: String,
        /// And in the second.
        other: String,
    },
    /// A run could not be made.
    Failed {
        /// Why.
        why: String,
    },
}

/// What a comparison of modes found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Modes {
    /// The scenario's name.
    pub scenario: String,
    /// The two modes.
    pub modes: [&'static str; 2],
    /// Each seed with what it came to.
    pub seeds: Vec<(u64, Both)>,
}

/// Runs each seed in both modes and compares where the runs ended.
pub fn modes(
    one: &dyn Runner,
    other: &dyn Runner,
    scenario: &Scenario,
    trials: &Trials,
    on_done: &(dyn Fn(usize) + Sync),
) -> Modes {
    let first = trials.seeds.start;
    let results = pool::map(trials.len(), trials.threads, on_done, |number| {
        let seed = first + number as u64;
        let in_mode = |runner: &dyn Runner| {
            runner.run(scenario, seed, None).map_err(|why| format!("{}: {why}", runner.mode().as_str()))
        };
        let (a, b) = (in_mode(one)?, in_mode(other)?);
        Ok(if a.outcome_digest != b.outcome_digest {
            Both::OtherEnd { one: hex(a.outcome_digest), other: hex(b.outcome_digest) }
        } else if a.timeline_digest != b.timeline_digest {
            Both::SameEnd
        } else {
            Both::Same
        })
    });
    let results = results.into_iter().map(|result| result.unwrap_or_else(|why| Both::Failed { why }));
    Modes {
        scenario: scenario.name.clone(),
        modes: [one.mode().as_str(), other.mode().as_str()],
        seeds: trials.seeds.clone().zip(results).collect(),
    }
}

impl Modes {
    /// A pass when every seed ended the same in both modes.
    ///
    /// # Errors
    /// [`NoVerdict`] where a run could not be made and nothing broke in the others.
    pub fn verdict(&self) -> Result<Verdict, NoVerdict> {
        let is_failed = self.seeds.iter().any(|(_, both)| matches!(both, Both::Failed { .. }));
        let is_other = self.seeds.iter().any(|(_, both)| matches!(both, Both::OtherEnd { .. }));
        verdict(!is_failed && !self.seeds.is_empty(), [(Verdict::InvariantBroken, is_other)])
    }

    /// The comparison as text.
    #[must_use]
    pub fn text(&self) -> String {
        let [a, b] = self.modes;
        let mut text = String::new();
        for (seed, both) in &self.seeds {
            match both {
                Both::OtherEnd { one, other } => {
                    writeln!(text, "seed {seed} ends differently: {a} {one}, {b} {other}").ok();
                }
                Both::Failed { why } => {
                    writeln!(text, "seed {seed} could not be run: {why}").ok();
                }
                Both::Same | Both::SameEnd => {}
            }
        }
        let count = |wanted: &Both| self.seeds.iter().filter(|(_, both)| both == wanted).count();
        let (same, end) = (count(&Both::Same), count(&Both::SameEnd));
        let of = self.seeds.len();
        write!(text, "Of {of} seeds {} ended the same in {a} and {b}, {same} by the same way.", same + end)
            .ok();
        text
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;
    use crate::{
        day::Mode,
        search::{
            Tried,
            fake::{self, Fake},
        },
    };

    fn ending(mode: Mode, outcome: u128, timeline: u128) -> Fake {
        let tried = Tried { outcome_digest: outcome, timeline_digest: timeline, ..Tried::default() };
        Fake::new(move |_, _, _| Ok(tried.clone())).in_mode(mode)
    }

    fn compared(wire: &Fake) -> Modes {
        let trials = Trials { seeds: 0..2, threads: NonZeroUsize::MIN };
        modes(&ending(Mode::Model, 1, 2), wire, &fake::scenario(), &trials, &|_| {})
    }

    #[test]
    fn the_end_has_to_be_the_same_and_the_way_is_told() {
        let same = compared(&ending(Mode::Wire, 1, 2));
        assert_eq!((same.verdict(), &same.seeds[0].1), (Ok(Verdict::Pass), &Both::Same));
        let way = compared(&ending(Mode::Wire, 1, 9));
        assert_eq!((way.verdict(), &way.seeds[1].1), (Ok(Verdict::Pass), &Both::SameEnd));
        assert!(way.text().contains("2 ended the same in model and wire, 0 by the same way"));
        let end = compared(&ending(Mode::Wire, 9, 9));
        assert_eq!(end.verdict(), Ok(Verdict::InvariantBroken));
        assert!(end.text().contains("seed 0 ends differently"));
    }
}
