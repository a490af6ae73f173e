use crate::union_find::UnionFind;
use crate::{Mask, Plane};

/// Which pixels count as neighbours.
///
/// ```
/// use inspect::{Connectivity, Mask, label};
///
/// let diagonal = Mask::new(2, 2, vec![true, false,
///                                     false, true])?;
/// let regions = |connectivity| label(&diagonal, connectivity).into_data().into_iter().max();
/// assert_eq!((regions(Connectivity::Four), regions(Connectivity::Eight)), (Some(2), Some(1)));
/// # Ok::<(), inspect::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Connectivity {
    /// The four that share an edge.
    Four,
    /// The eight that share an edge or a corner, as in MVTec's evaluation.
    #[default]
    Eight,
}

impl Connectivity {
    /// The offsets `(dx, dy)` of the neighbours that precede a pixel in row-major order.
    fn preceding(self) -> &'static [(isize, isize)] {
        match self {
            Self::Four => &[(-1, 0), (0, -1)],
            Self::Eight => &[(-1, 0), (-1, -1), (0, -1), (1, -1)],
        }
    }

    /// The offsets `(dx, dy)` of all neighbours.
    fn all(self) -> &'static [(isize, isize)] {
        match self {
            Self::Four => &[(-1, 0), (0, -1), (1, 0), (0, 1)],
            Self::Eight => &[(-1, -1), (0, -1), (1, -1), (-1, 0), (1, 0), (-1, 1), (0, 1), (1, 1)],
        }
    }

    /// The indices of all neighbours of a pixel inside a plane of the given size.
    pub(crate) fn neighbours(
        self,
        index: usize,
        width: usize,
        height: usize,
    ) -> impl Iterator<Item = usize> {
        neighbours(self.all(), index % width, index / width, width, height)
    }
}

fn neighbours(
    offsets: &[(isize, isize)],
    x: usize,
    y: usize,
    width: usize,
    height: usize,
) -> impl Iterator<Item = usize> {
    offsets.iter().filter_map(move |&(dx, dy)| {
        let x = x.checked_add_signed(dx).filter(|&x| x < width)?;
        let y = y.checked_add_signed(dy).filter(|&y| y < height)?;
        Some(y * width + x)
    })
}

/// Numbers the connected regions of a mask.
///
/// The background is 0; regions are 1, 2, … in the order of their first pixels, row by row.
///
/// ```
/// use inspect::{Connectivity, Mask, label};
///
/// let mask = Mask::new(4, 2, vec![true, false, false, true,
///                                 false, true, false, true])?;
/// assert_eq!(label(&mask, Connectivity::Eight).data(), [1, 0, 0, 2,
///                                                       0, 1, 0, 2]);
/// assert_eq!(label(&mask, Connectivity::Four).data(), [1, 0, 0, 2,
///                                                      0, 3, 0, 2]);
/// # Ok::<(), inspect::Error>(())
/// ```
#[doc(alias = "connected_components")]
#[doc(alias = "connectedComponents")]
pub fn label(mask: &Mask, connectivity: Connectivity) -> Plane<u32> {
    let (mut provisional, mut sets) = provisional_labels(mask, connectivity);
    let numbers = consecutive(&mut sets);
    for label in provisional.data_mut() {
        *label = numbers[*label as usize];
    }
    provisional
}

/// Gives every pixel the label of a neighbour seen before or a new one, and records which labels meet.
/// Label 0 is the background.
fn provisional_labels(mask: &Mask, connectivity: Connectivity) -> (Plane<u32>, UnionFind) {
    let (width, height) = (mask.width(), mask.height());
    let mut sets = UnionFind::singletons(1);
    let mut labels = Plane::filled(width, height, 0);
    for (index, _) in mask.data().iter().enumerate().filter(|&(_, &inside)| inside) {
        let (x, y) = (index % width, index / width);
        let label = neighbours(connectivity.preceding(), x, y, width, height)
            .map(|neighbour| labels.data()[neighbour] as usize)
            .filter(|&label| label != 0)
            .reduce(|a, b| sets.unite(a, b))
            .unwrap_or_else(|| sets.push());
        labels.data_mut()[index] = label as u32;
    }
    (labels, sets)
}

/// Numbers the sets consecutively. Roots are the smallest members and labels are given out row by row, so the
/// order of the roots is the order of the regions' first pixels.
fn consecutive(sets: &mut UnionFind) -> Vec<u32> {
    let mut numbers = vec![0; sets.len()];
    let mut next = 1;
    for label in 1..sets.len() {
        let root = sets.find(label);
        if root == label {
            numbers[label] = next;
            next += 1;
        } else {
            numbers[label] = numbers[root];
        }
    }
    numbers
}
