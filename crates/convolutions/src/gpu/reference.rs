//! The backend on the CPU, for tests: one value after the other, each sum in the order of the kernels.

use super::columns::{Gemm, Geometry, Product};
use super::rows::{NEIGHBOURS, Rows, THREADS};
use super::{Backend, Epilogue, Matrix, Part, PartMut};
use candle_core::Result;

/// Computes on the CPU, with columns of so many values at a time.
pub(super) struct Reference {
    pub most_columns: usize,
}

impl Reference {
    pub fn new(most_columns: usize) -> Self {
        Self { most_columns }
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
        fold(geometry, columns, &Finish::of(epilogue), write(maps));
        Ok(())
    }

    fn multiply(
        &self,
        product: &Product,
        left: Part<'_, Vec<f32>>,
        right: Part<'_, Vec<f32>>,
        result: PartMut<'_, Vec<f32>>,
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
            finish(values, channels, &Finish::of(epilogue));
        }
        Ok(())
    }

    fn rectify_backward(
        &self,
        slope: f32,
        output: Part<'_, Vec<f32>>,
        gradient: Part<'_, Vec<f32>>,
    ) -> Result<Vec<f32>> {
        let pairs = read(output).iter().zip(read(gradient));
        Ok(pairs
            .map(|(&output, &gradient)| gradient * if output > 0.0 { 1.0 } else { slope })
            .collect())
    }

    fn add_rows(&self, matrices: &[Matrix<'_, Vec<f32>>], sums: &mut Vec<f32>) -> Result<()> {
        for Matrix { values, rows, to } in matrices {
            assert_eq!(values.len, rows * to.len());
            sums[to.clone()].copy_from_slice(&add_rows(read(*values), *rows, to.len()));
        }
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
pub(super) fn fold(g: &Geometry, columns: &[f32], how: &Finish<'_>, maps: &mut [f32]) {
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
    finish(maps, channels, how);
}

/// An epilogue; what there is not is empty.
pub(super) struct Finish<'a> {
    pub bias: &'a [f32],
    pub outputs: &'a [f32],
    pub slope: f32,
}

impl<'a> Finish<'a> {
    fn of(epilogue: Epilogue<'a, Vec<f32>>) -> Self {
        let Epilogue { bias, outputs, slope } = epilogue;
        let values = |part: Option<Part<'a, Vec<f32>>>| part.map(read).unwrap_or_default();
        Self { bias: values(bias), outputs: values(outputs), slope }
    }
}

pub(super) fn finish(values: &mut [f32], channels: usize, how: &Finish<'_>) {
    for (i, value) in values.iter_mut().enumerate() {
        let sum = how.bias.get(i % channels).map_or(*value, |bias| *value + bias);
        let decides = how.outputs.get(i).copied().unwrap_or(sum);
        *value = if decides > 0.0 { sum } else { how.slope * sum };
    }
}

/// The sums of all rows, in the kernel's order.
pub(super) fn add_rows(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
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
