/// Columns of a tile.
pub(crate) const LANES: usize = 32;
/// Rows of a tile that are computed at a time.
#[cfg(feature = "cuda")]
pub(crate) const WARPS: usize = 8;
/// Rows of a tile with those that its windows reach over.
const ROWS: usize = 56;

/// The tiles that cover all planes of a batch, one for each block, as `Tiling` in `kernels/geometry.cuh`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Tiling {
    pub(crate) tiles: Tiles,
    pub(crate) blocks: u32,
}

/// The tiles of one plane.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub(crate) struct Tiles {
    rows: i32,
    across: i32,
    down: i32,
}

impl Tiling {
    /// For planes of `width`×`height` results under a window of `size`×`size`, which is at most as high as a tile; `None` for
    /// more blocks than a device can count.
    ///
    /// Tiles are equally high but for the last, so that none is there for a few rows only.
    pub(super) fn new(width: usize, height: usize, planes: usize, size: usize) -> Option<Self> {
        let (across, down) = (width.div_ceil(LANES), height.div_ceil(ROWS + 1 - size));
        let blocks = across.checked_mul(down)?.checked_mul(planes)?;
        let count = |value: usize| i32::try_from(value).ok();
        Some(Self {
            tiles: Tiles {
                rows: count(height.div_ceil(down))?,
                across: count(across)?,
                down: count(down)?,
            },
            blocks: count(blocks)?.cast_unsigned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_equally_high() {
        // 56 rows hold 46 rows of windows of 11×11; 118 rows of windows need three tiles.
        let tiling = Tiling::new(118, 118, 16, 11);
        let tiles = Tiles { rows: 40, across: 4, down: 3 };
        assert_eq!(tiling, Some(Tiling { tiles, blocks: 16 * 12 }));
        assert_eq!(Tiling::new(3, 3, 1 << 31, 3), None);
    }
}
