use rayon::prelude::*;

#[cfg(feature = "candle")]
use crate::Components;
use crate::{
    Sample,
    formula::Formula,
    moments::{self, FULL, JOINT},
    pair::Pair,
    plan::Plan,
    windowing::Windowing,
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
    let separate = targets.contrast.is_some() || targets.structure.is_some();
    if separate || targets.ssim.is_some() && !formula.is_joint() {
        render_any(plan, pair, targets, formula);
    } else if targets.ssim.is_some() && targets.luminance.is_none() && formula.is_plain() {
        render_plain(plan, pair, targets, formula);
    } else if targets.ssim.is_some() {
        render_joint(plan, pair, targets, formula);
    } else {
        render_luminance(plan, pair, targets, formula);
    }
}

fn render_any<T: Sample>(
    plan: &Plan,
    pair: &Pair<'_, T>,
    targets: Targets<'_, T>,
    formula: Formula,
) {
    fill(
        plan.forward(),
        pair,
        targets,
        moments::full,
        #[inline(always)]
        |means| means,
        #[inline(always)]
        |to, at, means| write_full(&formula, to, at, means),
    );
}

/// SSIM and nothing else, of exponents 1 and c3 = c2/2.
fn render_plain<T: Sample>(
    plan: &Plan,
    pair: &Pair<'_, T>,
    targets: Targets<'_, T>,
    formula: Formula,
) {
    fill(
        plan.forward_running(pair),
        pair,
        targets,
        moments::joint,
        #[inline(always)]
        move |means| [formula.plain(means)],
        #[inline(always)]
        |to, at, [ssim]| copy(&mut to.ssim, at, ssim),
    );
}

/// SSIM, whose contrast and structure are one ratio, and maybe luminance.
fn render_joint<T: Sample>(
    plan: &Plan,
    pair: &Pair<'_, T>,
    targets: Targets<'_, T>,
    formula: Formula,
) {
    fill(
        plan.forward(),
        pair,
        targets,
        moments::joint,
        #[inline(always)]
        |means| means,
        #[inline(always)]
        |to, at, means| write_joint(&formula, to, at, means),
    );
}

fn render_luminance<T: Sample>(
    plan: &Plan,
    pair: &Pair<'_, T>,
    targets: Targets<'_, T>,
    formula: Formula,
) {
    fill(
        plan.forward(),
        pair,
        targets,
        moments::means,
        #[inline(always)]
        move |[x, y]| [formula.luminance(x, y)],
        #[inline(always)]
        |to, at, [luminance]| copy(&mut to.luminance, at, luminance),
    );
}

/// Runs the strips in parallel; `write(strip, offset, results)` stores a stretch of each map.
fn fill<T: Sample, const C: usize, const R: usize>(
    windowing: Windowing<'_>,
    pair: &Pair<'_, T>,
    mut targets: Targets<'_, T>,
    moments: impl Fn(f64, f64) -> [f64; C] + Copy + Sync,
    results: impl Fn([f64; C]) -> [f64; R] + Copy + Sync,
    write: impl Fn(&mut Targets<'_, T>, usize, [&[f64]; R]) + Sync,
) {
    let width = windowing.width();
    let strips: Vec<_> = windowing
        .strips()
        .map(|rows| (rows.clone(), targets.split_off(rows.len() * width)))
        .collect();
    strips.into_par_iter().for_each(|(rows, mut strip)| {
        let start = rows.start;
        windowing.run(
            rows,
            pair.planes(),
            pair.relative(moments),
            results,
            #[inline(always)]
            |row, column, results| {
                write(&mut strip, (row - start) * width + column, results);
            },
        );
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
