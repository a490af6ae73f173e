//! Good images to train on, and others to calibrate on.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

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
    /// The images that are held out, or those to train on if none is.
    pub fn held_out_or_train(&self) -> &[PathBuf] {
        if self.held_out.is_empty() { &self.train } else { &self.held_out }
    }

    /// Holds out a fraction of the images, rounded down: evenly spaced ones, so that a slow drift of the camera is in both parts.
    pub fn of(images: Vec<PathBuf>, fraction: f64) -> Self {
        let numbers = 0..images.len();
        Self::by_number(images.into_iter().zip(numbers), fraction)
    }

    /// Holds out a fraction of the groups, rounded down, so that all images of an item, a lot or a roll are in one part. Images of the
    /// same group have the same name of it; groups are numbered as they come.
    ///
    /// ```
    /// use detector::Split;
    ///
    /// let images = ["a0.png", "a1.png", "b0.png", "b1.png"].map(Into::into);
    /// let split = Split::by_group(images.into(), 0.5, |path| path.to_string_lossy()[..1].to_owned());
    /// assert_eq!(split.held_out, ["b0.png", "b1.png"].map(std::path::PathBuf::from));
    /// ```
    pub fn by_group(images: Vec<PathBuf>, fraction: f64, group: impl Fn(&Path) -> String) -> Self {
        let mut groups = HashMap::new();
        let numbered = images.into_iter().map(|image| {
            let next = groups.len();
            let number = *groups.entry(group(&image)).or_insert(next);
            (image, number)
        });
        Self::by_number(numbered.collect::<Vec<_>>().into_iter(), fraction)
    }

    /// Holds out the images of a fraction of the numbers, which run from 0 without a gap.
    fn by_number(images: impl Iterator<Item = (PathBuf, usize)> + Clone, fraction: f64) -> Self {
        let count = images.clone().map(|(_, number)| number + 1).max().unwrap_or(0);
        let held_out = (count as f64 * fraction) as usize;
        let is_held_out = |i: usize| (i + 1) * held_out / count != i * held_out / count;
        let mut split = Self::default();
        for (image, number) in images {
            let part = if is_held_out(number) { &mut split.held_out } else { &mut split.train };
            part.push(image);
        }
        split
    }

    /// The beginning of a name that several images of the training share with held-out ones, if all names look like that of an item and
    /// a number: `kos07` of `kos07_Part3.jpg`.
    ///
    /// ```
    /// use detector::Split;
    ///
    /// let split = |names: [&str; 4]| Split::of(names.map(Into::into).into(), 0.5);
    /// assert_eq!(split(["a_0", "a_1", "b_0", "b_1"]).suggested_group(), Some("a".to_owned()));
    /// assert_eq!(split(["a_0", "b_0", "c_0", "d_0"]).suggested_group(), None);
    /// ```
    pub fn suggested_group(&self) -> Option<String> {
        let item = |path: &PathBuf| {
            let stem = path.file_stem()?.to_string_lossy().into_owned();
            Some(stem.rsplit_once(['_', '-'])?.0.to_owned())
        };
        let mut sizes = HashMap::new();
        for image in self.train.iter().chain(&self.held_out) {
            *sizes.entry(item(image)?).or_insert(0) += 1;
        }
        let are_items = sizes.len() > 1 && sizes.values().all(|&images| images > 1);
        let torn =
            |name: &String| self.train.iter().any(|image| item(image).as_ref() == Some(name));
        self.held_out.iter().filter_map(item).find(|name| are_items && torn(name))
    }
}
