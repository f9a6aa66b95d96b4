//! One simulated day: users, fleet, provider and faults of a scenario, in virtual time.

/// Over which adapters a day runs. The services, the loops and the faults are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// All in memory.
    Model,
    /// Real HTTP to the simulated provider and language model, and a real PostgreSQL.
    Wire,
}

impl Mode {
    /// The word on the command line and in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Wire => "wire",
        }
    }
}
