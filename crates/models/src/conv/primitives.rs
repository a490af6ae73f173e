//! The convolution, its gradient with respect to the input and its gradient with respect to the weights, on slices.

use super::gather::{Grid, Steps, Taps};
use super::pack::{Border, Packed, pad};
use super::simd::{Convolve, ConvolveNarrow, Correlate, strip_width};
use super::{Conv2d, Epilogue, Maps};
use rayon::prelude::*;

/// The convolution of `input` `(N, H, W, C_in)` with `weights` `(kernel, kernel, C_in, C_out)`: `(N, H', W', C_out)`,
/// with `output` the size of the result.
pub(super) fn convolve(
    conv: &Conv2d,
    input: &[f32],
    maps: Maps,
    weights: &[f32],
    output: Maps,
    epilogue: Epilogue<'_>,
) -> Vec<f32> {
    if conv.is_dense(maps) {
        let weights = Weights::from_taps(weights, conv.out_channels);
        return multiply(input, maps.count, &weights, epilogue);
    }
    let border = Border::of(conv);
    let row = border.around(maps).width * conv.in_channels;
    let pass = Pass {
        weights: Weights::from_taps(weights, conv.out_channels),
        taps: Taps { rows: conv.kernel, row_stride: row, run: conv.kernel * conv.in_channels },
        grid: Grid {
            height: output.height,
            width: output.width,
            source: Steps {
                origin: 0,
                row: conv.stride * row,
                column: conv.stride * conv.in_channels,
            },
            target: Steps {
                origin: 0,
                row: output.width * conv.out_channels,
                column: conv.out_channels,
            },
        },
    };
    run_passes(
        &[pass],
        Source { data: input, maps, channels: conv.in_channels, border },
        output,
        epilogue,
    )
}

/// The gradient with respect to the input, `(N, H, W, C_in)`, for a gradient of the result `(N, H', W', C_out)`; and, with
/// an epilogue, the transposed convolution. `maps` is the size of `gradient`, `output` that of the input.
///
/// Each residue class of the output's rows and columns modulo the stride meets its own taps of the kernel: it is a
/// convolution with stride 1 and those taps in reverse order.
pub(super) fn input_gradient(
    conv: &Conv2d,
    gradient: &[f32],
    maps: Maps,
    weights: &[f32],
    output: Maps,
    epilogue: Epilogue<'_>,
) -> Vec<f32> {
    if conv.is_dense(output) {
        let channels = conv.kernel * conv.kernel * conv.in_channels;
        let bias = epilogue.bias.map(|bias| bias.repeat(channels / bias.len()));
        let epilogue = Epilogue { bias: bias.as_deref(), ..epilogue };
        let weights = Weights::from_channels(&[weights], channels);
        return multiply(gradient, maps.count, &weights, epilogue);
    }
    let rows: Vec<Phase> = phases(conv, output.height).collect();
    let columns: Vec<Phase> = phases(conv, output.width).collect();
    let border = Border {
        before: (before(&rows), before(&columns)),
        after: (after(&rows, maps.height), after(&columns, maps.width)),
    };
    let padded_row = border.around(maps).width * conv.out_channels;
    let passes: Vec<Pass> = rows
        .iter()
        .flat_map(|row| columns.iter().map(move |column| (row, column)))
        .map(|(row, column)| Pass {
            weights: phase_weights(conv, weights, row, column),
            taps: Taps {
                rows: row.taps.len(),
                row_stride: padded_row,
                run: column.taps.len() * conv.out_channels,
            },
            grid: Grid {
                height: row.count,
                width: column.count,
                source: Steps {
                    origin: row.source_origin(border.before.0) * padded_row
                        + column.source_origin(border.before.1) * conv.out_channels,
                    row: padded_row,
                    column: conv.out_channels,
                },
                target: Steps {
                    origin: (row.first * output.width + column.first) * conv.in_channels,
                    row: conv.stride * output.width * conv.in_channels,
                    column: conv.stride * conv.in_channels,
                },
            },
        })
        .collect();
    let source = Source { data: gradient, maps, channels: conv.out_channels, border };
    run_passes(&passes, source, output, epilogue)
}

/// The gradient with respect to the weights, `(kernel, kernel, C_in, C_out)`, for an input `(N, H, W, C_in)` and a
/// gradient of the result `(N, H', W', C_out)`.
pub(super) fn weight_gradient(
    conv: &Conv2d,
    input: &[f32],
    maps: Maps,
    gradient: &[f32],
    output: Maps,
) -> Vec<f32> {
    let border = Border::of(conv);
    let padded = border.around(maps);
    let input = pad_batch(input, maps, conv.in_channels, border);
    let channels = conv.out_channels.next_multiple_of(strip_width());
    let gradient = widen(gradient, conv.out_channels, channels);
    let row = padded.width * conv.in_channels;
    let run = conv.kernel * conv.in_channels;
    let blocks = Blocks::new(conv, maps, output, row, padded.height * row);

    let mut result = vec![0.0; conv.weight_count()];
    result.par_chunks_mut(run * conv.out_channels).enumerate().for_each(|(kernel_row, result)| {
        let chunks = result.par_chunks_mut(WEIGHTS_PER_TASK * conv.out_channels);
        chunks.enumerate().for_each(|(chunk, result)| {
            let first = kernel_row * row + chunk * WEIGHTS_PER_TASK;
            let mut sums = vec![0.0; result.len() / conv.out_channels * channels];
            blocks.correlate(&input, first, &gradient, channels, &mut sums);
            for (result, sums) in
                result.chunks_exact_mut(conv.out_channels).zip(sums.chunks_exact(channels))
            {
                result.copy_from_slice(&sums[..conv.out_channels]);
            }
        });
    });
    result
}

