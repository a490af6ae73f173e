//! Curves in a few points, for files and pictures.

use anyhow::Result;
use detector::Curves;
use detector::files::write_atomic;
use metrics::{AU_PRO_LIMIT, PrCurve, ProCurve, RocCurve};
use std::path::Path;

/// The largest distance of a point that is left out of a file from one that is kept, in both coordinates.
const TOLERANCE: f64 = 1.0 / 4096.0;

/// A point of a curve and the threshold that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub x: f64,
    pub y: f64,
    pub threshold: f32,
}

/// Writes the curves of the opened maps, thinned: `roc.csv`, `pr.csv` and, up to the limit of its area, `pro.csv`.
///
/// # Errors
/// If a file cannot be written.
pub fn write_curves(folder: &Path, curves: &Curves) -> Result<()> {
    let Curves { roc, precision_recall, pro, .. } = curves;
    let file = |name: &str| folder.join(name);
    write(&file("roc.csv"), ["fpr", "tpr", "threshold"], &roc_points(roc, TOLERANCE))?;
    let pr = pr_points(precision_recall, TOLERANCE);
    write(&file("pr.csv"), ["recall", "precision", "threshold"], &pr)?;
    write(&file("pro.csv"), ["fpr", "pro", "threshold"], &pro_points(pro, TOLERANCE))
}

/// True-positive over false-positive rate. Points that are left out lie within `tolerance` of the point before, in both coordinates.
pub fn roc_points(curve: &RocCurve, tolerance: f64) -> Vec<Point> {
    thin(points(curve.fpr(), curve.tpr(), curve.thresholds()), tolerance)
}

/// Precision over recall, thinned like [`roc_points`].
pub fn pr_points(curve: &PrCurve, tolerance: f64) -> Vec<Point> {
    thin(points(curve.recall(), curve.precision(), curve.thresholds()), tolerance)
}

/// Per-region overlap over false-positive rate up to the limit of its area, thinned like [`roc_points`].
pub fn pro_points(curve: &ProCurve, tolerance: f64) -> Vec<Point> {
    thin(up_to(curve, AU_PRO_LIMIT).into_iter(), tolerance)
}

fn points<'a>(
    x: &'a [f64],
    y: &'a [f64],
    thresholds: &'a [f32],
) -> impl Iterator<Item = Point> + 'a {
    let points = x.iter().zip(y).zip(thresholds);
    points.map(|((&x, &y), &threshold)| Point { x, y, threshold })
}

/// The part of a curve up to the false-positive rate `limit`. It ends there, between two points of the curve, with the threshold
/// of the first one.
fn up_to(curve: &ProCurve, limit: f64) -> Vec<Point> {
    let inside = curve.fpr().partition_point(|&fpr| fpr <= limit);
    let mut all = points(curve.fpr(), curve.pro(), curve.thresholds());
    let mut points: Vec<Point> = all.by_ref().take(inside).collect();
    if let (Some(&last), Some(next)) = (points.last(), all.next()) {
        let y = last.y + (next.y - last.y) * (limit - last.x) / (next.x - last.x);
        points.push(Point { x: limit, y, ..last });
    }
    points
}

fn write(path: &Path, header: [&str; 3], points: &[Point]) -> Result<()> {
    Ok(write_atomic(path, |file| {
        let mut writer = csv::Writer::from_writer(file);
        writer.write_record(header)?;
        for &Point { x, y, threshold } in points {
            writer.serialize((x, y, threshold))?;
        }
        Ok(writer.flush()?)
    })?)
}

/// Leaves out what lies within `tolerance` of the last point that is kept. The first and the last point are kept.
fn thin(points: impl Iterator<Item = Point>, tolerance: f64) -> Vec<Point> {
    let is_near =
        |a: Point, b: Point| (a.x - b.x).abs() <= tolerance && (a.y - b.y).abs() <= tolerance;
    let mut kept: Vec<Point> = Vec::new();
    let mut skipped = None;
    for point in points {
        skipped =
            Some(point).filter(|&point| kept.last().is_some_and(|&last| is_near(last, point)));
        if skipped.is_none() {
            kept.push(point);
        }
    }
    kept.extend(skipped);
    kept
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
    use super::*;
    use metrics::{ScoredImage, pro_curve};

    fn point(x: f64, y: f64) -> Point {
        Point { x, y, threshold: 0.5 }
    }

    /// A staircase of a million steps, and a sawtooth.
    #[test]
    fn what_is_left_out_lies_near_what_is_kept() {
        let count = 1_000_000;
        let rate = |i: i32| f64::from(i) / f64::from(count);
        let stairs: Vec<Point> =
            (0..=count).map(|i| point(rate(i / 2 * 2), rate(i).sqrt())).collect();
        let teeth: Vec<Point> =
            (0..=count).map(|i| point(rate(i), 0.5 + 1e-3 * f64::from(i % 3))).collect();
        for (points, most) in [(stairs, 2 * 4096), (teeth, 1_000_001)] {
            let kept = thin(points.iter().copied(), TOLERANCE);
            assert!(kept.len() <= most, "{}", kept.len());
            assert_eq!((kept.first(), kept.last()), (points.first(), points.last()));
            let mut next = 0;
            for &point in &points {
                next += usize::from(kept.get(next) == Some(&point));
                let near = kept[next - 1];
                assert!(
                    (point.x - near.x).abs() <= TOLERANCE && (point.y - near.y).abs() <= TOLERANCE
                );
            }
            assert_eq!(next, kept.len(), "the order is that of the curve");
        }
    }

    #[test]
    fn few_points_stay() {
        for points in [&[][..], &[point(0.0, 0.0)], &[point(0.0, 0.0), point(0.0, 1e-5)]] {
            assert_eq!(thin(points.iter().copied(), TOLERANCE), points);
        }
    }

    /// Three defect-free pixels, the first of them above the second defective one.
    #[test]
    fn a_curve_ends_at_the_limit() {
        let scores = [0.9, 0.1, 0.8, 0.3, 0.5, 0.2];
        let labels = [true, false, true, true, false, false];
        let image = ScoredImage { width: 6, height: 1, scores: &scores, labels: &labels };
        let curve = pro_curve(&[image]).unwrap();
        let points: Vec<(f64, f64, f32)> =
            up_to(&curve, 0.25).iter().map(|p| (p.x, p.y, p.threshold)).collect();
        let start = [(0.0, 0.0, f32::INFINITY), (0.0, 0.5, 0.9), (0.0, 0.75, 0.8)];
        assert_eq!(points[..3], start);
        assert_eq!(points[3..], [(0.25, 0.75, 0.8)]);
        let last = up_to(&curve, 1.0).pop().unwrap();
        assert_eq!((last.x, last.y, last.threshold), (1.0, 1.0, 0.1));
    }
}
