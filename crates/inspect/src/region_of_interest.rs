use rayon::prelude::*;

use crate::mirror::mirrored;
use crate::{Error, Image, Mask, Plane};

/// The score of a pixel that is not scored, since it lies outside of the region of interest: lower than any other. Thresholds,
/// regions and curves leave it out.
pub const NOT_SCORED: f32 = f32::MIN;

/// The part of an image that is inspected, which may have any shape.
///
/// Its border is treated as that of an image: what lies outside is filled with what lies inside, mirrored, before patches,
/// windows and Gaussians look at it, and scores are compared with those at the same [`distance`](Self::distance) from the border.
///
/// ```
/// use inspect::{Image, Mask, RegionOfInterest};
///
/// let inside = Mask::from_fn(6, 1, |x, _| x < 4);
/// let region = RegionOfInterest::of(inside)?;
/// let image = Image::new(6, 1, vec![0.1, 0.2, 0.3, 0.4, 9.0, 9.0])?;
/// assert_eq!(region.fill(&image)?.data(), [0.1, 0.2, 0.3, 0.4, 0.4, 0.3]);
/// let region = RegionOfInterest::of(Mask::from_fn(9, 9, |x, y| (2..7).contains(&x) && y < 7))?;
/// assert_eq!((region.distance(4, 3), region.distance(2, 3), region.distance(0, 3)), (2, 0, 0));
/// # Ok::<(), inspect::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RegionOfInterest {
    inside: Mask,
    /// For each pixel the index of the one that it is filled with, its own inside.
    sources: Vec<u32>,
    distances: Plane<u16>,
}

impl RegionOfInterest {
    /// The region of the pixels of `inside` that are set.
    ///
    /// # Errors
    /// [`Error::EmptyRegion`] if none is.
    pub fn of(inside: Mask) -> Result<Self, Error> {
        if !inside.data().contains(&true) {
            return Err(Error::EmptyRegion);
        }
        let (sources, distances) = (sources(&inside), chessboard(&inside));
        Ok(Self { inside, sources, distances })
    }

    /// The pixels inside.
    pub fn inside(&self) -> &Mask {
        &self.inside
    }

    /// The distance of a pixel inside from the nearest one that lies outside or on the border of the image, in pixels by the
    /// larger of the two coordinates; 0 at the border, and outside.
    ///
    /// # Panics
    /// If the pixel lies outside of the image.
    pub fn distance(&self, x: usize, y: usize) -> usize {
        usize::from(self.distances.get(x, y))
    }

    /// An image or a map with the pixels outside replaced by those inside, mirrored at the nearest point of the border; where there
    /// is none at that place, by the nearest one.
    ///
    /// # Errors
    /// [`Error::SizeMismatch`].
    pub fn fill(&self, image: &Image) -> Result<Image, Error> {
        self.check("the image of a region", image)?;
        let (pixels, (width, height)) = (image.data(), image.size());
        let filled = self.sources.par_iter().map(|&source| pixels[source as usize]);
        Plane::new(width, height, filled.collect())
    }

    /// Marks the pixels of a map that lie outside as [`NOT_SCORED`].
    ///
    /// # Errors
    /// [`Error::SizeMismatch`].
    pub fn restrict(&self, map: &mut Image) -> Result<(), Error> {
        self.check("the map of a region", map)?;
        for (score, &is_inside) in map.data_mut().iter_mut().zip(self.inside.data()) {
            if !is_inside {
                *score = NOT_SCORED;
            }
        }
        Ok(())
    }

    pub(crate) fn check(&self, what: &'static str, plane: &Image) -> Result<(), Error> {
        let (expected, got) = (self.inside.size(), plane.size());
        if expected == got { Ok(()) } else { Err(Error::SizeMismatch { what, expected, got }) }
    }
}

/// Distances of set pixels from the nearest one that is not set or lies at the border of the plane, by the larger of the two coordinates,
/// less one where that is unset; 0 at the border.
fn chessboard(inside: &Mask) -> Plane<u16> {
    let (width, height) = inside.size();
    let mut distances = Plane::filled(width, height, 0_u16);
    // A pixel and its four neighbours that a scan has passed, forwards and then backwards.
    for pass in 0..2 {
        for index in 0..width * height {
            let index = if pass == 0 { index } else { width * height - 1 - index };
            let (x, y) = (index % width, index / width);
            if !inside.get(x, y) {
                continue;
            }
            let sign = if pass == 0 { -1 } else { 1 };
            let neighbours = [(sign, 0), (-1, sign), (0, sign), (1, sign)];
            let distance = |(dx, dy): (isize, isize)| match (
                x.checked_add_signed(dx),
                y.checked_add_signed(dy),
            ) {
                (Some(x), Some(y)) if x < width && y < height => match inside.get(x, y) {
                    true => distances.get(x, y).saturating_add(1),
                    false => 0,
                },
                _ => 0,
            };
            let nearest = neighbours.into_iter().map(distance).min().unwrap_or(0);
            let before = if pass == 0 { u16::MAX } else { distances.get(x, y) };
            distances.data_mut()[index] = before.min(nearest);
        }
    }
    distances
}

