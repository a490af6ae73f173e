//! Differences of two results as text.

/// A difference to two digits; `0` only if the results are equal.
pub fn written(difference: f64) -> String {
    if difference == 0.0 { "0".to_owned() } else { format!("{difference:.1e}") }
}

#[cfg(test)]
mod tests {
    use super::written;

    #[test]
    fn no_difference_is_no_small_one() {
        assert_eq!([0.0, -0.0, 1.25e-7].map(written), ["0", "0", "1.2e-7"]);
    }
}
