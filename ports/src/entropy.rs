//! Chance.

/// The only source of randomness.
///
/// Each use names its stream, so that a simulation can draw each from a generator of its own and a draw added in
/// one place does not move the others.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait Entropy: Send + Sync {
    /// 128 random bits from the stream called `stream`.
    fn bits(&self, stream: &'static str) -> u128;
}