/// The indices that pixels are filled from.
fn sources(inside: &Mask) -> Vec<u32> {
    let (width, height) = inside.size();
    let nearest = nearest(inside);
    let source = |index: usize| {
        let own = nearest[index] as usize;
        let along = |place: usize, nearest: usize, length: usize| {
            // Beyond the edge between the pixel and the nearest one inside, as far as this is on the other side.
            let step = (place as isize - nearest as isize).signum();
            mirrored(2 * nearest as isize - place as isize + step, length)
        };
        let (x, y) =
            (along(index % width, own % width, width), along(index / width, own / width, height));
        if inside.get(x, y) { (y * width + x) as u32 } else { own as u32 }
    };
    (0..width * height).into_par_iter().map(source).collect()
}

/// The index of a set pixel next to each pixel, its own if it is set: passed on between neighbours in two scans, so that it is the
/// nearest one but for rare ties of a pixel (Danielsson 1980, *Euclidean distance mapping*).
fn nearest(inside: &Mask) -> Vec<u32> {
    const NONE: u32 = u32::MAX;
    let (width, height) = inside.size();
    let own = |(index, &is_inside): (usize, &bool)| if is_inside { index as u32 } else { NONE };
    let mut nearest: Vec<u32> = inside.data().iter().enumerate().map(own).collect();
    let squared = |index: usize, other: u32| match other {
        NONE => usize::MAX,
        other => {
            let other = other as usize;
            let (dx, dy) =
                ((index % width).abs_diff(other % width), (index / width).abs_diff(other / width));
            dx * dx + dy * dy
        }
    };
    let offer = |nearest: &mut Vec<u32>, index: usize, x: Option<usize>, y: Option<usize>| {
        if let (Some(x), Some(y)) = (x, y)
            && x < width
            && y < height
        {
            let candidate = nearest[y * width + x];
            if squared(index, candidate) < squared(index, nearest[index]) {
                nearest[index] = candidate;
            }
        }
    };
    let rows: [(Vec<usize>, isize); 2] =
        [((0..height).collect(), -1), ((0..height).rev().collect(), 1)];
    for (rows, above) in rows {
        for y in rows {
            for x in 0..width {
                for dx in [-1, 0, 1] {
                    let y_above = y.checked_add_signed(above);
                    offer(&mut nearest, y * width + x, x.checked_add_signed(dx), y_above);
                }
                offer(&mut nearest, y * width + x, x.checked_sub(1), Some(y));
            }
            for x in (0..width).rev() {
                offer(&mut nearest, y * width + x, Some(x + 1), Some(y));
            }
        }
    }
    nearest
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

    use super::*;
    use proptest::prelude::*;

    /// A mask with at least one pixel set.
    fn masks() -> impl Strategy<Value = Mask> {
        (1usize..12, 1usize..12).prop_flat_map(|(width, height)| {
            let pixels = prop::collection::vec(prop::bool::weighted(0.6), width * height);
            (pixels, 0..width * height).prop_map(move |(mut pixels, index)| {
                pixels[index] = true;
                Mask::new(width, height, pixels).unwrap()
            })
        })
    }

    proptest! {
        #[test]
        fn distances_are_those_of_the_definition(mask in masks()) {
            let region = RegionOfInterest::of(mask.clone()).unwrap();
            let (width, height) = mask.size();
            for (x, y) in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
                let to_edge = x.min(width - 1 - x).min(y).min(height - 1 - y);
                let outside = (0..width * height).filter(|&i| !mask.data()[i]);
                let away = outside.map(|i| x.abs_diff(i % width).max(y.abs_diff(i / width)) - 1);
                let expected = if mask.get(x, y) { away.chain([to_edge]).min().unwrap() } else { 0 };
                prop_assert_eq!(region.distance(x, y), expected);
            }
        }

        #[test]
        fn pixels_come_from_inside_and_stay_there(mask in masks()) {
            let region = RegionOfInterest::of(mask.clone()).unwrap();
            let (width, height) = mask.size();
            let places = Image::from_fn(width, height, |x, y| (y * width + x) as f32);
            let filled = region.fill(&places).unwrap();
            for (index, &source) in filled.data().iter().enumerate() {
                prop_assert!(mask.data()[source as usize]);
                prop_assert!(!mask.data()[index] || source as usize == index);
            }
            let mut map = places;
            region.restrict(&mut map).unwrap();
            for (&score, &is_inside) in map.data().iter().zip(mask.data()) {
                prop_assert_eq!(score == NOT_SCORED, !is_inside);
            }
        }
    }

    /// `numpy.pad(numpy.arange(1, 5), (3, 2), mode="symmetric")` of NumPy 2.4.6.
    #[test]
    fn a_straight_border_is_mirrored_as_that_of_an_image() {
        let region = RegionOfInterest::of(Mask::from_fn(9, 3, |x, _| (3..7).contains(&x))).unwrap();
        let image = Image::from_fn(9, 3, |x, y| 10.0 * y as f32 + x as f32 - 2.0);
        let filled = region.fill(&image).unwrap();
        for y in 0..3 {
            let expected = [3.0, 2.0, 1.0, 1.0, 2.0, 3.0, 4.0, 4.0, 3.0];
            assert_eq!(filled.row(y), expected.map(|value| value + 10.0 * y as f32));
        }
    }

    #[test]
    fn what_is_empty_or_of_another_size_is_refused() {
        assert!(matches!(RegionOfInterest::of(Mask::filled(3, 2, false)), Err(Error::EmptyRegion)));
        let region = RegionOfInterest::of(Mask::filled(3, 2, true)).unwrap();
        let mut other = Image::filled(2, 3, 0.0);
        assert!(matches!(region.fill(&other), Err(Error::SizeMismatch { .. })));
        assert!(matches!(region.restrict(&mut other), Err(Error::SizeMismatch { .. })));
    }
}
