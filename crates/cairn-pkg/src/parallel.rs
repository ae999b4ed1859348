// SPDX-License-Identifier: MIT OR Apache-2.0
//! Work on many packages side by side, with results in order.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;

/// Most threads: beyond that, the disk is what everything waits for.
const THREADS: usize = 4;

/// Does `work` for the numbers below `count` on all processors, and calls `each` with the results in the order of the numbers.
///
/// # Errors
/// The first that `each` returns; nothing more is begun then, and what is begun is finished first.
pub(crate) fn in_order<R: Send, E>(
    count: usize,
    work: &(dyn Fn(usize) -> R + Sync),
    each: &mut dyn FnMut(usize, R) -> Result<(), E>,
) -> Result<(), E> {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let threads = threads.min(THREADS).min(count);
    if threads < 2 {
        return (0..count).try_for_each(|number| each(number, work(number)));
    }
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(threads);
        for _ in 0..threads {
            let sender = sender.clone();
            let (next, stop) = (&next, &stop);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count || sender.send((number, work(number))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut early = BTreeMap::new();
        let mut wanted = 0;
        for (number, result) in &receiver {
            early.insert(number, result);
            while let Some(result) = early.remove(&wanted) {
                if let Err(error) = each(wanted, result) {
                    stop.store(true, Ordering::Relaxed);
                    // Those that still have a result must not wait for anybody to take it.
                    drop(receiver);
                    return Err(error);
                }
                wanted += 1;
            }
        }
        Ok(())
    })
}

/// Does two things side by side.
pub(crate) fn both<A, B: Send>(
    here: impl FnOnce() -> A,
    beside: impl FnOnce() -> B + Send,
) -> (A, B) {
    std::thread::scope(|scope| {
        let beside = scope.spawn(beside);
        let here = here();
        match beside.join() {
            Ok(beside) => (here, beside),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order() {
        let mut found = Vec::new();
        let work = |number: usize| {
            // Later ones are done earlier.
            (0..(500 - number) * 100).fold(number, |sum, n| std::hint::black_box(sum ^ n ^ n))
        };
        let done: Result<(), ()> = in_order(500, &work, &mut |number, result| {
            assert_eq!(number, result);
            found.push(result);
            Ok(())
        });
        assert_eq!((done, found), (Ok(()), (0..500).collect()));
    }

    #[test]
    fn the_first_error_stops_it() {
        let begun = AtomicUsize::new(0);
        let work = |number| {
            begun.fetch_add(1, Ordering::Relaxed);
            number
        };
        let each = &mut |number, _| if number == 7 { Err(number) } else { Ok(()) };
        assert_eq!(in_order(100_000, &work, each), Err(7));
        assert!(begun.load(Ordering::Relaxed) < 100_000);
    }
}
