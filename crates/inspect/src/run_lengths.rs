use crate::{Plane, Region};

impl Region {
    /// The region's pixels in the plane of labels that it was found in, as COCO's uncompressed run lengths: column by
    /// column from the left, and downwards in each, the number of pixels outside the region, then inside, and so on in turn,
    /// until all pixels of the plane are counted.
    ///
    /// ```
    /// use inspect::{Connectivity, Image, Mask, regions};
    ///
    /// //  .##
    /// //  ..#
    /// let mask = Mask::new(3, 2, vec![false, true, true, false, false, true])?;
    /// let found = regions(&mask, &Image::filled(3, 2, 1.0), Connectivity::Eight)?;
    /// // The first column and nothing of the second; its upper pixel; the lower one; the last column.
    /// assert_eq!(found.regions[0].run_lengths(&found.labels), [2, 1, 1, 2]);
    /// # Ok::<(), inspect::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the region reaches beyond the labels.
    pub fn run_lengths(&self, labels: &Plane<u32>) -> Vec<usize> {
        let mut runs = vec![self.x0 * labels.height()];
        let mut inside = false;
        for x in self.x0..self.x1 {
            for y in 0..labels.height() {
                let is_member = (self.y0..self.y1).contains(&y) && labels.get(x, y) == self.label;
                if is_member != inside {
                    runs.push(0);
                    inside = is_member;
                }
                if let Some(run) = runs.last_mut() {
                    *run += 1;
                }
            }
        }
        let rest = (labels.width() - self.x1) * labels.height();
        match runs.last_mut() {
            Some(run) if !inside => *run += rest,
            _ if rest > 0 => runs.push(rest),
            _ => {}
        }
        runs
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
    use crate::{Connectivity, Image, Mask, Regions, regions};
    use proptest::prelude::*;

    proptest! {
        /// Written out again, the runs of all regions are the labels.
        #[test]
        fn runs_are_the_pixels_of_their_region(
            (width, height, pixels) in (1usize..9, 1usize..9).prop_flat_map(|(width, height)| {
                (Just(width), Just(height), prop::collection::vec(prop::bool::weighted(0.4), width * height))
            })
        ) {
            let mask = Mask::new(width, height, pixels).unwrap();
            let scores = Image::filled(width, height, 1.0);
            let Regions { labels, regions } = regions(&mask, &scores, Connectivity::Four).unwrap();
            let mut written = vec![0; width * height];
            for region in regions {
                let runs = region.run_lengths(&labels);
                prop_assert_eq!(runs.iter().sum::<usize>(), width * height);
                prop_assert!(runs.iter().skip(1).all(|&run| run > 0));
                let mut next = 0;
                for (i, run) in runs.into_iter().enumerate() {
                    for place in next..next + run {
                        let (x, y) = (place / height, place % height);
                        if i % 2 == 1 {
                            prop_assert_eq!(written[y * width + x], 0);
                            written[y * width + x] = region.label;
                        }
                    }
                    next += run;
                }
            }
            prop_assert_eq!(&written[..], labels.data());
        }
    }
}
