//! Samples of the bytes of a row.

use super::directory::ByteOrder;
use super::format::Format;
use super::layout::{Layout, Predictor};

/// The samples of the first pixels of a row of a strip or tile; floats as their bits.
pub fn samples(row: &[u8], layout: &Layout, pixels: usize) -> Vec<u32> {
    let distance = layout.samples_in_part();
    let count = pixels * distance;
    match (layout.format, layout.predictor) {
        (Format::Float { bytes }, Predictor::Float) => {
            let row = whole_floats(row, bytes, distance, count);
            row.chunks_exact(bytes).map(|value| float(value, ByteOrder::Big)).collect()
        }
        (Format::Float { bytes }, predictor) => {
            let mut values = integers(&row[..count * bytes], bytes, layout.order);
            if predictor == Predictor::Horizontal {
                add_up(&mut values, distance);
            }
            let value = |bits: u64| float(&bits.to_be_bytes()[8 - bytes..], ByteOrder::Big);
            values.into_iter().map(value).collect()
        }
        (Format::Integer { bits: bits @ (8 | 16) }, predictor) => {
            let mut values = integers(&row[..count * bits / 8], bits / 8, layout.order);
            if predictor == Predictor::Horizontal {
                add_up(&mut values, distance);
            }
            let mask = (1 << bits) - 1;
            values.into_iter().map(|value| (value & mask) as u32).collect()
        }
        (Format::Integer { bits }, _) => packed(row, bits, count),
    }
}

fn integers(row: &[u8], bytes: usize, order: ByteOrder) -> Vec<u64> {
    row.chunks_exact(bytes).map(|value| order.number(value)).collect()
}

/// Adds to each value the one of the pixel before. What runs over is cut off later.
fn add_up(values: &mut [u64], distance: usize) {
    for index in distance..values.len() {
        values[index] = values[index].wrapping_add(values[index - distance]);
    }
}

/// The bits of a value as a 32-bit float.
fn float(value: &[u8], order: ByteOrder) -> u32 {
    let bits = order.number(value);
    match value.len() {
        8 => (f64::from_bits(bits) as f32).to_bits(),
        _ => bits as u32,
    }
}

/// Undoes the predictor of floats: differences of bytes, of which all highest ones come first. Returns the first `taken` floats,
/// big-endian.
fn whole_floats(row: &[u8], bytes: usize, distance: usize, taken: usize) -> Vec<u8> {
    let mut planes = row.to_vec();
    for index in distance..planes.len() {
        planes[index] = planes[index].wrapping_add(planes[index - distance]);
    }
    let count = planes.len() / bytes;
    (0..taken * bytes).map(|index| planes[index % bytes * count + index / bytes]).collect()
}

/// Values of up to 16 bits without gaps, the highest bits first.
fn packed(row: &[u8], bits: usize, count: usize) -> Vec<u32> {
    let value = |index: usize| {
        let (first, last) = (index * bits, (index + 1) * bits);
        let bytes = &row[first / 8..last.div_ceil(8)];
        let window = bytes.iter().fold(0_u32, |sum, &byte| sum << 8 | u32::from(byte));
        window >> (8 * bytes.len() - (last - first / 8 * 8)) & ((1 << bits) - 1)
    };
    (0..count).map(value).collect()
}
