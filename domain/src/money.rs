//! Credits: whole, never negative, never overflowing.

use std::fmt;

/// A number of credits. One credit buys one video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Credits(u32);

/// The number of credits is not one a user may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} credits is outside 0 to {max}", max = Credits::MAX.0)]
pub struct CreditsOutOfRange(pub i64);

impl Credits {
    /// None.
    pub const ZERO: Self = Self(0);
    /// The most credits one user may have, far above any purchase and far below overflow.
    pub const MAX: Self = Self(1_000_000_000);

    /// Checks the range.
    ///
    /// # Errors
    /// [`CreditsOutOfRange`] below zero or above [`Credits::MAX`].
    pub fn new(value: i64) -> Result<Self, CreditsOutOfRange> {
        u32::try_from(value).ok().map(Self).filter(|c| *c <= Self::MAX).ok_or(CreditsOutOfRange(value))
    }

    /// A number of credits known at compile time or bounded by its type.
    #[must_use]
    pub const fn of(value: u8) -> Self {
        Self(value as u32)
    }

    /// The number, signed, ready for sums.
    #[must_use]
    pub const fn value(self) -> i64 {
        self.0 as i64
    }

    /// This many credits after `delta` more (fewer, when negative).
    ///
    /// # Errors
    /// [`CreditsOutOfRange`] when the result would be.
    pub fn plus(self, delta: i64) -> Result<Self, CreditsOutOfRange> {
        Self::new(self.value().saturating_add(delta))
    }
}

impl fmt::Display for Credits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
