//! How the rows of a matrix are added up by `kernels/sums.cu`.

/// Threads of a block.
pub const THREADS: usize = 256;

/// Neighbouring columns of a block; as in `kernels/sums.cu`.
pub const NEIGHBOURS: u32 = 32;

/// The fewest and the most rows that a thread adds. Between them, the rows are divided into [`PARTS`] parts: one block adds up the sums of
/// all parts, and long sums round more.
const ROWS_PER_THREAD: [u32; 2] = [16, 64];
const PARTS: u32 = 132;

/// A matrix whose rows are added up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rows {
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
