use rayon::prelude::*;

use crate::area::mean_height;
use crate::check::check_limit;
use crate::region::regions;
use crate::{Error, RankedScores, ScoredImage, key};

/// The false-positive rate up to which MVTec's benchmarks integrate.
pub const AU_PRO_LIMIT: f64 = 0.3;

/// The area under the per-region overlap curve up to a false-positive rate of
/// `limit`, divided by `limit`: [`pro_curve`], then [`ProCurve::area`].
///
/// # Errors
/// [`Error::InvalidLimit`], and see [`pro_curve`].
pub fn au_pro(images: &[ScoredImage<'_>], limit: f64) -> Result<f64, Error> {
    check_limit(limit)?;
    pro_curve(images)?.area(limit)
}

/// The per-region overlap (PRO) over the false-positive rate.
///
/// This is the definition of MVTec's evaluation. The regions are the
/// 8-connected components of each ground-truth mask. The PRO at a threshold is
/// the fraction of its pixels that a region has at `score >= threshold`,
/// averaged over all regions of all images, so that a small defect weighs as
/// much as a large one. The false-positive rate is that of all defect-free
/// pixels of all images, those of images without any defect included.
///
/// ```
/// use metrics::{AU_PRO_LIMIT, ScoredImage, pro_curve};
///
/// // A region of one pixel and one of two; the larger is half covered
/// // before the first false positive.
/// let image = ScoredImage {
///     width: 6,
///     height: 1,
///     scores: &[0.9, 0.1, 0.8, 0.3, 0.5, 0.2],
///     labels: &[true, false, true, true, false, false],
/// };
/// let curve = pro_curve(&[image])?;
/// assert_eq!(curve.fpr(), [0.0, 0.0, 0.0, 1.0 / 3.0, 1.0 / 3.0, 1.0]);
/// assert_eq!(curve.pro(), [0.0, 0.5, 0.75, 0.75, 1.0, 1.0]);
/// assert_eq!(curve.area(AU_PRO_LIMIT)?, 0.75);
/// # Ok::<(), metrics::Error>(())
/// ```
///
/// # Errors
/// [`Error::ImageSize`], [`Error::LengthMismatch`] and
/// [`Error::NonFiniteScore`] for the first image at fault, and as
/// [`RankedScores::pooled`].
pub fn pro_curve(images: &[ScoredImage<'_>]) -> Result<ProCurve, Error> {
    for (number, image) in images.iter().enumerate() {
        image.check(number)?;
    }
    let ranked = RankedScores::pooled(images.iter().map(ScoredImage::pixels))?;
    let defects = Defects::of(images);
    Ok(ProCurve::of_ranking(&ranked, &defects))
}

/// The per-region overlap over the false-positive rate for descending
/// thresholds.
///
/// All three lists are equally long. The first point is (0, 0) with the
/// threshold +∞, the last one (1, 1) with the lowest score. Tied scores are
/// one point; of the points between two defective pixels, which lie on a
/// horizontal line, only the ends are kept.
#[derive(Clone, Debug, PartialEq)]
pub struct ProCurve {
    fpr: Vec<f64>,
    pro: Vec<f64>,
    thresholds: Vec<f32>,
}

impl ProCurve {
    /// False-positive rates, ascending from 0 to 1.
    pub fn fpr(&self) -> &[f64] {
        &self.fpr
    }

    /// Per-region overlaps, ascending from 0 to 1.
    pub fn pro(&self) -> &[f64] {
        &self.pro
    }

    /// Thresholds, descending from +∞; a pixel counts as detected if
    /// `score >= threshold`.
    pub fn thresholds(&self) -> &[f32] {
        &self.thresholds
    }

    /// The area up to a false-positive rate of `limit`, divided by `limit`:
    /// the mean overlap there, in [0, 1]. The curve is interpolated linearly
    /// at the limit. [`AU_PRO_LIMIT`] is the usual one.
    ///
    /// # Errors
    /// [`Error::InvalidLimit`] if `limit` does not lie in (0, 1].
    pub fn area(&self, limit: f64) -> Result<f64, Error> {
        check_limit(limit)?;
        Ok(mean_height(&self.fpr, &self.pro, limit))
    }

    fn of_ranking(ranked: &RankedScores, defects: &Defects) -> Self {
        let count: usize = ranked.rises().map(|rise| 1 + usize::from(rise.before.is_some())).sum();
        let mut curve = Self {
            fpr: Vec::with_capacity(count + 2),
            pro: Vec::with_capacity(count + 2),
            thresholds: Vec::with_capacity(count + 2),
        };
        let (negatives, regions) = (ranked.negatives() as f64, defects.weights.len() as f64);
        visit(ranked, defects, |threshold, overlap, fp| {
            curve.fpr.push(fp as f64 / negatives);
            // The weights of a region add up to 1 but for their rounding.
            curve.pro.push((overlap / regions).min(1.0));
            curve.thresholds.push(threshold);
        });
        curve
    }
}

/// Calls `visit(threshold, overlap summed over regions, false positives)` for
/// all points of the curve.
fn visit(ranked: &RankedScores, defects: &Defects, mut visit: impl FnMut(f32, f64, usize)) {
    let (mut fp, mut overlap) = (0, 0.0);
    let mut pixels = defects.pixels.as_slice();
    let mut rises = ranked.rises();
    visit(f32::INFINITY, overlap, fp);
    for rise in rises.by_ref() {
        if let Some((count, threshold)) = rise.before {
            fp += count;
            visit(threshold, overlap, fp);
        }
        let (risen, rest) = pixels.split_at(rise.positives);
        pixels = rest;
        fp += rise.tied;
        overlap += risen.iter().map(|&pixel| defects.weight(pixel)).sum::<f64>();
        if rest.is_empty() {
            // Every region is covered; the sum has rounding errors.
            overlap = defects.weights.len() as f64;
        }
        visit(rise.threshold, overlap, fp);
    }
    if let Some((count, threshold)) = rises.rest() {
        visit(threshold, overlap, fp + count);
    }
}

/// The defective pixels of all images.
struct Defects {
    /// Key in the upper and region in the lower 32 bits, ascending: in the
    /// order of descending scores, and always in the same order among ties.
    pixels: Vec<u64>,
    /// What a pixel of each region adds to the overlap: one over its size.
    weights: Vec<f64>,
}

impl Defects {
    /// The images hold fewer than 2³² pixels in all.
    fn of(images: &[ScoredImage<'_>]) -> Self {
        let found: Vec<Self> = images.par_iter().map(Self::of_image).collect();
        let mut all = Self { pixels: Vec::new(), weights: Vec::new() };
        for image in found {
            // Region numbers stay below 2³², as there are no more than pixels.
            let offset = all.weights.len() as u64;
            all.pixels.extend(image.pixels.iter().map(|pixel| pixel + offset));
            all.weights.extend(image.weights);
        }
        all.pixels.par_sort_unstable();
        all
    }

    fn of_image(image: &ScoredImage<'_>) -> Self {
        let regions = regions(image.labels, image.width.max(1));
        let pixel = |score, region| u64::from(key::encode(score)) << 32 | region as u64;
        let pixels = regions.runs.into_iter().flat_map(|(run, region)| {
            image.scores[run].iter().map(move |&score| pixel(score, region))
        });
        Self {
            pixels: pixels.collect(),
            weights: regions.sizes.iter().map(|&size| 1.0 / size as f64).collect(),
        }
    }

    fn weight(&self, pixel: u64) -> f64 {
        self.weights[(pixel & u64::from(u32::MAX)) as usize]
    }
}
