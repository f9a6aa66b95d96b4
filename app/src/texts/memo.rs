//! Texts that were filled in before. The same few hundred are said over and over, and filling one in takes longer than
//! everything else about a message short of sending it.

use std::sync::{LazyLock, Mutex, PoisonError};

use hashlink::LruCache;

use super::Language;

/// More than there are texts with the numbers that usually stand in them.
const REMEMBERED_MAX: usize = 1_024;
/// A text with more places is not remembered.
const PLACES_MAX: usize = 3;

type Places = [Option<(&'static str, i64)>; PLACES_MAX];
type Memo = LruCache<(Language, &'static str, Places), String>;

static MEMO: LazyLock<Mutex<Memo>> = LazyLock::new(|| Mutex::new(LruCache::new(REMEMBERED_MAX)));

/// The text as it was filled in before, else as `fill` does it now.
pub(super) fn remembered(
    language: Language,
    key: &'static str,
    args: &[(&'static str, i64)],
    fill: impl FnOnce() -> String,
) -> String {
    if args.len() > PLACES_MAX {
        return fill();
    }
    let mut places = Places::default();
    for (place, arg) in places.iter_mut().zip(args) {
        *place = Some(*arg);
    }
    let mut memo = MEMO.lock().unwrap_or_else(PoisonError::into_inner);
    memo.entry((language, key, places)).or_insert_with(fill).clone()
}
