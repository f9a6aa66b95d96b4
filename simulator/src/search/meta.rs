//! Is the simulator itself what it says? The same seed twice has to be the same run, byte for byte.

use std::{
    fmt::{self, Write},
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{NoVerdict, Runner, Tried, pool, sweep::Trials, verdict};
use crate::{
    report::Verdict,
    scenario::Scenario,
    trace::{Event, Observer},
};

/// Events told before and after the first one that differs.
const AROUND: u64 = 2;

/// A tape of a run's events: the hash of each and of all, and the text of a few.
#[derive(Debug, Default)]
struct Tape {
    all: Sha256,
    each: Vec<u64>,
    /// Which events are kept in full.
    keep: Range<u64>,
    kept: Vec<String>,
}

/// Hashes what is written to it, piece by piece.
struct Hashing<'a> {
    all: &'a mut Sha256,
    one: u64,
}

impl Write for Hashing<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.all.update(text.as_bytes());
        for byte in text.bytes() {
            // FNV-1a, to find the event; that the logs are the same is SHA-256's to say.
            self.one = (self.one ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Ok(())
    }
}

impl Tape {
    fn take(&mut self, event: &Event<'_>) {
        let number = self.each.len() as u64;
        let mut hashing = Hashing { all: &mut self.all, one: 0xcbf2_9ce4_8422_2325 };
        writeln!(hashing, "{event:?}").ok();
        let one = hashing.one;
        self.each.push(one);
        if self.keep.contains(&number) {
            self.kept.push(format!("{event:?}"));
        }
    }
}

/// A tape that a run and whoever started it both hold.
#[derive(Debug, Clone, Default)]
struct SharedTape(Arc<Mutex<Tape>>);

impl SharedTape {
    fn keeping(keep: Range<u64>) -> Self {
        Self(Arc::new(Mutex::new(Tape { keep, ..Tape::default() })))
    }

    fn lock(&self) -> MutexGuard<'_, Tape> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for SharedTape {
    fn see(&mut self, event: &Event<'_>) {
        self.lock().take(event);
    }
}

/// What the same seed twice came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Twice {
    /// The same run.
    Same {
        /// Events in it.
        events: u64,
    },
    /// The logs part.
    Parted {
        /// The first event that differs, from 0.
        event: u64,
        /// It and its neighbours in the first run.
        first: Vec<String>,
        /// The same in the second.
        second: Vec<String>,
    },
    /// The logs are equal and the digests are not: something that is not in the log differs.
    DigestsDiffer {
        /// Which.
        which: &'static str,
    },
    /// A run could not be made.
    Failed {
        /// Why.
        why: String,
    },
}

/// What a check of determinism found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Meta {
    /// The scenario's name.
    pub scenario: String,
    /// Each seed with what its two runs came to.
    pub seeds: Vec<(u64, Twice)>,
}

/// Runs each seed twice and compares the runs.
pub fn meta(
    runner: &dyn Runner,
    scenario: &Scenario,
    trials: &Trials,
    on_done: &(dyn Fn(usize) + Sync),
) -> Meta {
    let first = trials.seeds.start;
    let results = pool::map(trials.len(), trials.threads, on_done, |number| {
        twice(runner, scenario, first + number as u64)
    });
    let results = results.into_iter().map(|result| result.unwrap_or_else(|why| Twice::Failed { why }));
    Meta { scenario: scenario.name.clone(), seeds: trials.seeds.clone().zip(results).collect() }
}

fn twice(runner: &dyn Runner, scenario: &Scenario, seed: u64) -> Result<Twice, String> {
    let run = |keep| -> Result<(Tried, SharedTape), String> {
        let tape = SharedTape::keeping(keep);
        let tried = runner.watch(scenario, seed, None, vec![Box::new(tape.clone())])?;
        Ok((tried, tape))
    };
    let ((first, one), (second, other)) = (run(0..0)?, run(0..0)?);
    if let Some(event) = parting(&one.lock(), &other.lock()) {
        // The texts were not kept the first time: a day has too many.
        let keep = event.saturating_sub(AROUND)..event + AROUND + 1;
        let texts = |(_, tape): (Tried, SharedTape)| std::mem::take(&mut tape.lock().kept);
        return Ok(Twice::Parted { event, first: texts(run(keep.clone())?), second: texts(run(keep)?) });
    }
    let events = one.lock().each.len() as u64;
    Ok(if first.outcome_digest != second.outcome_digest {
        Twice::DigestsDiffer { which: "outcome" }
    } else if first.timeline_digest != second.timeline_digest {
        Twice::DigestsDiffer { which: "timeline" }
    } else {
        Twice::Same { events }
    })
}

