//! Where in a scenario something stands.

use std::fmt;

/// One step into a table or a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

/// A key's full path, shown as `outage[0].at`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Place(Vec<Step>);

impl Place {
    pub(super) fn root() -> Self {
        Self::default()
    }

    /// A path of plain words between dots.
    pub(super) fn of(dotted: &str) -> Self {
        dotted.split('.').fold(Self::root(), |place, word| place.key(word))
    }

    /// Below this, the value of a key.
    pub(super) fn key(&self, word: impl Into<String>) -> Self {
        self.with(Step::Key(word.into()))
    }

    /// Below this, an element of a list, from 0.
    pub(super) fn index(&self, index: usize) -> Self {
        self.with(Step::Index(index))
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The nearest key at or above this: the path without the places in lists at its end.
    pub(super) fn nearest_key(&self) -> Self {
        let end = self.0.iter().rposition(|step| matches!(step, Step::Key(_))).map_or(0, |last| last + 1);
        Self(self.0.iter().take(end).cloned().collect())
    }

    /// Whether this is `other` or lies below it.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(word) => {
                    if number > 0 {
                        f.write_str(".")?;
                    }
                    let is_bare = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
                    if !word.is_empty() && word.bytes().all(is_bare) {
                        f.write_str(word)?;
                    } else {
                        write!(f, "\"{word}\"")?;
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_shown_as_it_would_be_written() {
        let outage = Place::of("outage").index(1).key("at");
        assert_eq!(outage.to_string(), "outage[1].at");
        let threshold = Place::of("thresholds").key("wait_s{window=peak}").index(0);
        assert_eq!(threshold.to_string(), "thresholds.\"wait_s{window=peak}\"[0]");
        assert_eq!(threshold.nearest_key(), Place::of("thresholds").key("wait_s{window=peak}"));
        assert!(outage.is_within(&Place::of("outage")) && !outage.is_within(&Place::of("kill")));
    }
}
