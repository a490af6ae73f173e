//! Images with what the detector makes of them, side by side.

use super::levels::Levels;
use super::picture::{indexed, photograph};
use anyhow::Result;
use inspect::{Image, Mask, NOT_SCORED, Plane};
use maud::{Markup, html};

/// The numbers of the colours of a mask, and the colours, which the style sheet has, too. Okabe and Ito's are told apart with any
/// colour vision.
const GROUND: u8 = 0;
const FOUND: u8 = 1;
const MISSED: u8 = 2;
const FALSE_ALARM: u8 = 3;
const FLAGGED: u8 = 4;
const OUTSIDE: u8 = 5;
const COLOURS: [[u8; 3]; 6] =
    [[24, 24, 24], [240, 240, 240], [213, 94, 0], [86, 180, 233], [240, 228, 66], [90, 90, 90]];

/// The planes of an inspected image, all of one size.
pub struct Planes<'a> {
    pub image: &'a Plane<u8>,
    pub reconstruction: &'a Plane<u8>,
    pub map: &'a Image,
    /// The pixels that the decision flags.
    pub flagged: &'a Mask,
    /// Absent where nobody knows it.
    pub ground_truth: Option<&'a Mask>,
}

/// An image on a page.
pub struct Exhibit {
    pub name: String,
    /// The kind of defect, or `good`; absent where nobody knows it.
    pub kind: Option<String>,
    /// By the calibrated least area.
    pub score: f32,
    /// The decision in words.
    pub text: String,
    pub pictures: Pictures,
}

impl Exhibit {
    /// Whether the image is known to be defective, but not where.
    fn is_unmasked(&self) -> bool {
        self.kind.is_some() && !self.pictures.has_ground_truth
    }
}

/// The planes of an image as data.
pub struct Pictures {
    size: (usize, usize),
    has_ground_truth: bool,
    has_outside: bool,
    image: String,
    reconstruction: String,
    map: String,
    mask: String,
}

impl Pictures {
    /// # Errors
    /// If a picture cannot be encoded.
    pub fn of(planes: &Planes<'_>, levels: &Levels) -> Result<Self> {
        Ok(Self {
            size: planes.map.size(),
            has_ground_truth: planes.ground_truth.is_some(),
            has_outside: planes.map.data().contains(&NOT_SCORED),
            image: photograph(planes.image)?,
            reconstruction: photograph(planes.reconstruction)?,
            map: indexed(&levels.quantised(planes.map), &levels.palette())?,
            mask: indexed(&judgement(planes), &COLOURS)?,
        })
    }

    /// Bytes that they add to a page.
    pub fn bytes(&self) -> usize {
        [&self.image, &self.reconstruction, &self.map, &self.mask]
            .iter()
            .map(|data| data.len())
            .sum()
    }
}

fn judgement(planes: &Planes<'_>) -> Plane<u8> {
    let (width, height) = planes.map.size();
    Plane::from_fn(width, height, |x, y| {
        let flagged = planes.flagged.get(x, y);
        if planes.map.get(x, y) == NOT_SCORED {
            return OUTSIDE;
        }
        match planes.ground_truth.map(|mask| mask.get(x, y)) {
            None if flagged => FLAGGED,
            Some(true) if flagged => FOUND,
            Some(true) => MISSED,
            Some(false) if flagged => FALSE_ALARM,
            None | Some(false) => GROUND,
        }
    })
}

/// The image with its pictures.
pub fn exhibit(exhibit: &Exhibit) -> Markup {
    let Exhibit { name, kind, score, text, pictures } = exhibit;
    let Pictures { size: (width, height), image, reconstruction, map, mask, .. } = pictures;
    let all = [
        ("image", "image", image),
        ("reconstruction", "reconstruction", reconstruction),
        ("map", "anomaly map", map),
        ("mask", "mask", mask),
    ];
    let is_unmasked = exhibit.is_unmasked();
    let shape = if *width > 3 * height { "exhibit wide" } else { "exhibit" };
    html! {
        figure class=(shape) data-name=(name) data-kind=[kind.as_deref()] data-unmasked[is_unmasked] data-score=(score) {
            div.strip {
                @for (class, title, data) in all {
                    div {
                        img class=(class) src=(data) width=(width) height=(height) alt={ (title) " of " (name) };
                        span { (title) }
                    }
                }
            }
            figcaption { strong { (name) } ": " span.verdict { (text) } }
        }
    }
}

/// The colours of masks of images.
pub fn legend(exhibits: &[Exhibit]) -> Markup {
    let has_ground_truth = exhibits.iter().any(|exhibit| exhibit.pictures.has_ground_truth);
    let has_none = exhibits.iter().any(|exhibit| !exhibit.pictures.has_ground_truth);
    let has_outside = exhibits.iter().any(|exhibit| exhibit.pictures.has_outside);
    html! {
        ul.legend {
            @if has_ground_truth {
                li { span.sample.found {} "found" }
                li { span.sample.missed {} "missed" }
                li { span.sample.alarm {} "false alarm" }
            }
            @if has_none {
                li {
                    span.sample.flagged {} "flagged"
                    @if has_ground_truth { ", without ground truth" }
                }
            }
            @if has_outside { li { span.sample.outside {} "not inspected" } }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]

    use super::*;

    #[test]
    fn masks_tell_what_was_right_and_what_was_wrong() {
        let row = |pixels: [bool; 4]| Mask::new(4, 1, pixels.into()).unwrap();
        let (flagged, truth) = (row([true, true, false, false]), row([true, false, true, false]));
        let (grey, map) = (Plane::filled(4, 1, 0), Image::filled(4, 1, 0.0));
        let planes = |ground_truth| Planes {
            image: &grey,
            reconstruction: &grey,
            map: &map,
            flagged: &flagged,
            ground_truth,
        };
        assert_eq!(judgement(&planes(Some(&truth))).data(), [FOUND, FALSE_ALARM, MISSED, GROUND]);
        assert_eq!(judgement(&planes(None)).data(), [FLAGGED, FLAGGED, GROUND, GROUND]);
        let map = Image::new(4, 1, vec![1.0, NOT_SCORED, 0.0, NOT_SCORED]).unwrap();
        let planes = Planes { map: &map, ..planes(Some(&truth)) };
        assert_eq!(judgement(&planes).data(), [FOUND, OUTSIDE, MISSED, OUTSIDE]);
    }
}
