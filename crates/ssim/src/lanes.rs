use crate::vectors::exchanged;

/// Neighbours that are computed side by side: columns in the vertical direction, rows in the horizontal one.
///
/// Four `f64` fill a vector of AVX2. The sums of one lane then never wait for those of another.
pub(crate) const LANES: usize = 4;

/// `C` quantities of [`LANES`] neighbours.
pub(crate) type Lanes<const C: usize> = [[f64; LANES]; C];

/// One quantity that is nothing.
pub(crate) const ZERO: [f64; LANES] = [0.0; LANES];

#[inline(always)]
pub(crate) fn add<const C: usize>(mut a: Lanes<C>, b: Lanes<C>) -> Lanes<C> {
    for (a, b) in a.iter_mut().zip(b) {
        for (a, b) in a.iter_mut().zip(b) {
            *a += b;
        }
    }
    a
}

#[inline(always)]
pub(crate) fn difference<const C: usize>(mut a: Lanes<C>, b: Lanes<C>) -> Lanes<C> {
    for (a, b) in a.iter_mut().zip(b) {
        for (a, b) in a.iter_mut().zip(b) {
            *a -= b;
        }
    }
    a
}

#[inline(always)]
pub(crate) fn scaled<const C: usize>(mut a: Lanes<C>, by: f64) -> Lanes<C> {
    for a in a.as_flattened_mut() {
        *a *= by;
    }
    a
}

/// Computes `R` quantities of every lane from the `C` of `from`.
#[inline(always)]
pub(crate) fn per_lane<P: Copy, const C: usize, const R: usize>(
    from: [[P; LANES]; C],
    quantities: impl Fn([P; C]) -> [f64; R],
) -> Lanes<R> {
    let mut out = [ZERO; R];
    for lane in 0..LANES {
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

/// Quantity number `index` of [`LANES`] neighbours, with lanes and neighbours exchanged.
#[inline(always)]
pub(crate) fn transposed<const C: usize>(
    neighbours: &[Lanes<C>; LANES],
    index: usize,
) -> Lanes<LANES> {
    let mut transposed = [ZERO; LANES];
    for first in (0..LANES).step_by(2) {
        let (a, b) = (neighbours[first][index], neighbours[first + 1][index]);
        for lane in (0..LANES).step_by(2) {
            let pair = exchanged([a[lane], a[lane + 1]], [b[lane], b[lane + 1]]);
            for (out, values) in transposed[lane..].iter_mut().zip(pair) {
                out[first..first + 2].copy_from_slice(&values);
            }
        }
    }
    transposed
}
