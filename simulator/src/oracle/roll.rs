//! Numbered things: those that are live in full, those that are over as four bytes.

/// Where a number stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Not given out yet.
    Unknown,
    /// Live.
    Live,
    /// Over, with the mark it was closed with.
    Over(u8),
}

/// The highest places stand for marks instead of slots.
const FIRST_MARK: u32 = u32::MAX - 255;

/// Things by number, given out one after the other from 0.
#[derive(Debug)]
pub(super) struct Roll<T> {
    places: Vec<u32>,
    slots: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Roll<T> {
    fn default() -> Self {
        Self { places: Vec::new(), slots: Vec::new(), free: Vec::new() }
    }
}

impl<T> Roll<T> {
    /// Adds the thing with the next number; `false`, and nothing is added, when `number` is another one.
    pub(super) fn begin(&mut self, number: u32, thing: T) -> bool {
        if usize::try_from(number) != Ok(self.places.len()) {
            return false;
        }
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                self.slots.push(None);
                u32::try_from(self.slots.len() - 1).unwrap_or(FIRST_MARK)
            }
        };
        if let Some(place) = self.slots.get_mut(slot as usize) {
            *place = Some(thing);
        }
        self.places.push(slot);
        true
    }

    /// Forgets a live thing but for a mark.
    pub(super) fn close(&mut self, number: u32, mark: u8) -> Option<T> {
        let place = self.places.get_mut(number as usize)?;
        let slot = *place;
        let thing = self.slots.get_mut(slot as usize)?.take()?;
        *place = FIRST_MARK + u32::from(mark);
        self.free.push(slot);
        Some(thing)
    }

    pub(super) fn place(&self, number: u32) -> Place {
        match self.places.get(number as usize) {
            None => Place::Unknown,
            Some(place) => match u8::try_from(place.wrapping_sub(FIRST_MARK)) {
                Ok(mark) if *place >= FIRST_MARK => Place::Over(mark),
                _ => Place::Live,
            },
        }
    }

    pub(super) fn get(&self, number: u32) -> Option<&T> {
        self.slots.get(*self.places.get(number as usize)? as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.slots.get_mut(*self.places.get(number as usize)? as usize)?.as_mut()
    }

    /// How many are live.
    pub(super) fn live(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// The lowest live number. Looks at all of them: for reports only.
    pub(super) fn first_live(&self) -> Option<u32> {
        let place = self.places.iter().position(|place| *place < FIRST_MARK)?;
        u32::try_from(place).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_is_told_from_what_never_was_and_its_slot_is_used_again() {
        let mut roll = Roll::default();
        assert!(roll.begin(0, 'a') && roll.begin(1, 'b'));
        assert!(!roll.begin(1, 'x') && !roll.begin(7, 'x'), "only the next number may begin");
        assert_eq!(roll.close(0, 3), Some('a'));
        assert_eq!(
            (roll.place(0), roll.place(1), roll.place(2)),
            (Place::Over(3), Place::Live, Place::Unknown)
        );
        assert_eq!(roll.close(0, 3), None);
        assert_eq!(roll.get(0), None);
        assert!(roll.begin(2, 'c'));
        assert_eq!(
            (roll.get(2), roll.slots.len(), roll.live(), roll.first_live()),
            (Some(&'c'), 2, 2, Some(1))
        );
    }
}
