//! Text below a picture.

use ab_glyph::{Font, FontRef, Glyph, PxScale, ScaleFont, point};
use anyhow::{Context, Result};

/// A row of pixels is as wide as this times the size of the letters, within [`SIZES`].
const WIDTH_IN_LETTERS: f32 = 28.0;

/// The least and the greatest size of the letters in pixels.
const SIZES: (f32, f32) = (11.0, 32.0);

const INK: f32 = 235.0;
const PAPER: f32 = 24.0;

/// Phrases in light letters on a dark ground, in as many lines as the width takes, as RGB pixels row by row. A phrase is not
/// broken: what is too long for the width is cut off.
pub(super) fn caption(width: usize, phrases: &[&str]) -> Result<Vec<[u8; 3]>> {
    let font = FontRef::try_from_slice(epaint_default_fonts::UBUNTU_LIGHT)
        .context("cannot read the built-in font")?;
    let size = (width as f32 / WIDTH_IN_LETTERS).clamp(SIZES.0, SIZES.1);
    let font = font.into_scaled(PxScale::from(size));
    let lines = lines(&font, width as f32 - size, phrases);
    let margin = size / 2.0;
    let height = (lines.len() as f32 * font.height() + size).ceil() as usize;
    let mut ink = vec![0.0_f32; width * height];
    for (number, line) in lines.iter().enumerate() {
        let baseline = margin + font.ascent() + number as f32 * font.height();
        draw(&font, line, (margin, baseline), |x, y, coverage| {
            if x < width && y < height {
                let pixel = &mut ink[y * width + x];
                *pixel = pixel.max(coverage);
            }
        });
    }
    let grey = |coverage: f32| [(PAPER + (INK - PAPER) * coverage.min(1.0) + 0.5) as u8; 3];
    Ok(ink.into_iter().map(grey).collect())
}

/// Phrases joined to lines of at most `width` pixels.
fn lines(font: &impl ScaleFont<FontRef<'static>>, width: f32, phrases: &[&str]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for phrase in phrases {
        match lines.last_mut() {
            Some(line) if advance(font, &format!("{line}   {phrase}")) <= width => {
                line.push_str("   ");
                line.push_str(phrase);
            }
            _ => lines.push((*phrase).to_owned()),
        }
    }
    lines
}

fn advance(font: &impl ScaleFont<FontRef<'static>>, text: &str) -> f32 {
    text.chars().map(|letter| font.h_advance(font.glyph_id(letter))).sum()
}

/// Calls `paint` with column, row and coverage of every pixel that a line of text covers.
fn draw(
    font: &impl ScaleFont<FontRef<'static>>,
    text: &str,
    (mut x, baseline): (f32, f32),
    mut paint: impl FnMut(usize, usize, f32),
) {
    for letter in text.chars() {
        let glyph: Glyph = font.scaled_glyph(letter);
        let id = glyph.id;
        let placed = Glyph { position: point(x, baseline), ..glyph };
        if let Some(outline) = font.outline_glyph(placed) {
            let corner = outline.px_bounds().min;
            // Left of the picture saturates to its first column, which no letter reaches.
            let (left, top) = (corner.x as usize, corner.y as usize);
            outline.draw(|dx, dy, coverage| paint(left + dx as usize, top + dy as usize, coverage));
        }
        x += font.h_advance(id);
    }
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
