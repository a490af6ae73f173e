//! Scores and labels from the types of other crates.

#[cfg(feature = "ndarray")]
use crate::Error;
use crate::ScoredImage;
#[cfg(feature = "image")]
use ::image::{GrayImage, ImageBuffer, Luma};
#[cfg(feature = "ndarray")]
use ndarray::ArrayRef2;

#[cfg(feature = "image")]
impl<'a> ScoredImage<'a> {
    /// The anomaly map of an image as the crate `image` reads float TIFF, with its ground truth, row by row (see
    /// [`mask_labels`]). Feature `image`.
    ///
    /// ```
    /// use image::{GrayImage, ImageBuffer};
    /// use metrics::{ScoredImage, mask_labels};
    ///
    /// let map = ImageBuffer::from_vec(2, 1, vec![0.1, 0.7]).unwrap();
    /// let labels = mask_labels(&GrayImage::from_vec(2, 1, vec![0, 255]).unwrap());
    /// let image = ScoredImage::of_map(&map, &labels);
    /// assert_eq!(metrics::roc_auc(image.scores, image.labels)?, 1.0);
    /// # Ok::<(), metrics::Error>(())
    /// ```
    pub fn of_map(map: &'a ImageBuffer<Luma<f32>, Vec<f32>>, labels: &'a [bool]) -> Self {
        let (width, height) = (map.width() as usize, map.height() as usize);
        Self { width, height, scores: map.as_raw(), labels }
    }
}

/// The labels of a mask, row by row: levels above 127 are defective. Feature `image`.
///
/// ```
/// let mask = image::GrayImage::from_vec(2, 2, vec![0, 127, 128, 255]).unwrap();
/// assert_eq!(metrics::mask_labels(&mask), [false, false, true, true]);
/// ```
#[cfg(feature = "image")]
pub fn mask_labels(mask: &GrayImage) -> Vec<bool> {
    mask.as_raw().iter().map(|&level| level > 127).collect()
}

#[cfg(feature = "ndarray")]
impl<'a> ScoredImage<'a> {
    /// The anomaly map of an image and its ground truth, both of shape (rows, columns) and in row-major order, which is not
    /// changed: `as_standard_layout` does so. Feature `ndarray`.
    ///
    /// ```
    /// use ndarray::array;
    ///
    /// let (scores, labels) = (array![[0.1, 0.7], [0.2, 0.9]], array![[false, true], [false, true]]);
    /// let image = metrics::ScoredImage::of_arrays(&scores, &labels)?;
    /// assert_eq!(metrics::roc_auc(image.scores, image.labels)?, 1.0);
    /// assert!(metrics::ScoredImage::of_arrays(&scores.t(), &labels.t()).is_err());
    /// # Ok::<(), metrics::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::ArrayShapes`] for arrays of different shapes, [`Error::ArrayLayout`] for another order.
    pub fn of_arrays(
        scores: &'a ArrayRef2<f32>,
        labels: &'a ArrayRef2<bool>,
    ) -> Result<Self, Error> {
        let (height, width) = scores.dim();
        if scores.dim() != labels.dim() {
            return Err(Error::ArrayShapes { scores: scores.dim(), labels: labels.dim() });
        }
        match (scores.as_slice(), labels.as_slice()) {
            (Some(scores), Some(labels)) => Ok(Self { width, height, scores, labels }),
            _ => Err(Error::ArrayLayout),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
    use super::*;

    #[cfg(feature = "image")]
    #[test]
    fn maps_keep_their_size() {
        let map = ImageBuffer::from_vec(3, 1, vec![0.1, 0.2, 0.3]).unwrap();
        let image = ScoredImage::of_map(&map, &[false, false, true]);
        assert_eq!((image.width, image.height, image.scores), (3, 1, &[0.1, 0.2, 0.3][..]));
    }

    #[cfg(feature = "ndarray")]
    #[test]
    fn arrays_must_fit_together() {
        let scores = ndarray::Array2::<f32>::zeros((2, 3));
        let labels = ndarray::Array2::from_elem((3, 2), false);
        let error = ScoredImage::of_arrays(&scores, &labels).unwrap_err();
        let message = "expected labels of the shape (2, 3) of the scores, got (3, 2)";
        assert_eq!(error.to_string(), message);
        let transposed = labels.t();
        let error = ScoredImage::of_arrays(&scores, &transposed).unwrap_err();
        assert!(matches!(error, Error::ArrayLayout));
    }
}
