//! Maximum pooling of maps `(N, H, W, C)`, and its gradient, which goes to the first of the largest values, row by row.

use candle_core::{Result, Shape, Tensor, bail};
use pulp::Arch;
use rayon::prelude::*;

/// Side of the windows, and their distance.
const WINDOW: usize = 3;
const STRIDE: usize = 2;

/// How a last window is treated that does not fit into the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rounding {
    /// It is left out.
    Down,
    /// It is cut off at the border, if it begins inside of the map.
    Up,
}

/// The largest values of windows of 3×3 at a stride of 2.
#[derive(Clone, Copy, Debug)]
pub(super) struct MaxPool {
    pub rounding: Rounding,
}

impl MaxPool {
    /// The largest values from candle's own operations, for devices that this crate has no kernels for.
    pub fn compose(self, maps: &Tensor) -> Result<Tensor> {
        let Windows { height, width, rows, columns, .. } = self.windows(maps.shape())?;
        largest_along(&largest_along(maps, 2, width, columns)?, 1, height, rows)
    }

    /// The number of windows along a side.
    pub fn output(self, size: usize) -> Option<usize> {
        let rest = match self.rounding {
            Rounding::Down => size.checked_sub(WINDOW)?,
            // Windows begin at 0, 2, …, of which the last is whole or lacks one pixel.
            Rounding::Up => size.checked_sub(WINDOW - 1)?,
        };
        Some(rest / STRIDE + 1)
    }

    /// The windows of maps of the given shape.
    pub fn windows(self, maps: &Shape) -> Result<Windows> {
        let (_, height, width, channels) = maps.dims4()?;
        match (self.output(height), self.output(width)) {
            (Some(rows), Some(columns)) => Ok(Windows { height, width, channels, rows, columns }),
            _ => bail!(
                "maps of {height}x{width} pixels are too small for windows of {WINDOW}x{WINDOW}"
            ),
        }
    }
}

/// The largest value of each window along a dimension of length `size`; among equal ones the first.
///
/// Along rows and then along columns, this finds the first of the largest values of a square, row by row.
fn largest_along(maps: &Tensor, dim: usize, size: usize, windows: usize) -> Result<Tensor> {
    let maps = maps.contiguous()?;
    let nth = |n: usize| {
        // Beyond the border, the last pixel once more: not larger than itself, it changes nothing.
        let places: Vec<u32> =
            (0..windows).map(|i| (STRIDE * i + n).min(size - 1) as u32).collect();
        maps.index_select(&Tensor::from_vec(places, windows, maps.device())?, dim)
    };
    (1..WINDOW).try_fold(nth(0)?, |largest, n| {
        let value = nth(n)?;
        let is_larger = value.detach().gt(&largest.detach())?;
        is_larger.where_cond(&value, &largest)
    })
}

/// Maps and the grid of their windows.
pub(super) struct Windows {
    height: usize,
    width: usize,
    channels: usize,
    rows: usize,
    columns: usize,
}

impl Windows {
    /// The shape of the result for `maps` maps.
    pub fn output(&self, maps: usize) -> Shape {
        (maps, self.rows, self.columns, self.channels).into()
    }

    /// Writes the largest values of the maps' windows.
    pub fn pool(&self, maps: &[f32], results: &mut [f32]) {
        let (map, result) = self.lengths();
        let results = results.par_chunks_exact_mut(result);
        results
            .zip_eq(maps.par_chunks_exact(map))
            .for_each(|(result, map)| self.largest(map, result));
    }

    /// Adds the gradient of each result to that of the first value that is equal to it.
    pub fn spread(&self, maps: &[f32], results: &[f32], gradients: &[f32], targets: &mut [f32]) {
        let (map, result) = self.lengths();
        let results = results.par_chunks_exact(result).zip_eq(gradients.par_chunks_exact(result));
        let maps = maps.par_chunks_exact(map).zip_eq(results);
        targets.par_chunks_exact_mut(map).zip_eq(maps).for_each(
            |(target, (map, (result, gradient)))| self.give(map, result, gradient, target),
        );
    }

    /// Values of a map and of its result.
    fn lengths(&self) -> (usize, usize) {
        let &Self { height, width, channels, rows, columns, .. } = self;
        (height * width * channels, rows * columns * channels)
    }

