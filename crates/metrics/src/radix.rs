//! Sorting of all scores of a data set, class by class.
//!
//! One radix pass on the upper bits of the keys goes straight from the scores
//! into the only array of the size of the data; what is left are about a
//! thousand independent buckets that are sorted in parallel. The two classes
//! are kept apart by position, which costs no bit and no byte per pixel, and
//! counts of either class become index differences.

use std::sync::atomic::{AtomicU32, Ordering};

use rayon::prelude::*;

use crate::key;
use crate::sorted::Sorted;

/// The scores and labels of an image or of a part of one, equally long.
pub(crate) type Pixels<'a> = (&'a [f32], &'a [bool]);

/// Buckets per class. With more, writing to all of them at a time costs more
/// than shorter buckets save.
const BUCKETS: usize = 1 << 9;

/// The number of keys, picked evenly, that the range of the data is told from.
const SAMPLE: usize = 1 << 16;

/// The range of the buckets leaves out the lowest and the highest 1/1024 of the
/// sampled keys: a few outliers would widen it for nothing.
const OUTLIERS: usize = 1 << 10;

/// Below this many pixels per task, handing them out costs more than it gains.
const MIN_TASK: usize = 1 << 16;

/// Up to this length a comparison sort beats counting digits.
const SMALL: usize = 512;

/// The most bits that one pass within a bucket sorts by.
const DIGIT_BITS: u32 = 11;

/// Sorts the keys of `total` pixels, more than none and fewer than 2³².
///
/// Of the defect-free pixels, those with the highest scores are kept: enough
/// to exceed a false-positive rate of `limit` with all that tie.
pub(crate) fn sorted_keys(images: &[Pixels<'_>], total: usize, limit: f64) -> Sorted {
    let tasks = split_evenly(images, total);
    let digit = TopDigit::of(images, total);
    let mut counts: Vec<Vec<u32>> = tasks.par_iter().map(|task| digit.count(task)).collect();
    let mut bounds = counts_to_starts(&mut counts);
    let positives = bounds[BUCKETS];
    let negatives = total - positives;
    let beyond = |end: usize| (end - positives) as f64 / negatives as f64 > limit;
    bounds.truncate(BUCKETS + 1 + bounds[BUCKETS..].partition_point(|&end| !beyond(end)));
    let kept = bounds.last().copied().unwrap_or(total);
    let mut keys = scatter(&tasks, &digit, counts, kept);
    sort_buckets(&mut keys, &bounds);
    Sorted { keys, positives, negatives }
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

/// The upper bits of a key, counted from a low key so that the buckets cover
/// the range of the data instead of the range of all floats.
struct TopDigit {
    low: u32,
    high: u32,
    shift: u32,
}

impl TopDigit {
    /// The range is that of a sample without its [`OUTLIERS`]; keys beyond it
    /// share the first and the last bucket.
    fn of(images: &[Pixels<'_>], total: usize) -> Self {
        // Odd, so as not to stay in the same columns of the images.
        let stride = (total / SAMPLE) | 1;
        let sampled = images.iter().flat_map(|(scores, _)| scores.iter().step_by(stride));
        let mut sample: Vec<u32> = sampled.map(|&score| key::encode(score)).collect();
        let (margin, last) = (sample.len() / OUTLIERS, sample.len() - 1);
        let low = *sample.select_nth_unstable(margin).1;
        let high = *sample.select_nth_unstable(last - margin).1;
        let bits = u32::BITS - (high - low).leading_zeros();
        Self { low, high, shift: bits.saturating_sub(BUCKETS.ilog2()) }
    }

    /// The bucket of a key; those of the defective pixels come first.
    #[inline]
    fn bucket(&self, key: u32, label: bool) -> usize {
        ((key.max(self.low).min(self.high) - self.low) >> self.shift) as usize
            + usize::from(!label) * BUCKETS
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

/// Writes each key to its bucket, or nowhere if its position is not `kept`.
/// The tasks write to positions of their own that interleave, which safe code
/// can say with atomics; relaxed stores of them are plain stores.
fn scatter(
    tasks: &[Vec<Pixels<'_>>],
    digit: &TopDigit,
    starts: Vec<Vec<u32>>,
    kept: usize,
) -> Vec<u32> {
    let keys: Vec<AtomicU32> = (0..kept).into_par_iter().map(|_| AtomicU32::new(0)).collect();
    tasks.par_iter().zip(starts).for_each(|(task, mut next)| {
        for &(scores, labels) in task {
            for (&score, &label) in scores.iter().zip(labels) {
                let key = key::encode(score);
                let position = &mut next[digit.bucket(key, label)];
                if let Some(slot) = keys.get(*position as usize) {
                    slot.store(key, Ordering::Relaxed);
                }
                *position += 1;
            }
        }
    });
    keys.into_iter().map(AtomicU32::into_inner).collect()
}

/// Sorts the keys within each bucket.
///
/// All scratch memory together is a quarter of the keys' or small. Buckets too
/// long for that, which only extremely concentrated scores fill, are sorted
/// by comparison in place.
fn sort_buckets(keys: &mut [u32], bounds: &[usize]) {
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
            sort_by_digits(bucket, &mut scratch[..len]);
        }
    });
}

/// Radix sort from the lowest digit up, with as many bits as the keys differ in.
fn sort_by_digits(keys: &mut [u32], scratch: &mut [u32]) {
    let range = |(low, high): (u32, u32), &key: &u32| (low.min(key), high.max(key));
    let (lowest, highest) = keys.iter().fold((u32::MAX, 0), range);
    let bits = u32::BITS - highest.saturating_sub(lowest).leading_zeros();
    let passes = bits.div_ceil(DIGIT_BITS);
    let digit_bits = bits.div_ceil(passes.max(1));
    let mut from_scratch = false;
    for pass in 0..passes {
        let (shift, mask) = (pass * digit_bits, (1 << digit_bits) - 1);
        let (from, to) =
            if from_scratch { (&*scratch, &mut *keys) } else { (&*keys, &mut *scratch) };
        sort_by_digit(from, to, |key| ((key - lowest) >> shift) as usize & mask);
        from_scratch = !from_scratch;
    }
    if from_scratch {
        keys.copy_from_slice(scratch);
    }
}

/// One stable counting sort.
fn sort_by_digit(from: &[u32], to: &mut [u32], digit: impl Fn(u32) -> usize) {
    let mut next = [0_u32; 1 << DIGIT_BITS];
    for &key in from {
        next[digit(key)] += 1;
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
        [of_class(true), of_class(false)].concat()
    }

    fn check(scores: &[f32], labels: &[bool]) {
        let all = naively_sorted(scores, labels);
        let positives = labels.iter().filter(|&&label| label).count();
        for limit in [0.0, 0.3, 1.0] {
            let sorted = sorted_keys(&[(scores, labels)], scores.len(), limit);
            assert_eq!((sorted.positives, sorted.negatives), (positives, all.len() - positives));
            let kept = sorted.keys.len();
            assert!(sorted.keys == all[..kept]);
            // What is left out neither ties with the rest nor is needed for the limit.
            let rate = (kept - positives) as f64 / (all.len() - positives) as f64;
            assert!(kept == all.len() || rate > limit && all[kept - 1] < all[kept]);
        }
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
