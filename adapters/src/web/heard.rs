//! Callbacks that were acted on, so that copies of them cost nothing.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use crate::kie::Seal;

/// How many are remembered: more than an account at its limit of 20 tasks in ten seconds causes while a signature is good.
const SEALS_MAX: usize = 2_048;

/// The signatures that were acted on lately. Whoever has recorded one callback may send it again as often as he likes
/// while its time is near ours, about any attempt; hearing it once is all it is good for. A signature that is older than
/// that is refused before anybody looks here, so forgetting the oldest is enough.
#[derive(Debug, Default)]
pub(super) struct Heard {
    seals: Mutex<VecDeque<Seal>>,
}

impl Heard {
    pub(super) fn knows(&self, seal: &Seal) -> bool {
        self.seals.lock().unwrap_or_else(PoisonError::into_inner).contains(seal)
    }

    pub(super) fn remember(&self, seal: Seal) {
        let mut seals = self.seals.lock().unwrap_or_else(PoisonError::into_inner);
        if seals.len() >= SEALS_MAX {
            seals.pop_front();
        }
        seals.push_back(seal);
    }
}
