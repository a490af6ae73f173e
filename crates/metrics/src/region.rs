//! Connected regions of a ground-truth mask.

use std::ops::Range;

/// The 8-connected regions of a mask.
pub(crate) struct Regions {
    /// The number of pixels of each region.
    pub sizes: Vec<usize>,
    /// Horizontal runs of defective pixels, row by row, and their regions.
    pub runs: Vec<(Range<usize>, usize)>,
}

/// Labels the regions of a mask of rows of `width > 0` pixels by union-find
/// over the horizontal runs of its rows.
pub(crate) fn regions(mask: &[bool], width: usize) -> Regions {
    let mut forest = Forest::default();
    let mut runs = Vec::new();
    let mut above = 0..0;
    for (y, row) in mask.chunks(width).enumerate() {
        let current = runs.len();
        let found = row_runs(row, y * width).map(|run| (run, forest.plant()));
        runs.extend(found);
        join_rows(&mut forest, &runs[above], &runs[current..], width);
        above = current..runs.len();
    }
    number(&mut forest, runs)
}

/// The runs of defective pixels in a row that begins at `position`.
fn row_runs(row: &[bool], mut position: usize) -> impl Iterator<Item = Range<usize>> {
    // Most rows have none; looking at many pixels at a time tells so.
    let any = row.iter().fold(false, |any, &label| any | label);
    let row = if any { row } else { &[] };
    row.chunk_by(|left, right| left == right).filter_map(move |run| {
        let start = position;
        position += run.len();
        run[0].then_some(start..position)
    })
}

/// Joins the trees of the runs that touch, at a side or a corner, between two
/// neighbouring rows.
fn join_rows(
    forest: &mut Forest,
    mut above: &[(Range<usize>, usize)],
    mut below: &[(Range<usize>, usize)],
    width: usize,
) {
    while let ([(upper, a), ..], [(lower, b), ..]) = (above, below) {
        let upper = upper.start + width..upper.end + width;
        if upper.start <= lower.end && lower.start <= upper.end {
            forest.join(*a, *b);
        }
        if upper.end < lower.end {
            above = &above[1..];
        } else {
            below = &below[1..];
        }
    }
}

/// Replaces the tree of each run by the number of its region.
fn number(forest: &mut Forest, mut runs: Vec<(Range<usize>, usize)>) -> Regions {
    let mut sizes = Vec::new();
    let mut numbers = vec![None; runs.len()];
    for (run, tree) in &mut runs {
        *tree = *numbers[forest.root(*tree)].get_or_insert_with(|| {
            sizes.push(0);
            sizes.len() - 1
        });
        sizes[*tree] += run.len();
    }
    Regions { sizes, runs }
}

/// Disjoint sets, each a tree of parents.
#[derive(Default)]
struct Forest {
    parents: Vec<usize>,
}

impl Forest {
    fn plant(&mut self) -> usize {
        self.parents.push(self.parents.len());
        self.parents.len() - 1
    }

    /// The root of a tree; halves the path to it on the way.
    fn root(&mut self, mut node: usize) -> usize {
        while self.parents[node] != node {
            self.parents[node] = self.parents[self.parents[node]];
            node = self.parents[node];
        }
        node
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a.max(b)] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A mask drawn with `#` for defective pixels.
    fn mask(rows: &[&str]) -> (Vec<bool>, usize) {
        (rows.iter().flat_map(|row| row.bytes()).map(|c| c == b'#').collect(), rows[0].len())
    }

    fn sizes(rows: &[&str]) -> Vec<usize> {
        let (mask, width) = mask(rows);
        regions(&mask, width).sizes
    }

    #[test]
    fn corners_connect() {
        assert_eq!(sizes(&["#..", ".#.", "..#"]), [3]);
        assert_eq!(sizes(&["..#", ".#.", "#.."]), [3]);
    }

    #[test]
    fn rows_do_not_wrap_around() {
        assert_eq!(sizes(&["..#", "#.."]), [1, 1]);
        assert_eq!(sizes(&["..##", "....", "##.."]), [2, 2]);
    }

    #[test]
    fn late_joins_make_one_region() {
        assert_eq!(sizes(&["#.#.#", "#.#.#", "#####"]), [11]);
        assert_eq!(sizes(&["###..#", "#.#..#", "..#..#", "#.####"]), [13, 1]);
    }

    #[test]
    fn no_defect_no_region() {
        assert!(sizes(&["...", "..."]).is_empty());
    }

    /// Flood fill, the definition of connectedness.
    fn flood(mask: &[bool], width: usize) -> Vec<usize> {
        let mut open = mask.to_vec();
        let mut sizes = Vec::new();
        for start in 0..mask.len() {
            let (mut stack, mut size) = (vec![start], 0);
            while let Some(at) = stack.pop() {
                if !std::mem::take(&mut open[at]) {
                    continue;
                }
                size += 1;
                let (x, y) = (at % width, at / width);
                for ny in y.saturating_sub(1)..=(y + 1).min(mask.len() / width - 1) {
                    stack.extend(
                        (x.saturating_sub(1)..=(x + 1).min(width - 1)).map(|x| ny * width + x),
                    );
                }
            }
            if size > 0 {
                sizes.push(size);
            }
        }
        sizes
    }

    proptest! {
        #[test]
        fn regions_are_those_of_a_flood_fill(
            width in 1_usize..12,
            cells in proptest::collection::vec(proptest::bool::weighted(0.45), 12..144),
        ) {
            let mask = &cells[..cells.len() / width * width];
            let found = regions(mask, width);
            prop_assert_eq!(&found.sizes, &flood(mask, width));
            let covered: usize = found.runs.iter().map(|(run, _)| run.len()).sum();
            prop_assert_eq!(covered, mask.iter().filter(|&&cell| cell).count());
        }
    }
}
