//! Defects that are drawn into good images, as a decision and its scores see them.

use super::good::maps;
use crate::Result;
use crate::error::Context;
use crate::files::shown;
use crate::inspector::Inspector;
use crate::pixel_area::{ascending, pixel_area};
use crate::progress::{Progress, tell};
use crate::records::{DrawnDefects, DrawnFound};
use crate::spread::spread;
use crate::synthetic::{Defective, Drawing, DrawnDefect, DrawnKind, draw_kinds};
use crate::view::{Place, View};
use inspect::{Decision, Image, Mask, NOT_SCORED};
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

/// A good image with defects drawn into it, and its maps as [`maps`] has them.
pub struct DrawnImage {
    size: (usize, usize),
    defects: Vec<DrawnDefect>,
    pub maps: Vec<Image>,
    pub place: Place,
}

/// A defect, and the area under the ROC curve of its pixels and of good ones.
struct Judged {
    kind: DrawnKind,
    is_found: bool,
    area: f64,
}

impl DrawnImage {
    /// The scores where they are not relative; the maps are gone then.
    pub fn take_scores(&mut self) -> Image {
        self.place.scores(self.maps.swap_remove(0))
    }
}

/// Draws clear defects into some of the images, and inspects them. There is none if no image has room for one.
///
/// # Errors
/// If an image cannot be read or inspected, or the caller cancels.
pub fn inspect_drawn(
    inspector: &Inspector,
    images: &[PathBuf],
    progress: &mut Progress<'_>,
) -> Result<Vec<DrawnImage>> {
    let (mut all, mut defects, mut pixels) = (Vec::new(), 0, 0);
    for index in spread(images.len()) {
        tell(progress, images.len())?;
        let path = &images[index];
        let drawn = draw(inspector, path, defects);
        let drawn = drawn.with_context(|| format!("cannot inspect {}", shown(path)))?;
        let size = drawn.size.0 * drawn.size.1;
        defects += drawn.defects.len();
        pixels += size;
        all.push(drawn);
        // As many pixels for the next image would be too many.
        if defects >= DEFECTS || pixels + size > PIXELS {
            break;
        }
    }
    Ok(if defects == 0 { Vec::new() } else { all })
}

/// The defects as a decision finds them by the scores of each image.
pub fn found(
    drawn: &[DrawnImage],
    scores: &[Image],
    good: &[Image],
    decision: Decision,
) -> Option<DrawnDefects> {
    let good = good_scores(good);
    let of_image = |(image, map): (&DrawnImage, &Image)| -> Vec<Judged> {
        let flagged = decision.mask(map);
        image
            .defects
            .iter()
            .map(|defect| judge(defect, image.size, (map, &flagged), &good))
            .collect()
    };
    let judged: Vec<Judged> = drawn.iter().zip(scores).flat_map(of_image).collect();
    (!judged.is_empty()).then(|| DrawnDefects {
        images: drawn.len(),
        contrast: CONTRAST,
        size: SIZE,
        au_roc: mean_area(&judged),
        kinds: kinds(&judged),
    })
}

/// Scores of good images in ascending order, evenly spaced over all pixels.
fn good_scores(maps: &[Image]) -> Vec<f32> {
    let scores = || maps.iter().flat_map(|map| map.data()).filter(|score| **score > NOT_SCORED);
    let step = scores().count().div_ceil(GOOD_SCORES).max(1);
    ascending(scores().step_by(step).copied().collect())
}

/// Draws defects into an image, the first of number `first`, and inspects it. A defect that lies outside of the region of interest by
/// a half of it is left out.
fn draw(inspector: &Inspector, path: &Path, first: usize) -> Result<DrawnImage> {
    let View { image, place } = inspector.views().read(path)?;
    let drawing = Drawing {
        seed: 0,
        kinds: DrawnKind::VISIBLE.to_vec(),
        contrasts: vec![CONTRAST],
        sizes: vec![SIZE],
        most: DEFECTS - first,
    };
    let Defective { image, mut defects } = draw_kinds(&image, &drawing, first);
    let size = image.size();
    let region = place.scores(Image::filled(size.0, size.1, 0.0));
    defects.retain(|defect| {
        let scores = scores_of(defect, size, &region);
        2 * scores.iter().filter(|&&score| score > NOT_SCORED).count() > scores.len()
    });
    Ok(DrawnImage { size, defects, maps: maps(inspector, &image)?, place })
}

/// The pixels of a defect on a map, whose size may differ from that of the image it was drawn into.
fn pixels_of(
    defect: &DrawnDefect,
    (width, height): (usize, usize),
    map: (usize, usize),
) -> impl Iterator<Item = (usize, usize)> {
    let place = |place: usize, to: usize, from: usize| (2 * place + 1) * to / (2 * from);
    defect.pixels().map(move |(x, y)| (place(x, map.0, width), place(y, map.1, height)))
}

fn scores_of(defect: &DrawnDefect, size: (usize, usize), map: &Image) -> Vec<f32> {
    pixels_of(defect, size, map.size()).map(|(x, y)| map.get(x, y)).collect()
}

/// The defect on a map and on a mask of its decision.
fn judge(
    defect: &DrawnDefect,
    size: (usize, usize),
    (map, flagged): (&Image, &Mask),
    good: &[f32],
) -> Judged {
    let mut scored = scores_of(defect, size, map);
    scored.retain(|&score| score > NOT_SCORED);
    Judged {
        kind: defect.kind,
        is_found: pixels_of(defect, size, map.size()).any(|(x, y)| flagged.get(x, y)),
        area: pixel_area(good, &scored),
    }
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
