//! Defects that are drawn into good images, as a decision and its scores see them.

use crate::Result;
use crate::error::Context;
use crate::files::shown;
use crate::inspector::Inspector;
use crate::pixel_area::{ascending, pixel_area};
use crate::progress::{Progress, tell};
use crate::records::{DrawnDefects, DrawnFound};
use crate::spread::spread;
use crate::synthetic::{Defective, Drawing, DrawnDefect, DrawnKind, draw_kinds};
use crate::view::View;
use inspect::{Decision, Image, Mask, NOT_SCORED, Reference};
use std::path::{Path, PathBuf};

/// The contrast of defects that nobody would miss, in deviations of the texture, and the factor of their size.
const CONTRAST: f32 = 5.0;
const SIZE: f32 = 2.0;

/// Defects to draw, eight of each kind, if the images have room for them.
const DEFECTS: usize = 8 * DrawnKind::VISIBLE.len();

/// Scores of good images that those of defects are compared with, at most.
const GOOD_SCORES: usize = 1 << 18;

/// The most pixels that are inspected for it, unless one image has more: seconds.
const PIXELS: usize = 3 << 20;

/// A calibrated decision, and the images that it comes from.
pub struct Calibrated<'a> {
    pub inspector: &'a Inspector,
    /// Present if scores are relative.
    pub reference: Option<&'a Reference>,
    pub decision: Decision,
    /// Good images.
    pub images: &'a [PathBuf],
    /// The anomaly map of each.
    pub maps: &'a [Image],
}

/// A defect, and the area under the ROC curve of its pixels and of good ones.
struct Judged {
    kind: DrawnKind,
    is_found: bool,
    area: f64,
}

/// Draws clear defects into some of the images, and counts those that the decision finds. There is none if no image has room for one.
///
/// # Errors
/// If an image cannot be read or inspected, or the caller cancels.
pub fn found_of_drawn(
    calibrated: &Calibrated<'_>,
    progress: &mut Progress<'_>,
) -> Result<Option<DrawnDefects>> {
    let images = calibrated.images;
    let good = good_scores(calibrated.maps);
    let (mut judged, mut pixels, mut drawn_into) = (Vec::new(), 0, 0);
    for index in spread(images.len()) {
        tell(progress, images.len())?;
        let path = &images[index];
        let inspected = inspect_drawn(calibrated, path, &good, judged.len());
        let (size, of_image) =
            inspected.with_context(|| format!("cannot inspect {}", shown(path)))?;
        judged.extend(of_image);
        (pixels, drawn_into) = (pixels + size, drawn_into + 1);
        // As many pixels for the next image would be too many.
        if judged.len() >= DEFECTS || pixels + size > PIXELS {
            break;
        }
    }
    Ok((!judged.is_empty()).then(|| DrawnDefects {
        images: drawn_into,
        contrast: CONTRAST,
        size: SIZE,
        au_roc: mean_area(&judged),
        kinds: kinds(&judged),
    }))
}

/// Scores of good images in ascending order, evenly spaced over all pixels.
fn good_scores(maps: &[Image]) -> Vec<f32> {
    let scores = || maps.iter().flat_map(|map| map.data()).filter(|score| **score > NOT_SCORED);
    let step = scores().count().div_ceil(GOOD_SCORES).max(1);
    ascending(scores().step_by(step).copied().collect())
}

/// The pixels that were inspected, and the defects drawn into the image, the first of number `first`. A defect that lies outside of the
/// region of interest by more than a half of it is left out.
fn inspect_drawn(
    calibrated: &Calibrated<'_>,
    path: &Path,
    good: &[f32],
    first: usize,
) -> Result<(usize, Vec<Judged>)> {
    let &Calibrated { inspector, reference, decision, .. } = calibrated;
    let View { image, place } = inspector.views().read(path)?;
    let drawing = Drawing {
        seed: 0,
        kinds: DrawnKind::VISIBLE.to_vec(),
        contrasts: vec![CONTRAST],
        sizes: vec![SIZE],
        most: DEFECTS - first,
    };
    let Defective { image, defects } = draw_kinds(&image, &drawing, first);
    let compared = inspector.compare(&image)?;
    let map = match reference {
        Some(reference) => {
            inspector.relative(reference, &compared.into_residuals(), place.region.as_ref())?
        }
        None => compared.inspected.anomaly_map,
    };
    let map = place.scores(map);
    let flagged = decision.mask(&map);
    let judged =
        defects.iter().filter_map(|defect| judge(defect, image.size(), (&map, &flagged), good));
    Ok((image.data().len(), judged.collect()))
}

/// The defect on a map and a mask of its decision, whose size may differ from that of the image it was drawn into.
fn judge(
    defect: &DrawnDefect,
    (width, height): (usize, usize),
    (map, flagged): (&Image, &Mask),
    good: &[f32],
) -> Option<Judged> {
    let place = |place: usize, to: usize, from: usize| (2 * place + 1) * to / (2 * from);
    let of_map = |(x, y)| (place(x, map.width(), width), place(y, map.height(), height));
    let pixels: Vec<(usize, usize)> = defect.pixels().map(of_map).collect();
    let scores = pixels.iter().map(|&(x, y)| map.get(x, y));
    let scored: Vec<f32> = scores.filter(|&score| score > NOT_SCORED).collect();
    (2 * scored.len() > pixels.len()).then(|| Judged {
        kind: defect.kind,
        is_found: pixels.iter().any(|&(x, y)| flagged.get(x, y)),
        area: pixel_area(good, &scored),
    })
}

fn mean_area<'a>(judged: impl IntoIterator<Item = &'a Judged>) -> f64 {
    let areas: Vec<f64> = judged.into_iter().map(|defect| defect.area).collect();
    areas.iter().sum::<f64>() / areas.len() as f64
}

fn kinds(judged: &[Judged]) -> Vec<DrawnFound> {
    let of_kind = |kind: DrawnKind| {
        let defects = || judged.iter().filter(move |defect| defect.kind == kind);
        let found = defects().filter(|defect| defect.is_found).count();
        let drawn = defects().count();
        (drawn > 0).then(|| DrawnFound { kind, drawn, found, au_roc: mean_area(defects()) })
    };
    DrawnKind::VISIBLE.into_iter().filter_map(of_kind).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_scores_leave_out_what_is_not_scored() {
        let map = Image::from_fn(4, 1, |x, _| if x == 1 { NOT_SCORED } else { 3.0 - x as f32 });
        assert_eq!(good_scores(&[map]), [0.0, 1.0, 3.0]);
    }
}
