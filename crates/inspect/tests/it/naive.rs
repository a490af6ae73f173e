//! The definitions, written down as slowly and as plainly as possible.

use inspect::{Disk, Image, Mask, Padding, Plane, Reconstructor, Tiling, tile_positions};

/// The largest value at which a translate of the disk that covers the pixel fits under the image. Only translates
/// whose centre pixel lies inside the image count, and only their pixels inside it.
pub fn open(image: &Image, diameter: usize) -> Image {
    let footprint = Disk::with_diameter(diameter).footprint();
    let inside = |centre: (usize, usize)| {
        let pixels = (0..diameter).flat_map(|y| (0..diameter).map(move |x| (x, y)));
        let covered = pixels.filter(|&(x, y)| footprint.get(x, y)).filter_map(move |(x, y)| {
            let x = (centre.0 + x).checked_sub(diameter / 2)?;
            let y = (centre.1 + y).checked_sub(diameter / 2)?;
            (x < image.width() && y < image.height()).then_some((x, y))
        });
        covered.collect::<Vec<_>>()
    };
    let mut opened = Plane::filled(image.width(), image.height(), f32::NEG_INFINITY);
    for y in 0..image.height() {
        for x in 0..image.width() {
            let pixels = inside((x, y));
            let lowest = pixels.iter().map(|&(x, y)| image.get(x, y)).fold(f32::INFINITY, f32::min);
            for (x, y) in pixels {
                let value = &mut opened.data_mut()[y * image.width() + x];
                *value = value.max(lowest);
            }
        }
    }
    opened
}

/// The connected regions as lists of pixels `(x, y)`, in the order of their first pixels.
pub fn regions(mask: &Mask, diagonal: bool) -> Vec<Vec<(usize, usize)>> {
    let (width, height) = mask.size();
    let mut left = mask.clone();
    let mut regions = Vec::new();
    for start in 0..width * height {
        let mut stack = vec![(start % width, start / width)];
        let mut region = Vec::new();
        while let Some((x, y)) = stack.pop() {
            if !std::mem::replace(&mut left.data_mut()[y * width + x], false) {
                continue;
            }
            region.push((x, y));
            for ny in y.saturating_sub(1)..(y + 2).min(height) {
                for nx in x.saturating_sub(1)..(x + 2).min(width) {
                    if diagonal || nx == x || ny == y {
                        stack.push((nx, ny));
                    }
                }
            }
        }
        if !region.is_empty() {
            region.sort_unstable_by_key(|&(x, y)| (y, x));
            regions.push(region);
        }
    }
    regions
}

/// The image with `pixels` more on each side, mirrored with its edge pixels repeated as often as it takes.
pub fn pad(image: &Image, pixels: usize) -> Image {
    let place = |padded: usize, length: usize| {
        let mut place = padded as isize - pixels as isize;
        while !(0..length as isize).contains(&place) {
            place = if place < 0 { -1 - place } else { 2 * length as isize - 1 - place };
        }
        place as usize
    };
    let (width, height) = image.size();
    Plane::from_fn(width + 2 * pixels, height + 2 * pixels, |x, y| {
        image.get(place(x, width), place(y, height))
    })
}

/// The part of a padded plane that is the image.
pub fn crop<T: Copy>(plane: &Plane<T>, pixels: usize) -> Plane<T> {
    let (width, height) = (plane.width() - 2 * pixels, plane.height() - 2 * pixels);
    Plane::from_fn(width, height, |x, y| plane.get(x + pixels, y + pixels))
}

/// The margin of an image that is no smaller than a patch.
pub fn margin(padding: Padding) -> usize {
    match padding {
        Padding::None => 0,
        Padding::Mirror { pixels } => pixels,
    }
}

/// The patches that cover a pixel, with its weight in them and its place within: `(left, top, weight, place)`.
pub fn covering(
    tiling: &Tiling,
    patch: usize,
    size: (usize, usize),
    (x, y): (usize, usize),
) -> Vec<(usize, usize, f64, usize)> {
    let weights = tiling.blend.weights(patch);
    let along = |length, at: usize| {
        let positions = tile_positions(length, patch, tiling.stride).unwrap();
        positions.into_iter().filter(move |&position| (position..position + patch).contains(&at))
    };
    let lefts = |top| along(size.0, x).map(move |left| (left, top));
    let corners = along(size.1, y).flat_map(lefts);
    let placed = |(left, top)| {
        let (u, v) = (x - left, y - top);
        (left, top, weights[v] * weights[u], v * patch + u)
    };
    corners.map(placed).collect()
}

/// The weighted mean of the reconstructions of each pixel.
pub fn reconstruct(image: &Image, reconstructor: &dyn Reconstructor, tiling: &Tiling) -> Image {
    let (patch, margin) = (reconstructor.patch_size(), margin(tiling.padding));
    let padded = pad(image, margin);
    let mean = Plane::from_fn(padded.width(), padded.height(), |x, y| {
        let (mut sum, mut total) = (0.0, 0.0);
        for (left, top, weight, place) in covering(tiling, patch, padded.size(), (x, y)) {
            let pixels = Plane::from_fn(patch, patch, |dx, dy| padded.get(left + dx, top + dy));
            let output = reconstructor.reconstruct(pixels.data()).unwrap();
            sum += weight * f64::from(output[place]);
            total += weight;
        }
        (sum / total) as f32
    });
    crop(&mean, margin)
}

/// The Gaussian filter by its definition, in f64, of a map mirrored as [`pad`] does.
pub fn smooth(map: &Image, sigma: f64) -> Vec<f64> {
    let reach = (8.0 * sigma).ceil() as isize;
    let weights: Vec<f64> =
        (-reach..=reach).map(|i| (-0.5 * (i as f64 / sigma).powi(2)).exp()).collect();
    let total: f64 = weights.iter().sum();
    let place = |place: isize, length: usize| {
        let place = place.rem_euclid(2 * length as isize) as usize;
        place.min(2 * length - 1 - place)
    };
    let (width, height) = map.size();
    let mean = |value: &dyn Fn(isize) -> f64| {
        let products = (-reach..=reach).zip(&weights).map(|(i, weight)| weight * value(i));
        products.sum::<f64>() / total
    };
    let rows = Plane::from_fn(width, height, |x, y| {
        mean(&|i| f64::from(map.get(place(x as isize + i, width), y)))
    });
    let columns =
        Plane::from_fn(width, height, |x, y| mean(&|i| rows.get(x, place(y as isize + i, height))));
    columns.into_data()
}
