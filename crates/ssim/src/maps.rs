use rayon::prelude::*;

use crate::{
    Components, Error, Params, Sample,
    formula::Formula,
    moments::{self, FULL, JOINT, MEANS},
    pair::Pair,
    plan::Plan,
};

/// One value per window, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Map<T = f32> {
    /// Windows per row.
    pub width: usize,
    /// Rows of windows.
    pub height: usize,
    /// `width * height` values in row-major order.
    pub values: Vec<T>,
}

/// The maps that were asked for, all of the same size, row by row.
///
/// The bounds are exact for `f32`; a value of type `f64` may exceed 1 by its last bit.
#[derive(Debug, Clone, PartialEq)]
pub struct Maps<T = f32> {
    /// Windows per row.
    pub width: usize,
    /// Rows of windows.
    pub height: usize,
    /// Luminance l; in [0, 1] for images without negative values, otherwise in [-1, 1].
    pub luminance: Option<Vec<T>>,
    /// Contrast c, in [0, 1].
    pub contrast: Option<Vec<T>>,
    /// Structure s, in [-1, 1].
    pub structure: Option<Vec<T>>,
    /// SSIM, in [-1, 1].
    pub ssim: Option<Vec<T>>,
}

/// Computes the maps in `components` of two row-major images of `width`×`height` pixels.
///
/// Only what the wanted maps depend on is computed: luminance needs no variances, and SSIM with
/// β = γ and c3 = c2/2 needs no square roots. The exponents apply to SSIM, not to its factors.
///
/// ```
/// use ssim::{Border, Components, Constants, Params, Window};
///
/// // Windows of one pixel have no variance: (2·0·1 + 0.5) / (0² + 1² + 0.5) = 1/3, and 1.
/// let params = Params::new(Window::Uniform { size: 1 }, Border::Valid, Constants::given(0.5, 0.5));
/// let maps = ssim::maps(&[0.0, 1.0], &[1.0, 1.0], 2, 1, &params, Components::SSIM)?;
/// assert_eq!(maps.ssim, Some(vec![1.0 / 3.0, 1.0]));
/// # Ok::<(), ssim::Error>(())
/// ```
///
/// # Errors
/// An invalid window, constant or exponent; a window larger than the image; a slice of the wrong
/// length; a pixel that is NaN, infinite or beyond the range of `f32`.
pub fn maps<T: Sample>(
    x: &[T],
    y: &[T],
    width: usize,
    height: usize,
    params: &Params,
    components: Components,
) -> Result<Maps<T>, Error> {
    let plan = Plan::new(params, width, height)?;
    let pair = Pair::new(x, y, width, height)?;
    let plane = |component| components.contains(component).then(|| vec![T::ZERO; plan.map_len()]);
    let mut luminance = plane(Components::LUMINANCE);
    let mut contrast = plane(Components::CONTRAST);
    let mut structure = plane(Components::STRUCTURE);
    let mut ssim = plane(Components::SSIM);
    let targets = Targets {
        luminance: luminance.as_deref_mut(),
        contrast: contrast.as_deref_mut(),
        structure: structure.as_deref_mut(),
        ssim: ssim.as_deref_mut(),
    };
    render(&plan, &pair, targets);
    Ok(Maps {
        width: plan.map_width,
        height: plan.map_height,
        luminance,
        contrast,
        structure,
        ssim,
    })
}

/// Computes the SSIM map of two row-major images of `width`×`height` pixels.
///
/// # Errors
/// As [`maps`].
pub fn ssim_map<T: Sample>(
    x: &[T],
    y: &[T],
    width: usize,
    height: usize,
    params: &Params,
) -> Result<Map<T>, Error> {
    let plan = Plan::new(params, width, height)?;
    let pair = Pair::new(x, y, width, height)?;
    let mut values = vec![T::ZERO; plan.map_len()];
    ssim_into(&plan, &pair, &mut values);
    Ok(Map { width: plan.map_width, height: plan.map_height, values })
}

pub(crate) fn ssim_into<T: Sample>(plan: &Plan, pair: &Pair<'_, T>, ssim: &mut [T]) {
    render(
        plan,
        pair,
        Targets { luminance: None, contrast: None, structure: None, ssim: Some(ssim) },
    );
}

/// Where the maps go: whole planes, or the same strip of each.
struct Targets<'a, T> {
    luminance: Option<&'a mut [T]>,
    contrast: Option<&'a mut [T]>,
    structure: Option<&'a mut [T]>,
    ssim: Option<&'a mut [T]>,
}

impl<'a, T> Targets<'a, T> {
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

/// Chooses the fewest moments that the targets can be computed from.
fn render<T: Sample>(plan: &Plan, pair: &Pair<'_, T>, targets: Targets<'_, T>) {
    let formula = Formula::new(&plan.params, pair.origin());
    let separate = targets.contrast.is_some() || targets.structure.is_some();
    if separate || targets.ssim.is_some() && !formula.is_joint() {
        fill(plan, pair, targets, moments::full, |to, at, means| {
            write_full(&formula, to, at, means);
        });
    } else if targets.ssim.is_some() {
        fill(plan, pair, targets, moments::joint, |to, at, means| {
            write_joint(&formula, to, at, means);
        });
    } else {
        fill(plan, pair, targets, moments::means, |to, at, means| {
            write_means(&formula, to, at, means);
        });
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
            |row, columns, out| pair.read(row, columns, out, &moments),
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
    store(&mut to.luminance, at, means, |[x, y]| formula.luminance(x, y));
}

#[inline(always)]
fn write_joint<T: Sample>(
    formula: &Formula,
    to: &mut Targets<'_, T>,
    at: usize,
    means: &[[f64; JOINT]],
) {
    store(&mut to.luminance, at, means, |[x, y, ..]| formula.luminance(x, y));
    if formula.is_plain() {
        store(&mut to.ssim, at, means, |moments| formula.plain(moments));
    } else {
        store(&mut to.ssim, at, means, |moments| formula.joint(moments));
    }
}

#[inline(always)]
fn write_full<T: Sample>(
    formula: &Formula,
    to: &mut Targets<'_, T>,
    at: usize,
    means: &[[f64; FULL]],
) {
    store(&mut to.luminance, at, means, |[x, y, ..]| formula.luminance(x, y));
    store(&mut to.contrast, at, means, |moments| formula.contrast(moments));
    store(&mut to.structure, at, means, |moments| formula.structure(moments));
    store(&mut to.ssim, at, means, |moments| formula.ssim(moments));
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