/// Weights of one kernel row whose gradients are computed together: a few register tiles, so that tasks are many.
const WEIGHTS_PER_TASK: usize = 48;
/// Output pixels whose gradients are read together; with 32 channels they fill half of a first-level cache.
const PIXELS_PER_BLOCK: usize = 128;

/// How the output pixels of a batch are cut into blocks of whole rows for the weight gradient.
struct Blocks {
    maps: usize,
    map_step: usize,
    rows: usize,
    columns: usize,
    row_step: usize,
    column_step: usize,
}

impl Blocks {
    fn new(conv: &Conv2d, maps: Maps, output: Maps, row: usize, map_step: usize) -> Self {
        let column_step = conv.stride * conv.in_channels;
        if conv.is_dense(maps) {
            // One pixel per map: the maps take the place of the columns.
            let (columns, column_step) = (maps.count, map_step);
            return Self { maps: 1, map_step: 0, rows: 1, columns, row_step: 0, column_step };
        }
        let (rows, columns) = (output.height, output.width);
        Self { maps: maps.count, map_step, rows, columns, row_step: conv.stride * row, column_step }
    }

    /// Adds the products of inputs from `first` on and gradients of all blocks to `sums`, in the order of the pixels.
    fn correlate(
        &self,
        input: &[f32],
        first: usize,
        gradient: &[f32],
        channels: usize,
        sums: &mut [f32],
    ) {
        let rows_per_block = (PIXELS_PER_BLOCK / self.columns).clamp(1, self.rows);
        for map in 0..self.maps {
            for row in (0..self.rows).step_by(rows_per_block) {
                let rows = rows_per_block.min(self.rows - row);
                let pixel = (map * self.rows + row) * self.columns;
                let gradient = &gradient[pixel * channels..][..rows * self.columns * channels];
                Correlate {
                    input: &input[first + map * self.map_step + row * self.row_step..],
                    gradient,
                    rows,
                    columns: self.columns,
                    column_step: self.column_step,
                    row_step: self.row_step,
                    sums,
                    channels,
                }
                .run();
            }
        }
    }
}

/// One set of taps for one grid of output pixels in each map.
struct Pass {
    weights: Weights,
    taps: Taps,
    grid: Grid,
}

/// Weights packed for the kernel that suits the number of output channels.
enum Weights {
    Wide(Packed),
    Narrow { data: Vec<f32>, channels: usize },
}

impl Weights {
    /// Whether a register tile would be mostly padding.
    fn is_narrow(channels: usize) -> bool {
        channels * 4 <= strip_width()
    }

    /// From a matrix `(taps, channels)`.
    fn from_taps(matrix: &[f32], channels: usize) -> Self {
        if !Self::is_narrow(channels) {
            return Self::Wide(Packed::from_taps(matrix, channels));
        }
        let data = (0..channels)
            .flat_map(|channel| matrix.iter().skip(channel).step_by(channels).copied())
            .collect();
        Self::Narrow { data, channels }
    }

    /// From matrices `(channels, taps of the block)`, whose taps follow each other.
    fn from_channels(blocks: &[&[f32]], channels: usize) -> Self {
        if !Self::is_narrow(channels) {
            return Self::Wide(Packed::from_channels(blocks, channels));
        }
        let row = |block: &[f32], channel: usize| {
            let taps = block.len() / channels;
            block[channel * taps..(channel + 1) * taps].to_vec()
        };
        let data = (0..channels)
            .flat_map(|channel| blocks.iter().flat_map(move |block| row(block, channel)))
            .collect();
        Self::Narrow { data, channels }
    }

    fn channels(&self) -> usize {
        match self {
            Self::Wide(packed) => packed.channels,
            Self::Narrow { channels, .. } => *channels,
        }
    }

    fn convolve(
        &self,
        source: &[f32],
        taps: Taps,
        grid: Grid,
        epilogue: Epilogue<'_>,
        target: &mut [f32],
    ) {
        match self {
            Self::Wide(weights) => {
                Convolve { source, taps, grid, weights, epilogue, target }.run();
            }
            Self::Narrow { data, channels } => {
                let (weights, channels) = (data, *channels);
                ConvolveNarrow { source, taps, grid, weights, channels, epilogue, target }.run();
            }
        }
    }
}

