//! The machine's randomness.

use ports::Entropy;

/// Random bits from a generator that the operating system seeds. Streams need no separation here: nothing is ever
/// replayed.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    #[expect(clippy::disallowed_methods, reason = "this is the port's real randomness")]
    fn bits(&self, _stream: &'static str) -> u128 {
        rand::random()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_draws_are_alike() {
        assert_ne!(OsEntropy.bits("a"), OsEntropy.bits("a"));
    }
}
