use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::disk::Run;
use crate::{Disk, Plane};

/// Pixels of a strip of a large plane.
const STRIP: usize = 1 << 22;

/// Opens a map or a mask with a disk: bright structures into which the disk does not fit are removed.
///
/// Every pixel becomes the largest value at which some translate of the disk that covers the pixel fits under the
/// map. The result is never above the input, and opening it again changes nothing. A diameter of 4 removes the thin
/// line and keeps the disk:
///
/// ```
/// use inspect::{Disk, Mask, open};
///
/// let mask = |rows: [&str; 7]| Mask::from_fn(7, 7, |x, y| rows[y].as_bytes()[x] == b'#');
/// let defects = mask(["#......",
///                     "#..##..",
///                     "#.####.",
///                     "#.####.",
///                     "...##..",
///                     ".......",
///                     "......."]);
/// let opened = mask([".......",
///                    "...##..",
///                    "..####.",
///                    "..####.",
///                    "...##..",
///                    ".......",
///                    "......."]);
/// assert_eq!(open(&defects, Disk::with_diameter(4)), opened);
/// ```
///
/// # Grey-scale and binary
/// Both are this function. A flat opening only takes minima and maxima, and comparing with a threshold commutes
/// with both (`min(a, b) >= t` exactly if `a >= t` and `b >= t`; likewise for the maximum and *or*). So, for every
/// threshold, the thresholded opening is the opening of the thresholded map: a single grey-scale opening yields the
/// exact ROC of the post-processed masks at all thresholds.
///
/// # Border
/// Pixels outside the plane are ignored, as by default in OpenCV and with `mode="ignore"` in scikit-image: they
/// neither hinder the disk nor support it. The disk may hang over the border as long as its centre pixel stays
/// inside, so a structure cut by the border needs to hold only the part of the disk inside.
///
/// For even diameters the centre pixel is the one right of and below the centre (OpenCV's default anchor;
/// scikit-image takes the other), hence the disk may hang over the left and upper border by a pixel more than over the
/// others. Away from the border the choice has no effect: the dilation uses the reflected disk and undoes the
/// shift.
///
/// The time per pixel grows with the diameter, the memory does not; nor does it with the plane, but for the result. NaN has no
/// order; the result is then unspecified.
#[doc(alias = "morphologyEx")]
#[doc(alias = "MORPH_OPEN")]
pub fn open<T: Copy + PartialOrd + Send + Sync>(plane: &Plane<T>, disk: Disk) -> Plane<T> {
    if disk.diameter() <= 1 {
        return plane.clone();
    }
    // High enough that the rows that two strips share are few.
    let rows = (STRIP / plane.width().max(1)).max(disk.diameter().saturating_mul(8));
    open_in_strips(plane, disk, rows)
}

/// Opens strips of `rows` rows, each together with the rows beyond it that its result depends on.
fn open_in_strips<T: Copy + PartialOrd + Send + Sync>(
    plane: &Plane<T>,
    disk: Disk,
    rows: usize,
) -> Plane<T> {
    let (width, height) = plane.size();
    if rows >= height {
        return open_whole(plane, disk);
    }
    // The disk that covers a pixel spans no more.
    let reach = disk.diameter() - 1;
    let mut opened = plane.clone();
    for (strip, out) in opened.data_mut().chunks_mut(rows * width).enumerate() {
        let top = strip * rows;
        let span = top.saturating_sub(reach)..height.min((top + rows).saturating_add(reach));
        let part = Plane::from_rows(plane, span.clone());
        let part = open_whole(&part, disk);
        out.copy_from_slice(&part.data()[(top - span.start) * width..][..out.len()]);
    }
    opened
}

fn open_whole<T: Copy + PartialOrd + Send + Sync>(plane: &Plane<T>, disk: Disk) -> Plane<T> {
    let (width, height) = (plane.width() as isize, plane.height() as isize);
    let rows = disk.rows();
    let clipped = rows.start.max(1 - height)..rows.end.min(height);
    let runs: Vec<_> = clipped.map(|dy| (dy, clip(disk.run(dy), width))).collect();
    let reflected: Vec<_> = runs.iter().map(|&(dy, run)| (-dy, run.reflected())).collect();

    let eroded = sweep(plane, &runs, |a, b| if b < a { b } else { a });
    sweep(&eroded, &reflected, |a, b| if b > a { b } else { a })
}

