//! The part of an image that a defect is drawn into.

use crate::synthetic::dice::Dice;
use crate::synthetic::noise::moments;
use crate::synthetic::vocabulary::Size;
use inspect::Image;

/// Side of the squares in pixels whose variances count as those of the texture; shading varies over larger distances.
const BLOCK: usize = 16;

/// The least deviation that contrasts are multiples of: one of 255 grey levels. Nothing could be seen below it.
const LEAST_DEVIATION: f32 = 1.0 / 255.0;

/// A rectangle of an image, and the statistics of its texture.
pub(super) struct Cell<'a> {
    image: &'a Image,
    pub left: usize,
    pub top: usize,
    pub size: Size,
    /// The mean intensity.
    pub mean: f32,
    /// The standard deviation of the texture: the root of the mean variance of small squares.
    pub deviation: f32,
}

impl<'a> Cell<'a> {
    pub fn new(image: &'a Image, (left, top): (usize, usize), size: Size) -> Self {
        let mut cell = Self { image, left, top, size, mean: 0.0, deviation: 0.0 };
        let blocks = |side: usize| (side / BLOCK).max(1);
        let (columns, rows) = (blocks(size.width), blocks(size.height));
        let (mut means, mut variances) = (0.0, 0.0);
        for row in 0..rows {
            for column in 0..columns {
                let of = |index: usize, count: usize, side: usize| {
                    index * side / count..(index + 1) * side / count
                };
                let (xs, ys) = (of(column, columns, size.width), of(row, rows, size.height));
                let pixels = ys.flat_map(|y| xs.clone().map(move |x| (x, y)));
                let (mean, variance) = moments(pixels.map(|(x, y)| cell.pixel(x, y)));
                means += mean;
                variances += variance;
            }
        }
        let count = (columns * rows) as f64;
        cell.mean = (means / count) as f32;
        cell.deviation = ((variances / count).sqrt() as f32).max(LEAST_DEVIATION);
        cell
    }

    /// The image at a pixel of the cell.
    pub fn pixel(&self, x: usize, y: usize) -> f32 {
        self.image.get(self.left + x, self.top + y)
    }

    /// The image at any place relative to the cell; beyond its border it is mirrored.
    pub fn texture(&self, x: isize, y: isize) -> f32 {
        let x = mirrored(self.left as isize + x, self.image.width());
        self.image.get(x, mirrored(self.top as isize + y, self.image.height()))
    }

    /// The mean of the image in the square of side `2 * reach + 1` around a pixel.
    pub fn blurred(&self, x: usize, y: usize, reach: isize) -> f32 {
        let (x, y) = (x as isize, y as isize);
        let row = |v| (x - reach..=x + reach).map(move |u| (u, v));
        let sum: f32 = (y - reach..=y + reach).flat_map(row).map(|(u, v)| self.texture(u, v)).sum();
        sum / ((2 * reach + 1) as f32).powi(2)
    }

    /// A difference in tone of `contrast` deviations, darker or brighter as the dice have it, or the other way round where there is no
    /// room for it between black and white.
    pub fn difference(&self, dice: &mut Dice, contrast: f32) -> f32 {
        let difference = dice.sign() * contrast * self.deviation;
        let has_room = |difference: f32| (0.0..=1.0).contains(&(self.mean + difference));
        if has_room(difference) || !has_room(-difference) { difference } else { -difference }
    }
}

/// The place inside of `0..length` that a place beyond its ends is mirrored to.
fn mirrored(place: isize, length: usize) -> usize {
    let length = length as isize;
    let place = place.rem_euclid(2 * length);
    (if place < length { place } else { 2 * length - 1 - place }) as usize
}
