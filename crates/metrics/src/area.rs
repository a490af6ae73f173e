//! Areas under curves given by points.

/// The area under the line through the points, whose `x` ascend.
///
/// Summing in parts keeps the rounding error of millions of points at that of
/// thousands.
fn trapezoid(x: &[f64], y: &[f64]) -> f64 {
    const PART: usize = 1 << 12;
    let steps = x.len().saturating_sub(1);
    let part = |start: usize| {
        let end = steps.min(start + PART);
        let areas = (start..end).map(|i| (x[i + 1] - x[i]) * 0.5 * (y[i] + y[i + 1]));
        areas.sum::<f64>()
    };
    (0..steps).step_by(PART).map(part).sum()
}

/// The area from 0 to `limit`, divided by `limit`. `x` ascends from 0 to 1.
pub(crate) fn mean_height(x: &[f64], y: &[f64], limit: f64) -> f64 {
    let (inside, at_limit) = cut(x, y, limit);
    let last = inside - 1;
    let rest = (limit - x[last]) * 0.5 * (y[last] + at_limit);
    let area = trapezoid(&x[..inside], &y[..inside]) + rest;
    // A perfect curve may come out above 1 by the rounding of the sum.
    (area / limit).min(1.0)
}

/// The number of points up to `limit`, at least 1, and the height there of the
/// line to the next point. `x` ascends from 0 to 1.
pub(crate) fn cut(x: &[f64], y: &[f64], limit: f64) -> (usize, f64) {
    let inside = x.partition_point(|&x| x <= limit);
    let (x0, y0) = (x[inside - 1], y[inside - 1]);
    let height = match (x.get(inside), y.get(inside)) {
        (Some(x1), Some(y1)) => y0 + (y1 - y0) * (limit - x0) / (x1 - x0),
        _ => y0,
    };
    (inside, height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn area_of_a_staircase_and_a_slope() {
        let (x, y) = ([0.0, 0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 0.5, 0.75, 1.0]);
        assert_eq!(trapezoid(&x, &y), 0.25 + 0.4375);
        assert_eq!(mean_height(&x, &y, 1.0), 0.25 + 0.4375);
    }

    #[test]
    fn the_line_is_cut_at_the_limit() {
        let (x, y) = ([0.0, 0.5, 1.0], [0.0, 1.0, 1.0]);
        // A triangle of base 0.25 and height 0.5, over 0.25.
        assert_eq!(mean_height(&x, &y, 0.25), 0.25);
        assert_eq!(cut(&x, &y, 0.25), (1, 0.5));
        assert_eq!(cut(&x, &y, 0.5), (2, 1.0));
        assert_eq!(cut(&x, &y, 1.0), (3, 1.0));
        // The limit is a point of the curve.
        assert_eq!(mean_height(&x, &y, 0.5), 0.5);
    }

    /// Without the bound, these steps of a perfect curve add up to 1 + 2⁻⁵².
    #[test]
    fn a_perfect_curve_is_not_better_than_one() {
        let x = [0.0, 1.0 / 22.0, 5.0 / 22.0, 1.0];
        assert_eq!(mean_height(&x, &[1.0; 4], 0.3), 1.0);
    }
}
