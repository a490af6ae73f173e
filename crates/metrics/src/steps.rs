//! Walking down the thresholds over two sorted classes.

use crate::key;

/// The pixels that become detected when the threshold falls to a score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Step {
    /// The lowest score added.
    pub threshold: f32,
    /// Defective pixels added, all with this score.
    pub positives: u64,
    /// Defect-free pixels added: all with this score if there are defective
    /// ones, otherwise all between two scores of defective pixels.
    pub negatives: u64,
}

/// Iterates from high to low over the distinct scores of the defective pixels
/// and over what lies between them.
///
/// Defective pixels are few, so the defect-free ones in between are skipped by
/// galloping; no curve bends there.
pub(crate) struct Steps<'a> {
    negatives: &'a [u32],
    positives: &'a [u32],
}

impl<'a> Steps<'a> {
    /// Both slices hold keys in ascending order.
    pub(crate) fn new(negatives: &'a [u32], positives: &'a [u32]) -> Self {
        Self { negatives, positives }
    }
}

impl Iterator for Steps<'_> {
    type Item = Step;

    #[inline]
    fn next(&mut self) -> Option<Step> {
        let Some(&key) = self.positives.first() else {
            let lowest = self.negatives.last()?;
            return Some(flat(std::mem::take(&mut self.negatives), *lowest));
        };
        let between = take_while(&mut self.negatives, |other| other < key);
        if let Some(lowest) = between.last() {
            return Some(flat(between, *lowest));
        }
        let negatives = take_while(&mut self.negatives, |other| other == key).len() as u64;
        let positives = take_while(&mut self.positives, |other| other == key).len() as u64;
        Some(Step { threshold: key::decode(key), positives, negatives })
    }
}

fn flat(negatives: &[u32], lowest: u32) -> Step {
    Step { threshold: key::decode(lowest), positives: 0, negatives: negatives.len() as u64 }
}

/// Cuts off the leading keys for which `inside` holds, given that it holds for
/// none after the first for which it does not.
#[inline]
pub(crate) fn take_while<'a>(keys: &mut &'a [u32], inside: impl Fn(u32) -> bool) -> &'a [u32] {
    let mut reach = 1;
    while reach <= keys.len() && inside(keys[reach - 1]) {
        reach *= 2;
    }
    // `inside` holds up to the last but one reach and fails at the last one.
    let known = reach / 2;
    let unknown = &keys[known..keys.len().min(reach - 1).max(known)];
    let length = known + unknown.partition_point(|&key| inside(key));
    let (head, tail) = keys.split_at(length);
    *keys = tail;
    head
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn take_while_cuts_like_partition_point(
            mut keys in proptest::collection::vec(0_u32..50, 0..200),
            bound in 0_u32..50,
        ) {
            keys.sort_unstable();
            let expected = keys.partition_point(|&key| key < bound);
            let mut rest = keys.as_slice();
            let head = take_while(&mut rest, |key| key < bound);
            prop_assert_eq!(head, &keys[..expected]);
            prop_assert_eq!(rest, &keys[expected..]);
        }
    }

    #[test]
    fn steps_tell_ties_from_pixels_between() {
        let keys =
            |scores: &[f32]| -> Vec<u32> { scores.iter().map(|&s| key::encode(s)).collect() };
        let negatives = keys(&[0.9, 0.8, 0.5, 0.1]);
        let positives = keys(&[0.7, 0.5, 0.5]);
        let steps: Vec<_> = Steps::new(&negatives, &positives)
            .map(|step| (step.threshold, step.positives, step.negatives))
            .collect();
        assert_eq!(steps, [(0.8, 0, 2), (0.7, 1, 0), (0.5, 2, 1), (0.1, 0, 1)]);
    }
}
