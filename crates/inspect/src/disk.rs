use crate::{Mask, Plane};

/// A flat disk-shaped structuring element, given by its *diameter* in pixels.
///
/// It holds the pixels of a `diameter` × `diameter` square whose centres lie within `diameter / 2` of the centre
/// of the square. The centre is a pixel for odd diameters and the corner between four pixels for even ones:
///
/// ```
/// use inspect::Disk;
///
/// let grid = |diameter| {
///     let footprint = Disk::with_diameter(diameter).footprint();
///     (0..diameter)
///         .map(|y| footprint.row(y).iter().map(|&inside| if inside { '#' } else { '.' }).collect())
///         .collect::<Vec<String>>()
/// };
/// assert_eq!(grid(2), ["##",
///                      "##"]);
/// assert_eq!(grid(3), ["###",
///                      "###",
///                      "###"]);
/// assert_eq!(grid(4), [".##.",
///                      "####",
///                      "####",
///                      ".##."]);
/// assert_eq!(grid(5), [".###.",
///                      "#####",
///                      "#####",
///                      "#####",
///                      ".###."]);
/// assert_eq!(grid(6), [".####.",
///                      "######",
///                      "######",
///                      "######",
///                      "######",
///                      ".####."]);
/// ```
///
/// The paper opens with a "circle of diameter 4", the third grid. What other libraries call `disk(4)` has a
/// *radius* of 4 and spans 9×9 pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk {
    diameter: usize,
}

impl Disk {
    /// A disk that spans `diameter` pixels. Diameters 0 and 1 leave an image as it is.
    pub fn with_diameter(diameter: usize) -> Self {
        Self { diameter }
    }

    /// The number of pixels that the disk spans in each direction.
    ///
    /// ```
    /// assert_eq!(inspect::Disk::with_diameter(4).diameter(), 4);
    /// ```
    pub fn diameter(self) -> usize {
        self.diameter
    }

    /// The disk as a mask of `diameter` × `diameter` pixels.
    pub fn footprint(self) -> Mask {
        let d = self.diameter;
        let centre = (d / 2) as isize;
        let mut mask = Plane::filled(d, d, false);
        for (row, pixels) in mask.data_mut().chunks_exact_mut(d.max(1)).enumerate() {
            let run = self.run(row as isize - centre);
            let start = (run.before + centre) as usize;
            pixels[start..start + run.length()].fill(true);
        }
        mask
    }

    /// The offsets of the rows of the disk, seen from the pixel right of and below the centre (the centre itself
    /// for odd diameters).
    pub(crate) fn rows(self) -> std::ops::Range<isize> {
        let before = (self.diameter / 2) as isize;
        -before..self.diameter as isize - before
    }

    /// The pixels of the row at offset `dy`, which must be one of [`Self::rows`].
    ///
    /// Doubled coordinates keep this exact: a pixel at offset `o` lies `2o + 1 - parity` half pixels from
    /// the centre, and is inside if `u² + v² <= diameter²`.
    pub(crate) fn run(self, dy: isize) -> Run {
        let even = isize::from(self.diameter.is_multiple_of(2));
        let v = (2 * dy + even).unsigned_abs() as u128;
        let reach = ((self.diameter as u128).pow(2) - v.pow(2)).isqrt() as isize;
        let after = (reach - even).div_euclid(2);
        Run { before: -after - even, after }
    }
}

/// A horizontal run of pixels at the offsets `before..=after`, with `before <= 0 <= after`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub before: isize,
    pub after: isize,
}

impl Run {
    pub fn length(self) -> usize {
        (self.after - self.before) as usize + 1
    }

    /// The run turned about the origin.
    pub fn reflected(self) -> Self {
        Self { before: -self.after, after: -self.before }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn footprints_hold_the_pixels_within_half_a_diameter() {
        for d in 0..40 {
            let footprint = Disk::with_diameter(d).footprint();
            // Distances from the centre in half pixels.
            let half = |i: usize| 2 * i as i64 - (d as i64 - 1);
            let naive =
                Plane::from_fn(d, d, |x, y| half(x).pow(2) + half(y).pow(2) <= (d as i64).pow(2));
            assert_eq!(footprint, naive, "diameter {d}");
        }
    }

    #[test]
    fn every_run_holds_its_origin() {
        for d in 1..40 {
            let disk = Disk::with_diameter(d);
            assert_eq!(disk.rows().len(), d);
            assert!(disk.rows().map(|dy| disk.run(dy)).all(|r| r.before <= 0 && 0 <= r.after));
        }
    }
}
