//! The backend on the CPU, for tests: one value after the other, each sum in the order of the kernels.

use super::columns::{Gemm, Geometry, Product};
use super::rows::{Rows, THREADS};
use super::{Backend, Epilogue, Part, PartMut};
use candle_core::Result;
use std::cell::Cell;

/// Computes on the CPU, with columns of so many values at a time, and counts what would be launched.
pub(super) struct Reference {
    pub most_columns: usize,
    pub launches: Cell<usize>,
}

impl Reference {
    pub fn new(most_columns: usize) -> Self {
        Self { most_columns, launches: Cell::new(0) }
    }

    fn count(&self, launches: usize) {
        self.launches.set(self.launches.get() + launches);
    }
}

fn read<'a>(part: Part<'a, Vec<f32>>) -> &'a [f32] {
    &part.array[part.range()]
}

fn write<'a>(part: PartMut<'a, Vec<f32>>) -> &'a mut [f32] {
    let PartMut { array, start, len } = part;
    &mut array[start..start + len]
}

impl Backend for Reference {
    type Array = Vec<f32>;

    fn most_columns(&self) -> usize {
        self.most_columns
    }

    /// What is read before it was written shows.
    fn allocate(&self, len: usize) -> Result<Vec<f32>> {
        Ok(vec![f32::NAN; len])
    }

    fn unfold(
        &self,
        geometry: &Geometry,
        maps: Part<'_, Vec<f32>>,
        columns: &mut Vec<f32>,
    ) -> Result<()> {
        self.count(1);
        unfold(geometry, read(maps), columns);
        Ok(())
    }

    fn fold(
        &self,
        geometry: &Geometry,
        columns: &Vec<f32>,
        epilogue: Epilogue<'_, Vec<f32>>,
        maps: PartMut<'_, Vec<f32>>,
    ) -> Result<()> {
        self.count(1);
        fold(geometry, columns, epilogue.bias.map(read), epilogue.slope, write(maps));
        Ok(())
    }

    fn multiply(
        &self,
        product: &Product,
        left: Part<'_, Vec<f32>>,
        right: Part<'_, Vec<f32>>,
        result: PartMut<'_, Vec<f32>>,
    ) -> Result<()> {
        self.count(1);
        blas(&product.gemm()?, product.is_added, read(right), read(left), write(result));
        Ok(())
    }

    fn finish(
        &self,
        channels: usize,
        epilogue: Epilogue<'_, Vec<f32>>,
        values: &mut Vec<f32>,
    ) -> Result<()> {
        if !epilogue.is_none() {
            self.count(1);
            finish(values, channels, epilogue.bias.map(read), epilogue.slope);
        }
        Ok(())
    }

    fn rectify_backward(
        &self,
        slope: f32,
        output: Part<'_, Vec<f32>>,
        gradient: Part<'_, Vec<f32>>,
        sums: Option<PartMut<'_, Vec<f32>>>,
        channels: usize,
    ) -> Result<Vec<f32>> {
        self.count(1);
        let result = rectify_backward(read(output), read(gradient), slope);
        if let Some(sums) = sums {
            assert_eq!(sums.len, channels);
            self.sum_channels(Part::new(&result, 0..result.len()), sums)?;
            // It is part of the one above.
            self.launches.set(self.launches.get() - 1);
        }
        Ok(result)
    }

    fn sum_channels(&self, values: Part<'_, Vec<f32>>, sums: PartMut<'_, Vec<f32>>) -> Result<()> {
        self.count(1);
        let (values, sums) = (read(values), write(sums));
        let (count, channels) = ((values.len() / sums.len()) as u32, sums.len() as u32);
        let stage = Rows::split(count, channels);
        let partial = sum_rows(&stage, values);
        sums.copy_from_slice(&sum_rows(&Rows::whole(stage.blocks(), channels), &partial));
        Ok(())
    }
}

