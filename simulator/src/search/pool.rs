//! Many runs at once, results in order.

use std::{
    any::Any,
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// As many threads as this machine runs at once.
#[must_use]
pub fn threads() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// Does the work of numbers `0..count` on several threads and returns the results by number, whichever finished
/// first. `on_done` hears how many are finished. Work that panics is a result like any other: a run that dies is a
/// finding about that run, and no reason to lose the others.
pub fn map<T: Send>(
    count: usize,
    threads: NonZeroUsize,
    on_done: &(dyn Fn(usize) + Sync),
    work: impl Fn(usize) -> Result<T, String> + Sync,
) -> Vec<Result<T, String>> {
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let results = Mutex::new(Vec::with_capacity(count));
    thread::scope(|scope| {
        for _ in 0..threads.get().min(count) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        break;
                    }
                    let result = caught(|| work(number));
                    results.lock().unwrap_or_else(PoisonError::into_inner).push((number, result));
                    on_done(done.fetch_add(1, Ordering::Relaxed) + 1);
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Does work whose panic is a result like any other.
pub(super) fn caught<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(said(&*panic)))
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("the run panicked: {}", text.as_deref().unwrap_or("nothing said"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_and_a_panic_is_one_of_them() {
        let heard = AtomicUsize::new(0);
        let four = NonZeroUsize::new(4).unwrap();
        let results = map(
            20,
            four,
            &|done| {
                heard.fetch_max(done, Ordering::Relaxed);
            },
            |number| {
                assert!(number != 7, "seven");
                Ok(number * 2)
            },
        );
        assert_eq!(heard.into_inner(), 20);
        for (number, result) in results.into_iter().enumerate() {
            match result {
                Ok(doubled) => assert_eq!(doubled, number * 2),
                Err(why) => assert_eq!((number, why.as_str()), (7, "the run panicked: seven")),
            }
        }
    }
}
