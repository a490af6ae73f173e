/// The place of an index beyond an axis of `length` values, at least 1, that is mirrored at its ends as often as needed; the
/// outermost values are repeated:
///
/// ```text
/// … c b a | a b c | c b a | a b c …
/// ```
pub(crate) fn mirrored(index: isize, length: usize) -> usize {
    let place = index.rem_euclid(2 * length as isize) as usize;
    place.min(2 * length - 1 - place)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `numpy.pad(numpy.arange(n), (7, 7), mode="symmetric")` of NumPy 2.4.6, for n of 3, 2 and 1.
    #[test]
    fn indices_are_those_of_numpy() {
        let row = |length: usize| {
            (-7..length as isize + 7).map(|index| mirrored(index, length)).collect::<Vec<_>>()
        };
        assert_eq!(row(3), [0, 0, 1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1, 2, 2]);
        assert_eq!(row(2), [1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0]);
        assert_eq!(row(1), [0; 15]);
    }
}
