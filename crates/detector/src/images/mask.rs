//! Reading segmentation masks.

use std::path::Path;

use inspect::{Image, Mask, Plane};

use super::pixels::{Channels, Conversion, Pixels, Samples};
use super::read::{cannot_read, read_pixels};
use super::write::to_byte;
use crate::Result;
use crate::error::{bail, ensure};

/// Mask values above 127 of 255 are defective.
const THRESHOLD: f32 = 127.5 / 255.0;

/// Values further from black and white than this are neither: lossy files differ a little.
const TOLERANCE: f32 = 16.0 / 255.0;

/// Values of a file without loss that tells classes apart, at most.
const CLASSES: usize = 8;

/// How far the colours of a grey pixel may lie apart.
const COLOURLESS: f32 = 64.0 / 255.0;

/// Reads a segmentation mask: pixels above 127 of 255 are defective, or those of 1 if no value is above.
///
/// Any file that [`read_image`](super::read_image) reads will do, in particular 1-bit, grey, palette and RGBA PNG.
///
/// # Errors
/// As [`read_image`](super::read_image); and if it is not clear which pixels are meant: if the shape is in the alpha channel
/// alone, if there are colours or areas of grey, or if the mask is not empty, yet no pixel is above 127.
pub fn read_mask(path: &Path) -> Result<Mask> {
    let mask = read_pixels(path).and_then(|pixels| mask(&pixels));
    mask.map_err(cannot_read("mask", path))
}

fn mask(pixels: &Pixels) -> Result<Mask> {
    check_alpha(pixels)?;
    let image = pixels.grey(Conversion::default())?;
    let threshold = if has_labels(pixels) { 0.0 } else { THRESHOLD };
    if threshold > 0.0 {
        check_colours(pixels)?;
        check_greys(&image)?;
    }
    let brightest = image.data().iter().copied().fold(0.0, f32::max);
    let max = pixels.samples.max();
    let half = if max > 1.0 { (max / 2.0).floor() } else { max / 2.0 };
    ensure!(
        brightest == 0.0 || brightest > threshold,
        "expected defects above {half} of {max}, or 0 and 1, got values of at most {}",
        if max > 1.0 { (brightest * max).round() } else { brightest }
    );
    let defective = image.data().iter().map(|&value| value > threshold).collect();
    Ok(Plane::new(image.width(), image.height(), defective)?)
}

/// Whether all integers are 0 or 1.
fn has_labels(pixels: &Pixels) -> bool {
    let (count, max) = (pixels.channels.count(), pixels.samples.max());
    let colours = count - usize::from(pixels.channels.has_alpha());
    let is_label =
        |pixel: usize| (0..colours).all(|index| pixels.samples.get(pixel * count + index) <= 1.0);
    !pixels.is_inverted && max > 1.0 && (0..pixels.width * pixels.height).all(is_label)
}

/// Refuses a mask whose alpha varies where its colours do not.
fn check_alpha(pixels: &Pixels) -> Result<()> {
    let is_only_in_alpha = match &pixels.samples {
        Samples::Bytes(values) => varies_in_alpha_only(values, pixels.channels),
        Samples::Words { values, .. } => varies_in_alpha_only(values, pixels.channels),
        Samples::Floats(values) => varies_in_alpha_only(values, pixels.channels),
    };
    ensure!(
        !is_only_in_alpha,
        "expected white defects on black, got a single colour whose shape is in the alpha channel, which is ignored"
    );
    Ok(())
}

fn varies_in_alpha_only<T: PartialEq>(values: &[T], channels: Channels) -> bool {
    let count = channels.count();
    if !channels.has_alpha() || values.len() <= count {
        return false;
    }
    let (first, alpha) = (&values[..count - 1], &values[count - 1]);
    let mut pixels = values.chunks_exact(count);
    pixels.clone().all(|pixel| &pixel[..count - 1] == first)
        && pixels.any(|pixel| &pixel[count - 1] != alpha)
}

/// Refuses colours: the luma of some is below the threshold, that of others above.
fn check_colours(pixels: &Pixels) -> Result<()> {
    if !pixels.channels.is_colour() {
        return Ok(());
    }
    let (count, max) = (pixels.channels.count(), pixels.samples.max());
    for index in 0..pixels.width * pixels.height {
        let colour = [0, 1, 2].map(|channel| pixels.samples.get(count * index + channel) / max);
        let (low, high) =
            (colour.into_iter().fold(1.0, f32::min), colour.into_iter().fold(0.0, f32::max));
        if high - low > COLOURLESS {
            let [red, green, blue] = colour.map(level);
            bail!("expected white defects on black, got the colour ({red}, {green}, {blue})");
        }
    }
    Ok(())
}

/// Refuses areas of grey, such as numbers of classes. Smooth borders have none. Lossy files have many values near black and white; where
/// there are few values, each is a class.
fn check_greys(image: &Image) -> Result<()> {
    let mut levels = [false; 256];
    image.data().iter().for_each(|&value| levels[usize::from(to_byte(value))] = true);
    let least = levels.iter().position(|&occurs| occurs).unwrap_or(0);
    let most = levels.iter().rposition(|&occurs| occurs).unwrap_or(0);
    let is_lossy = levels.iter().filter(|&&occurs| occurs).count() > CLASSES;
    ensure!(
        is_lossy || least == most || least < 128,
        "expected white defects on black, got values from {least} to {most} of 255 only"
    );
    let is_grey = |value: f32| {
        let level = usize::from(to_byte(value));
        let is_class = !is_lossy && level != least && level != most;
        (TOLERANCE..=1.0 - TOLERANCE).contains(&value) || is_class
    };
    let (width, height) = image.size();
    for y in 1..height.saturating_sub(1) {
        let rows = [image.row(y - 1), image.row(y), image.row(y + 1)];
        for x in 1..width.saturating_sub(1) {
            let value = rows[1][x];
            let is_area = is_grey(value)
                && rows.iter().all(|row| row[x - 1..=x + 1].iter().all(|&other| other == value));
            ensure!(
                !is_area,
                "expected white defects on black, got an area of grey ({} of 255) at column {x}, row {y}",
                level(value)
            );
        }
    }
    Ok(())
}

/// An intensity in [0, 1] in 256 levels.
fn level(value: f32) -> f32 {
    (value * 255.0).round()
}