/// The first event in which two tapes differ; `None` when they are equal.
fn parting(one: &Tape, other: &Tape) -> Option<u64> {
    let differs = one.each.iter().zip(&other.each).position(|(one, other)| one != other);
    let shorter = one.each.len().min(other.each.len());
    let is_equal =
        one.each.len() == other.each.len() && one.all.clone().finalize() == other.all.clone().finalize();
    match differs {
        Some(at) => Some(at as u64),
        None if is_equal => None,
        None => Some(shorter as u64),
    }
}

impl Meta {
    /// A pass when every seed gave the same run twice.
    ///
    /// # Errors
    /// [`NoVerdict`] where a run could not be made and nothing broke in the others.
    pub fn verdict(&self) -> Result<Verdict, NoVerdict> {
        let is_failed = self.seeds.iter().any(|(_, twice)| matches!(twice, Twice::Failed { .. }));
        let is_bad = |twice: &Twice| matches!(twice, Twice::Parted { .. } | Twice::DigestsDiffer { .. });
        let is_broken = self.seeds.iter().any(|(_, twice)| is_bad(twice));
        verdict(!is_failed && !self.seeds.is_empty(), [(Verdict::InvariantBroken, is_broken)])
    }

    /// The check as text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let (mut same, mut events) = (0_usize, 0_u64);
        for (seed, twice) in &self.seeds {
            match twice {
                Twice::Same { events: in_run } => {
                    same += 1;
                    events += in_run;
                }
                Twice::Parted { event, first, second } => {
                    writeln!(text, "seed {seed}: the runs part at event {event}").ok();
                    for (name, lines) in [("first", first), ("second", second)] {
                        for line in lines {
                            writeln!(text, "  {name:<6} {line}").ok();
                        }
                    }
                }
                Twice::DigestsDiffer { which } => {
                    writeln!(text, "seed {seed}: equal logs, but another {which} digest").ok();
                }
                Twice::Failed { why } => {
                    writeln!(text, "seed {seed} could not be run: {why}").ok();
                }
            }
        }
        let of = self.seeds.len();
        write!(text, "{same} of {of} seeds gave the same run twice, {events} events byte for byte.").ok();
        text
    }
}

#[cfg(test)]
mod tests {
    use std::{
        num::NonZeroUsize,
        sync::atomic::{AtomicU64, Ordering},
    };

    use super::*;
    use crate::search::fake::{self, Fake};

    fn checked(runner: &Fake) -> Meta {
        let trials = Trials { seeds: 0..3, threads: NonZeroUsize::MIN };
        meta(runner, &fake::scenario(), &trials, &|_| {})
    }

    #[test]
    fn the_same_seed_twice_is_the_same_run() {
        let same =
            checked(&Fake::new(|_, seed, _| Ok(Tried { outcome_digest: seed.into(), ..Tried::default() })));
        assert_eq!(same.verdict(), Ok(Verdict::Pass));
        assert!(same.seeds.iter().all(|(_, twice)| *twice == Twice::Same { events: 3 }));
    }

    #[test]
    fn the_first_event_that_differs_is_shown() {
        let times = AtomicU64::new(0);
        let other = checked(&Fake::new(move |_, _, _| {
            let outcome_digest = times.fetch_add(1, Ordering::Relaxed).into();
            Ok(Tried { outcome_digest, ..Tried::default() })
        }));
        assert_eq!(other.verdict(), Ok(Verdict::InvariantBroken));
        let Twice::Parted { event: 1, first, second } = &other.seeds[0].1 else { panic!("{other:?}") };
        assert_eq!((first.len(), second.len()), (3, 3));
        assert!(first[1].contains("Granted") && first[1] != second[1]);
    }

    #[test]
    fn a_difference_that_is_not_in_the_log_is_found_too() {
        let times = AtomicU64::new(0);
        let other = checked(&Fake::new(move |_, _, _| {
            let timeline_digest = times.fetch_add(1, Ordering::Relaxed).into();
            Ok(Tried { timeline_digest, ..Tried::default() })
        }));
        assert_eq!(other.seeds[0].1, Twice::DigestsDiffer { which: "timeline" });
    }
}
