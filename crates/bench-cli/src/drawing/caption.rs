//! Text below a picture.

use super::letters::{Ink, Letters};
use anyhow::Result;

/// A row of pixels is as wide as this times the size of the letters, within [`SIZES`].
const WIDTH_IN_LETTERS: f32 = 28.0;

/// The least and the greatest size of the letters in pixels.
const SIZES: (f32, f32) = (11.0, 32.0);

const INK: f32 = 235.0;
const PAPER: f32 = 24.0;

/// Phrases in light letters on a dark ground, in as many lines as the width takes, as RGB pixels row by row. A phrase is not
/// broken: what is too long for the width is cut off.
pub(super) fn caption(width: usize, phrases: &[&str]) -> Result<Vec<[u8; 3]>> {
    let size = (width as f32 / WIDTH_IN_LETTERS).clamp(SIZES.0, SIZES.1);
    let letters = Letters::of_size(size)?;
    let lines = letters.lines(width as f32 - size, phrases.iter().copied(), "   ");
    let Ink { coverage, .. } = letters.ink(width, &lines, (size / 2.0, size / 2.0));
    let grey = |coverage: f32| [(PAPER + (INK - PAPER) * coverage + 0.5) as u8; 3];
    Ok(coverage.into_iter().map(grey).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn height(width: usize, phrases: &[&str]) -> usize {
        caption(width, phrases).unwrap().len() / width
    }

    #[test]
    fn phrases_share_a_line_where_there_is_room() {
        let phrases = ["2 defects", "score 0.4321", "threshold 0.1234"];
        let size = |width: usize| (width as f32 / WIDTH_IN_LETTERS).clamp(SIZES.0, SIZES.1);
        let lines = |width: usize| (height(width, &phrases) as f32 / size(width)) as usize;
        assert_eq!([lines(64), lines(600), lines(4000)], [4, 2, 2], "with half a line at each end");
        assert_eq!(height(600, &phrases), height(600, &phrases[..1]));
    }

    #[test]
    fn letters_are_light_on_dark_and_end_at_the_border() {
        let dark = [PAPER as u8; 3];
        let pixels = caption(32, &["a phrase that is too long for so few pixels"]).unwrap();
        assert_eq!(pixels.len() % 32, 0);
        assert_eq!((pixels[0], pixels[pixels.len() - 1]), (dark, dark));
        assert!(pixels.iter().any(|pixel| pixel[0] > 150));
        assert!(caption(32, &[" "]).unwrap().iter().all(|&pixel| pixel == dark));
    }
}
