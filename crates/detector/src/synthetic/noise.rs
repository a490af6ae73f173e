//! Smooth random curves and fields: cubic B-splines over random knots.

use inspect::{Image, Plane};

use super::dice::Dice;
use super::vocabulary::Size;

/// How far curves and fields reach beyond their extent, in pixels; farther out they are constant.
pub(super) const REACH: f32 = 64.0;

/// A smooth random function of one coordinate, mostly within [-1, 1].
#[derive(Clone)]
pub(super) struct Curve {
    knots: Vec<f32>,
    spacing: f32,
}

/// A smooth random function of two coordinates, mostly within [-1, 1].
pub(super) struct Field {
    knots: Plane<f32>,
    spacing: f32,
}

/// The spline averages neighbouring knots: scaled up, its values fill [-1, 1] again.
const GAIN_1D: f32 = 1.5;
const GAIN_2D: f32 = 2.2;

impl Curve {
    /// A curve over [0, `extent`] whose bends are about `spacing` pixels apart.
    pub(super) fn new(dice: &mut Dice, extent: f32, spacing: f32) -> Self {
        let knots = (0..knot_count(extent, spacing)).map(|_| dice.signed() * GAIN_1D).collect();
        Self { knots, spacing }
    }

    /// The value at `t`.
    pub(super) fn at(&self, t: f32) -> f32 {
        let (first, weights) = spline(t, self.spacing, self.knots.len());
        weights.iter().zip(&self.knots[first..]).map(|(weight, knot)| weight * knot).sum()
    }
}

impl Field {
    /// A field over `size` whose bends are about `spacing` pixels apart.
    pub(super) fn new(dice: &mut Dice, size: Size, spacing: f32) -> Self {
        let columns = knot_count(size.width as f32, spacing);
        let rows = knot_count(size.height as f32, spacing);
        Self { knots: Plane::from_fn(columns, rows, |_, _| dice.signed() * GAIN_2D), spacing }
    }

    /// The value at (`x`, `y`).
    pub(super) fn at(&self, x: f32, y: f32) -> f32 {
        let (left, across) = spline(x, self.spacing, self.knots.width());
        let (top, down) = spline(y, self.spacing, self.knots.height());
        let row = |y: usize| -> f32 {
            across.iter().zip(&self.knots.row(y)[left..]).map(|(weight, knot)| weight * knot).sum()
        };
        down.iter().enumerate().map(|(y, weight)| weight * row(top + y)).sum()
    }

    /// The values at all pixels: as [`Field::at`], but quickly.
    pub(super) fn render(&self, size: Size) -> Image {
        let across: Vec<_> =
            (0..size.width).map(|x| spline(x as f32, self.spacing, self.knots.width())).collect();
        let mut image = Image::filled(size.width, size.height, 0.0);
        for (y, row) in image.data_mut().chunks_exact_mut(size.width).enumerate() {
            let (top, down) = spline(y as f32, self.spacing, self.knots.height());
            let knots: Vec<f32> = (0..self.knots.width())
                .map(|x| {
                    down.iter()
                        .enumerate()
                        .map(|(y, weight)| weight * self.knots.get(x, top + y))
                        .sum()
                })
                .collect();
            for (value, (left, weights)) in row.iter_mut().zip(&across) {
                *value =
                    weights.iter().zip(&knots[*left..]).map(|(weight, knot)| weight * knot).sum();
            }
        }
        image
    }
}

/// The knots that cover [-REACH, `extent` + REACH].
fn knot_count(extent: f32, spacing: f32) -> usize {
    ((extent + 2.0 * REACH) / spacing).ceil() as usize + 4
}

/// The first of the four knots around `t`, and their weights.
fn spline(t: f32, spacing: f32, knots: usize) -> (usize, [f32; 4]) {
    let position = ((t + REACH) / spacing).clamp(0.0, (knots - 4) as f32);
    let first = position as usize;
    let f = position - first as f32;
    let g = 1.0 - f;
    let weights = [
        g * g * g / 6.0,
        (4.0 - 3.0 * f * f * (1.0 + g)) / 6.0,
        (4.0 - 3.0 * g * g * (1.0 + f)) / 6.0,
        f * f * f / 6.0,
    ];
    (first, weights)
}

/// 0 below `low`, 1 above `high`, and smooth between them.
pub(super) fn smoothstep(low: f32, high: f32, value: f32) -> f32 {
    let t = ((value - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// `from` at `weight` 0, `to` at 1.
pub(super) fn mix(from: f32, to: f32, weight: f32) -> f32 {
    from + (to - from) * weight
}

/// Mean and variance.
pub(super) fn moments(values: impl Iterator<Item = f32> + Clone) -> (f64, f64) {
    let count = values.clone().count() as f64;
    let mean = values.clone().map(f64::from).sum::<f64>() / count;
    let squares = values.map(|value| (f64::from(value) - mean).powi(2));
    (mean, squares.sum::<f64>() / count)
}
