//! Sorting of all scores of a data set, class by class.
//!
//! One radix pass on the upper bits of the keys goes straight from the scores
//! into the only array of the size of the data; what is left are a few
//! thousand independent buckets that fit in the cache and are sorted in
//! parallel. The two classes are kept apart by position, which costs no bit
//! and no byte per pixel, and counts of either class become index differences.

use std::sync::atomic::{AtomicU32, Ordering};

use rayon::prelude::*;

use crate::key;

/// The scores and labels of an image or of a part of one, equally long.
pub(crate) type Pixels<'a> = (&'a [f32], &'a [bool]);

/// Buckets per class. Their write positions for both classes (32 KiB) about
/// fit in an L1 cache; more buckets made the scatter slower.
const BUCKETS: usize = 1 << 12;

/// Below this many pixels per task, handing them out costs more than it gains.
const MIN_TASK: usize = 1 << 16;

/// Up to this length a comparison sort beats counting into 1024 digits.
const SMALL: usize = 512;

/// Bits that one pass within a bucket sorts by. Two passes cover the 20 bits that
/// are left of a key at most.
const DIGIT_BITS: u32 = 10;

/// Keys sorted in ascending order (descending scores) within each class: first
/// those of the defect-free pixels, then those of the defective ones. The
/// second value is the number of defect-free pixels.
///
/// `total`, the number of pixels, must be below 2³² and positive.
pub(crate) fn sorted_keys(images: &[Pixels<'_>], total: usize) -> (Vec<u32>, usize) {
    let tasks = split_evenly(images, total);
    let digit = TopDigit::of(&tasks);
    let mut counts: Vec<Vec<u32>> = tasks.par_iter().map(|task| digit.count(task)).collect();
    let bounds = counts_to_starts(&mut counts);
    let mut keys = scatter(&tasks, &digit, counts, total);
    sort_buckets(&mut keys, &bounds, digit.shift);
    let negatives = bounds[BUCKETS];
    (keys, negatives)
}

/// Splits the images into tasks of about equal numbers of pixels, few enough
/// that the counts of all tasks stay small beside the data.
fn split_evenly<'a>(images: &[Pixels<'a>], total: usize) -> Vec<Vec<Pixels<'a>>> {
    let capacity = total.div_ceil(4 * rayon::current_num_threads()).max(MIN_TASK);
    let mut tasks = vec![Vec::new()];
    let mut free = capacity;
    for &(mut scores, mut labels) in images {
        while !scores.is_empty() {
            if free == 0 {
                tasks.push(Vec::new());
                free = capacity;
            }
            let taken = free.min(scores.len());
            let (head, tail) = (scores.split_at(taken), labels.split_at(taken));
            if let Some(task) = tasks.last_mut() {
                task.push((head.0, tail.0));
            }
            (scores, labels) = (head.1, tail.1);
            free -= taken;
        }
    }
    tasks
}

/// The upper bits of a key, counted from the smallest key so that the buckets
/// cover the range of the data instead of the range of all floats.
struct TopDigit {
    lowest: u32,
    shift: u32,
}

