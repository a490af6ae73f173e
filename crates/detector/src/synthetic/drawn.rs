//! Defects that are drawn into an image, as in the paper's toy example.

use inspect::{Image, Mask};

use super::dice::Dice;
use super::noise::{mix, moments};
use super::shape::{Blob, Path};
use super::source::Purpose;
use super::vocabulary::Size;

/// The opacity of the paint over the texture.
const OPACITY: f32 = 0.8;

/// Paints a dark stroke and a bright blob into an image, and says which pixels they cover.
///
/// Their tones are one standard deviation of the image below and above its mean, and so are not rare
/// in it. The middle of each lies in a half of the image of its own.
pub fn draw_defects(image: &Image, seed: u64) -> (Image, Mask) {
    let (width, height) = image.size();
    let drawing = Drawing::draw(Size { width, height }, seed);
    let (mean, variance) = moments(image.data().iter().copied());
    let (mean, deviation) = (mean as f32, variance.sqrt() as f32);
    let mut painted = image.clone();
    let mask = Mask::from_fn(width, height, |x, y| {
        let (stroke, blob) = drawing.cover(x as f32, y as f32);
        let pixel = &mut painted.data_mut()[y * width + x];
        *pixel = mix(*pixel, mean - deviation, OPACITY * stroke);
        *pixel = mix(*pixel, mean + deviation, OPACITY * blob).clamp(0.0, 1.0);
        stroke > 0.0 || blob > 0.0
    });
    (painted, mask)
}

/// Shapes, and the columns at which their halves begin.
struct Drawing {
    stroke: Path,
    half_width: f32,
    stroke_left: f32,
    blob: Blob,
    blob_left: f32,
}

impl Drawing {
    fn draw(size: Size, seed: u64) -> Self {
        let mut dice = Dice::new([seed, 0, 0, 0], Purpose::Drawing as u64);
        let half = Size { width: size.width / 2, ..size };
        let halves = [0.0, half.width as f32];
        let side = dice.below(2);
        Self {
            stroke: Path::draw(&mut dice, half, 50.0, 110.0, 8.0),
            half_width: (0.03 * half.shorter_side()).clamp(1.5, 4.0),
            stroke_left: halves[side],
            blob: Blob::draw(&mut dice, half, 14.0, 26.0),
            blob_left: halves[1 - side],
        }
    }

    /// The shares of a pixel that stroke and blob cover.
    fn cover(&self, x: f32, y: f32) -> (f32, f32) {
        let stroke = self.stroke.cover(self.half_width, x - self.stroke_left, y);
        (stroke, self.blob.coverage(x - self.blob_left, y, 0.2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripes(side: usize) -> Image {
        Image::from_fn(side, side, |x, _| if x % 8 < 4 { 0.3 } else { 0.5 })
    }

    #[test]
    fn only_masked_pixels_change_and_none_leaves_the_tones_of_the_image() {
        for side in [32, 40, 256] {
            for seed in 0..20 {
                let good = stripes(side);
                let (image, mask) = draw_defects(&good, seed);
                let marked = mask.data().iter().filter(|&&defective| defective).count();
                assert!(marked >= 10 && 6 * marked < side * side, "{side} {seed}: {marked}");
                let pixels = image.data().iter().zip(good.data()).zip(mask.data());
                for ((pixel, good), _) in pixels.filter(|(_, defective)| !**defective) {
                    assert_eq!(pixel, good, "{side} {seed}");
                }
                // Mean 0.4 and deviation 0.1, up to their rounding.
                assert!(image.data().iter().all(|pixel| (0.299_99..=0.500_01).contains(pixel)));
            }
        }
    }

    #[test]
    fn the_seed_decides() {
        let good = stripes(64);
        assert_eq!(draw_defects(&good, 3), draw_defects(&good, 3));
        assert_ne!(draw_defects(&good, 3).1, draw_defects(&good, 4).1);
    }
}
