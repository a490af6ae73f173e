//! The worst mistakes at the calibrated threshold.

use super::decisions::touched;
use super::inspected::{InspectedSample, InspectedSet};
use crate::Result;
use inspect::{Connectivity, Mask, Region, Regions, regions};

/// A defect that was missed, at least in part, or a false alarm.
pub struct Mistake<'a> {
    /// The image that it is in.
    pub sample: &'a InspectedSample,
    /// Of the ground truth, or of the flagged pixels.
    pub region: Region,
    /// Pixels of the region that are flagged and defective.
    pub right: usize,
}

impl InspectedSet {
    /// The worst missed defect of each image, the one with the smallest share of its pixels found; the smallest shares come first.
    /// At most `count`.
    ///
    /// # Errors
    /// If a score is not finite.
    pub fn worst_misses(&self, count: usize) -> Result<Vec<Mistake<'_>>> {
        let worst = |sample| {
            let misses = self.misses(sample)?;
            Ok(misses.into_iter().min_by(|a, b| share(a).total_cmp(&share(b))))
        };
        let mistakes: Result<Vec<_>> = self.samples.iter().map(worst).collect();
        let mut mistakes: Vec<_> = mistakes?.into_iter().flatten().collect();
        let by_area = |a: &Mistake<'_>, b: &Mistake<'_>| b.region.area.cmp(&a.region.area);
        mistakes.sort_by(|a, b| share(a).total_cmp(&share(b)).then(by_area(a, b)));
        mistakes.truncate(count);
        Ok(mistakes)
    }

    /// The worst false alarm of each image, the flagged region without a defective pixel that scores highest; the highest scores
    /// come first. At most `count`.
    ///
    /// # Errors
    /// If a score is not finite.
    pub fn worst_false_alarms(&self, count: usize) -> Result<Vec<Mistake<'_>>> {
        let by_score =
            |a: &Mistake<'_>, b: &Mistake<'_>| b.region.max_score.total_cmp(&a.region.max_score);
        let worst = |sample| Ok(self.false_alarms(sample)?.into_iter().min_by(by_score));
        let mistakes: Result<Vec<_>> = self.samples.iter().map(worst).collect();
        let mut mistakes: Vec<_> = mistakes?.into_iter().flatten().collect();
        mistakes.sort_by(by_score);
        mistakes.truncate(count);
        Ok(mistakes)
    }

    /// The defects of an image that were not found completely.
    fn misses<'a>(&self, sample: &'a InspectedSample) -> Result<Vec<Mistake<'a>>> {
        let flagged = self.decision.mask(&sample.anomaly_map);
        let Regions { labels, regions: defects } =
            regions(&sample.mask, &sample.anomaly_map, Connectivity::Eight)?;
        let mut found = vec![0; defects.len() + 1];
        for (&label, &is_flagged) in labels.data().iter().zip(flagged.data()) {
            found[label as usize] += usize::from(is_flagged);
        }
        let mistakes = defects.into_iter().zip(found.into_iter().skip(1));
        let mistakes = mistakes.map(|(region, right)| Mistake { sample, region, right });
        Ok(mistakes.filter(|mistake| mistake.right < mistake.region.area).collect())
    }

    /// The flagged regions of an image without a defective pixel.
    fn false_alarms<'a>(&self, sample: &'a InspectedSample) -> Result<Vec<Mistake<'a>>> {
        let flagged: Mask = self.decision.mask(&sample.anomaly_map);
        let Regions { labels, regions } =
            regions(&flagged, &sample.anomaly_map, Connectivity::Eight)?;
        let is_right = touched(&labels, &sample.mask);
        let wrong = regions.into_iter().zip(is_right).filter(|&(_, is_right)| !is_right);
        Ok(wrong.map(|(region, _)| Mistake { sample, region, right: 0 }).collect())
    }
}

/// The share of a defect that was found.
fn share(miss: &Mistake<'_>) -> f64 {
    miss.right as f64 / miss.region.area as f64
}