/// Offsets beyond the width never meet a pixel; leaving them out bounds the work by the image's size.
fn clip(run: Run, width: isize) -> Run {
    Run { before: run.before.max(1 - width), after: run.after.min(width - 1) }
}

/// The extremum that `pick` chooses among the pixels of the structuring element made of `runs`, for every pixel.
///
/// The rows of a disk repeat: each distinct run is slid over the plane once and merged into all rows it serves.
fn sweep<T: Copy + Send + Sync>(
    plane: &Plane<T>,
    runs: &[(isize, Run)],
    pick: impl Fn(T, T) -> T + Sync,
) -> Plane<T> {
    let mut offsets_by_run = BTreeMap::<_, Vec<isize>>::new();
    for &(dy, run) in runs {
        offsets_by_run.entry((run.before, run.after)).or_default().push(dy);
    }
    // The element holds its own origin, so the plane itself is the first candidate.
    let mut extremes = plane.clone();
    let mut slid = plane.clone();
    for ((before, after), offsets) in offsets_by_run {
        slide(plane, Run { before, after }, &pick, &mut slid);
        merge(&mut extremes, &slid, &offsets, &pick);
    }
    extremes
}

/// Writes the extremum over the horizontal `run` at every pixel of `plane` to `slid`.
fn slide<T: Copy + Send + Sync>(
    plane: &Plane<T>,
    run: Run,
    pick: &(impl Fn(T, T) -> T + Sync),
    slid: &mut Plane<T>,
) {
    let width = plane.width().max(1);
    plane
        .data()
        .par_chunks_exact(width)
        .zip(slid.data_mut().par_chunks_exact_mut(width))
        .for_each_init(Vec::new, |padded, (row, out)| {
            // Repeating the outermost pixels is the same as ignoring the outside: whenever the run reaches over
            // the border, it holds the outermost pixel.
            padded.clear();
            padded.resize(run.before.unsigned_abs(), row[0]);
            padded.extend_from_slice(row);
            padded.resize(width + run.length() - 1, row[width - 1]);
            slide_row(padded, run.length(), pick);
            out.copy_from_slice(&padded[..width]);
        });
}

/// Replaces `row[i]` by the extremum of `row[i..i + length]`, by doubling the reach until two spans suffice.
fn slide_row<T: Copy>(row: &mut [T], length: usize, pick: impl Fn(T, T) -> T) {
    let mut reach = 1;
    while reach < length {
        let step = reach.min(length - reach);
        for i in 0..row.len() - step {
            row[i] = pick(row[i], row[i + step]);
        }
        reach += step;
    }
}

/// Merges row `y + dy` of `slid` into row `y` of `extremes`, for every `dy` and every `y` for which it exists.
fn merge<T: Copy + Send + Sync>(
    extremes: &mut Plane<T>,
    slid: &Plane<T>,
    offsets: &[isize],
    pick: &(impl Fn(T, T) -> T + Sync),
) {
    let (width, height) = (slid.width().max(1), slid.height());
    extremes.data_mut().par_chunks_exact_mut(width).enumerate().for_each(|(y, out)| {
        let sources = offsets.iter().filter_map(|&dy| y.checked_add_signed(dy));
        for source in sources.filter(|&source| source < height) {
            for (extreme, &candidate) in out.iter_mut().zip(slid.row(source)) {
                *extreme = pick(*extreme, candidate);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn strips_give_the_opening_of_the_whole(
            width in 1usize..12, height in 1usize..40, diameter in 2usize..9, rows in 1usize..12,
            seed in any::<u32>(),
        ) {
            let noise = |i: usize| (i as u32 ^ seed).wrapping_mul(2_654_435_761) >> 28;
            let plane = Plane::from_fn(width, height, |x, y| noise(y * width + x));
            let disk = Disk::with_diameter(diameter);
            prop_assert_eq!(open_in_strips(&plane, disk, rows), open_whole(&plane, disk));
        }
    }
}
