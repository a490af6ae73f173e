//! Sets of taps run over a batch of maps, in parallel over the maps.
#![expect(unsafe_code, reason = "results are written to memory that was not zeroed")]

use crate::conv::buffer::filled;
use crate::conv::gather::{Grid, Taps};
use crate::conv::pack::{Border, Packed, pad};
use crate::conv::simd::Convolve;
use crate::conv::{Epilogue, Maps};
use rayon::prelude::*;
use std::mem::MaybeUninit;

/// One set of taps for one grid of output pixels in each map.
pub struct Pass {
    pub weights: Packed,
    pub taps: Taps,
    pub grid: Grid,
}

/// A batch of maps `(N, H, W, channels)` and the zeros that are to be put around each.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    pub data: &'a [f32],
    pub maps: Maps,
    pub channels: usize,
    pub border: Border,
}

/// Runs all passes over each map, in parallel over the maps. The grids of the passes make up the whole output.
pub fn run_passes(
    passes: &[Pass],
    source: Source<'_>,
    output: Maps,
    epilogue: Epilogue<'_>,
) -> Vec<f32> {
    let Source { data, maps, channels, border } = source;
    let out_channels = passes.first().map_or(0, |pass| pass.weights.channels);
    let pixels: usize = passes.iter().map(|pass| pass.grid.len()).sum();
    assert_eq!(pixels, output.pixels(), "the passes leave pixels out");
    assert_eq!(data.len(), output.count * maps.pixels() * channels);
    let padded = border.around(maps).pixels() * channels;
    let run = |target: &mut [MaybeUninit<f32>]| {
        target
            .par_chunks_mut(output.pixels() * out_channels)
            .zip(data.par_chunks(maps.pixels() * channels))
            .for_each_init(
                || vec![0.0; padded],
                |buffer, (target, map)| {
                    pad(map, maps, channels, border, buffer);
                    for &Pass { ref weights, taps, grid } in passes {
                        let (source, weights) = (buffer.as_slice(), weights.strips());
                        Convolve { source, taps, grid, weights, epilogue, target }.run();
                    }
                },
            );
    };
    // SAFETY: there is an input for each of the output's maps, and the passes write all pixels of a map.
    unsafe { filled(output.count * output.pixels() * out_channels, run) }
}

/// The matrix product of `input` `(rows, taps)` with `weights`: `(rows, channels)`.
pub fn multiply(input: &[f32], rows: usize, weights: &Packed, epilogue: Epilogue<'_>) -> Vec<f32> {
    /// Enough for two register tiles.
    const ROWS_PER_TASK: usize = 12;
    if rows == 0 {
        return Vec::new();
    }
    let (taps, channels) = (weights.taps, weights.channels);
    assert_eq!(input.len(), rows * taps);
    let run = |target: &mut [MaybeUninit<f32>]| {
        target
            .par_chunks_mut(ROWS_PER_TASK * channels)
            .zip(input.par_chunks(ROWS_PER_TASK * taps))
            .for_each(|(target, input)| multiply_rows(input, weights, epilogue, target));
    };
    // SAFETY: there is an input for each row, and all channels of a row are written.
    unsafe { filled(rows * channels, run) }
}

/// As [`multiply`], on one thread. Writes all of the result's rows.
pub fn multiply_rows(
    input: &[f32],
    weights: &Packed,
    epilogue: Epilogue<'_>,
    target: &mut [MaybeUninit<f32>],
) {
    let rows = input.len() / weights.taps;
    assert_eq!(target.len(), rows * weights.channels);
    let grid = Grid::rows(rows, weights.taps, weights.channels);
    let taps = Taps { rows: 1, row_stride: 0, run: weights.taps };
    Convolve { source: input, taps, grid, weights: weights.strips(), epilogue, target }.run();
}
