//! A part of many images that stands for all.

/// At most `count` of all, evenly spaced, in their order.
pub fn evenly<T>(all: &[T], count: usize) -> impl ExactSizeIterator<Item = &T> {
    let count = count.min(all.len());
    (0..count).map(move |index| &all[index * all.len() / count])
}

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
    fn what_is_taken_evenly_is_of_all_parts() {
        let numbers = [0, 1, 2, 3, 4];
        assert!(evenly(&numbers, 2).eq(&[0, 2]));
        assert!(evenly(&numbers, 9).eq(&numbers));
        assert!(evenly(&numbers[..0], 3).next().is_none());
    }

    #[test]
    fn beginnings_of_the_order_are_spread_and_none_is_left_out() {
        assert_eq!(spread(8).collect::<Vec<_>>(), [0, 4, 2, 6, 1, 5, 3, 7]);
        assert_eq!(spread(5).collect::<Vec<_>>(), [0, 4, 2, 1, 3]);
        assert_eq!((spread(1).collect::<Vec<_>>(), spread(0).count()), (vec![0], 0));
    }
}
