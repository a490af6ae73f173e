//! Work on threads of its own whose results come in order.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Scope;

/// An item, and the place for its result.
type Task<T, R> = (T, SyncSender<R>);

/// Does `work` for each item on some threads, ahead of whoever takes the results, which come in the order of the items. As many
/// results as there are threads wait to be taken, at most.
///
/// When the results are dropped, no more items are taken, and the threads end. A panic ends the results; the scope passes it on.
pub fn in_order<'scope, T: Send + 'scope, R: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    items: impl Iterator<Item = T> + Send + 'scope,
    threads: usize,
    work: impl Fn(T) -> R + Send + Sync + 'scope,
) -> impl Iterator<Item = R> + Send + 'scope {
    let (queue, results) = sync_channel::<Receiver<R>>(threads);
    let (tasks, open) = sync_channel::<Task<T, R>>(0);
    let shared = Arc::new((Mutex::new(open), work));
    for _ in 0..threads {
        let shared = Arc::clone(&shared);
        scope.spawn(move || {
            while let Some((item, place)) = next(&shared.0) {
                // Nobody may want it any more.
                let _ = place.send(shared.1(item));
            }
        });
    }
    scope.spawn(move || {
        for item in items {
            let (place, result) = sync_channel(1);
            if queue.send(result).is_err() || tasks.send((item, place)).is_err() {
                return;
            }
        }
    });
    results.into_iter().map_while(|result| result.recv().ok())
}

fn next<T>(tasks: &Mutex<Receiver<T>>) -> Option<T> {
    tasks.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::Duration;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        for threads in [1, 3] {
            // The first of three takes longest.
            let work = |item: u64| {
                thread::sleep(Duration::from_millis(3 - item % 3));
                item * item
            };
            let results: Vec<u64> =
                thread::scope(|scope| in_order(scope, 0..20, threads, work).collect());
            assert_eq!(results, (0..20).map(|item| item * item).collect::<Vec<_>>());
        }
    }

    #[test]
    fn few_items_are_taken_ahead_and_none_when_nobody_wants_more() {
        let taken = AtomicUsize::new(0);
        let count = |_: &usize| {
            taken.fetch_add(1, Ordering::SeqCst);
        };
        thread::scope(|scope| {
            let mut results = in_order(scope, (0..100).inspect(count), 2, |item| item);
            assert_eq!(results.next(), Some(0));
            thread::sleep(Duration::from_millis(50));
        });
        // One was taken, two wait in the queue, and one for a place in it.
        assert!(taken.into_inner() <= 4);
    }

    #[test]
    #[should_panic(expected = "a scoped thread panicked")]
    fn a_panic_is_not_lost() {
        let work = |item: usize| if item == 1 { panic!("as a test") } else { item };
        thread::scope(|scope| assert_eq!(in_order(scope, 0..3, 1, work).count(), 1));
    }
}
