//! The view that the network has of an image: its region of interest, scaled, and the way back to the image's own pixels.

use crate::config::DataConfig;
use crate::data::{Margins, RegionFinder, crop, uncrop};
use crate::error::Context;
use crate::files::shown;
use crate::images::resize;
use crate::{Error, Result};
use inspect::{Image, Mask, NOT_SCORED, RegionOfInterest};
use std::borrow::Cow;
use std::path::Path;

/// The settings that decide what the network sees of images.
#[derive(Clone, Debug)]
pub struct Views {
    data: DataConfig,
    region: Option<RegionFinder>,
}

/// The view that the network has of an image.
#[derive(Debug)]
pub struct View<'a> {
    /// The smallest rectangle around the region of interest, scaled. Pixels outside of the region are filled with those inside.
    pub image: Cow<'a, Image>,
    /// The place of this in the image.
    pub(crate) place: Place,
}

/// The place of a region of interest in its image.
#[derive(Debug)]
pub(crate) struct Place {
    /// The margins around the rectangle.
    frame: Margins,
    /// Size of the rectangle in the image's own pixels.
    size: (usize, usize),
    /// The pixels of the rectangle that lie in the region, if not all.
    inside: Option<Mask>,
    /// The same, scaled.
    pub region: Option<RegionOfInterest>,
}

impl Views {
    /// # Errors
    /// If the region of interest cannot be read.
    pub fn of(data: &DataConfig) -> Result<Self> {
        let region = data.region.as_ref().map(RegionFinder::of).transpose()?;
        Ok(Self { data: data.clone(), region })
    }

    /// Reads an image.
    ///
    /// # Errors
    /// If it cannot be read, or has no region of interest; the error names it.
    pub fn read(&self, path: &Path) -> Result<View<'static>> {
        let image = self.data.read(path)?;
        let view = self.view(&image, Some(path)).with_context(|| shown(path))?;
        Ok(View { image: Cow::Owned(view.image.into_owned()), place: view.place })
    }

    /// The part of an image that the network sees. The name of the image's file matters only if there is a mask for each image.
    ///
    /// # Errors
    /// If margins or region leave nothing of the image, or its mask cannot be read.
    pub fn view<'a>(&self, image: &'a Image, name: Option<&Path>) -> Result<View<'a>> {
        let margins = self.data.margins;
        let Some(finder) = &self.region else {
            let inner = cropped(image, margins)?;
            let size = inner.size();
            let image = match self.data.size {
                Some([width, height]) => Cow::Owned(resize(&inner, width, height)),
                None => inner,
            };
            let place = Place { frame: margins, size, inside: None, region: None };
            return Ok(View { image, place });
        };
        let within = finder.region(image, margins, name)?;
        let frame = frame(&within, margins).ok_or(Error::EmptyRegion)?;
        let inside = crop(&within, difference(frame, margins))?;
        let size = inside.size();
        let scaled = self.scaled(size, within.size());
        let inside = inside.data().contains(&false).then_some(inside);
        let whole = inside.clone().map(RegionOfInterest::of).transpose()?;
        // Before scaling as well, which mixes neighbours.
        let mut seen = filled(cropped(image, frame)?, whole.as_ref())?;
        let mut region = whole;
        if scaled != size {
            let (width, height) = scaled;
            region =
                inside.as_ref().map(|inside| scaled_region(inside, width, height)).transpose()?;
            seen = filled(Cow::Owned(resize(&seen, width, height)), region.as_ref())?;
        }
        Ok(View { image: seen, place: Place { frame, size, inside, region } })
    }

    /// The size that a rectangle of `inner` pixels gets if the image within its margins is scaled to `data.size`.
    fn scaled(&self, inner: (usize, usize), within: (usize, usize)) -> (usize, usize) {
        let Some([width, height]) = self.data.size else { return inner };
        let scale = |inner: usize, to: usize, from: usize| {
            ((inner as f64 * to as f64 / from as f64).round() as usize).max(1)
        };
        (scale(inner.0, width, within.0), scale(inner.1, height, within.1))
    }
}

