use crate::finite::check_finite;
use crate::tail::{Tail, tile_maxima};
use crate::{Error, Image};

/// A threshold that a given part of the good images reaches, and how sure that is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FalseAlarmThreshold {
    /// The threshold.
    pub threshold: f64,
    /// Its standard error, by leaving out one image after the other (the jackknife); `None` of a single image.
    pub standard_error: Option<f64>,
}

/// The threshold that one of a number of good `images` reaches somewhere, on average.
///
/// It may lie far above all scores of the given images. It follows from the largest scores of tiles of 48×48 pixels: beyond
/// the level that a quarter of them exceeds, they are taken to fall off exponentially (peaks over threshold, Coles 2001, chapter 4,
/// with shape 0). An image counts with as many tiles as the mean of the given ones.
///
/// ```
/// use inspect::{Image, false_alarm_threshold};
///
/// // Of 100 tiles, 25 exceed 0, by 1 on average. One image in 4, a tile each, reaches 0, one in 40 ln 10.
/// let good: Vec<_> = (0..100).map(|i| Image::filled(1, 1, if i < 25 { 1.0 } else { 0.0 })).collect();
/// assert!(false_alarm_threshold(&good, 4.0)?.threshold.abs() < 1e-9);
/// assert!((false_alarm_threshold(&good, 40.0)?.threshold - 10.0_f64.ln()).abs() < 1e-9);
/// # Ok::<(), inspect::Error>(())
/// ```
///
/// # Errors
/// [`Error::RuleParameter`] unless `images` is finite and at least 1; [`Error::NoScores`] without a pixel; [`Error::NotFinite`].
pub fn false_alarm_threshold(good: &[Image], images: f64) -> Result<FalseAlarmThreshold, Error> {
    let maxima = maxima_of_images(good, images)?;
    let threshold = reached_by_one_in(images, &maxima, None);
    let left_out = (0..maxima.len()).map(|i| reached_by_one_in(images, &maxima, Some(i)));
    let standard_error = (maxima.len() > 1).then(|| jackknife(&left_out.collect::<Vec<_>>()));
    Ok(FalseAlarmThreshold { threshold, standard_error })
}

/// The threshold alone: its standard error takes as long for each image.
pub(crate) fn threshold_of_false_alarms(good: &[Image], images: f64) -> Result<f64, Error> {
    Ok(reached_by_one_in(images, &maxima_of_images(good, images)?, None))
}

/// The threshold of [`false_alarm_threshold`] by the [`tile_maxima`] of each good image: for those who compare many maps of the same
/// images, of which they need to keep no more than that.
///
/// ```
/// use inspect::{Image, false_alarm_threshold, false_alarm_threshold_of_maxima, tile_maxima};
///
/// let good: Vec<_> = (0..10).map(|i| Image::from_fn(96, 96, |x, y| (x * y * (i + 1) % 97) as f32)).collect();
/// let maxima: Vec<_> = good.iter().map(tile_maxima).collect();
/// let threshold = false_alarm_threshold(&good, 20.0)?.threshold;
/// assert_eq!(false_alarm_threshold_of_maxima(&maxima, 20.0)?, threshold);
/// # Ok::<(), inspect::Error>(())
/// ```
///
/// # Errors
/// As [`false_alarm_threshold`].
pub fn false_alarm_threshold_of_maxima(maxima: &[Vec<f32>], images: f64) -> Result<f64, Error> {
    check_images(images)?;
    for maxima in maxima {
        check_finite("the maxima of a good image", maxima)?;
    }
    if maxima.iter().all(Vec::is_empty) {
        return Err(Error::NoScores);
    }
    Ok(reached_by_one_in(images, maxima, None))
}

/// # Errors
/// If it is no number of images.
pub(crate) fn check_images(images: f64) -> Result<(), Error> {
    if images.is_finite() && images >= 1.0 {
        return Ok(());
    }
    let (name, expected) = ("images", "finite and at least 1");
    Err(Error::RuleParameter { name, expected, got: images })
}

/// The maxima of the tiles of each image that has a scored pixel, at least one.
fn maxima_of_images(good: &[Image], images: f64) -> Result<Vec<Vec<f32>>, Error> {
    check_images(images)?;
    let mut maxima = Vec::with_capacity(good.len());
    for map in good {
        check_finite("the score map of a good image", map.data())?;
        let of_image = tile_maxima(map);
        if !of_image.is_empty() {
            maxima.push(of_image);
        }
    }
    if maxima.is_empty() { Err(Error::NoScores) } else { Ok(maxima) }
}

/// The threshold by the maxima of all images but one.
fn reached_by_one_in(images: f64, maxima: &[Vec<f32>], left_out: Option<usize>) -> f64 {
    let is_kept = |&(index, _): &(usize, _)| Some(index) != left_out;
    let kept: Vec<_> = maxima.iter().enumerate().filter(is_kept).map(|(_, image)| image).collect();
    let pooled: Vec<f32> = kept.iter().copied().flatten().copied().collect();
    let tiles = pooled.len() as f64 / kept.len() as f64;
    // The number of alarms of an image is that of its tiles times the fraction that reaches the threshold.
    Tail::of(pooled).score_reached_by(1.0 / (images * tiles))
}

fn jackknife(left_out: &[f64]) -> f64 {
    let count = left_out.len() as f64;
    let mean = left_out.iter().sum::<f64>() / count;
    let squares: f64 = left_out.iter().map(|value| (value - mean).powi(2)).sum();
    ((count - 1.0) / count * squares).sqrt()
}
