//! Validation of scores and labels.

use rayon::prelude::*;

use crate::Error;
use crate::radix::Pixels;

/// Checks that image number `image` has a label for each score and that all
/// scores are finite.
pub(crate) fn check_image(image: usize, (scores, labels): Pixels<'_>) -> Result<(), Error> {
    if scores.len() != labels.len() {
        let (scores, labels) = (scores.len(), labels.len());
        return Err(Error::LengthMismatch { image, scores, labels });
    }
    check_scores(image, scores)
}

/// Checks that all scores of image number `image` are finite.
pub(crate) fn check_scores(image: usize, scores: &[f32]) -> Result<(), Error> {
    // A reduction without early exit runs many scores at a time.
    if scores.iter().fold(true, |finite, score| finite & score.is_finite()) {
        return Ok(());
    }
    match scores.iter().position(|score| !score.is_finite()) {
        Some(index) => Err(Error::NonFiniteScore { image, index, score: scores[index] }),
        None => Ok(()),
    }
}

/// Checks all images by their numbers; the error is that of the first image at
/// fault.
pub(crate) fn check_each<T: Sync>(
    images: &[T],
    check: impl Fn(usize, &T) -> Result<(), Error> + Sync,
) -> Result<(), Error> {
    images
        .par_iter()
        .enumerate()
        .map(|(number, image)| check(number, image).err())
        .find_first(Option::is_some)
        .flatten()
        .map_or(Ok(()), Err)
}

/// Checks that curves over these counts are defined.
pub(crate) fn check_classes(positives: u64, negatives: u64) -> Result<(), Error> {
    match (positives, negatives) {
        (0, 0) => Err(Error::Empty),
        (0, _) | (_, 0) => Err(Error::SingleClass { positives, negatives }),
        _ => Ok(()),
    }
}

/// Checks a limit of the false-positive rate.
pub(crate) fn check_limit(limit: f64) -> Result<(), Error> {
    if limit > 0.0 && limit <= 1.0 { Ok(()) } else { Err(Error::InvalidLimit { limit }) }
}
