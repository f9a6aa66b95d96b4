//! Sets of places in a text.

use std::ops::{BitAnd, BitOr};

/// Blocks of 64 places: enough for each word that is read of a text, and for the end behind the last one.
const BLOCKS: usize = (super::words::MOST_WORDS + 1).div_ceil(64);

/// A set of places in a text, where place 0 stands before the first word.
///
/// One bit for each place, so that a step of matching moves all places at once, and none needs memory of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Positions([u64; BLOCKS]);

impl Positions {
    /// Adds a place. A place that no text reaches is left out.
    pub(super) fn insert(&mut self, place: usize) {
        if let Some(block) = self.0.get_mut(place / 64) {
            *block |= 1 << (place % 64);
        }
    }

    /// Whether there is no place in it.
    pub(super) fn is_empty(self) -> bool {
        self.0.iter().all(|block| *block == 0)
    }

    /// Each place moved on by one word.
    pub(super) fn moved_on(self) -> Self {
        let mut carried = 0;
        Self(self.0.map(|block| {
            let moved = block << 1 | carried;
            carried = block >> 63;
            moved
        }))
    }
}

impl FromIterator<usize> for Positions {
    fn from_iter<I: IntoIterator<Item = usize>>(places: I) -> Self {
        let mut set = Self::default();
        places.into_iter().for_each(|place| set.insert(place));
        set
    }
}

impl BitAnd for Positions {
    type Output = Self;

    fn bitand(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(block, others)| *block &= others);
        self
    }
}

impl BitOr for Positions {
    type Output = Self;

    fn bitor(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(block, others)| *block |= others);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::Positions;

    fn set(places: &[usize]) -> Positions {
        places.iter().copied().collect()
    }

    #[test]
    fn places_move_on_over_the_edge_of_a_block() {
        assert_eq!(set(&[0, 63, 127, 200]).moved_on(), set(&[1, 64, 128, 201]));
    }

    #[test]
    fn sets_meet_and_join() {
        assert_eq!(set(&[1, 70]) & set(&[70, 71]), set(&[70]));
        assert_eq!(set(&[1, 70]) | set(&[71]), set(&[1, 70, 71]));
        assert!((set(&[1]) & set(&[2])).is_empty());
    }

    #[test]
    fn a_place_beyond_every_text_is_left_out() {
        assert!(set(&[usize::MAX]).is_empty());
    }
}
