//! Scaling images and score maps.

use inspect::Image;

/// Scales `image` to `width` x `height` pixels by a triangle filter: bilinear when enlarging, and widened to cover
/// the pixels that merge when reducing, so that fine textures do not alias.
///
/// The same as Pillow's `resize(..., BILINEAR)`. Values need not lie in [0, 1]: score maps are scaled by this, too.
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
