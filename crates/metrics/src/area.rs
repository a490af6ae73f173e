//! Areas under curves given by points `(x, y)`.

/// The area from 0 to `limit`, divided by `limit`, under the line through the
/// points, which begin at x = 0 and ascend to x = 1.
pub(crate) fn mean_height(points: impl Iterator<Item = (f64, f64)>, limit: f64) -> f64 {
    // A perfect curve may come out above 1 by the rounding of the sum.
    (trapezoid(up_to(points, limit)) / limit).min(1.0)
}

/// The part of a line up to x = `limit`, where it is interpolated. None of its
/// points but the first beyond the limit is looked at.
pub(crate) fn up_to(
    points: impl Iterator<Item = (f64, f64)>,
    limit: f64,
) -> impl Iterator<Item = (f64, f64)> {
    points.scan(Some((0.0, 0.0)), move |last, (x, y)| {
        let (x0, y0) = (*last)?;
        *last = (x <= limit).then_some((x, y));
        Some(last.unwrap_or((limit, y0 + (y - y0) * (limit - x0) / (x - x0))))
    })
}

/// Summing in parts keeps the rounding error of millions of points at that of
/// thousands.
fn trapezoid(points: impl Iterator<Item = (f64, f64)>) -> f64 {
    const PART: usize = 1 << 12;
    let (mut sum, mut part) = (0.0, 0.0);
    let (mut x0, mut y0) = (0.0, 0.0);
    for (number, (x, y)) in points.enumerate() {
        part += (x - x0) * 0.5 * (y0 + y);
        (x0, y0) = (x, y);
        if number % PART == 0 {
            sum += std::mem::take(&mut part);
        }
    }
    sum + part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn area_of_a_staircase_and_a_slope() {
        let points = [(0.0, 0.0), (0.0, 0.5), (0.5, 0.5), (0.5, 0.75), (1.0, 1.0)];
        assert_eq!(trapezoid(points.into_iter()), 0.25 + 0.4375);
        assert_eq!(mean_height(points.into_iter(), 1.0), 0.25 + 0.4375);
    }

    /// The sum of 10,000 widths of 2⁻¹⁴ at height 1 is exact in any order.
    #[test]
    fn parts_add_up() {
        let points = (0..=10_000_u16).map(|at| (f64::from(at) / 16_384.0, 1.0));
        assert_eq!(trapezoid(points), 10_000.0 / 16_384.0);
    }

    #[test]
    fn the_line_is_cut_at_the_limit() {
        let points = || [(0.0, 0.0), (0.5, 1.0), (1.0, 1.0)].into_iter();
        let cut = |limit| up_to(points(), limit).collect::<Vec<_>>();
        assert_eq!(cut(0.25), [(0.0, 0.0), (0.25, 0.5)]);
        assert_eq!(cut(0.5), [(0.0, 0.0), (0.5, 1.0), (0.5, 1.0)]);
        assert_eq!(cut(1.0), [(0.0, 0.0), (0.5, 1.0), (1.0, 1.0)]);
        // A triangle of base 0.25 and height 0.5, over 0.25.
        assert_eq!(mean_height(points(), 0.25), 0.25);
        // The limit is a point of the curve.
        assert_eq!(mean_height(points(), 0.5), 0.5);
    }

    /// Without the bound, these steps of a perfect curve add up to 1 + 2⁻⁵².
    #[test]
    fn a_perfect_curve_is_not_better_than_one() {
        let points = [0.0, 1.0 / 22.0, 5.0 / 22.0, 1.0].map(|x| (x, 1.0));
        assert_eq!(mean_height(points.into_iter(), 0.3), 1.0);
    }
}
