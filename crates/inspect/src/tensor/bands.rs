//! Images are inspected band by band, so that what an inspection needs on its way does not grow with the image.

use candle_core::{DType, Device, Tensor};
use std::ops::Range;

use super::geometry::Geometry;
use super::stitch::Stitch;
use super::tiles::Tiles;
use crate::padding::Frame;
use crate::tiling::{Grid, tile_positions};
use crate::{Error, Image, Tiling};

/// Pixels of a band, if that is more than a row of patches: a few hundred megabytes on the way.
pub(super) const BAND: usize = 1 << 22;

/// Rows of an image with its padding whose patches are inspected together.
#[derive(Debug)]
struct Band {
    /// Where its patches lie, with rows counted from `top`.
    geometry: Geometry,
    /// The first row.
    top: usize,
    /// How many of its rows no later band covers.
    finished: usize,
}

/// An image and the bands that it is cut into.
pub(super) struct Bands<'a> {
    pub image: &'a Image,
    pub device: &'a Device,
    frame: Frame,
    batch: usize,
    bands: Vec<Band>,
    /// The weights along one axis of a patch.
    weights: Tensor,
    /// Sums of the weights of the patches that cover a column `(1, W)`, and a row `(H, 1)`.
    columns: Tensor,
    rows: Tensor,
}

impl<'a> Bands<'a> {
    /// Bands of at most `pixels` pixels, or of one row of patches.
    pub fn new(
        image: &'a Image,
        device: &'a Device,
        patch: usize,
        tiling: &Tiling,
        pixels: usize,
    ) -> Result<Self, Error> {
        let (width, height) = image.size();
        let Tiling { stride, batch, .. } = *tiling;
        if batch == 0 {
            return Err(Error::ZeroBatch);
        }
        let grid = Grid::new(width, height, patch, tiling)?;
        let (frame, (columns, rows)) = (grid.frame, grid.total_weights());
        let (width, height) = (frame.outer_width(), frame.outer_height());
        Ok(Self {
            image,
            device,
            frame,
            batch,
            bands: cut(width, height, patch, stride, pixels)?,
            weights: Tensor::from_vec(grid.weights, patch, device)?,
            columns: Tensor::from_vec(columns, (1, width), device)?,
            rows: Tensor::from_vec(rows, (height, 1), device)?,
        })
    }

    /// Room for a plane of the image's size.
    pub fn plane(&self) -> Vec<f32> {
        Vec::with_capacity(self.image.data().len())
    }

    /// Hands the patches of all bands to `add` batch by batch, with as many sums as it wants to add them to, and then to `finish`,
    /// from top to bottom, rows of the image with the weighted means of the patches that cover them, `(rows, W)` in f64.
    ///
    /// A pixel's sum is taken in the order of the patches' numbers, whatever the bands.
    pub fn for_each<const N: usize>(
        &self,
        mut add: impl FnMut(&Tiles<'_>, Range<usize>, &Tensor, &mut [Stitch; N]) -> Result<(), Error>,
        mut finish: impl FnMut(Tensor, [Tensor; N]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut sums: [Stitch; N] = each(|_| Stitch::new(self.bands[0].geometry, &self.weights))?;
        for band in &self.bands {
            let pixels = self.pixels(band)?;
            let tiles = Tiles::new(&pixels, band.geometry, band.top, self.batch);
            sums.iter_mut().try_for_each(|sum| sum.extend(band.geometry.height))?;
            tiles.for_each_batch(|range, patches| add(&tiles, range, patches, &mut sums))?;
            let rows = self.rows.narrow(0, band.top, band.finished)?;
            let weights = rows.broadcast_mul(&self.columns)?;
            let means: [Tensor; N] =
                each(|index| Ok((sums[index].take(band.finished)? / &weights)?))?;
            let inside = self.frame.inside(&(band.top..band.top + band.finished));
            if !inside.is_empty() {
                let rows = inside.start - band.top..inside.end - band.top;
                let own = |plane: &Tensor| self.crop(&rows, plane);
                finish(own(&pixels)?, each(|index| own(&means[index]))?)?;
            }
        }
        Ok(())
    }

    /// The pixels of a band, `(H, W)`.
    fn pixels(&self, band: &Band) -> Result<Tensor, Error> {
        let Geometry { width, height, .. } = band.geometry;
        let rows = self.frame.rows(self.image, band.top..band.top + height);
        Ok(Tensor::from_slice(&rows, (height, width), self.device)?)
    }

    /// Some rows of a band's plane, without the columns of the padding.
    fn crop(&self, rows: &Range<usize>, plane: &Tensor) -> Result<Tensor, Error> {
        let rows = plane.narrow(0, rows.start, rows.len())?;
        Ok(rows.narrow(1, self.frame.corner().0, self.frame.width)?.contiguous()?)
    }
}

/// An array of what `make` makes.
fn each<T, const N: usize>(
    mut make: impl FnMut(usize) -> Result<T, Error>,
) -> Result<[T; N], Error> {
    let made = (0..N).map(&mut make).collect::<Result<Vec<T>, Error>>()?;
    let Ok(array) = made.try_into() else { unreachable!("N were made") };
    Ok(array)
}

/// At least one band.
fn cut(
    width: usize,
    height: usize,
    patch: usize,
    stride: usize,
    pixels: usize,
) -> Result<Vec<Band>, Error> {
    let tops = tile_positions(height, patch, stride)?;
    let rows = (pixels / width).saturating_sub(patch) / stride + 1;
    let bands = tops.chunks(rows).enumerate().map(|(index, own)| {
        let (top, bottom) = (own[0], own[own.len() - 1] + patch);
        let next = tops.get((index + 1) * rows).copied().unwrap_or(height);
        let geometry = Geometry::new(width, bottom - top, patch, stride)?;
        Ok(Band { geometry, top, finished: next - top })
    });
    bands.collect()
}

/// Appends the values of `rows`, `(rows, W)`, as f32 to a plane in memory.
pub(super) fn append(plane: &mut Vec<f32>, rows: &Tensor) -> Result<(), Error> {
    plane.extend(rows.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?);
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

    use super::*;
    use crate::{Blend, Padding};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn bands_have_the_patches_of_the_image_in_their_order(
            patch in 1usize..12, wider in 0usize..30, higher in 0usize..60,
            part in 0.0f64..1.0, pixels in 0usize..1500,
        ) {
            let stride = 1 + ((patch - 1) as f64 * part) as usize;
            let (width, height) = (patch + wider, patch + higher);
            let (padding, blend) = (Padding::None, Blend::Flat);
            let tiling = Tiling { stride, batch: 1, padding, blend };
            let corners = Grid::new(width, height, patch, &tiling).unwrap().corners();
            let bands = cut(width, height, patch, stride, pixels).unwrap();
            let corners_of = |band: &Band| {
                let (geometry, top) = (band.geometry, band.top);
                let corner = move |tile| geometry.corner(tile);
                (0..geometry.columns * geometry.rows).map(corner).map(move |(x, y)| (x, y + top))
            };
            let got: Vec<_> = bands.iter().flat_map(corners_of).collect();
            prop_assert_eq!(got, corners);
            let mut top = 0;
            for band in &bands {
                prop_assert_eq!(band.top, top);
                prop_assert!(band.geometry.rows == 1 || band.geometry.height * width <= pixels);
                top += band.finished;
            }
            prop_assert_eq!(top, height);
        }
    }
}
