//! The backend on the CPU, for tests: one value after the other, each sum in the order of the kernels.

use super::array::{ArrayView, ArrayViewMut};
use super::backend::{Backend, Convolutions, Epilogue, PartialSums, Reduction};
use super::columns;
use super::problem::{Gemm, Geometry, MatrixProduct, Problem};
use super::rows::{NEIGHBOURS, Rows, THREADS};
use candle_core::Result;

/// Computes on the CPU, with columns of at most `most_columns` values at a time.
pub struct Reference {
    pub most_columns: usize,
}

impl Reference {
    pub fn new(most_columns: usize) -> Self {
        Self { most_columns }
    }
}

fn read<'a>(part: ArrayView<'a, Vec<f32>>) -> &'a [f32] {
    &part.array[part.range()]
}

fn write<'a>(part: ArrayViewMut<'a, Vec<f32>>) -> &'a mut [f32] {
    let ArrayViewMut { array, start, len } = part;
    &mut array[start..start + len]
}

impl Backend for Reference {
    type Array = Vec<f32>;

    fn most_columns(&self) -> usize {
        self.most_columns
    }

    /// NaN, so that reading before writing shows.
    fn allocate(&self, len: usize) -> Result<Vec<f32>> {
        Ok(vec![f32::NAN; len])
    }

    fn unfold(
        &self,
        geometry: &Geometry,
        maps: ArrayView<'_, Vec<f32>>,
        columns: &mut Vec<f32>,
    ) -> Result<()> {
        unfold(geometry, read(maps), columns);
        Ok(())
    }

    fn fold(
        &self,
        geometry: &Geometry,
        columns: &Vec<f32>,
        epilogue: Epilogue<'_, Vec<f32>>,
        maps: ArrayViewMut<'_, Vec<f32>>,
    ) -> Result<()> {
        fold(geometry, columns, &EpilogueValues::of(epilogue), write(maps));
        Ok(())
    }

    fn multiply(
        &self,
        product: &MatrixProduct,
        left: ArrayView<'_, Vec<f32>>,
        right: ArrayView<'_, Vec<f32>>,
        result: ArrayViewMut<'_, Vec<f32>>,
    ) -> Result<()> {
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
            finish(values, channels, &EpilogueValues::of(epilogue));
        }
        Ok(())
    }

    fn rectify_backward(
        &self,
        slope: f32,
        output: ArrayView<'_, Vec<f32>>,
        gradient: ArrayView<'_, Vec<f32>>,
    ) -> Result<Vec<f32>> {
        let pairs = read(output).iter().zip(read(gradient));
        Ok(pairs
            .map(|(&output, &gradient)| gradient * if output > 0.0 { 1.0 } else { slope })
            .collect())
    }

    fn add_rows(&self, reductions: &[Reduction<'_, Vec<f32>>], sums: &mut Vec<f32>) -> Result<()> {
        for Reduction { values, rows, to } in reductions {
            assert_eq!(values.len, rows * to.len());
            sums[to.clone()].copy_from_slice(&add_rows(read(*values), *rows, to.len()));
        }
        Ok(())
    }
}

impl Convolutions for Reference {
    fn convolution(
        &self,
        problem: &Problem,
        input: ArrayView<'_, Vec<f32>>,
        weights: ArrayView<'_, Vec<f32>>,
        epilogue: Epilogue<'_, Vec<f32>>,
        result: &mut Vec<f32>,
    ) -> Result<()> {
        columns::convolution(self, problem, input, weights, epilogue, result)
    }

    fn input_gradient(
        &self,
        problem: &Problem,
        gradient: ArrayView<'_, Vec<f32>>,
        weights: ArrayView<'_, Vec<f32>>,
        epilogue: Epilogue<'_, Vec<f32>>,
        result: &mut Vec<f32>,
    ) -> Result<()> {
        columns::input_gradient(self, problem, gradient, weights, epilogue, result)
    }

    fn weight_gradient(
        &self,
        problem: &Problem,
        input: ArrayView<'_, Vec<f32>>,
        gradient: ArrayView<'_, Vec<f32>>,
        result: ArrayViewMut<'_, Vec<f32>>,
    ) -> Result<Option<PartialSums<Vec<f32>>>> {
        columns::weight_gradient(self, problem, input, gradient, result).map(|()| None)
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

pub fn unfold(g: &Geometry, maps: &[f32], columns: &mut [f32]) {
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
pub fn fold(g: &Geometry, columns: &[f32], epilogue: &EpilogueValues<'_>, maps: &mut [f32]) {
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
    finish(maps, channels, epilogue);
}

/// The arrays of an epilogue; those that it does not have are empty.
pub struct EpilogueValues<'a> {
    pub bias: &'a [f32],
    pub outputs: &'a [f32],
    pub slope: f32,
}

impl<'a> EpilogueValues<'a> {
    fn of(epilogue: Epilogue<'a, Vec<f32>>) -> Self {
        let Epilogue { bias, outputs, slope } = epilogue;
        let values = |part: Option<ArrayView<'a, Vec<f32>>>| part.map(read).unwrap_or_default();
        Self { bias: values(bias), outputs: values(outputs), slope }
    }
}

pub fn finish(values: &mut [f32], channels: usize, epilogue: &EpilogueValues<'_>) {
    for (i, value) in values.iter_mut().enumerate() {
        let sum = epilogue.bias.get(i % channels).map_or(*value, |bias| *value + bias);
        let decides = epilogue.outputs.get(i).copied().unwrap_or(sum);
        *value = if decides > 0.0 { sum } else { epilogue.slope * sum };
    }
}

/// The sums of all rows, in the kernel's order.
pub fn add_rows(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let split = Rows::split(rows as u32, columns as u32);
    let parts: Vec<f32> = values
        .chunks(split.per_part as usize * columns)
        .flat_map(|part| (0..columns).map(|column| sum_column(part, columns, column)))
        .collect();
    match split.parts() {
        1 => parts,
        _ => (0..columns).map(|column| sum_column(&parts, columns, column)).collect(),
    }
}

/// Threads take turns, and then their sums are added.
fn sum_column(values: &[f32], columns: usize, column: usize) -> f32 {
    let side = THREADS / columns.min(NEIGHBOURS as usize);
    let turns = (0..side).map(|turn| {
        let own = values.iter().skip(turn * columns + column).step_by(side * columns);
        own.fold(0.0, |sum, value| sum + value)
    });
    turns.reduce(|sum: f32, turn| sum + turn).unwrap_or(0.0)
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