/// For each tap of each pixel of the result, the place of its channels in the maps, if it is not beyond the border.
fn taps(g: &Geometry, maps: usize) -> impl Iterator<Item = Option<usize>> {
    let g = *g;
    let pixels = (0..maps as u32 * g.rows * g.columns).map(move |pixel| {
        (pixel / (g.rows * g.columns), pixel / g.columns % g.rows, pixel % g.columns)
    });
    pixels.flat_map(move |(map, row, column)| {
        (0..g.kernel * g.kernel).map(move |tap| {
            let y = (row * g.stride + tap / g.kernel).checked_sub(g.padding)?;
            let x = (column * g.stride + tap % g.kernel).checked_sub(g.padding)?;
            let is_inside = y < g.height && x < g.width;
            is_inside.then(|| (((map * g.height + y) * g.width + x) * g.channels) as usize)
        })
    })
}

pub(super) fn unfold(g: &Geometry, maps: &[f32], columns: &mut [f32]) {
    let channels = g.channels as usize;
    let count = maps.len() / g.lengths().0;
    for (columns, place) in columns.chunks_exact_mut(channels).zip(taps(g, count)) {
        match place {
            Some(place) => columns.copy_from_slice(&maps[place..place + channels]),
            None => columns.fill(0.0),
        }
    }
}

/// A kernel's taps meet a pixel from the last row of results to the first: added is in the order of taps.
pub(super) fn fold(
    g: &Geometry,
    columns: &[f32],
    bias: Option<&[f32]>,
    slope: f32,
    maps: &mut [f32],
) {
    let channels = g.channels as usize;
    let count = maps.len() / g.lengths().0;
    let mut met: Vec<Vec<(usize, usize)>> = vec![Vec::new(); maps.len() / channels];
    let kernel_taps = (g.kernel * g.kernel) as usize;
    for (number, place) in taps(g, count).enumerate() {
        if let Some(place) = place {
            met[place / channels].push((number % kernel_taps, number));
        }
    }
    for (pixel, mut met) in maps.chunks_exact_mut(channels).zip(met) {
        met.sort_unstable();
        pixel.fill(0.0);
        for (_, number) in met {
            let values = &columns[number * channels..][..channels];
            pixel.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        }
    }
    finish(maps, channels, bias, slope);
}

pub(super) fn finish(values: &mut [f32], channels: usize, bias: Option<&[f32]>, slope: f32) {
    for (i, value) in values.iter_mut().enumerate() {
        let sum = bias.map_or(*value, |bias| *value + bias[i % channels]);
        *value = if sum > 0.0 { sum } else { slope * sum };
    }
}

pub(super) fn rectify_backward(output: &[f32], gradient: &[f32], slope: f32) -> Vec<f32> {
    let pairs = output.iter().zip(gradient);
    pairs.map(|(&output, &gradient)| gradient * if output > 0.0 { 1.0 } else { slope }).collect()
}

/// Sums by channel: a row for each block.
pub(super) fn sum_rows(rows: &Rows, values: &[f32]) -> Vec<f32> {
    let (channels, per_block) = (rows.channels as usize, rows.per_block as usize);
    let side = THREADS / channels.min(THREADS);
    let mut sums = Vec::new();
    for block in values.chunks(per_block * channels) {
        for channel in 0..channels {
            let turns = (0..side).map(|turn| {
                let own = block.iter().skip(turn * channels + channel).step_by(side * channels);
                own.fold(0.0, |sum, value| sum + value)
            });
            sums.push(turns.reduce(|sum: f32, turn| sum + turn).unwrap_or(0.0));
        }
    }
    sums
}

/// `c = a · b [+ c]` in column-major order, as BLAS has it.
fn blas(gemm: &Gemm, is_added: bool, a: &[f32], b: &[f32], c: &mut [f32]) {
    let Gemm { is_a_transposed, is_b_transposed, .. } = *gemm;
    let [m, n, k, lda, ldb, ldc] =
        [gemm.m, gemm.n, gemm.k, gemm.lda, gemm.ldb, gemm.ldc].map(|number| number as usize);
    for (column, row) in (0..n).flat_map(|column| (0..m).map(move |row| (column, row))) {
        let products = (0..k).map(|i| {
            let a = if is_a_transposed { a[i + row * lda] } else { a[row + i * lda] };
            let b = if is_b_transposed { b[column + i * ldb] } else { b[i + column * ldb] };
            f64::from(a) * f64::from(b)
        });
        let sum = products.sum::<f64>() as f32;
        let place = &mut c[row + column * ldc];
        *place = if is_added { *place + sum } else { sum };
    }
}
