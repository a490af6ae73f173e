//! Mistakes as pictures: image, reconstruction, anomaly map and mask, side by side.

use crate::drawing::{Cell, ScoreRange};
use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use detector::{Decision, InspectedSet, Mistake};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::imageops::thumbnail;
use image::{Rgb, RgbImage};
use inspect::Region;
use maud::{Markup, html};

/// Pictures of each kind of mistake: the page is to be sent by mail.
const COUNT: usize = 6;

/// Side of the part of an image that is shown, in pixels of the image, unless the region needs more.
const SIDE: usize = 192;

/// The longest side of a picture; larger parts are scaled down.
const LONGEST: u32 = 256;

const QUALITY: u8 = 85;

/// Colours of the mask, which the style sheet has too.
const FOUND: [u8; 3] = [240, 240, 240];
const MISSED: [u8; 3] = [213, 94, 0];
const FALSE_ALARM: [u8; 3] = [86, 180, 233];
const GROUND: [u8; 3] = [24, 24, 24];

/// The worst misses and the worst false alarms.
///
/// # Errors
/// If a score is not finite or a picture cannot be encoded.
pub fn gallery(test_set: &InspectedSet) -> Result<Markup> {
    let misses = test_set.worst_misses(COUNT)?;
    let alarms = test_set.worst_false_alarms(COUNT)?;
    let missed = |mistake: &Mistake<'_>| {
        let Region { area, max_score, .. } = mistake.region;
        format!("{} of {area} pixels found, largest score {max_score:.4}", mistake.right)
    };
    let alarmed = |mistake: &Mistake<'_>| {
        let Region { area, max_score, .. } = mistake.region;
        format!("{area} pixels flagged, largest score {max_score:.4}")
    };
    Ok(html! {
        h3 { "Worst misses" }
        p { "Of each image the defect of which the threshold finds the least, those of the least share first." }
        @if misses.is_empty() { p { "Every defect was found completely." } }
        @else { (legend()) }
        @for miss in &misses { (exhibit(miss, &missed(miss), test_set.decision)?) }
        h3 { "Worst false alarms" }
        p { "Of each image the flagged region without a defective pixel that scores highest, the highest first." }
        @if alarms.is_empty() { p { "There was none." } }
        @else { (legend()) }
        @for alarm in &alarms { (exhibit(alarm, &alarmed(alarm), test_set.decision)?) }
    })
}

fn legend() -> Markup {
    html! {
        ul.legend {
            li { span.sample.found {} "found" }
            li { span.sample.missed {} "missed" }
            li { span.sample.alarm {} "false alarm" }
        }
    }
}

fn exhibit(mistake: &Mistake<'_>, text: &str, decision: Decision) -> Result<Markup> {
    let sample = mistake.sample;
    let (mask, map) = (&sample.mask, &sample.anomaly_map);
    let window = Window::around(&mistake.region, mask.size());
    let flagged = decision.mask(map);
    let judgement = |x: usize, y: usize| match (flagged.get(x, y), mask.get(x, y)) {
        (true, true) => FOUND,
        (false, true) => MISSED,
        (true, false) => FALSE_ALARM,
        (false, false) => GROUND,
    };
    let photograph = |cell: Cell<'_>| jpeg(&window.picture(|x, y| cell.colour(x, y)));
    let pictures = [
        ("image", photograph(Cell::Grey8(&sample.image))?),
        ("reconstruction", photograph(Cell::Grey8(&sample.reconstruction))?),
        ("anomaly map", photograph(Cell::Heat(map, ScoreRange::around(decision.threshold)))?),
        ("mask", png(&window.picture(judgement))?),
    ];
    let name = format!("{}/{}", sample.sample.defect, sample.sample.id);
    Ok(html! {
        figure.exhibit {
            div.strip {
                @for (kind, data) in &pictures {
                    div { img src=(data) alt={ (kind) " of " (name) }; span { (kind) } }
                }
            }
            figcaption { strong { (name) } " at column " (window.x) ", row " (window.y) ": " (text) }
        }
    })
}

/// A part of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    x: usize,
    y: usize,
    width: usize,
    height: usize,
}

impl Window {
    /// With some of its surroundings, and inside of the image.
    fn around(region: &Region, (width, height): (usize, usize)) -> Self {
        let longest = (region.x1 - region.x0).max(region.y1 - region.y0);
        let side = SIDE.max(longest + longest / 2);
        let along = |first: usize, end: usize, extent: usize| {
            let side = side.min(extent);
            (((first + end) / 2).saturating_sub(side / 2).min(extent - side), side)
        };
        let (x, width) = along(region.x0, region.x1, width);
        let (y, height) = along(region.y0, region.y1, height);
        Self { x, y, width, height }
    }

    /// Paints the pixels, whose places are those in the image.
    fn picture(self, colour: impl Fn(usize, usize) -> [u8; 3]) -> RgbImage {
        let (width, height) = (self.width as u32, self.height as u32);
        let picture = RgbImage::from_fn(width, height, |x, y| {
            Rgb(colour(self.x + x as usize, self.y + y as usize))
        });
        let longest = width.max(height);
        if longest <= LONGEST {
            return picture;
        }
        let scaled = |side: u32| (side * LONGEST / longest).max(1);
        thumbnail(&picture, scaled(width), scaled(height))
    }
}

fn jpeg(picture: &RgbImage) -> Result<String> {
    let mut bytes = Vec::new();
    picture.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, QUALITY))?;
    Ok(format!("data:image/jpeg;base64,{}", STANDARD.encode(bytes)))
}

fn png(picture: &RgbImage) -> Result<String> {
    let mut bytes = Vec::new();
    picture.write_with_encoder(PngEncoder::new(&mut bytes))?;
    Ok(format!("data:image/png;base64,{}", STANDARD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(x: [usize; 2], y: [usize; 2], size: (usize, usize)) -> [usize; 4] {
        let region = Region {
            label: 1,
            area: 1,
            x0: x[0],
            x1: x[1],
            y0: y[0],
            y1: y[1],
            centroid_x: 0.0,
            centroid_y: 0.0,
            mean_score: 0.0,
            max_score: 0.0,
        };
        let Window { x, y, width, height } = Window::around(&region, size);
        [x, y, width, height]
    }

    #[test]
    fn a_window_holds_the_region_and_stays_inside() {
        assert_eq!(around([500, 510], [300, 320], (1000, 800)), [409, 214, 192, 192]);
        assert_eq!(around([0, 10], [790, 800], (1000, 800)), [0, 608, 192, 192]);
        assert_eq!(around([100, 400], [0, 10], (1000, 800)), [25, 0, 450, 450]);
        assert_eq!(around([5, 10], [5, 10], (48, 40)), [0, 0, 48, 40]);
    }

    #[test]
    fn large_windows_are_scaled_down() {
        let size = |width, height| {
            let picture = Window { x: 0, y: 0, width, height }.picture(|_, _| [0; 3]);
            picture.dimensions()
        };
        assert_eq!([size(450, 300), size(192, 40)], [(256, 170), (192, 40)]);
    }
}
