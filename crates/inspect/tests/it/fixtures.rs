//! The fixtures of `tests/data`, and images for property tests. `tests/data/generate.py` made the fixtures and
//! names the libraries and their versions.

use std::str::FromStr;

use inspect::{Blend, Image, Mask, Padding, Plane, Tiling};
use proptest::prelude::*;

pub const SCORES: &str = include_str!("../data/scores.txt");

/// Patches as in the paper, but for their stride.
pub fn plain(stride: usize, batch: usize) -> Tiling {
    Tiling { stride, batch, padding: Padding::None, blend: Blend::Flat }
}

/// Paddings and blends to try, all of them for any patch size.
pub fn tilings(stride: usize, batch: usize, patch: usize) -> impl Iterator<Item = Tiling> {
    let mirrored = [0, patch / 2, patch].map(|pixels| Padding::Mirror { pixels });
    let paddings = [Padding::None].into_iter().chain(mirrored);
    paddings.flat_map(move |padding| {
        [Blend::Flat, Blend::Hann].map(|blend| Tiling { stride, batch, padding, blend })
    })
}

/// Reads rows of numbers separated by blanks.
pub fn plane<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> Plane<T> {
    let parse = |line: &str| line.split(' ').map(|n| n.parse().unwrap()).collect::<Vec<T>>();
    let rows: Vec<Vec<T>> = text.lines().map(parse).collect();
    let (width, height) = (rows[0].len(), rows.len());
    Plane::new(width, height, rows.into_iter().flatten().collect()).unwrap()
}

/// Images up to 24 pixels wide and high with few distinct values, so that ties and flat areas are frequent.
pub fn images() -> impl Strategy<Value = Image> {
    (1usize..25, 1usize..25, 1u8..7).prop_flat_map(|(width, height, levels)| {
        prop::collection::vec(0..=levels, width * height).prop_map(move |values| {
            let data = values.into_iter().map(|v| f32::from(v) / f32::from(levels)).collect();
            Plane::new(width, height, data).unwrap()
        })
    })
}

pub fn masks() -> impl Strategy<Value = Mask> {
    (images(), 0.0f32..1.0).prop_map(|(image, t)| at_least(&image, t))
}

/// The pixels with `score >= threshold`.
pub fn at_least(image: &Image, threshold: f32) -> Mask {
    Plane::from_fn(image.width(), image.height(), |x, y| image.get(x, y) >= threshold)
}

/// The distinct values of an image, ascending.
pub fn levels(image: &Image) -> Vec<f32> {
    let mut values = image.data().to_vec();
    values.sort_unstable_by(f32::total_cmp);
    values.dedup();
    values
}

/// The plane mirrored left to right.
pub fn mirrored<T: Copy>(plane: &Plane<T>) -> Plane<T> {
    let width = plane.width();
    Plane::from_fn(width, plane.height(), |x, y| plane.get(width - 1 - x, y))
}

/// The plane with rows and columns exchanged.
pub fn transposed<T: Copy>(plane: &Plane<T>) -> Plane<T> {
    Plane::from_fn(plane.height(), plane.width(), |x, y| plane.get(y, x))
}
