//! Good images, and the maps that they are compared by.

use crate::config::{CalibrationConfig, Scores};
use crate::error::Context;
use crate::files::shown;
use crate::inspector::Inspector;
use crate::progress::{Progress, tell};
use crate::view::{Place, View};
use crate::{Error, Result};
use inspect::{Image, Reference, ThresholdRule};
use std::path::PathBuf;

/// Good images and their maps.
#[derive(Default)]
pub struct Good {
    pub images: Vec<PathBuf>,
    /// Those without a region of interest.
    pub left_out: Vec<PathBuf>,
    /// The residual maps of each image if scores are relative, or else its anomaly map.
    pub maps: Vec<Vec<Image>>,
    pub places: Vec<Place>,
}

/// Inspects good images.
///
/// # Errors
/// If one cannot be read or inspected, none has a region of interest, or the caller cancels.
pub fn inspect_good(
    inspector: &Inspector,
    images: &[PathBuf],
    progress: &mut Progress<'_>,
) -> Result<Good> {
    let mut good = Good::default();
    for (index, path) in images.iter().enumerate() {
        tell(progress, index)?;
        let View { image, place } = match inspector.views().read(path) {
            Err(error) if error.is_empty_region() => {
                good.left_out.push(path.clone());
                continue;
            }
            view => view.with_context(|| format!("cannot inspect {}", shown(path)))?,
        };
        let maps = maps(inspector, &image);
        good.maps.push(maps.with_context(|| format!("cannot inspect {}", shown(path)))?);
        good.images.push(path.clone());
        good.places.push(place);
    }
    tell(progress, images.len())?;
    match good.left_out.first() {
        Some(path) if good.images.is_empty() => {
            let expected = "expected a good image with a region of interest, but neither this one has one, nor any other";
            Err(Error::file(path, expected))
        }
        _ => Ok(good),
    }
}

/// The residual maps of a view if scores are relative, or else its anomaly map.
///
/// # Errors
/// If the network fails.
pub fn maps(inspector: &Inspector, image: &Image) -> Result<Vec<Image>> {
    let compared = inspector.compare(image)?;
    Ok(match inspector.config().inspection.scores {
        Scores::Relative => compared.into_residuals(),
        Scores::Residual => vec![compared.inspected.anomaly_map],
    })
}

impl Good {
    /// The reference of these images.
    ///
    /// # Errors
    /// If the maps have no pixel, or not all pixels are finite.
    pub fn reference(&self, sigmas: &[f64]) -> Result<Reference> {
        let pairs = self.maps.iter().zip(&self.places);
        let within: Vec<_> =
            pairs.map(|(maps, place)| (&maps[..], place.region.as_ref())).collect();
        Ok(Reference::within(&within, sigmas)?)
    }

    /// The scores of each image relative to the reference.
    ///
    /// # Errors
    /// If the reference is of other maps.
    pub fn relative_scores(
        &self,
        inspector: &Inspector,
        reference: &Reference,
    ) -> Result<Vec<Image>> {
        let of = |(maps, place): (&Vec<Image>, &Place)| {
            relative_scores(inspector, reference, maps, place)
        };
        self.maps.iter().zip(&self.places).map(of).collect()
    }

    /// The scores of each image where they are not relative; the maps are gone then.
    pub fn take_scores(&mut self) -> Vec<Image> {
        let maps = std::mem::take(&mut self.maps).into_iter().flatten();
        maps.zip(&self.places).map(|(map, place)| place.scores(map)).collect()
    }
}

/// The scores of an image by its residual maps, relative to the reference.
///
/// # Errors
/// If the reference is of other maps.
pub fn relative_scores(
    inspector: &Inspector,
    reference: &Reference,
    maps: &[Image],
    place: &Place,
) -> Result<Image> {
    Ok(place.scores(inspector.relative(reference, maps, place.region.as_ref())?))
}

/// Scores that are 0 where a pixel is as most are, and 1 at the threshold of the rule. A threshold of one's own, or one that most
/// scores of good images reach, is measured in the unit of the default rule.
///
/// # Errors
/// If the rule has no threshold.
pub fn rescaled(reference: &Reference, maps: &[Image], rule: ThresholdRule) -> Result<Reference> {
    let zero = inspect::threshold(maps, &ThresholdRule::Quantile { q: 0.5 })?;
    let is_manual = matches!(rule, ThresholdRule::Manual { .. });
    let default = CalibrationConfig::default().threshold;
    let one = inspect::threshold(maps, if is_manual { &default } else { &rule })?;
    let one = if one > zero { one } else { inspect::threshold(maps, &default)? };
    // Maps without any contrast leave nothing to measure by.
    Ok(reference.rescaled(zero, if one > zero { one } else { zero + 1.0 }))
}
