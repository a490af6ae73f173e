use serde::{Deserialize, Serialize};

use crate::largest_region::score_of_too_large_region;
use crate::{Connectivity, Image, Mask, NOT_SCORED, label, threshold_mask};

/// The scores and the area that make a defect.
///
/// An image is defective if an 8-connected region of at least `min_area` pixels scores at least `threshold` throughout.
///
/// ```
/// use inspect::{Decision, Image};
///
/// let map = Image::new(5, 2, vec![0.0, 0.6, 0.7, 0.0, 0.9,
///                                 0.0, 0.0, 0.0, 0.0, 0.0])?;
/// let any = Decision { threshold: 0.5, min_area: 1 };
/// let two = Decision { threshold: 0.5, min_area: 2 };
/// assert_eq!(any.mask(&map).row(0), [false, true, true, false, true]);
/// assert_eq!(two.mask(&map).row(0), [false, true, true, false, false]);
/// // The largest thresholds at which the image is still defective.
/// assert_eq!((any.score(&map), two.score(&map)), (0.9, 0.6));
/// # Ok::<(), inspect::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// A defective pixel scores at least this.
    pub threshold: f32,
    /// The pixels of the smallest region that counts as a defect; 0 and 1 leave none out.
    pub min_area: usize,
}

impl Decision {
    /// The defective pixels of an anomaly map: those of regions that are large enough.
    pub fn mask(&self, map: &Image) -> Mask {
        let mask = threshold_mask(map, self.threshold);
        if self.min_area <= 1 {
            return mask;
        }
        let labels = label(&mask, Connectivity::Eight);
        let regions = labels.data().iter().copied().max().unwrap_or(0) as usize;
        let mut areas = vec![0_usize; regions + 1];
        labels.data().iter().for_each(|&label| areas[label as usize] += 1);
        let is_defect = |x, y| match labels.get(x, y) {
            0 => false,
            label => areas[label as usize] >= self.min_area,
        };
        Mask::from_fn(map.width(), map.height(), is_defect)
    }

    /// The score of an image: the largest threshold at which it is defective, and so at least [`threshold`](Self::threshold) if
    /// and only if it is. If no region can reach the least area, the image is never defective:
    /// its score is that of its lowest scored pixel, or just below the threshold if that is lower. An image without a scored pixel scores [`f32::MIN`].
    pub fn score(&self, map: &Image) -> f32 {
        if self.min_area <= 1 {
            return map.data().iter().copied().fold(f32::MIN, f32::max);
        }
        let maps = std::slice::from_ref(map);
        score_of_too_large_region(maps, self.min_area - 1).unwrap_or_else(|_| {
            let scored = map.data().iter().copied().filter(|&score| score > NOT_SCORED);
            scored
                .reduce(f32::min)
                .map_or(f32::MIN, |lowest| lowest.min(self.threshold.next_down()))
        })
    }
}
