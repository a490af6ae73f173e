//! Good images to train on, and others to calibrate on.

use std::path::PathBuf;

/// Good images, in the order of the data set.
///
/// ```
/// use detector::Split;
///
/// let images = ["0.png", "1.png", "2.png", "3.png"].map(Into::into);
/// let split = Split::of(images.into(), 0.5);
/// assert_eq!(split.train, ["0.png", "2.png"].map(std::path::PathBuf::from));
/// assert_eq!(split.held_out, ["1.png", "3.png"].map(std::path::PathBuf::from));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// Images to train on.
    pub train: Vec<PathBuf>,
    /// Images that are kept from training.
    pub held_out: Vec<PathBuf>,
}

impl Split {
    /// Holds out a fraction of the images, rounded down: evenly spaced ones, so that a slow drift of the camera is in both parts.
    pub fn of(images: Vec<PathBuf>, fraction: f64) -> Self {
        let count = images.len();
        let held_out = (count as f64 * fraction) as usize;
        let is_held_out = |i: usize| (i + 1) * held_out / count != i * held_out / count;
        let mut split = Self::default();
        for (index, image) in images.into_iter().enumerate() {
            let part = if is_held_out(index) { &mut split.held_out } else { &mut split.train };
            part.push(image);
        }
        split
    }
}
