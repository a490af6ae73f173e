//! A part of many images that stands for all.

/// The numbers 0 to `count` − 1 in an order whose beginnings are spread evenly: by their digits to the base 2, read backwards.
pub fn spread(count: usize) -> impl Iterator<Item = usize> {
    let all = count.next_power_of_two();
    let bits = all.trailing_zeros();
    let reversed = move |index: usize| match bits {
        0 => 0,
        _ => index.reverse_bits() >> (usize::BITS - bits),
    };
    (0..all).map(reversed).filter(move |&index| index < count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_of_the_order_are_spread_and_none_is_left_out() {
        assert_eq!(spread(8).collect::<Vec<_>>(), [0, 4, 2, 6, 1, 5, 3, 7]);
        assert_eq!(spread(5).collect::<Vec<_>>(), [0, 4, 2, 1, 3]);
        assert_eq!((spread(1).collect::<Vec<_>>(), spread(0).count()), (vec![0], 0));
    }
}
