//! Pictures whose pixels are the numbers of colours.

use crate::Result;
use crate::error::Context;

/// The pixels of a row of 1 to 8 bits each, the highest bits first.
pub fn indices(row: &[u8], bits: usize, width: usize) -> impl Iterator<Item = u8> {
    let mask = u8::MAX >> (8 - bits);
    (0..width).map(move |x| row[x * bits / 8] >> (8 - bits - x * bits % 8) & mask)
}

/// The colours of pixels.
///
/// # Errors
/// If the palette does not have one of them.
pub fn colours<const N: usize>(
    indices: impl IntoIterator<Item = u8>,
    palette: &[[u8; N]],
    pixels: usize,
) -> Result<Vec<u8>> {
    let mut values = Vec::with_capacity(N * pixels);
    for index in indices {
        let colour = palette.get(usize::from(index));
        values.extend(colour.context("the data are damaged: a colour is not in the palette")?);
    }
    Ok(values)
}
