//! The inverse discrete cosine transform, bit by bit that of libjpeg (`jidctint.c`, its default): Loeffler, Ligtenberg and
//! Moschytz 1989, in integers of 13 binary places.

use super::scan::Block;
use std::num::Wrapping;

type Number = Wrapping<i32>;

const PLACES: usize = 13;
/// Binary places of the columns' results beyond integers.
const BETWEEN: usize = 2;

const fn number(value: i32) -> Number {
    Wrapping(value)
}

/// The samples of a block, row by row, of its coefficients times `quantisation`.
pub fn samples(block: &Block, quantisation: &[u16; 64]) -> [u8; 64] {
    let mut values = [number(0); 64];
    for ((value, &coefficient), &factor) in values.iter_mut().zip(block).zip(quantisation) {
        *value = number(i32::from(coefficient)) * number(factor.into());
    }
    for x in 0..8 {
        let column = std::array::from_fn(|y| values[8 * y + x]);
        for (y, value) in transform(column, PLACES - BETWEEN).into_iter().enumerate() {
            values[8 * y + x] = value;
        }
    }
    let mut samples = [0; 64];
    for (row, samples) in values.as_chunks().0.iter().zip(samples.chunks_exact_mut(8)) {
        for (value, sample) in transform(*row, PLACES + BETWEEN + 3).into_iter().zip(samples) {
            *sample = (value + number(128)).0.clamp(0, 255) as u8;
        }
    }
    samples
}

/// The transform of eight numbers, rounded after division by 2^`shift`.
fn transform(input: [Number; 8], shift: usize) -> [Number; 8] {
    let [i0, i1, i2, i3, i4, i5, i6, i7] = input;
    // Even part.
    let rotated = (i2 + i6) * number(4_433);
    let (a2, a3) = (rotated - i6 * number(15_137), rotated + i2 * number(6_270));
    let (a0, a1) = ((i0 + i4) << PLACES, (i0 - i4) << PLACES);
    let even = [a0 + a3, a1 + a2, a1 - a2, a0 - a3];
    // Odd part.
    let sum = (i7 + i3 + i5 + i1) * number(9_633);
    let (z1, z2) = ((i7 + i1) * number(-7_373), (i5 + i3) * number(-20_995));
    let (z3, z4) = ((i7 + i3) * number(-16_069) + sum, (i5 + i1) * number(-3_196) + sum);
    let odd = [
        i1 * number(12_299) + z1 + z4,
        i3 * number(25_172) + z2 + z3,
        i5 * number(16_819) + z2 + z4,
        i7 * number(2_446) + z1 + z3,
    ];
    let half = number(1 << (shift - 1));
    std::array::from_fn(|index| match index {
        0..4 => (even[index] + odd[index] + half) >> shift,
        _ => (even[7 - index] - odd[7 - index] + half) >> shift,
    })
}
