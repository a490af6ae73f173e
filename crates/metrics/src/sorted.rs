use crate::key;
use crate::steps::{Steps, take_while};

/// The pixels of both classes, each in the order of descending scores.
#[derive(Clone, Debug)]
pub(crate) struct Sorted {
    /// Keys of the defective, then of the defect-free pixels, each ascending.
    pub keys: Vec<u32>,
    /// The number of defective pixels.
    pub positives: usize,
    /// The number of defect-free pixels; those beyond a limit have no key.
    pub negatives: usize,
}

impl Sorted {
    pub(crate) fn negative_keys(&self) -> &[u32] {
        &self.keys[self.positives..]
    }

    pub(crate) fn positive_keys(&self) -> &[u32] {
        &self.keys[..self.positives]
    }

    pub(crate) fn steps(&self) -> Steps<'_> {
        Steps::new(self.negative_keys(), self.positive_keys())
    }

    /// Calls `visit(threshold, true positives, false positives)` for every
    /// distinct score, from high to low.
    pub(crate) fn for_each_score(&self, mut visit: impl FnMut(f32, u64, u64)) {
        let (mut positives, mut negatives) = (self.positive_keys(), self.negative_keys());
        let (mut tp, mut fp) = (0, 0);
        while let Some(&key) = positives.first().into_iter().chain(negatives.first()).min() {
            tp += take_while(&mut positives, |other| other == key).len() as u64;
            fp += take_while(&mut negatives, |other| other == key).len() as u64;
            visit(key::decode(key), tp, fp);
        }
    }
}
