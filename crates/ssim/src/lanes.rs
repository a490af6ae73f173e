use crate::vectors::Vectors;

/// The most neighbours that are ever computed side by side.
pub(crate) const MOST_LANES: usize = 8;

/// `C` quantities of `L` neighbours that are computed side by side: columns in the vertical direction, rows in the
/// horizontal one.
///
/// The sums of one lane never wait for those of another, and are the same whatever the number of lanes.
pub(crate) type Lanes<const C: usize, const L: usize> = [[f64; L]; C];

#[inline(always)]
pub(crate) fn add<const C: usize, const L: usize>(
    mut a: Lanes<C, L>,
    b: Lanes<C, L>,
) -> Lanes<C, L> {
    for (a, b) in a.iter_mut().zip(b) {
        for (a, b) in a.iter_mut().zip(b) {
            *a += b;
        }
    }
    a
}

#[inline(always)]
pub(crate) fn difference<const C: usize, const L: usize>(
    mut a: Lanes<C, L>,
    b: Lanes<C, L>,
) -> Lanes<C, L> {
    for (a, b) in a.iter_mut().zip(b) {
        for (a, b) in a.iter_mut().zip(b) {
            *a -= b;
        }
    }
    a
}

#[inline(always)]
pub(crate) fn scaled<const C: usize, const L: usize>(mut a: Lanes<C, L>, by: f64) -> Lanes<C, L> {
    for a in a.as_flattened_mut() {
        *a *= by;
    }
    a
}

/// Computes `R` quantities of every lane from the `C` of `from`.
#[inline(always)]
pub(crate) fn per_lane<const C: usize, const R: usize, const L: usize>(
    from: Lanes<C, L>,
    quantities: impl Fn([f64; C]) -> [f64; R],
) -> Lanes<R, L> {
    let mut out = [[0.0; L]; R];
    for lane in 0..L {
        let mut arguments = [from[0][lane]; C];
        for (argument, lanes) in arguments.iter_mut().zip(&from) {
            *argument = lanes[lane];
        }
        for (lanes, quantity) in out.iter_mut().zip(quantities(arguments)) {
            lanes[lane] = quantity;
        }
    }
    out
}

/// Quantity number `index` of `L` neighbours, with lanes and neighbours exchanged.
#[inline(always)]
pub(crate) fn transposed<const C: usize, const L: usize>(
    vectors: Vectors<L>,
    neighbours: &[Lanes<C, L>; L],
    index: usize,
) -> Lanes<L, L> {
    let mut rows = [[0.0; L]; L];
    for (row, neighbour) in rows.iter_mut().zip(neighbours) {
        *row = neighbour[index];
    }
    vectors.transposed(rows)
}
