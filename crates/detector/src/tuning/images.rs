//! The images that settings are compared on.

use crate::calibration::CalibrationImages;
use crate::config::Config;
use crate::data::{Margins, TestSample, crop};
use crate::error::Context;
use crate::files::shown;
use crate::images::resize;
use crate::spread::{evenly, spread};
use crate::synthetic::{Defective, Drawing, DrawnDefect, DrawnKind, draw_kinds};
use crate::view::{View, Views, scaled_region};
use crate::{Error, Result};
use inspect::{Image, Mask, NOT_SCORED, RegionOfInterest};
use std::path::Path;

/// The most pixels of good images, and of images with defects.
const GOOD_PIXELS: usize = 8 << 20;
const DRAWN_PIXELS: usize = 5 << 20;

/// The most pixels of an image; of larger ones the middle is looked at.
const IMAGE_PIXELS: usize = 2 << 20;

/// Contrasts from hardly visible to clear, in deviations of the texture.
const CONTRASTS: [f32; 3] = [1.5, 2.5, 4.0];

/// Factors of the sizes of defects.
const SIZES: [f32; 2] = [1.0, 2.0];

/// Defects to draw, as far as there is room: four of each kind and contrast, two of each size.
const DEFECTS: usize = 4 * DrawnKind::ALL.len() * CONTRASTS.len();

/// Good images, the same with drawn defects, and images with labels, which only serve for comparison. All are views by the same
/// configuration.
pub struct TuningImages {
    /// Good images.
    pub good: Vec<TuningImage>,
    /// Some of them with defects.
    pub drawn: Vec<DrawnImage>,
    /// Test images, if they are wanted.
    pub test: Vec<LabelledImage>,
    /// Width and height of the first image within its margins, scaled to `data.size` if that is set.
    pub size: (usize, usize),
    /// Whether all good images have this size, give or take a twentieth.
    pub is_uniform: bool,
}

/// The view of an image, and its region of interest.
pub struct TuningImage {
    /// The view.
    pub image: Image,
    /// The pixels in the region of interest, if not all are.
    pub inside: Option<Mask>,
}

/// A good image with drawn defects.
pub struct DrawnImage {
    /// The number of the good image.
    pub good: usize,
    /// The image with the defects.
    pub image: Image,
    /// The defects.
    pub defects: Vec<DrawnDefect>,
}

/// A test image.
pub struct LabelledImage {
    /// The image.
    pub view: TuningImage,
    /// Whether there is a defect in its region of interest.
    pub is_defective: bool,
}

impl TuningImages {
    /// Reads good images, evenly spaced ones if they are many, and draws defects into some of them.
    ///
    /// # Errors
    /// If an image cannot be read or has no region of interest, or none has room for a defect.
    pub fn read(good: &CalibrationImages, config: &Config, seed: u64) -> Result<Self> {
        let first = good.images.first().context("expected good images, got none")?;
        let views = Views::of(&config.data)?;
        let (_, size) = TuningImage::read(first, config, &views)?;
        let count = (GOOD_PIXELS / (size.0 * size.1).min(IMAGE_PIXELS)).clamp(1, good.images.len());
        let paths = evenly(&good.images, count);
        let (mut good, mut is_uniform) = (Vec::with_capacity(count), true);
        for path in paths {
            let (image, (width, height)) = TuningImage::read(path, config, &views)?;
            let is_near = |a: usize, b: usize| 20 * a.abs_diff(b) <= b;
            is_uniform &= is_near(width, size.0) && is_near(height, size.1);
            good.push(image.middle()?);
        }
        let drawn = draw(&good, seed)?;
        if drawn.is_empty() {
            return Err(Error::file(first, "expected room for a defect in it"));
        }
        Ok(Self { good, drawn, test: Vec::new(), size, is_uniform })
    }

    /// The same with test images to compare with.
    ///
    /// # Errors
    /// If an image or its mask cannot be read, or it has no region of interest.
    pub fn with_test(self, samples: &[TestSample], config: &Config) -> Result<Self> {
        let views = Views::of(&config.data)?;
        let labelled = |sample: &TestSample| {
            let image = config.data.read(&sample.image)?;
            let view = views.view(&image, Some(&sample.image));
            let view = view.with_context(|| shown(&sample.image))?;
            // Of a defect outside of the region of interest nothing is seen.
            let is_defective = match sample.mask(image.size())? {
                Some(mask) => mask
                    .data()
                    .iter()
                    .zip(view.inside().data())
                    .any(|(&defect, &inside)| defect && inside),
                None => true,
            };
            Ok(LabelledImage { view: TuningImage::of(view), is_defective })
        };
        let test = samples.iter().map(labelled).collect::<Result<_>>()?;
        Ok(Self { test, ..self })
    }

