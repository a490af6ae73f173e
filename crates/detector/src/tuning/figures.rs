//! The figures of a choice, by the largest scores of its maps.

use super::images::TuningImages;
use crate::Result;
use crate::pixel_area::{ascending, pixel_area};
use crate::records::{ChoiceFigures, DrawnFound};
use crate::synthetic::DrawnKind;
use inspect::false_alarm_threshold_of_maxima;
use metrics::roc_auc;

/// The largest scores of maps.
#[derive(Clone, Debug, PartialEq)]
pub struct Peaks {
    /// Of the tiles of each good image.
    pub good: Vec<Vec<f32>>,
    /// Of each drawn defect.
    pub drawn: Vec<f32>,
    /// Of each test image.
    pub test: Vec<f32>,
    /// Scores of pixels of good images, evenly spaced.
    pub good_pixels: Vec<f32>,
    /// Scores of pixels of each drawn defect, evenly spaced.
    pub drawn_pixels: Vec<Vec<f32>>,
}

impl Peaks {
    /// Those of the largest of two maps at each pixel.
    pub fn larger(&self, other: &Self) -> Self {
        let larger = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a.max(*b)).collect();
        let good = self.good.iter().zip(&other.good).map(|(a, b)| larger(a, b)).collect();
        let (drawn, test) = (larger(&self.drawn, &other.drawn), larger(&self.test, &other.test));
        let good_pixels = larger(&self.good_pixels, &other.good_pixels);
        let drawn_pixels = self.drawn_pixels.iter().zip(&other.drawn_pixels);
        let drawn_pixels = drawn_pixels.map(|(a, b)| larger(a, b)).collect();
        Self { good, drawn, test, good_pixels, drawn_pixels }
    }

    /// The figures at one false alarm in `images` good images.
    ///
    /// # Errors
    /// If `images` is below 1, or a score is not finite.
    pub fn figures(&self, of: &TuningImages, images: f64) -> Result<ChoiceFigures> {
        let threshold = (false_alarm_threshold_of_maxima(&self.good, images)? as f32).next_up();
        let good: Vec<f32> = self.good.iter().map(|tiles| maximum(tiles)).collect();
        let good_pixels = ascending(self.good_pixels.clone());
        let area_of = |pixels: &Vec<f32>| pixel_area(&good_pixels, pixels);
        let areas: Vec<f64> = self.drawn_pixels.iter().map(area_of).collect();
        let pixel_au_roc = areas.iter().sum::<f64>() / areas.len() as f64;
        let kinds = self.kinds(of, threshold, &areas);
        // An image with a defect scores at least as much as without.
        let background = of
            .drawn
            .iter()
            .flat_map(|image| std::iter::repeat_n(good[image.good], image.defects.len()));
        let defective: Vec<f32> =
            self.drawn.iter().zip(background).map(|(defect, image)| defect.max(image)).collect();
        Ok(ChoiceFigures {
            found: mean_share(&kinds),
            au_roc: area(&good, &defective)?,
            pixel_au_roc,
            kinds,
            image_au_roc: self.image_au_roc(of)?,
        })
    }

    fn kinds(&self, of: &TuningImages, threshold: f32, areas: &[f64]) -> Vec<DrawnFound> {
        let defects = || of.drawn.iter().flat_map(|image| &image.defects);
        let defects = || defects().zip(self.drawn.iter().zip(areas));
        let of_kind = |kind: DrawnKind| {
            let scores = || defects().filter(move |(defect, _)| defect.kind == kind);
            let found = scores().filter(|(_, (score, _))| **score >= threshold).count();
            let (drawn, areas) = (scores().count(), scores().map(|(_, (_, area))| area));
            DrawnFound { kind, drawn, found, au_roc: areas.sum::<f64>() / drawn as f64 }
        };
        DrawnKind::ALL.into_iter().map(of_kind).filter(|of_kind| of_kind.drawn > 0).collect()
    }

    /// By the labels of the test images, if there are good and defective ones; good images of the tuning stand for test ones.
    fn image_au_roc(&self, of: &TuningImages) -> Result<Option<f64>> {
        let of_class = |class: bool| {
            let scores = self.test.iter().zip(&of.test);
            scores.filter(move |(_, image)| image.is_defective == class).map(|(score, _)| *score)
        };
        let (mut good, defective): (Vec<_>, Vec<_>) =
            (of_class(false).collect(), of_class(true).collect());
        if good.is_empty() {
            good = self.good.iter().map(|tiles| maximum(tiles)).collect();
        }
        (!defective.is_empty()).then(|| area(&good, &defective)).transpose()
    }
}

/// The mean over the kinds of the share that is found.
fn mean_share(kinds: &[DrawnFound]) -> f64 {
    let shares = kinds.iter().map(|of_kind| of_kind.found as f64 / of_kind.drawn as f64);
    shares.sum::<f64>() / kinds.len() as f64
}

fn area(good: &[f32], defective: &[f32]) -> Result<f64> {
    let labels: Vec<bool> =
        (0..good.len() + defective.len()).map(|index| index >= good.len()).collect();
    Ok(roc_auc(&[good, defective].concat(), &labels)?)
}

fn maximum(scores: &[f32]) -> f32 {
    scores.iter().copied().fold(f32::MIN, f32::max)
}
