//! The definitions, written down as slowly and as plainly as possible.

use inspect::{Disk, Image, Mask, Plane};

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
