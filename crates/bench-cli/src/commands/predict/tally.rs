//! Counts of a run.

/// Images so far.
#[derive(Clone, Copy, Default)]
pub struct Tally {
    pub good: usize,
    pub defective: usize,
    /// Not inspected.
    pub failed: usize,
}

impl Tally {
    pub fn add(&mut self, is_defective: bool) {
        *(if is_defective { &mut self.defective } else { &mut self.good }) += 1;
    }

    pub fn inspected(self) -> usize {
        self.good + self.defective
    }

    pub fn all(self) -> usize {
        self.inspected() + self.failed
    }
}
