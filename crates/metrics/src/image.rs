use crate::Error;
use crate::check::{check_image, check_scores};

/// The anomaly map of one image and its ground truth, for metrics that depend
/// on where pixels lie.
///
/// ```
/// use metrics::{RankedScores, ScoredImage};
///
/// let image = ScoredImage {
///     width: 3,
///     height: 2,
///     scores: &[0.1, 0.2, 0.9,
///               0.1, 0.6, 0.7],
///     labels: &[false, false, true,
///               false, true,  true],
/// };
/// assert_eq!(RankedScores::pooled([image.pixels()])?.roc_auc(), 1.0);
/// # Ok::<(), metrics::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ScoredImage<'a> {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// One score per pixel, row by row; higher is more defective.
    pub scores: &'a [f32],
    /// The ground truth, row by row; `true` is defective.
    pub labels: &'a [bool],
}

impl<'a> ScoredImage<'a> {
    /// Scores and labels, as [`RankedScores::pooled`](crate::RankedScores::pooled) takes them.
    pub fn pixels(&self) -> (&'a [f32], &'a [bool]) {
        (self.scores, self.labels)
    }

    pub(crate) fn check(&self, image: usize) -> Result<(), Error> {
        let Self { width, height, scores, .. } = *self;
        if width.checked_mul(height) != Some(scores.len()) {
            return Err(Error::ImageSize { image, width, height, got: scores.len() });
        }
        check_image(image, self.pixels())
    }
}

/// The score of a whole image: the largest of its anomaly map.
///
/// With one label per image (`true` if it shows any defect), these scores
/// give the image-level AUROC:
///
/// ```
/// use metrics::{image_score, roc_auc};
///
/// let maps = [[0.1, 0.2], [0.3, 0.1], [0.9, 0.2]];
/// let scores = maps.iter().map(|map| image_score(map)).collect::<Result<Vec<_>, _>>()?;
/// assert_eq!(roc_auc(&scores, &[false, true, true])?, 1.0);
/// # Ok::<(), metrics::Error>(())
/// ```
///
/// # Errors
/// [`Error::Empty`] and [`Error::NonFiniteScore`].
pub fn image_score(map: &[f32]) -> Result<f32, Error> {
    check_scores(0, map)?;
    map.iter().copied().reduce(f32::max).ok_or(Error::Empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_score_is_the_maximum() {
        assert!(matches!(image_score(&[-3.0, -1.0, -2.0]), Ok(-1.0)));
    }

    #[test]
    fn image_score_of_nothing_is_an_error() {
        assert!(matches!(image_score(&[]), Err(Error::Empty)));
        let result = image_score(&[1.0, f32::NAN]);
        assert!(matches!(result, Err(Error::NonFiniteScore { index: 1, .. })));
    }
}
