//! The machine's own clock and randomness.

mod clock;
mod entropy;

pub use clock::SystemClock;
pub use entropy::OsEntropy;