/// A batch of maps `(N, H, W, channels)` and the zeros that are to be put around each.
#[derive(Clone, Copy)]
struct Source<'a> {
    data: &'a [f32],
    maps: Maps,
    channels: usize,
    border: Border,
}

/// Runs all passes over each map, in parallel over the maps.
fn run_passes(
    passes: &[Pass],
    source: Source<'_>,
    output: Maps,
    epilogue: Epilogue<'_>,
) -> Vec<f32> {
    let Source { data, maps, channels, border } = source;
    let out_channels = passes.first().map_or(0, |pass| pass.weights.channels());
    let mut target = vec![0.0; output.count * output.pixels() * out_channels];
    let padded = border.around(maps).pixels() * channels;
    target
        .par_chunks_mut(output.pixels() * out_channels)
        .zip(data.par_chunks(maps.pixels() * channels))
        .for_each_init(
            || vec![0.0; padded],
            |buffer, (target, map)| {
                pad(map, maps, channels, border, buffer);
                for Pass { weights, taps, grid } in passes {
                    weights.convolve(buffer, *taps, *grid, epilogue, target);
                }
            },
        );
    target
}

/// The matrix product of `input` `(rows, taps)` with `weights`: `(rows, channels)`.
fn multiply(input: &[f32], rows: usize, weights: &Weights, epilogue: Epilogue<'_>) -> Vec<f32> {
    /// Enough for two register tiles.
    const ROWS_PER_TASK: usize = 12;
    let (taps, channels) = (input.len() / rows.max(1), weights.channels());
    let mut target = vec![0.0; rows * channels];
    target
        .par_chunks_mut(ROWS_PER_TASK * channels)
        .zip(input.par_chunks(ROWS_PER_TASK * taps))
        .for_each(|(target, input)| {
            let grid = Grid {
                height: 1,
                width: input.len() / taps,
                source: Steps { origin: 0, row: 0, column: taps },
                target: Steps { origin: 0, row: 0, column: channels },
            };
            let taps = Taps { rows: 1, row_stride: 0, run: taps };
            weights.convolve(input, taps, grid, epilogue, target);
        });
    target
}

/// The rows (or columns) `first, first + stride, …` of a transposed convolution's output and the taps they meet.
struct Phase {
    first: usize,
    count: usize,
    /// Kernel rows, in the order of the source rows that they meet.
    taps: Vec<usize>,
    /// The source row that the last tap meets for the first output row.
    last_source: usize,
}

impl Phase {
    /// The padded source row that the first tap meets for the first output row.
    fn source_origin(&self, before: usize) -> usize {
        self.last_source + 1 + before - self.taps.len().max(1)
    }
}

/// The phases of an output of `size` rows.
fn phases(conv: &Conv2d, size: usize) -> impl Iterator<Item = Phase> {
    let &Conv2d { kernel, stride, padding, .. } = conv;
    (0..stride.min(size)).map(move |first| {
        let residue = (first + padding) % stride;
        let taps: Vec<usize> = (residue..kernel).step_by(stride).collect();
        Phase {
            first,
            count: (size - first).div_ceil(stride),
            taps: taps.into_iter().rev().collect(),
            last_source: (first + padding) / stride,
        }
    })
}

/// The zeros needed before a source so that every tap meets something.
fn before(phases: &[Phase]) -> usize {
    phases
        .iter()
        .map(|phase| phase.taps.len().saturating_sub(phase.last_source + 1))
        .max()
        .unwrap_or(0)
}

/// The zeros needed after a source of `size` rows so that every tap meets something.
fn after(phases: &[Phase], size: usize) -> usize {
    phases
        .iter()
        .map(|phase| (phase.last_source + phase.count).saturating_sub(size))
        .max()
        .unwrap_or(0)
}

fn phase_weights(conv: &Conv2d, weights: &[f32], row: &Phase, column: &Phase) -> Weights {
    let matrix = conv.in_channels * conv.out_channels;
    let blocks: Vec<&[f32]> = row
        .taps
        .iter()
        .flat_map(|&y| column.taps.iter().map(move |&x| y * conv.kernel + x))
        .map(|tap| &weights[tap * matrix..(tap + 1) * matrix])
        .collect();
    Weights::from_channels(&blocks, conv.in_channels)
}

fn pad_batch(source: &[f32], maps: Maps, channels: usize, border: Border) -> Vec<f32> {
    let padded = border.around(maps).pixels() * channels;
    let mut target = vec![0.0; maps.count * padded];
    target
        .par_chunks_mut(padded)
        .zip(source.par_chunks(maps.pixels() * channels))
        .for_each(|(target, source)| pad(source, maps, channels, border, target));
    target
}

/// Fills the rows of a matrix up with zeros.
fn widen(matrix: &[f32], from: usize, to: usize) -> std::borrow::Cow<'_, [f32]> {
    if from == to {
        return matrix.into();
    }
    let mut wide = vec![0.0; matrix.len() / from * to];
    for (wide, row) in wide.chunks_exact_mut(to).zip(matrix.chunks_exact(from)) {
        wide[..from].copy_from_slice(row);
    }
    wide.into()
}
