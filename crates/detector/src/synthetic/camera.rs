//! From a scene to the image of a camera, and to the mask of what a defect changed.

use inspect::{Image, Mask};

use super::dice::Dice;
use super::noise::Field;
use super::vocabulary::Size;

/// How the scene is lit and taken.
pub(super) struct Camera {
    light: Image,
    blur_passes: usize,
    noise: f32,
}

impl Camera {
    /// A camera under light that varies by about `unevenness`, with noise of the given standard
    /// deviation.
    pub(super) fn draw(
        dice: &mut Dice,
        size: Size,
        unevenness: f32,
        blur_passes: usize,
        noise: f32,
    ) -> Self {
        let mut light = Field::new(dice, size, 280.0).render(size);
        light.data_mut().iter_mut().for_each(|value| *value = 1.0 + unevenness * *value);
        Self { light, blur_passes, noise }
    }

    /// The image in focus and light, before noise.
    pub(super) fn expose(&self, mut scene: Image) -> Image {
        for _ in 0..self.blur_passes {
            scene = blur(&scene);
        }
        for (value, light) in scene.data_mut().iter_mut().zip(self.light.data()) {
            *value = (*value * light).clamp(0.0, 1.0);
        }
        scene
    }

    /// The image with the sensor's noise.
    pub(super) fn develop(&self, mut exposed: Image, dice: &mut Dice) -> Image {
        for value in exposed.data_mut() {
            *value = (*value + self.noise * dice.normal()).clamp(0.0, 1.0);
        }
        exposed
    }
}

/// The binomial filter (1, 2, 1) / 4 along both axes; the border repeats.
pub(super) fn blur(image: &Image) -> Image {
    let (width, height) = (image.width(), image.height());
    let filter = |before: f32, here: f32, after: f32| 0.25 * before + 0.5 * here + 0.25 * after;
    let mut down = image.clone();
    for (y, row) in down.data_mut().chunks_exact_mut(width).enumerate() {
        let (above, below) = (image.row(y.saturating_sub(1)), image.row((y + 1).min(height - 1)));
        for ((value, &above), &below) in row.iter_mut().zip(above).zip(below) {
            *value = filter(above, *value, below);
        }
    }
    let mut across = down.clone();
    for (y, row) in across.data_mut().chunks_exact_mut(width).enumerate() {
        let from = down.row(y);
        for (value, three) in row.iter_mut().skip(1).zip(from.windows(3)) {
            *value = filter(three[0], three[1], three[2]);
        }
        row[0] = filter(from[0], from[0], from[1.min(width - 1)]);
        row[width - 1] = filter(from[width.saturating_sub(2)], from[width - 1], from[width - 1]);
    }
    across
}

/// The pixels at which two images differ by more than `tolerance`, with gaps of up to 2·`radius`
/// pixels closed.
pub(super) fn changed(good: &Image, flawed: &Image, tolerance: f32, radius: usize) -> Mask {
    let mut mask = Mask::filled(good.width(), good.height(), false);
    let pixels = good.data().iter().zip(flawed.data());
    for (changed, (good, flawed)) in mask.data_mut().iter_mut().zip(pixels) {
        *changed = (good - flawed).abs() > tolerance;
    }
    let dilated = combine_squares(&mask, radius, |a, b| a | b);
    combine_squares(&dilated, radius, |a, b| a & b)
}

/// Combines each pixel with all those in a square of the given radius around it.
fn combine_squares(mask: &Mask, radius: usize, combine: impl Fn(bool, bool) -> bool) -> Mask {
    let (width, height) = (mask.width(), mask.height());
    let combine_into = |to: &mut [bool], from: &[bool]| {
        to.iter_mut().zip(from).for_each(|(to, &from)| *to = combine(*to, from));
    };
    let mut across = mask.clone();
    for (y, row) in across.data_mut().chunks_exact_mut(width).enumerate() {
        let from = mask.row(y);
        for shift in 1..=radius.min(width - 1) {
            combine_into(&mut row[shift..], &from[..width - shift]);
            combine_into(&mut row[..width - shift], &from[shift..]);
        }
    }
    let mut both = across.clone();
    for (y, row) in both.data_mut().chunks_exact_mut(width).enumerate() {
        for near in y.saturating_sub(radius)..(y + radius + 1).min(height) {
            combine_into(row, across.row(near));
        }
    }
    both
}
