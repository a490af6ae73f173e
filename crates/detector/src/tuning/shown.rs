//! Drawn defects as a model sees them, to be looked at.

use super::images::{DrawnImage, TuningImage, TuningImages};
use crate::Result;
use crate::calibration::rescaled;
use crate::config::Config;
use crate::data::Margins;
use crate::images::resize;
use crate::inspector::Inspector;
use inspect::{Image, Reference, ThresholdRule};
use models::Autoencoder;

/// An image with drawn defects as a model sees it. All planes have its size.
pub struct Shown {
    /// The reconstruction.
    pub reconstruction: Image,
    /// The anomaly map, on which 1 is the threshold.
    pub map: Image,
}

/// The first `count` images with drawn defects, by a configuration whose scores are relative to good images.
///
/// # Errors
/// If a setting is out of range, or an image cannot be inspected.
pub fn show_drawn(
    model: Autoencoder,
    config: &Config,
    images: &TuningImages,
    false_alarms: f64,
    count: usize,
) -> Result<Vec<Shown>> {
    let mut prepared = config.clone();
    (prepared.data.margins, prepared.data.region) = (Margins::default(), None);
    let inspector = Inspector::new(model, &prepared)?;
    let compare = |image: &Image| inspector.compare(&images.scaled(image, config));
    let region = |view: &TuningImage, maps: &[Image]| view.region(maps[0].size());
    let good = images.good.iter().map(|view| {
        let maps = compare(&view.image)?.into_residuals();
        Ok((region(view, &maps)?, maps))
    });
    let good = good.collect::<Result<Vec<_>>>()?;
    let within: Vec<_> = good.iter().map(|(region, maps)| (&maps[..], region.as_ref())).collect();
    let reference = Reference::within(&within, &config.inspection.smoothing)?;
    let scores = |reference: &Reference, maps: &[Image], view: &TuningImage| {
        let map = inspector.relative(reference, maps, region(view, maps)?.as_ref())?;
        Ok(view.scores(map))
    };
    let maps =
        good.iter().zip(&images.good).map(|((_, maps), view)| scores(&reference, maps, view));
    let maps = maps.collect::<Result<Vec<_>>>()?;
    let rule = ThresholdRule::FalseAlarms { images: false_alarms };
    let reference = rescaled(&reference, &maps, rule)?;
    let show = |drawn: &DrawnImage| {
        let (compared, view) = (compare(&drawn.image)?, &images.good[drawn.good]);
        let (width, height) = view.image.size();
        let reconstruction = resize(&compared.inspected.reconstruction, width, height);
        let map = scores(&reference, &compared.into_residuals(), view)?;
        Ok(Shown { reconstruction, map })
    };
    images.drawn.iter().take(count).map(show).collect()
}
