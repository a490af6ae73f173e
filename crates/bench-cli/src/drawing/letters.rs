//! Text as pixels.

use ab_glyph::{Font, FontRef, Glyph, PxScale, PxScaleFont, ScaleFont, point};
use anyhow::{Context, Result};

/// Letters of a size.
pub(super) struct Letters(PxScaleFont<FontRef<'static>>);

/// The part of a pixel that a letter covers, from 0 to 1, row by row.
pub(super) struct Ink {
    pub width: usize,
    pub coverage: Vec<f32>,
}

impl Letters {
    /// Letters that are `size` pixels high.
    ///
    /// # Errors
    /// If the built-in font cannot be read.
    pub fn of_size(size: f32) -> Result<Self> {
        let font = FontRef::try_from_slice(epaint_default_fonts::UBUNTU_LIGHT);
        let font = font.context("cannot read the built-in font")?;
        Ok(Self(font.into_scaled(PxScale::from(size))))
    }

    /// The distance of lines.
    pub fn line_height(&self) -> f32 {
        self.0.height()
    }

    /// Phrases joined to lines of at most `width` pixels. A phrase is not broken.
    pub fn lines<'a>(
        &self,
        width: f32,
        phrases: impl IntoIterator<Item = &'a str>,
        between: &str,
    ) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for phrase in phrases {
            match lines.last_mut() {
                Some(line) if self.advance(&format!("{line}{between}{phrase}")) <= width => {
                    line.push_str(between);
                    line.push_str(phrase);
                }
                _ => lines.push(phrase.to_owned()),
            }
        }
        lines
    }

    fn advance(&self, text: &str) -> f32 {
        text.chars().map(|letter| self.0.h_advance(self.0.glyph_id(letter))).sum()
    }

    /// Lines below each other with a margin at the left and above. What is too long for the width is cut off.
    pub fn ink(&self, width: usize, lines: &[String], (left, top): (f32, f32)) -> Ink {
        let height = (lines.len() as f32 * self.line_height() + 2.0 * top).ceil() as usize;
        let mut coverage = vec![0.0_f32; width * height];
        for (number, line) in lines.iter().enumerate() {
            let baseline = top + self.0.ascent() + number as f32 * self.line_height();
            self.draw(line, (left, baseline), |x, y, covered| {
                if x < width && y < height {
                    let pixel = &mut coverage[y * width + x];
                    *pixel = pixel.max(covered.min(1.0));
                }
            });
        }
        Ink { width, coverage }
    }

    /// Calls `paint` with column, row and coverage of every pixel that a line of text covers.
    fn draw(
        &self,
        text: &str,
        (mut x, baseline): (f32, f32),
        mut paint: impl FnMut(usize, usize, f32),
    ) {
        for letter in text.chars() {
            let glyph: Glyph = self.0.scaled_glyph(letter);
            let id = glyph.id;
            let placed = Glyph { position: point(x, baseline), ..glyph };
            if let Some(outline) = self.0.outline_glyph(placed) {
                let corner = outline.px_bounds().min;
                // Left of the picture saturates to its first column, which no letter reaches.
                let (left, top) = (corner.x as usize, corner.y as usize);
                outline.draw(|dx, dy, covered| {
                    paint(left + dx as usize, top + dy as usize, covered);
                });
            }
            x += self.0.h_advance(id);
        }
    }
}