impl TopDigit {
    fn of(tasks: &[Vec<Pixels<'_>>]) -> Self {
        let (lowest, highest) = tasks
            .par_iter()
            .flat_map_iter(|task| task.iter().map(|(scores, _)| key_range(scores)))
            .reduce(|| (u32::MAX, 0), |a, b| (a.0.min(b.0), a.1.max(b.1)));
        let bits = u32::BITS - highest.saturating_sub(lowest).leading_zeros();
        Self { lowest, shift: bits.saturating_sub(BUCKETS.ilog2()) }
    }

    /// The bucket of a key; those of the defective pixels come last.
    #[inline]
    fn bucket(&self, key: u32, label: bool) -> usize {
        ((key - self.lowest) >> self.shift) as usize + usize::from(label) * BUCKETS
    }

    fn count(&self, task: &[Pixels<'_>]) -> Vec<u32> {
        let mut counts = vec![0; 2 * BUCKETS];
        for &(scores, labels) in task {
            for (&score, &label) in scores.iter().zip(labels) {
                counts[self.bucket(key::encode(score), label)] += 1;
            }
        }
        counts
    }
}

fn key_range(scores: &[f32]) -> (u32, u32) {
    scores
        .iter()
        .map(|&score| key::encode(score))
        .fold((u32::MAX, 0), |(low, high), key| (low.min(key), high.max(key)))
}

/// Turns the counts of each task into the positions at which it writes, and
/// returns the bounds of the buckets.
fn counts_to_starts(counts: &mut [Vec<u32>]) -> Vec<usize> {
    let mut next = 0_u32;
    let mut bounds = Vec::with_capacity(2 * BUCKETS + 1);
    for bucket in 0..2 * BUCKETS {
        bounds.push(next as usize);
        for task in counts.iter_mut() {
            next += std::mem::replace(&mut task[bucket], next);
        }
    }
    bounds.push(next as usize);
    bounds
}

/// Writes each key to its bucket. The tasks write to positions of their own
/// that interleave, which safe code can say with atomics; relaxed stores of
/// them are plain stores.
fn scatter(
    tasks: &[Vec<Pixels<'_>>],
    digit: &TopDigit,
    starts: Vec<Vec<u32>>,
    total: usize,
) -> Vec<u32> {
    let keys: Vec<AtomicU32> = (0..total).into_par_iter().map(|_| AtomicU32::new(0)).collect();
    tasks.par_iter().zip(starts).for_each(|(task, mut next)| {
        for &(scores, labels) in task {
            for (&score, &label) in scores.iter().zip(labels) {
                let key = key::encode(score);
                let position = &mut next[digit.bucket(key, label)];
                keys[*position as usize].store(key, Ordering::Relaxed);
                *position += 1;
            }
        }
    });
    keys.into_iter().map(AtomicU32::into_inner).collect()
}

/// Sorts the keys within each bucket, where they differ in the lower `bits`.
///
/// All scratch memory together is a quarter of the keys' or small. Buckets too
/// long for that, which only extremely concentrated scores fill, are sorted
/// by comparison in place.
fn sort_buckets(keys: &mut [u32], bounds: &[usize], bits: u32) {
    let longest = (keys.len() / (4 * rayon::current_num_threads())).max(MIN_TASK);
    let mut buckets = Vec::new();
    let mut rest = keys;
    for pair in bounds.windows(2) {
        let (bucket, tail) = rest.split_at_mut(pair[1] - pair[0]);
        if bucket.len() > 1 {
            buckets.push(bucket);
        }
        rest = tail;
    }
    buckets.into_par_iter().for_each_init(Vec::new, |scratch, bucket| match bucket.len() {
        0..=SMALL => bucket.sort_unstable(),
        len if len > longest => bucket.par_sort_unstable(),
        len => {
            scratch.resize(len.max(scratch.len()), 0);
            sort_by_digits(bucket, &mut scratch[..len], bits);
        }
    });
}

/// Radix sort from the lowest digit up. The keys share a bucket, so none is
/// `2^bits` or more above the lowest of them.
fn sort_by_digits(keys: &mut [u32], scratch: &mut [u32], bits: u32) {
    let lowest = keys.iter().copied().min().unwrap_or(0);
    let passes = bits.div_ceil(DIGIT_BITS);
    let mut from_scratch = false;
    for pass in 0..passes {
        let shift = pass * DIGIT_BITS;
        let (from, to) =
            if from_scratch { (&*scratch, &mut *keys) } else { (&*keys, &mut *scratch) };
        from_scratch ^= sort_by_digit(from, to, |key| {
            ((key - lowest) >> shift) as usize & ((1 << DIGIT_BITS) - 1)
        });
    }
    if from_scratch {
        keys.copy_from_slice(scratch);
    }
}

/// One stable counting sort; does nothing and returns `false` if all keys
/// have the same digit.
fn sort_by_digit(from: &[u32], to: &mut [u32], digit: impl Fn(u32) -> usize) -> bool {
    let mut next = [0_u32; 1 << DIGIT_BITS];
    for &key in from {
        next[digit(key)] += 1;
    }
    if next[digit(from[0])] as usize == from.len() {
        return false;
    }
    let mut start = 0;
    for count in &mut next {
        start += std::mem::replace(count, start);
    }
    for &key in from {
        let position = &mut next[digit(key)];
        to[*position as usize] = key;
        *position += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same by comparison sorts.
    fn naively_sorted(scores: &[f32], labels: &[bool]) -> Vec<u32> {
        let of_class = |class| {
            let members = scores.iter().zip(labels).filter(move |(_, label)| **label == class);
            let mut keys: Vec<u32> = members.map(|(&score, _)| key::encode(score)).collect();
            keys.sort_unstable();
            keys
        };
        [of_class(false), of_class(true)].concat()
    }

    fn check(scores: &[f32], labels: &[bool]) {
        let (keys, negatives) = sorted_keys(&[(scores, labels)], scores.len());
        assert_eq!(negatives, labels.iter().filter(|&&label| !label).count());
        assert!(keys == naively_sorted(scores, labels));
    }

    /// Pseudorandom bits (xorshift), enough of them to fill large buckets.
    fn noise(count: usize) -> impl Iterator<Item = u32> {
        let mut state = 0x9E37_79B9_u32;
        std::iter::repeat_with(move || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state
        })
        .take(count)
    }

    /// Long enough for several tasks and for buckets of every kind.
    const MANY: usize = 5 * MIN_TASK + 17;

    fn check_many(score: impl Fn(f32) -> f32) {
        let scores: Vec<f32> =
            noise(MANY).map(|bits| score((bits >> 8) as f32 / (1 << 24) as f32)).collect();
        let labels: Vec<bool> = noise(MANY).map(|bits| bits % 5 == 0).collect();
        check(&scores, &labels);
    }

    #[test]
    fn scores_over_many_octaves() {
        check_many(|u| (60.0 * (u - 0.5)).exp());
    }

    #[test]
    fn negative_and_positive_scores() {
        check_many(|u| u - 0.5);
    }

    #[test]
    fn a_few_values_many_times() {
        check_many(|u| (u * 4.0).floor() - 2.0);
    }

    #[test]
    fn one_value_only() {
        check_many(|_| -0.25);
    }

    #[test]
    fn scores_crowded_beside_an_outlier() {
        check_many(|u| if u < 1e-4 { -f32::MAX } else { 1.0 + u / 16.0 });
    }

    #[test]
    fn scores_crowded_in_buckets_of_medium_length() {
        check_many(|u| if u < 0.5 { (120.0 * (u - 0.25)).exp() } else { -1.0 - u });
    }

    /// Few bits are left within a bucket: a single pass.
    #[test]
    fn scores_crowded_at_the_end_of_a_narrow_range() {
        check_many(|u| 1.0 + u * u / 4.0);
    }

    proptest! {
        #[test]
        fn sorts_like_a_comparison_sort(
            pixels in proptest::collection::vec((-f32::MAX..f32::MAX, any::<bool>()), 1..300),
        ) {
            let (scores, labels): (Vec<f32>, Vec<bool>) = pixels.into_iter().unzip();
            check(&scores, &labels);
        }

        #[test]
        fn splits_cover_all_pixels(lengths in proptest::collection::vec(0..3 * MIN_TASK, 1..6)) {
            let total = lengths.iter().sum();
            let scores: Vec<f32> = (0..total).map(|at| at as f32).collect();
            let labels = vec![false; total];
            let mut rest = (scores.as_slice(), labels.as_slice());
            let images: Vec<Pixels<'_>> = lengths.iter().map(|&length| {
                let (head, tail) = (rest.0.split_at(length), rest.1.split_at(length));
                rest = (head.1, tail.1);
                (head.0, tail.0)
            }).collect();
            let parts: Vec<f32> =
                split_evenly(&images, total).concat().iter().flat_map(|part| part.0.to_vec()).collect();
            prop_assert!(parts == scores);
        }
    }
}
