//! Scaling images and score maps.

use inspect::Image;

/// Scales `image` to `width` x `height` pixels by a triangle filter: bilinear when enlarging, and
/// widened to cover the pixels that merge when reducing, so that fine textures do not alias.
///
/// The same as Pillow's `resize(..., BILINEAR)`. Values need not lie in [0, 1]: score maps are
/// scaled by this, too.
///
/// # Panics
/// If a side is 0.
pub fn resize(image: &Image, width: usize, height: usize) -> Image {
    assert!(width > 0 && height > 0, "an image is scaled to {width}x{height} pixels");
    assert!(image.width() > 0 && image.height() > 0, "an empty image is scaled");
    if (width, height) == (image.width(), image.height()) {
        return image.clone();
    }
    let narrow = resize_rows(image, &taps(image.width(), width));
    resize_columns(&narrow, &taps(image.height(), height))
}

/// The source pixels from `first` on and their weights, which sum to 1.
struct Tap {
    first: usize,
    weights: Vec<f32>,
}

fn taps(from: usize, to: usize) -> Vec<Tap> {
    let scale = from as f64 / to as f64;
    let support = scale.max(1.0);
    (0..to)
        .map(|target| {
            let centre = (target as f64 + 0.5) * scale;
            let first = (centre - support + 0.5).floor().max(0.0) as usize;
            let end = ((centre + support + 0.5).floor() as usize).min(from);
            let distance = |source: usize| (source as f64 + 0.5 - centre).abs() / support;
            let raw: Vec<f64> =
                (first..end).map(|source| (1.0 - distance(source)).max(0.0)).collect();
            let sum: f64 = raw.iter().sum();
            Tap { first, weights: raw.iter().map(|weight| (weight / sum) as f32).collect() }
        })
        .collect()
}

fn resize_rows(image: &Image, taps: &[Tap]) -> Image {
    Image::from_fn(taps.len(), image.height(), |x, y| {
        let Tap { first, weights } = &taps[x];
        weights.iter().zip(&image.row(y)[*first..]).map(|(weight, value)| weight * value).sum()
    })
}

fn resize_columns(image: &Image, taps: &[Tap]) -> Image {
    let mut scaled = Image::filled(image.width(), taps.len(), 0.0);
    for (row, Tap { first, weights }) in scaled.data_mut().chunks_exact_mut(image.width()).zip(taps)
    {
        for (offset, weight) in weights.iter().enumerate() {
            for (sum, value) in row.iter_mut().zip(image.row(first + offset)) {
                *sum += weight * value;
            }
        }
    }
    scaled
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    /// The rows of `((np.arange(12) * 7) % 12).reshape(3, 4)`.
    fn source() -> Image {
        Image::new(4, 3, vec![0.0, 7.0, 2.0, 9.0, 4.0, 11.0, 6.0, 1.0, 8.0, 3.0, 10.0, 5.0])
            .unwrap()
    }

    fn assert_resized(width: usize, height: usize, expected: &[f32]) {
        let resized = resize(&source(), width, height);
        assert_eq!((resized.width(), resized.height()), (width, height));
        for (value, expected) in resized.data().iter().zip(expected) {
            // Sums of at most 12 values below 12, each rounded to 24 bits: 12 * 12 * 2⁻²⁴ < 1e-5.
            assert!((value - expected).abs() < 1e-5, "{value} for {expected}");
        }
    }

    /// `Image.fromarray(source.astype("float32")).resize((width, height), Image.BILINEAR)`, Pillow
    /// 13.0.0.
    #[test]
    fn agrees_with_pillow() {
        assert_resized(2, 2, &[4.785_714, 5.285_714_6, 6.571_428_3, 6.0]);
        assert_resized(3, 2, &[3.6, 6.0, 5.25, 6.35, 7.25, 5.0]);
        assert_resized(1, 1, &[5.714_285_4]);
        #[rustfmt::skip]
        assert_resized(6, 5, &[
            0.0, 3.5, 6.166_666_5, 2.833_333_3, 5.5,         9.0,
            1.6, 5.1, 7.766_667, 4.433_333_4, 4.7,         5.8,
            4.0, 7.5, 10.166_667,  6.833_333_5, 3.5,         1.0,
            6.4, 6.3, 6.566_666_6, 8.033_333,   5.9,         3.4,
            8.0, 5.5, 4.166_666_5, 8.833_333,   7.5,         5.0,
        ]);
    }

    #[test]
    fn same_size_is_the_identity_and_constants_stay() {
        assert_eq!(resize(&source(), 4, 3), source());
        let resized = resize(&Image::filled(7, 5, 1.75), 13, 2);
        assert!(resized.data().iter().all(|value| (value - 1.75).abs() < 1e-6));
    }
}
