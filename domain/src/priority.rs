//! Who goes first when workers are short.

use std::time::Duration;

use crate::time::Timestamp;

/// The urgency of a job's next step.
///
/// Ageing needs no task of its own: a priority is a fixed delay added to the instant of the order
/// ([`Priority::sort_at`]), so anything that waits long enough overtakes whatever came later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Money is already spent at the provider: look at the render, deliver the video.
    InFlight,
    /// The first video of an order.
    First,
    /// The further videos of an order: five must not keep everybody else's first one waiting.
    Further,
}

impl Priority {
    /// The longest delay of any priority: nothing sorts later than this after it was ordered.
    pub const DELAY_MAX: Duration = Duration::from_secs(60);

    /// How much later than its order a step of this priority is sorted.
    #[must_use]
    pub const fn delay(self) -> Duration {
        match self {
            Self::InFlight => Duration::ZERO,
            Self::First => Duration::from_secs(10),
            Self::Further => Self::DELAY_MAX,
        }
    }

    /// The key by which due steps are taken, earliest first.
    #[must_use]
    pub fn sort_at(self, ordered_at: Timestamp) -> Timestamp {
        ordered_at.after(self.delay())
    }
}
