//! BMP files of run lengths, whose pixels that no run names are of the first colour; other decoders leave them black.

use super::pixels::{Channels, Pixels, Samples};
use crate::Result;
use crate::error::{Context, bail, ensure};

const EARLY: &str = "the data end before the picture does";

/// The header of a file.
pub struct Header {
    pub width: usize,
    pub height: usize,
    /// 4 or 8 bits a pixel.
    pub bits: usize,
    /// The place of the palette, and its colours.
    pub palette: (usize, usize),
    /// The place of the runs.
    pub data: usize,
}

/// Decodes a file, whose rows go from the bottom up.
///
/// # Errors
/// If runs end early, leave the picture, or name a colour that the palette does not have.
pub fn decode(bytes: &[u8], header: &Header) -> Result<Pixels> {
    let &Header { width, height, palette: (start, count), .. } = header;
    let palette = bytes.get(start..start + 4 * count).context("the palette is cut off")?;
    let colours: Vec<[u8; 3]> =
        palette.as_chunks().0.iter().map(|&[blue, green, red, _]| [red, green, blue]).collect();
    let indices = indices(bytes.get(header.data..).context(EARLY)?, header)?;
    let rows = indices.chunks_exact(width).rev();
    let mut values = Vec::with_capacity(3 * width * height);
    for &index in rows.flatten() {
        let colour = colours.get(usize::from(index));
        values.extend(colour.context("the data are damaged: a colour is not in the palette")?);
    }
    Ok(Pixels { width, height, channels: Channels::Rgb, samples: Samples::Bytes(values) })
}

/// The colours of the pixels by their numbers, from the lowest row on.
fn indices(mut runs: &[u8], header: &Header) -> Result<Vec<u8>> {
    let &Header { width, height, bits, .. } = header;
    let mut indices = vec![0; width * height];
    let (mut x, mut y) = (0, 0);
    loop {
        let Some((&[count, value], rest)) = runs.split_first_chunk() else { bail!("{EARLY}") };
        runs = rest;
        match (count, value) {
            (0, 0) => (x, y) = (0, y + 1),
            (0, 1) => return Ok(indices),
            (0, 2) => {
                let Some((&[right, up], rest)) = runs.split_first_chunk() else { bail!("{EARLY}") };
                (x, y, runs) = (x + usize::from(right), y + usize::from(up), rest);
            }
            (0, count) => {
                let count = usize::from(count);
                let stored = (count * bits).div_ceil(8).next_multiple_of(2);
                let (values, rest) = runs.split_at_checked(stored).context(EARLY)?;
                runs = rest;
                put(&mut indices, header, (x, y), count, |index| pixel(values, bits, index))?;
                x += count;
            }
            (count, value) => {
                let count = usize::from(count);
                // With 4 bits, two colours take turns.
                put(&mut indices, header, (x, y), count, |index| {
                    pixel(&[value], bits, index % (8 / bits))
                })?;
                x += count;
            }
        }
    }
}

/// A pixel of 4 or 8 bits.
fn pixel(values: &[u8], bits: usize, index: usize) -> u8 {
    match bits {
        8 => values[index],
        _ if index.is_multiple_of(2) => values[index / 2] >> 4,
        _ => values[index / 2] & 15,
    }
}

fn put(
    indices: &mut [u8],
    header: &Header,
    (x, y): (usize, usize),
    count: usize,
    pixel: impl Fn(usize) -> u8,
) -> Result<()> {
    ensure!(
        x + count <= header.width && y < header.height,
        "the data are damaged: a run leaves the picture"
    );
    let start = y * header.width + x;
    for (place, index) in indices[start..start + count].iter_mut().zip(0..) {
        *place = pixel(index);
    }
    Ok(())
}
