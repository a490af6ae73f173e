//! Places of crops that lie in a region of interest.

/// The places of an image where a training patch may be cut: all that lie in a region of interest to a given share.
///
/// ```
/// use models::CropPlaces;
///
/// // The left half of an image of 64×32 pixels.
/// let inside: Vec<bool> = (0..64 * 32).map(|i| i % 64 < 32).collect();
/// let whole = CropPlaces::within((64, 32), &inside, 32, 1.0).map(|places| places.count());
/// let half = CropPlaces::within((64, 32), &inside, 32, 0.5).map(|places| places.count());
/// assert_eq!((whole, half), (Some(1), Some(17)));
/// assert!(CropPlaces::within((64, 32), &vec![false; 64 * 32], 32, 1.0).is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CropPlaces {
    pub(super) size: (usize, usize),
    pub(super) patch: usize,
    runs: Vec<Run>,
    count: usize,
}

/// Places side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    /// The number of its first place.
    first: usize,
    left: usize,
    top: usize,
}

impl CropPlaces {
    /// The places in an image of `width`×`height` pixels where at least the `share`, in [0, 1], of the `patch`×`patch` pixels is
    /// among those `inside`, row by row; `None` if there is no such place.
    ///
    /// # Panics
    /// If `inside` does not hold `width` · `height` values.
    pub fn within(
        (width, height): (usize, usize),
        inside: &[bool],
        patch: usize,
        share: f64,
    ) -> Option<Self> {
        assert_eq!(inside.len(), width * height, "a value for each of {width}x{height} pixels");
        if width < patch || height < patch {
            return None;
        }
        let fewest = (share * (patch * patch) as f64).ceil() as usize;
        let (mut runs, mut count) = (Vec::new(), 0);
        // Pixels inside of each column, in the rows of a patch.
        let mut columns = vec![0_usize; width];
        for (y, row) in inside.chunks_exact(width).enumerate() {
            let leaving = y.checked_sub(patch).map(|y| &inside[y * width..][..width]);
            for (x, column) in columns.iter_mut().enumerate() {
                *column += usize::from(row[x]);
                *column -= leaving.map_or(0, |row| usize::from(row[x]));
            }
            if let Some(top) = (y + 1).checked_sub(patch) {
                add_row(&mut runs, &mut count, top, &columns, patch, fewest);
            }
        }
        (count > 0).then_some(Self { size: (width, height), patch, runs, count })
    }

    /// The number of places, at least one.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Left and top of a place by its number, row by row.
    ///
    /// # Panics
    /// If there is no place with this number.
    pub fn at(&self, number: usize) -> (usize, usize) {
        assert!(number < self.count, "a number below {}, got {number}", self.count);
        let Run { first, left, top } =
            self.runs[self.runs.partition_point(|run| run.first <= number) - 1];
        (left + number - first, top)
    }
}

/// Adds the places of a row of patches.
fn add_row(
    runs: &mut Vec<Run>,
    count: &mut usize,
    top: usize,
    columns: &[usize],
    patch: usize,
    fewest: usize,
) {
    let (mut inside, mut goes_on) = (0, false);
    for (x, column) in columns.iter().enumerate() {
        inside += column;
        inside -= x.checked_sub(patch).map_or(0, |x| columns[x]);
        let Some(left) = (x + 1).checked_sub(patch) else { continue };
        let is_place = inside >= fewest;
        if is_place && !goes_on {
            runs.push(Run { first: *count, left, top });
        }
        *count += usize::from(is_place);
        goes_on = is_place;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
    use super::*;

    #[test]
    fn places_are_those_of_the_definition() {
        // A disk with a hole.
        let (width, height, patch) = (40, 30, 7);
        let inside: Vec<bool> = (0..width * height)
            .map(|i| {
                let (x, y) = ((i % width) as i32 - 20, (i / width) as i32 - 14);
                (9..170).contains(&(x * x + y * y))
            })
            .collect();
        for share in [0.0, 0.5, 0.9, 1.0] {
            let share_at = |left: usize, top: usize| {
                let pixels = (0..patch * patch).map(|i| (left + i % patch, top + i / patch));
                let inside = pixels.filter(|&(x, y)| inside[y * width + x]).count();
                inside as f64 / (patch * patch) as f64
            };
            let all = (0..=height - patch)
                .flat_map(|top| (0..=width - patch).map(move |left| (left, top)));
            let expected: Vec<_> = all.filter(|&(x, y)| share_at(x, y) >= share).collect();
            let places = CropPlaces::within((width, height), &inside, patch, share).unwrap();
            let got: Vec<_> = (0..places.count()).map(|number| places.at(number)).collect();
            assert_eq!(got, expected, "{share}");
        }
        assert!(CropPlaces::within((5, 40), &[true; 200], 7, 0.5).is_none());
    }
}
