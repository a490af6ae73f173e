use rayon::prelude::*;

use crate::{
    Sample,
    formula::Formula,
    moments::{self, FULL, JOINT, MEANS},
    pair::Pair,
    plan::Plan,
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

    /// Cuts every plane after `len` values, or less at the end.
    fn split_off(&mut self, len: usize) -> Self {
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
        fill(
            plan,
            pair,
            targets,
            moments::full,
            #[inline(always)]
            |to, at, means| {
                write_full(&formula, to, at, means);
            },
        );
    } else if targets.ssim.is_some() {
        fill(
            plan,
            pair,
            targets,
            moments::joint,
            #[inline(always)]
            |to, at, means| {
                write_joint(&formula, to, at, means);
            },
        );
    } else {
        fill(
            plan,
            pair,
            targets,
            moments::means,
            #[inline(always)]
            |to, at, means| {
                write_means(&formula, to, at, means);
            },
        );
    }
}

/// Runs the strips in parallel; `write(strip, offset, means)` stores a stretch of each map.
fn fill<T: Sample, const C: usize>(
    plan: &Plan,
    pair: &Pair<'_, T>,
    mut targets: Targets<'_, T>,
    moments: impl Fn(f64, f64) -> [f64; C] + Sync,
    write: impl Fn(&mut Targets<'_, T>, usize, &[[f64; C]]) + Sync,
) {
    let windowing = plan.forward();
    let strips: Vec<_> = windowing
        .strips()
        .map(|rows| (rows.clone(), targets.split_off(rows.len() * plan.map_width)))
        .collect();
    strips.into_par_iter().for_each(|(rows, mut strip)| {
        let start = rows.start;
        windowing.run(
            rows,
            #[inline(always)]
            |row, columns, out| pair.read(row, columns, out, &moments),
            #[inline(always)]
            |row, column, means| write(&mut strip, (row - start) * plan.map_width + column, means),
        );
    });
}

#[inline(always)]
fn write_means<T: Sample>(
    formula: &Formula,
    to: &mut Targets<'_, T>,
    at: usize,
    means: &[[f64; MEANS]],
) {
    store(
        &mut to.luminance,
        at,
        means,
        #[inline(always)]
        |[x, y]| formula.luminance(x, y),
    );
}

#[inline(always)]
fn write_joint<T: Sample>(
    formula: &Formula,
    to: &mut Targets<'_, T>,
    at: usize,
    means: &[[f64; JOINT]],
) {
    store(
        &mut to.luminance,
        at,
        means,
        #[inline(always)]
        |[x, y, ..]| formula.luminance(x, y),
    );
    if formula.is_plain() {
        store(
            &mut to.ssim,
            at,
            means,
            #[inline(always)]
            |moments| formula.plain(moments),
        );
    } else {
        store(
            &mut to.ssim,
            at,
            means,
            #[inline(always)]
            |moments| formula.joint(moments),
        );
    }
}

#[inline(always)]
fn write_full<T: Sample>(
    formula: &Formula,
    to: &mut Targets<'_, T>,
    at: usize,
    means: &[[f64; FULL]],
) {
    store(
        &mut to.luminance,
        at,
        means,
        #[inline(always)]
        |[x, y, ..]| formula.luminance(x, y),
    );
    store(
        &mut to.contrast,
        at,
        means,
        #[inline(always)]
        |moments| formula.contrast(moments),
    );
    store(
        &mut to.structure,
        at,
        means,
        #[inline(always)]
        |moments| formula.structure(moments),
    );
    store(
        &mut to.ssim,
        at,
        means,
        #[inline(always)]
        |moments| formula.ssim(moments),
    );
}

#[inline(always)]
fn store<T: Sample, const C: usize>(
    plane: &mut Option<&mut [T]>,
    at: usize,
    means: &[[f64; C]],
    value: impl Fn([f64; C]) -> f64,
) {
    if let Some(plane) = plane {
        for (out, means) in plane[at..at + means.len()].iter_mut().zip(means) {
            *out = T::saturating_from(value(*means));
        }
    }
}
