//! Scores as integers that sort like the scores.

/// Maps a finite score to an integer such that *ascending* integers are
/// *descending* scores.
///
/// The bit pattern of a non-negative float grows with its value, that of a
/// negative one falls with it; flipping all bits but the sign of the former
/// therefore turns the order of all floats around. Adding zero first makes
/// -0.0 the same score as +0.0.
#[inline]
pub(crate) fn encode(score: f32) -> u32 {
    flip((score + 0.0).to_bits())
}

/// The score that [`encode`] turned into `key`.
#[inline]
pub(crate) fn decode(key: u32) -> f32 {
    f32::from_bits(flip(key))
}

/// Its own inverse, since the sign bit stays.
#[inline]
fn flip(bits: u32) -> u32 {
    const ALL_BUT_SIGN: u32 = u32::MAX >> 1;
    // All ones for a negative float, zero otherwise: no branch in hot loops.
    let negative = (bits.cast_signed() >> 31).cast_unsigned();
    bits ^ (ALL_BUT_SIGN & !negative)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ascending_keys_are_descending_scores() {
        let scores = [f32::MAX, 1.0, f32::MIN_POSITIVE, 1e-45, 0.0, -1e-45, -1.0, f32::MIN];
        assert!(scores.windows(2).all(|pair| encode(pair[0]) < encode(pair[1])));
    }

    #[test]
    fn both_zeros_are_one_score() {
        assert_eq!(encode(-0.0), encode(0.0));
    }

    proptest! {
        #[test]
        fn keys_keep_order_and_value(a in -f32::MAX..f32::MAX, b in -f32::MAX..f32::MAX) {
            prop_assert_eq!(a < b, encode(a) > encode(b));
            prop_assert_eq!(decode(encode(a)), a);
        }
    }
}
