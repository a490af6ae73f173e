/// Threads of a block.
pub(super) const THREADS: usize = 256;

/// Neighbouring columns of a block; as in `kernels/sums.cu`.
pub(super) const NEIGHBOURS: u32 = 32;

/// Rows that a thread adds: so many that [`PARTS`] parts share the work, since one block adds up what all have, but few enough that
/// rounding errors stay small.
const ROWS_PER_THREAD: [u32; 2] = [16, 64];
const PARTS: u32 = 132;

/// A matrix whose rows are added up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rows {
    pub rows: u32,
    pub columns: u32,
    /// Rows that a block adds.
    pub per_part: u32,
}

impl Rows {
    pub fn split(rows: u32, columns: u32) -> Self {
        let side = THREADS as u32 / columns.clamp(1, NEIGHBOURS);
        let [fewest, most] = ROWS_PER_THREAD;
        let of_thread = rows.div_ceil(side * PARTS).clamp(fewest, most);
        Self { rows, columns, per_part: side * of_thread }
    }

    pub fn parts(&self) -> u32 {
        self.rows.div_ceil(self.per_part).max(1)
    }

    /// Blocks side by side.
    pub fn groups(&self) -> u32 {
        self.columns.div_ceil(NEIGHBOURS)
    }
}
