//! What a scenario must be like to be possible.

mod day;
mod kadr;
mod provider;
mod troubles;
mod wishes;

use super::{place::Place, read::Findings, schema::Scenario};

/// The longest time anything may be said to take, in seconds: a day.
const DAY_S: f64 = 86_400.0;

/// Everything that is wrong with a scenario.
pub(super) fn check(scenario: &Scenario) -> Findings {
    let mut checks = Checks { findings: Vec::new() };
    day::check(scenario, &mut checks);
    kadr::check(scenario, &mut checks);
    provider::check(scenario, &mut checks);
    troubles::check(scenario, &mut checks);
    wishes::check(scenario, &mut checks);
    checks.findings
}

/// Collects what is wrong.
struct Checks {
    findings: Findings,
}

impl Checks {
    fn wrong(&mut self, place: impl Into<Place>, problem: impl Into<String>) {
        self.findings.push((place.into(), problem.into()));
    }

    /// Notes the problem unless it is as it should be.
    fn demand(&mut self, is_right: bool, place: impl Into<Place>, problem: &str) {
        if !is_right {
            self.wrong(place, problem);
        }
    }

    /// A share of something.
    fn share(&mut self, place: impl Into<Place>, value: f64) {
        if !(0.0..=1.0).contains(&value) {
            self.wrong(place, format!("{value} is no share: write a number from 0 to 1, as 0.08 for 8 %"));
        }
    }

    /// Shares of the same thing, of which at most one can happen.
    fn shares(&mut self, table: &str, of: &str, shares: &[(&str, f64)]) {
        for (key, value) in shares {
            self.share(Place::of(table).key(*key), *value);
        }
        let sum: f64 = shares.iter().map(|(_, value)| value).sum();
        let is_each_right = shares.iter().all(|(_, value)| (0.0..=1.0).contains(value));
        // Ten shares of 0.1 add up to a little more than 1 in binary.
        if is_each_right && sum > 1.0 + 1e-9 {
            let keys: Vec<_> = shares.iter().filter(|(_, v)| *v > 0.0).map(|(key, _)| *key).collect();
            let sum = (sum * 1e6).round() / 1e6;
            let problem =
                format!("{} are shares of the same {of} and add up to {sum}: at most 1", keys.join(", "));
            self.wrong(table, problem);
        }
    }

    /// A time of zero or more seconds.
    fn time(&mut self, place: impl Into<Place>, seconds: f64) {
        if !(0.0..=DAY_S).contains(&seconds) {
            self.wrong(place, format!("{seconds} is no time: write seconds, from 0 to 86400"));
        }
    }

    /// A time of more than zero seconds.
    fn positive_time(&mut self, place: impl Into<Place>, seconds: f64) {
        if !(seconds > 0.0 && seconds <= DAY_S) {
            self.wrong(
                place,
                format!("{seconds} is too short or no time: write seconds, more than 0 and at most 86400"),
            );
        }
    }

    /// Weights, of which at least one counts.
    fn weights<'w>(&mut self, place: &Place, weights: impl Iterator<Item = (Place, &'w f64)>) {
        let mut any = false;
        for (at, weight) in weights {
            if weight.is_finite() && *weight >= 0.0 {
                any |= *weight > 0.0;
            } else {
                any = true;
                self.wrong(at, format!("{weight} is no weight: write 0 or more"));
            }
        }
        if !any {
            self.wrong(place.clone(), "no weight is more than 0, so there is nothing to choose from");
        }
    }
}

impl From<&str> for Place {
    fn from(dotted: &str) -> Self {
        Self::of(dotted)
    }
}

/// Whether a word can be a name in files, labels and lists of keys.
fn is_plain(word: &str) -> bool {
    (1..=60).contains(&word.len())
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}
