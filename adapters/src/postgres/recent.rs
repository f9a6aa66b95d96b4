//! What was read lately and never changes.

use std::{
    fmt,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
};

use hashlink::LruCache;

/// Values that never change once stored, kept by their keys up to a weight; whatever was not asked for the longest
/// goes first.
pub(super) struct Recent<K, V> {
    weight_max: usize,
    kept: Mutex<Kept<K, V>>,
}

struct Kept<K, V> {
    values: LruCache<K, (V, usize)>,
    weight: usize,
}

impl<K: Eq + Hash, V: Clone> Recent<K, V> {
    /// Keeps at most `weight_max`, in whatever unit [`Recent::keep`] is told weights in.
    pub(super) fn up_to(weight_max: usize) -> Self {
        Self { weight_max, kept: Mutex::new(Kept { values: LruCache::new_unbounded(), weight: 0 }) }
    }

    pub(super) fn get(&self, key: &K) -> Option<V> {
        self.kept().values.get(key).map(|(value, _)| value.clone())
    }

    /// Keeps a value, unless it alone is too heavy.
    pub(super) fn keep(&self, key: K, value: V, weight: usize) {
        if weight > self.weight_max {
            return;
        }
        let mut kept = self.kept();
        let replaced = kept.values.insert(key, (value, weight)).map_or(0, |(_, weight)| weight);
        kept.weight = kept.weight - replaced + weight;
        while kept.weight > self.weight_max
            && let Some((_, (_, weight))) = kept.values.remove_lru()
        {
            kept.weight -= weight;
        }
    }

    /// Lets go of all of them.
    pub(super) fn clear(&self) {
        let mut kept = self.kept();
        kept.values.clear();
        kept.weight = 0;
    }

    fn kept(&self) -> MutexGuard<'_, Kept<K, V>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V> fmt::Debug for Recent<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recent").field("weight_max", &self.weight_max).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_asked_for_the_longest_makes_room() {
        let recent = Recent::up_to(10);
        recent.keep("a", 1, 4);
        recent.keep("b", 2, 4);
        assert_eq!(recent.get(&"a"), Some(1));
        recent.keep("c", 3, 3);
        assert_eq!((recent.get(&"a"), recent.get(&"b"), recent.get(&"c")), (Some(1), None, Some(3)));
        recent.keep("a", 4, 7);
        assert_eq!(
            (recent.get(&"a"), recent.get(&"c")),
            (Some(4), Some(3)),
            "a replaced value weighs nothing"
        );
        recent.keep("d", 5, 11);
        assert_eq!((recent.get(&"d"), recent.get(&"a")), (None, Some(4)), "too heavy to keep at all");
    }
}