    /// An image as the network of a configuration takes it, which may scale images otherwise than that of the tuning.
    pub(super) fn scaled(&self, image: &Image, config: &Config) -> Image {
        let Some([width, height]) = config.data.size else { return image.clone() };
        let side = |side: usize, to: usize, from: usize| {
            ((side * to) as f64 / from as f64).round().max(1.0) as usize
        };
        let (width, height) =
            (side(image.width(), width, self.size.0), side(image.height(), height, self.size.1));
        if image.size() == (width, height) { image.clone() } else { resize(image, width, height) }
    }

    /// The number of images.
    pub fn count(&self) -> usize {
        self.good.len() + self.drawn.len() + self.test.len()
    }

    /// The number of defects.
    pub fn defects(&self) -> usize {
        self.drawn.iter().map(|image| image.defects.len()).sum()
    }
}

impl TuningImage {
    /// An image, and its size within the margins.
    fn read(path: &Path, config: &Config, views: &Views) -> Result<(Self, (usize, usize))> {
        let image = config.data.read(path)?;
        let view = views.view(&image, Some(path)).with_context(|| shown(path))?;
        let Margins { left, top, right, bottom } = config.data.margins;
        let within = (image.width() - left - right, image.height() - top - bottom);
        let size = config.data.size.map_or(within, |[width, height]| (width, height));
        Ok((Self::of(view), size))
    }

    fn of(View { image, place }: View<'_>) -> Self {
        let inside = place.region.map(|region| region.inside().clone());
        Self { image: image.into_owned(), inside }
    }

    /// The middle of a large image, where that has a part of the region of interest.
    fn middle(self) -> Result<Self> {
        let (width, height) = self.image.size();
        if width * height <= IMAGE_PIXELS {
            return Ok(self);
        }
        let side = IMAGE_PIXELS.isqrt();
        // A narrow image may be longer.
        let wide = width.min(IMAGE_PIXELS / height.min(side));
        let high = height.min(IMAGE_PIXELS / width.min(side));
        let (left, top) = ((width - wide) / 2, (height - high) / 2);
        let margins =
            Margins { left, top, right: width - wide - left, bottom: height - high - top };
        let inside = self.inside.as_ref().map(|inside| crop(inside, margins)).transpose()?;
        match inside {
            Some(inside) if !inside.data().contains(&true) => Ok(self),
            inside => Ok(Self { image: crop(&self.image, margins)?, inside }),
        }
    }

    /// The region of interest where the view is scaled to `size`.
    pub(super) fn region(
        &self,
        (width, height): (usize, usize),
    ) -> Result<Option<RegionOfInterest>> {
        self.inside.as_ref().map(|inside| scaled_region(inside, width, height)).transpose()
    }

    /// The scores of a map, which may be scaled, in the pixels of the view; [`NOT_SCORED`] outside of the region of interest.
    pub(super) fn scores(&self, map: Image) -> Image {
        let (width, height) = self.image.size();
        let mut map = if map.size() == (width, height) { map } else { resize(&map, width, height) };
        if let Some(inside) = &self.inside {
            let pixels = map.data_mut().iter_mut().zip(inside.data());
            pixels.filter(|(_, inside)| !**inside).for_each(|(score, _)| *score = NOT_SCORED);
        }
        map
    }
}

/// Draws defects into images whose numbers are spread evenly.
fn draw(good: &[TuningImage], seed: u64) -> Result<Vec<DrawnImage>> {
    let (mut drawn, mut defects, mut pixels) = (Vec::new(), 0, 0);
    for index in spread(good.len()) {
        let TuningImage { image, inside } = &good[index];
        let drawing = Drawing {
            seed,
            kinds: DrawnKind::ALL.to_vec(),
            contrasts: CONTRASTS.to_vec(),
            sizes: SIZES.to_vec(),
            most: DEFECTS - defects,
        };
        let Defective { mut image, defects: mut of_image } = draw_kinds(image, &drawing, defects);
        if let Some(inside) = inside {
            image = RegionOfInterest::of(inside.clone())?.fill(&image)?;
            of_image.retain(|defect| is_mostly_inside(defect, inside));
        }
        defects += of_image.len();
        pixels += image.data().len();
        drawn.push(DrawnImage { good: index, image, defects: of_image });
        if defects >= DEFECTS || pixels >= DRAWN_PIXELS {
            break;
        }
    }
    drawn.retain(|image| !image.defects.is_empty());
    Ok(drawn)
}

fn is_mostly_inside(defect: &DrawnDefect, inside: &Mask) -> bool {
    let inside = defect.pixels().filter(|&(x, y)| inside.get(x, y)).count();
    2 * inside > defect.pixels().count()
}
