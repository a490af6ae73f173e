//! BMP files of run lengths, whose pixels that no run names are of the first colour.

use super::limits::Size;
use crate::Result;
use crate::error::{Context, bail, ensure};
use crate::images::refusal::EARLY;

/// The pixels of 4 or 8 bits each, from the lowest row on.
///
/// # Errors
/// If runs end early, or leave the picture.
pub fn indices(mut runs: &[u8], size: Size, bits: usize) -> Result<Vec<u8>> {
    let mut indices = vec![0; size.0 * size.1];
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
                put(&mut indices, size, (x, y), count, |index| pixel(values, bits, index))?;
                x += count;
            }
            (count, value) => {
                let count = usize::from(count);
                // With 4 bits, two colours take turns.
                put(&mut indices, size, (x, y), count, |index| {
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
    (width, height): Size,
    (x, y): (usize, usize),
    count: usize,
    pixel: impl Fn(usize) -> u8,
) -> Result<()> {
    ensure!(x + count <= width && y < height, "the data are damaged: a run leaves the picture");
    let start = y * width + x;
    for (place, index) in indices[start..start + count].iter_mut().zip(0..) {
        *place = pixel(index);
    }
    Ok(())
}
