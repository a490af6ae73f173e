//! What a decision finds of defects that are drawn into good images.

use crate::Result;
use crate::error::Context;
use crate::inspector::Inspector;
use crate::progress::{Progress, tell};
use crate::records::{DrawnDefects, DrawnFound};
use crate::spread::spread;
use crate::synthetic::{Defective, Drawing, DrawnDefect, DrawnKind, draw_kinds};
use crate::view::View;
use inspect::{Decision, Image, Mask, NOT_SCORED, Reference};
use metrics::roc_auc;
use std::path::{Path, PathBuf};

/// The contrast of defects that nobody would miss, in deviations of the texture.
const CLEAR: f32 = 4.0;

/// Defects to draw, five of each kind, if the images have room for them.
const DEFECTS: usize = 5 * DrawnKind::ALL.len();

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

/// A defect and the largest score of its pixels.
struct Judged {
    kind: DrawnKind,
    is_found: bool,
    score: f32,
}

/// Draws clear defects into some of the images, and counts those that the decision finds. There is none if no image has room for one.
///
/// # Errors
/// If an image cannot be read or inspected, or the caller cancels.
pub fn found_of_drawn(
    calibrated: &Calibrated<'_>,
    progress: &mut Progress<'_>,
) -> Result<Option<DrawnDefects>> {
    let Calibrated { images, maps, .. } = calibrated;
    let good: Vec<f32> = maps.iter().map(maximum).collect();
    let (mut judged, mut pixels, mut drawn_into) = (Vec::new(), 0, 0);
    for index in spread(images.len()) {
        tell(progress, images.len())?;
        let path = &images[index];
        let inspected = inspect_drawn(calibrated, path, judged.len());
        let (size, of_image) =
            inspected.with_context(|| format!("cannot inspect {}", path.display()))?;
        // An image with a defect scores at least as much as without.
        let with_good = |defect: Judged| Judged { score: defect.score.max(good[index]), ..defect };
        judged.extend(of_image.into_iter().map(with_good));
        (pixels, drawn_into) = (pixels + size, drawn_into + 1);
        // As many pixels for the next image would be too many.
        if judged.len() >= DEFECTS || pixels + size > PIXELS {
            break;
        }
    }
    if judged.is_empty() {
        return Ok(None);
    }
    let (images, contrast) = (drawn_into, CLEAR);
    Ok(Some(DrawnDefects {
        images,
        contrast,
        au_roc: area(&good, &judged)?,
        kinds: kinds(&judged),
    }))
}

/// The pixels that were inspected, and the defects drawn into the image, the first of number `first`. A defect that lies outside of the
/// region of interest by more than a half of it is left out.
fn inspect_drawn(
    calibrated: &Calibrated<'_>,
    path: &Path,
    first: usize,
) -> Result<(usize, Vec<Judged>)> {
    let &Calibrated { inspector, reference, decision, .. } = calibrated;
    let View { image, place } = inspector.views().read(path)?;
    let drawing = Drawing { seed: 0, contrasts: vec![CLEAR], most: DEFECTS - first };
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
    let judged = defects.iter().filter_map(|defect| judge(defect, image.size(), &map, &flagged));
    Ok((image.data().len(), judged.collect()))
}

/// The defect on a map and a mask of its decision, whose size may differ from that of the image it was drawn into.
fn judge(
    defect: &DrawnDefect,
    (width, height): (usize, usize),
    map: &Image,
    flagged: &Mask,
) -> Option<Judged> {
    let place = |place: usize, to: usize, from: usize| (2 * place + 1) * to / (2 * from);
    let of_map = |(x, y)| (place(x, map.width(), width), place(y, map.height(), height));
    let pixels: Vec<(usize, usize)> = defect.pixels().map(of_map).collect();
    let scores = pixels.iter().map(|&(x, y)| map.get(x, y));
    let scored: Vec<f32> = scores.filter(|&score| score > NOT_SCORED).collect();
    (2 * scored.len() > pixels.len()).then(|| Judged {
        kind: defect.kind,
        is_found: pixels.iter().any(|&(x, y)| flagged.get(x, y)),
        score: scored.into_iter().fold(f32::MIN, f32::max),
    })
}

fn area(good: &[f32], defective: &[Judged]) -> Result<f64> {
    let scores: Vec<f32> =
        good.iter().copied().chain(defective.iter().map(|defect| defect.score)).collect();
    let labels: Vec<bool> = (0..scores.len()).map(|index| index >= good.len()).collect();
    Ok(roc_auc(&scores, &labels)?)
}

fn kinds(judged: &[Judged]) -> Vec<DrawnFound> {
    let of_kind = |kind: DrawnKind| {
        let defects = || judged.iter().filter(move |defect| defect.kind == kind);
        let found = defects().filter(|defect| defect.is_found).count();
        DrawnFound { kind, drawn: defects().count(), found }
    };
    DrawnKind::ALL.into_iter().map(of_kind).filter(|of_kind| of_kind.drawn > 0).collect()
}

fn maximum(map: &Image) -> f32 {
    map.data().iter().copied().fold(f32::MIN, f32::max)
}
