/// Rows that a thread of `sum_rows` in `kernels/layers.cu` adds, before those of its block are added: so many that [`BLOCKS`] blocks
/// share the work, since one adds up what all have, but few enough that rounding errors stay small.
const ROWS_PER_THREAD: [u32; 2] = [4, 64];

/// Enough to keep a large GPU busy.
const BLOCKS: u32 = 132;

/// Threads of a block.
pub(super) const THREADS: usize = 256;

/// A matrix whose channels are summed, and the rows that a block sums; `Rows` in `kernels/layers.cu` has the same fields.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub(super) struct Rows {
    pub count: u32,
    pub channels: u32,
    pub per_block: u32,
}

impl Rows {
    /// Blocks of rows.
    pub fn split(count: u32, channels: u32) -> Self {
        let side = (THREADS / (channels as usize).clamp(1, THREADS)) as u32;
        let [fewest, most] = ROWS_PER_THREAD;
        let of_thread = count.div_ceil(side * BLOCKS).clamp(fewest, most);
        Self { count, channels, per_block: side * of_thread }
    }

    /// All rows in one block, as their sums are added.
    #[cfg(test)]
    pub fn whole(count: u32, channels: u32) -> Self {
        Self { count, channels, per_block: count }
    }

    /// Rows of sums that the stage leaves.
    pub fn blocks(&self) -> u32 {
        self.count.div_ceil(self.per_block.max(1)).max(1)
    }

    /// Blocks to launch.
    pub fn grid(&self) -> u32 {
        self.blocks() * self.channels.div_ceil(THREADS as u32)
    }
}