fn cropped(image: &Image, margins: Margins) -> Result<Cow<'_, Image>> {
    // Without margins a large image is not copied.
    match margins == Margins::default() {
        true => Ok(Cow::Borrowed(image)),
        false => Ok(Cow::Owned(crop(image, margins)?)),
    }
}

/// The margins around the set pixels of a mask, which has margins already; `None` if no pixel is set.
fn frame(mask: &Mask, margins: Margins) -> Option<Margins> {
    let (width, height) = mask.size();
    let is_row = |&y: &usize| mask.row(y).contains(&true);
    let (first, last) = ((0..height).find(is_row)?, (0..height).rev().find(is_row)?);
    let is_column = |&x: &usize| (first..=last).any(|y| mask.get(x, y));
    let (left, right) = ((0..width).find(is_column)?, (0..width).rev().find(is_column)?);
    Some(Margins {
        left: margins.left + left,
        top: margins.top + first,
        right: margins.right + width - 1 - right,
        bottom: margins.bottom + height - 1 - last,
    })
}

/// The margins that are still missing.
fn difference(all: Margins, some: Margins) -> Margins {
    Margins {
        left: all.left - some.left,
        top: all.top - some.top,
        right: all.right - some.right,
        bottom: all.bottom - some.bottom,
    }
}

/// An image whose pixels outside of a region are replaced by those inside.
fn filled<'a>(image: Cow<'a, Image>, region: Option<&RegionOfInterest>) -> Result<Cow<'a, Image>> {
    Ok(match region {
        Some(region) => Cow::Owned(region.fill(&image)?),
        None => image,
    })
}

/// The region of interest of a view, scaled to a size.
pub(crate) fn scaled_region(
    inside: &Mask,
    width: usize,
    height: usize,
) -> Result<RegionOfInterest> {
    if inside.size() == (width, height) {
        return Ok(RegionOfInterest::of(inside.clone())?);
    }
    let shares = resize(&inside.map(|is_inside| f32::from(u8::from(is_inside))), width, height);
    Ok(RegionOfInterest::of(shares.map(|share| share >= 0.5))?)
}

impl View<'_> {
    /// The region of interest in the pixels of the whole image.
    pub fn inside(&self) -> Mask {
        let Place { frame, size: (width, height), inside, .. } = &self.place;
        let inside = inside.clone().unwrap_or_else(|| Mask::filled(*width, *height, true));
        uncrop(&inside, *frame, false)
    }
}

impl Place {
    /// The size of the whole image.
    pub fn image_size(&self) -> (usize, usize) {
        let (frame, (width, height)) = (self.frame, self.size);
        (frame.left + width + frame.right, frame.top + height + frame.bottom)
    }

    /// The column and the row in the whole image of a pixel of the rectangle by its index.
    pub fn in_image(&self, index: usize) -> (usize, usize) {
        let width = self.size.0.max(1);
        (self.frame.left + index % width, self.frame.top + index / width)
    }

    /// The scores of the view in the pixels of the rectangle around the region of interest, [`NOT_SCORED`] outside of it.
    pub fn scores(&self, map: Image) -> Image {
        self.restore(map, NOT_SCORED)
    }

    /// A map of the view in the pixels of the whole image, with a value for those outside of the region of interest.
    pub fn uncrop(&self, map: Image, outside: f32) -> Image {
        let map = self.restore(map, outside);
        if self.frame == Margins::default() { map } else { uncrop(&map, self.frame, outside) }
    }

    fn restore(&self, map: Image, outside: f32) -> Image {
        let (width, height) = self.size;
        let mut map = if map.size() == self.size { map } else { resize(&map, width, height) };
        if let Some(inside) = &self.inside {
            let pixels = map.data_mut().iter_mut().zip(inside.data());
            pixels.filter(|(_, is_inside)| !**is_inside).for_each(|(value, _)| *value = outside);
        }
        map
    }
}
