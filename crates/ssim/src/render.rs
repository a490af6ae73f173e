use std::ops::Range;

use rayon::prelude::*;

#[cfg(feature = "candle")]
use crate::Components;
use crate::{
    Sample,
    formula::Formula,
    moments::{FULL, JOINT},
    pair::Pair,
    passes::Pass,
    plan::Plan,
    vectors::Widest,
    windowing::{Emit, Read},
};

/// Where the maps go: whole planes, or the same strip of each.
pub(crate) struct Targets<'a, T> {
    pub(crate) luminance: Option<&'a mut [T]>,
    pub(crate) contrast: Option<&'a mut [T]>,
    pub(crate) structure: Option<&'a mut [T]>,
    pub(crate) ssim: Option<&'a mut [T]>,
}

impl<'a, T> Targets<'a, T> {
    /// The SSIM map alone.
    pub(crate) fn ssim(plane: &'a mut [T]) -> Self {
        Self { luminance: None, contrast: None, structure: None, ssim: Some(plane) }
    }

    /// The wanted maps of `values`, which holds one after the other.
    #[cfg(feature = "candle")]
    pub(crate) fn split(values: &'a mut [T], components: Components) -> Self {
        let mut maps = values.chunks_mut(values.len() / components.len());
        let mut wanted = |map| if components.contains(map) { maps.next() } else { None };
        Self {
            luminance: wanted(Components::LUMINANCE),
            contrast: wanted(Components::CONTRAST),
            structure: wanted(Components::STRUCTURE),
            ssim: wanted(Components::SSIM),
        }
    }

    /// Cuts every plane after `len` values, or less at the end.
    pub(crate) fn split_off(&mut self, len: usize) -> Self {
        let cut = |plane: &mut Option<&'a mut [T]>| {
            plane.as_mut().and_then(|rest| rest.split_off_mut(..len.min(rest.len())))
        };
        Self {
            luminance: cut(&mut self.luminance),
            contrast: cut(&mut self.contrast),
            structure: cut(&mut self.structure),
            ssim: cut(&mut self.ssim),
        }
    }
}

/// Computes the targets, from the fewest moments that suffice for them.
pub(crate) fn render<T: Sample>(plan: &Plan, pair: &Pair<'_, T>, targets: Targets<'_, T>) {
    let formula = Formula::new(&plan.params, pair.origin());
    let pass = Pass { windowing: plan.forward(), formula };
    let separate = targets.contrast.is_some() || targets.structure.is_some();
    if targets.ssim.is_none() && !separate {
        fill(
            pass,
            pair,
            targets,
            Pass::means,
            #[inline(always)]
            |to, at, means| store(&mut to.luminance, at, means, &formula, luminance),
        );
    } else if !separate && targets.luminance.is_none() {
        fill(
            Pass { windowing: plan.forward_ssim(&formula, pair), formula },
            pair,
            targets,
            Pass::ssim,
            #[inline(always)]
            |to, at, [ssim]| copy(&mut to.ssim, at, ssim),
        );
    } else if !separate && formula.is_joint() {
        fill(
            pass,
            pair,
            targets,
            Pass::joint,
            #[inline(always)]
            |to, at, means| write_joint(&formula, to, at, means),
        );
    } else {
        fill(
            pass,
            pair,
            targets,
            Pass::full,
            #[inline(always)]
            |to, at, means| write_full(&formula, to, at, means),
        );
    }
}

/// Runs the strips in parallel; `write(strip, offset, results)` stores a stretch of each map.
fn fill<'a, T: Sample, const R: usize>(
    pass: Pass<'a>,
    pair: &Pair<'_, T>,
    mut targets: Targets<'_, T>,
    run: impl Fn(&Pass<'a>, Range<usize>, Read<'_>, Emit<'_, R>) + Sync,
    write: impl Fn(&mut Targets<'_, T>, usize, [&[f64]; R]) + Sync,
) {
    let windowing = pass.windowing;
    let width = windowing.width();
    let strips: Vec<_> = windowing
        .strips()
        .map(|rows| (rows.clone(), targets.split_off(rows.len() * width)))
        .collect();
    strips.into_par_iter().for_each(|(rows, mut strip)| {
        let start = rows.start;
        run(&pass, rows, &pair.reader(windowing.padding), &mut |row, column, results| {
            Widest::run(
                #[inline(always)]
                || write(&mut strip, (row - start) * width + column, results),
            );
        });
    });
}

#[inline(always)]
fn write_joint<T: Sample>(
    formula: &Formula,
    to: &mut Targets<'_, T>,
    at: usize,
    means: [&[f64]; JOINT],
) {
    store(&mut to.luminance, at, means, formula, luminance);
    if formula.is_plain() {
        store(&mut to.ssim, at, means, formula, Formula::plain);
    } else {
        store(&mut to.ssim, at, means, formula, Formula::joint);
    }
}

#[inline(always)]
fn write_full<T: Sample>(
    formula: &Formula,
    to: &mut Targets<'_, T>,
    at: usize,
    means: [&[f64]; FULL],
) {
    store(&mut to.luminance, at, means, formula, luminance);
    store(&mut to.contrast, at, means, formula, Formula::contrast);
    store(&mut to.structure, at, means, formula, Formula::structure);
    if formula.is_plain() {
        store(&mut to.ssim, at, means, formula, |formula, [x, y, xx, yy, xy]| {
            formula.plain([x, y, xx + yy, xy])
        });
    } else {
        store(&mut to.ssim, at, means, formula, Formula::ssim);
    }
}

/// Of moments that begin with the means.
#[inline(always)]
fn luminance<const C: usize>(formula: &Formula, moments: [f64; C]) -> f64 {
    formula.luminance(moments[0], moments[1])
}

#[inline(always)]
fn copy<T: Sample>(plane: &mut Option<&mut [T]>, at: usize, values: &[f64]) {
    if let Some(plane) = plane {
        for (out, value) in plane[at..at + values.len()].iter_mut().zip(values) {
            *out = T::saturating_from(*value);
        }
    }
}

#[inline(always)]
fn store<T: Sample, const C: usize>(
    plane: &mut Option<&mut [T]>,
    at: usize,
    means: [&[f64]; C],
    formula: &Formula,
    value: impl Fn(&Formula, [f64; C]) -> f64,
) {
    if let Some(plane) = plane {
        let len = means[0].len();
        let mut lines = [&means[0][..len]; C];
        for (line, mean) in lines.iter_mut().zip(means) {
            *line = &mean[..len];
        }
        for (index, out) in plane[at..at + len].iter_mut().enumerate() {
            let mut window = [0.0; C];
            for (value, line) in window.iter_mut().zip(lines) {
                *value = line[index];
            }
            *out = T::saturating_from(value(formula, window));
        }
    }
}
