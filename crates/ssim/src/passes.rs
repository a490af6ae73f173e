//! Passes of a window over a pair of images, each compiled once for all pixel types and callers.

use std::ops::Range;

use crate::{
    formula::Formula,
    moments::{self, FULL, JOINT, MEANS},
    windowing::{Emit, Read, Windowing},
};

/// Quantities of a window that [`Pass::loss_and_coefficients`] yields: 1 − SSIM, and three coefficients of its gradient.
const COEFFICIENTS: usize = 4;

/// A pass over some rows of a pair.
#[derive(Clone, Copy)]
pub(crate) struct Pass<'a> {
    pub(crate) windowing: Windowing<'a>,
    pub(crate) formula: Formula,
}

impl Pass<'_> {
    /// The means of the images.
    pub(crate) fn means(&self, rows: Range<usize>, read: Read<'_>, emit: Emit<'_, MEANS>) {
        self.windowing.run(rows, read, self.relative(moments::means), |means| means, emit);
    }

    /// The moments that suffice where SSIM [is joint](Formula::is_joint).
    pub(crate) fn joint(&self, rows: Range<usize>, read: Read<'_>, emit: Emit<'_, JOINT>) {
        self.windowing.run(rows, read, self.relative(moments::joint), |means| means, emit);
    }

    /// All moments.
    pub(crate) fn full(&self, rows: Range<usize>, read: Read<'_>, emit: Emit<'_, FULL>) {
        self.windowing.run(rows, read, self.relative(moments::full), |means| means, emit);
    }

    /// SSIM, from the fewest moments that suffice.
    pub(crate) fn ssim(&self, rows: Range<usize>, read: Read<'_>, emit: Emit<'_, 1>) {
        let formula = self.formula;
        if formula.is_plain() {
            self.windowing.run(
                rows,
                read,
                self.relative(moments::joint),
                #[inline(always)]
                move |means| [formula.plain(means)],
                emit,
            );
        } else if formula.is_joint() {
            self.joint(rows, read, &mut mapped(emit, |means| [formula.joint(means)]));
        } else {
            self.full(rows, read, &mut mapped(emit, |means| [formula.ssim(means)]));
        }
    }

    /// 1 − SSIM, and the coefficients of the derivative of −SSIM with respect to the first image, from the fewest moments.
    pub(crate) fn loss_and_coefficients(
        &self,
        rows: Range<usize>,
        read: Read<'_>,
        emit: Emit<'_, COEFFICIENTS>,
    ) {
        let formula = self.formula;
        if formula.is_plain() {
            self.windowing.run(
                rows,
                read,
                self.relative(moments::joint),
                #[inline(always)]
                move |m| formula.plain_derivative(m).coefficients(m[0], m[1]),
                emit,
            );
        } else if formula.is_joint() {
            let linear = |m: [f64; JOINT]| formula.joint_derivative(m).coefficients(m[0], m[1]);
            self.joint(rows, read, &mut mapped(emit, linear));
        } else {
            let linear = |m: [f64; FULL]| formula.derivative(m).coefficients(m[0], m[1]);
            self.full(rows, read, &mut mapped(emit, linear));
        }
    }

    /// Moments of pixels relative to the origins of their images.
    #[inline(always)]
    fn relative<const C: usize>(
        &self,
        moments: impl Fn(f64, f64) -> [f64; C] + Copy,
    ) -> impl Fn([f64; 2]) -> [f64; C] + Copy {
        let origin = self.formula.origin();
        #[inline(always)]
        move |[x, y]| moments(x - origin[0], y - origin[1])
    }
}

/// The sums of three planes of coefficients under the window.
pub(crate) fn sums(
    windowing: &Windowing<'_>,
    rows: Range<usize>,
    read: Read<'_>,
    emit: Emit<'_, 3>,
) {
    windowing.run(rows, read, |k| k, |k| k, emit);
}

/// Hands on `value` of each window's moments.
fn mapped<const C: usize, const R: usize>(
    emit: Emit<'_, R>,
    value: impl Fn([f64; C]) -> [f64; R],
) -> impl FnMut(usize, usize, [&[f64]; C]) {
    let mut lines: [Vec<f64>; R] = std::array::from_fn(|_| Vec::new());
    move |row, column, moments| {
        lines.iter_mut().for_each(Vec::clear);
        for index in 0..moments[0].len() {
            for (line, value) in lines.iter_mut().zip(value(moments.map(|line| line[index]))) {
                line.push(value);
            }
        }
        emit(row, column, lines.each_ref().map(Vec::as_slice));
    }
}
