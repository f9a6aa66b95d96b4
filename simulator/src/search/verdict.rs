//! What a command's findings come to.

use std::process::ExitCode;

/// The verdict of a command, the worst last. An invariant is never a threshold: it has no budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// All is as it should be.
    Pass,
    /// A threshold was missed too often.
    ThresholdMissed,
    /// A goal of the scenario was reached in no run, so that the others prove little.
    GoalNeverReached,
    /// An invariant broke, a mutant survived, or the same seed gave two different runs.
    InvariantBroken,
    /// The scenario cannot be run.
    BadScenario,
}

impl Verdict {
    /// The exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::ThresholdMissed => 1,
            Self::InvariantBroken => 2,
            Self::GoalNeverReached => 3,
            Self::BadScenario => 4,
        }
    }

    /// The verdict in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::ThresholdMissed => "threshold missed",
            Self::GoalNeverReached => "goal never reached",
            Self::InvariantBroken => "invariant broken",
            Self::BadScenario => "bad scenario",
        }
    }
}

impl From<Verdict> for ExitCode {
    fn from(verdict: Verdict) -> Self {
        Self::from(verdict.code())
    }
}