    /// For each window in turn, where its channels lie in the result and where those of each of its pixels in the map.
    #[inline(always)]
    fn for_each_pixel(&self, mut visit: impl FnMut(usize, usize, usize)) {
        let &Self { height, width, channels, rows, columns, .. } = self;
        for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)))
        {
            let (top, left) = (row * STRIDE, column * STRIDE);
            let mut number = 0;
            for y in top..height.min(top + WINDOW) {
                for x in left..width.min(left + WINDOW) {
                    visit(number, (row * columns + column) * channels, (y * width + x) * channels);
                    number += 1;
                }
            }
        }
    }

    fn largest(&self, map: &[f32], result: &mut [f32]) {
        let channels = self.channels;
        Arch::new().dispatch(|| {
            self.for_each_pixel(|number, window, pixel| {
                let (largest, values) =
                    (&mut result[window..][..channels], &map[pixel..][..channels]);
                if number == 0 {
                    largest.copy_from_slice(values);
                    return;
                }
                for (largest, &value) in largest.iter_mut().zip(values) {
                    *largest = if value > *largest { value } else { *largest };
                }
            });
        });
    }

    fn give(&self, map: &[f32], result: &[f32], gradient: &[f32], target: &mut [f32]) {
        let channels = self.channels;
        let mut left = vec![0.0; channels];
        Arch::new().dispatch(|| {
            self.for_each_pixel(|number, window, pixel| {
                if number == 0 {
                    left.copy_from_slice(&gradient[window..][..channels]);
                }
                let (values, largest) = (&map[pixel..][..channels], &result[window..][..channels]);
                let target = &mut target[pixel..][..channels];
                for ((target, left), (&value, &largest)) in
                    target.iter_mut().zip(&mut left).zip(values.iter().zip(largest))
                {
                    let share = if value == largest { *left } else { 0.0 };
                    *target += share;
                    *left -= share;
                }
            });
        });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
    use super::*;
    use candle_core::{Device, Var};
    use proptest::prelude::*;

    /// Few different values, so that there are ties.
    fn maps(shape: (usize, usize, usize, usize), seed: usize) -> Tensor {
        let count = shape.0 * shape.1 * shape.2 * shape.3;
        let value = |i: usize| (((i + seed) * 7919) % 101 % 13) as f32 - 6.0;
        Tensor::from_vec((0..count).map(value).collect(), shape, &Device::Cpu).unwrap()
    }

    fn values(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    /// The largest values, and the gradient of the maps for that of the largest values.
    fn pooled(rounding: Rounding, maps: &Tensor, gradient: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let windows = MaxPool { rounding }.windows(maps.shape()).unwrap();
        let results = windows.output(maps.dims()[0]).elem_count();
        let maps = values(maps);
        let (mut largest, mut target) = (vec![0.0; results], vec![0.0; maps.len()]);
        windows.pool(&maps, &mut largest);
        windows.spread(&maps, &largest, gradient, &mut target);
        (largest, target)
    }

    /// The same by candle.
    fn composed(rounding: Rounding, maps: &Tensor, gradient: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let maps = Var::from_tensor(maps).unwrap();
        let largest = MaxPool { rounding }.compose(&maps).unwrap();
        let gradient = Tensor::from_slice(gradient, largest.dims(), &Device::Cpu).unwrap();
        let sum = (&largest * gradient).unwrap().sum_all().unwrap();
        (values(&largest), values(sum.backward().unwrap().get(&maps).unwrap()))
    }

    #[test]
    #[rustfmt::skip]
    fn by_hand() {
        let map = Tensor::new(&[
            1f32, 2.0, 0.0, 4.0,
            0.0, 3.0, 5.0, 5.0,
            1.0, 1.0, 2.0, 9.0,
            8.0, 0.0, 0.0, 0.0,
        ], &Device::Cpu).unwrap().reshape((1, 4, 4, 1)).unwrap();
        assert_eq!(pooled(Rounding::Down, &map, &[1.0]).0, [5.0]);
        let (largest, gradient) = pooled(Rounding::Up, &map, &[1.0, 10.0, 100.0, 1000.0]);
        assert_eq!(largest, [5.0, 9.0, 8.0, 9.0]);
        assert_eq!(gradient, [
            0.0, 0.0, 0.0, 0.0,
            0.0, 0.0, 1.0, 0.0,
            0.0, 0.0, 0.0, 1010.0,
            100.0, 0.0, 0.0, 0.0,
        ]);
    }

    #[test]
    fn maps_without_a_window_are_refused() {
        let windows = |rounding, size| MaxPool { rounding }.windows(&(1, size, 5, 2).into());
        assert!(windows(Rounding::Down, 3).is_ok() && windows(Rounding::Up, 2).is_ok());
        for (rounding, size) in [(Rounding::Down, 2), (Rounding::Up, 1)] {
            let message = windows(rounding, size).map(|_| ()).unwrap_err().to_string();
            assert!(message.contains("too small"), "{message}");
        }
    }

    /// As defined; the place of the first largest value of each window.
    fn naive(rounding: Rounding, maps: &Tensor) -> Vec<usize> {
        let (count, height, width, channels) = maps.dims4().unwrap();
        let values = values(maps);
        let starts = |size: usize| {
            // PyTorch: rounded up, a window may hang over, if it begins inside.
            let hang = if rounding == Rounding::Up { 1 } else { 0 };
            (0..size).step_by(2).filter(move |start| start + 3 <= size + hang)
        };
        let mut places = Vec::new();
        for map in 0..count {
            for (top, left) in starts(height).flat_map(|y| starts(width).map(move |x| (y, x))) {
                for channel in 0..channels {
                    let rows = top..height.min(top + 3);
                    let pixels =
                        rows.flat_map(|y| (left..width.min(left + 3)).map(move |x| (y, x)));
                    let place = |(y, x)| ((map * height + y) * width + x) * channels + channel;
                    let first_largest = |best: usize, place: usize| {
                        if values[place] > values[best] { place } else { best }
                    };
                    places.extend(pixels.map(place).reduce(first_largest));
                }
            }
        }
        places
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]

        #[test]
        fn pooling_and_its_gradient_equal_the_definition(
            count in 1usize..4, height in 3usize..12, width in 3usize..12, channels in 1usize..20,
            up: bool, seed in 0usize..1000,
        ) {
            let rounding = if up { Rounding::Up } else { Rounding::Down };
            let maps = maps((count, height, width, channels), seed);
            let (places, before) = (naive(rounding, &maps), values(&maps));
            let largest: Vec<f32> = places.iter().map(|&place| before[place]).collect();
            // Whole numbers, whose sums are exact.
            let weights: Vec<f32> = (0..places.len()).map(|i| (i % 17) as f32 - 8.0).collect();
            let mut gradient = vec![0.0; before.len()];
            places.iter().zip(&weights).for_each(|(&place, weight)| gradient[place] += weight);
            for pool in [pooled, composed] {
                prop_assert_eq!(pool(rounding, &maps, &weights), (largest.clone(), gradient.clone()));
            }
        }
    }
}
