//! Walking down the thresholds over two sorted classes.

use crate::key;

/// What a threshold adds when it falls to the next score of a defective pixel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rise {
    /// The score of the defective pixels.
    pub threshold: f32,
    /// Defective pixels with this score.
    pub positives: usize,
    /// Defect-free pixels with this score.
    pub tied: usize,
    /// Defect-free pixels with scores above this one and below the last one,
    /// with the lowest of their scores.
    pub before: Option<(usize, f32)>,
}

/// Iterates over the distinct scores of the defective pixels from high to low.
///
/// Defective pixels are few, so the defect-free ones in between are skipped by
/// galloping; no curve bends there.
pub(crate) struct Rises<'a> {
    negatives: &'a [u32],
    positives: &'a [u32],
}

impl<'a> Rises<'a> {
    /// Both slices hold keys in ascending order.
    pub(crate) fn new(negatives: &'a [u32], positives: &'a [u32]) -> Self {
        Self { negatives, positives }
    }

    /// The defect-free pixels below the last rise, with the lowest score.
    pub(crate) fn rest(&self) -> Option<(usize, f32)> {
        self.negatives.last().map(|&key| (self.negatives.len(), key::decode(key)))
    }
}

impl Iterator for Rises<'_> {
    type Item = Rise;

    fn next(&mut self) -> Option<Rise> {
        let &key = self.positives.first()?;
        let before = take_while(&mut self.negatives, |other| other < key);
        let tied = take_while(&mut self.negatives, |other| other == key).len();
        let positives = take_while(&mut self.positives, |other| other == key).len();
        let before = before.last().map(|&lowest| (before.len(), key::decode(lowest)));
        Some(Rise { threshold: key::decode(key), positives, tied, before })
    }
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
    fn rises_tell_ties_from_pixels_between() {
        let keys =
            |scores: &[f32]| -> Vec<u32> { scores.iter().map(|&s| key::encode(s)).collect() };
        let negatives = keys(&[0.9, 0.8, 0.5, 0.1]);
        let positives = keys(&[0.7, 0.5, 0.5]);
        let mut rises = Rises::new(&negatives, &positives);
        let first = Rise { threshold: 0.7, positives: 1, tied: 0, before: Some((2, 0.8)) };
        let second = Rise { threshold: 0.5, positives: 2, tied: 1, before: None };
        assert_eq!(rises.next(), Some(first));
        assert_eq!(rises.next(), Some(second));
        assert_eq!(rises.next(), None);
        assert_eq!(rises.rest(), Some((1, 0.1)));
    }
}
