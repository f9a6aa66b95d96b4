//! Chance from one seed.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, PoisonError},
};

use ports::Entropy;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

/// Chance that repeats itself: every named stream has a generator of its own, derived from one seed.
pub struct SeededEntropy {
    seed: u64,
    streams: Mutex<BTreeMap<&'static str, ChaCha8Rng>>,
}

impl SeededEntropy {
    /// Derives all streams from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, streams: Mutex::default() }
    }
}

impl fmt::Debug for SeededEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeededEntropy").field("seed", &self.seed).finish_non_exhaustive()
    }
}

/// FNV-1a: std's own hashers are not promised to stay the same between releases.
fn fnv1a(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// A generator for one name under one seed. Names get generators of their own, so that one more draw in one
/// place does not move the draws of another.
pub(crate) fn generator(seed: u64, name: &str) -> ChaCha8Rng {
    let hash = fnv1a(name);
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&hash.to_le_bytes());
    ChaCha8Rng::from_seed(key)
}

/// 128 bits for one name under one seed.
pub(crate) fn bits_of(seed: u64, name: &str) -> u128 {
    let mut generator = generator(seed, name);
    (u128::from(generator.next_u64()) << 64) | u128::from(generator.next_u64())
}

/// A number in `0.0..1.0` for one name under one seed.
pub(crate) fn chance(seed: u64, name: &str) -> f64 {
    chance_of(generator(seed, name).next_u64())
}

/// A number in `0.0..1.0` out of 64 random bits.
#[expect(
    clippy::cast_precision_loss,
    reason = "only the upper 53 bits are used, which a double holds exactly"
)]
pub(crate) fn chance_of(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

/// A number in `0.0..1.0` for what happens to the thing that `name` and `numbers` name. Much quicker than a generator
/// of its own, for draws made at every call: a hash (splitmix64 over each part), not a stream.
pub(crate) fn luck(seed: u64, name: &str, numbers: &[u64]) -> f64 {
    let mix = |state: u64, part: u64| {
        let mut z = (state ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let start = mix(seed, fnv1a(name));
    chance_of(numbers.iter().fold(start, |state, number| mix(state, *number)))
}

impl Entropy for SeededEntropy {
    fn bits(&self, stream: &'static str) -> u128 {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let generator = streams.entry(stream).or_insert_with(|| generator(self.seed, stream));
        (u128::from(generator.next_u64()) << 64) | u128::from(generator.next_u64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(entropy: &SeededEntropy, stream: &'static str) -> [u128; 3] {
        [(); 3].map(|()| entropy.bits(stream))
    }

    #[test]
    fn the_same_seed_gives_the_same_stream() {
        assert_eq!(draws(&SeededEntropy::new(7), "ids"), draws(&SeededEntropy::new(7), "ids"));
        assert_ne!(draws(&SeededEntropy::new(7), "ids"), draws(&SeededEntropy::new(8), "ids"));
    }

    #[test]
    fn a_draw_in_one_stream_does_not_move_another() {
        let (alone, beside) = (SeededEntropy::new(7), SeededEntropy::new(7));
        let _ = draws(&beside, "jitter");
        assert_eq!(draws(&alone, "ids"), draws(&beside, "ids"));
        assert_ne!(draws(&alone, "jitter"), draws(&beside, "ids"));
    }
}
