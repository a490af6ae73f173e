use std::path::Path;

use super::Figure;
use super::axis::Axis;
use super::chart::{Chart, Line};
use super::figure::save;
use super::thin::thin;
use crate::area::up_to;
use crate::check::check_limit;
use crate::{Error, PrCurve, ProCurve, RocCurve};

/// Plots labelled ROC curves on one figure, with their areas in the legend and
/// the line of chance.
///
/// ```
/// use metrics::{Figure, plot_roc, roc};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("roc.svg");
/// let curve = roc(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true])?;
/// plot_roc(&path, &Figure::new("Fabric"), &[("SSIM-AE", &curve)])?;
/// # let drawn = std::fs::read_to_string(&path).unwrap();
/// assert!(drawn.contains("SSIM-AE (AUC 0.750)"));
/// # Ok::<(), metrics::Error>(())
/// ```
///
/// # Errors
/// [`Error::NothingToPlot`] without curves, [`Error::UnknownFormat`] unless
/// the path ends in `.png` or `.svg`, [`Error::FigureSize`], [`Error::Write`]
/// and [`Error::Draw`].
pub fn plot_roc(
    path: impl AsRef<Path>,
    figure: &Figure<'_>,
    curves: &[(&str, &RocCurve)],
) -> Result<(), Error> {
    let chance = Line::reference(vec![(0.0, 0.0), (1.0, 1.0)], None);
    let lines = curves.iter().enumerate().map(|(index, (label, curve))| {
        let points = pairs(curve.fpr(), curve.tpr());
        let label = format!("{label} (AUC {:.3})", curve.auc());
        Line::series(index, thinned(points, figure, 1.0), label)
    });
    let chart = Chart {
        figure,
        x: Axis::rate("False-positive rate", 1.0),
        y: Axis::rate("True-positive rate", 1.0),
        lines: std::iter::once(chance).chain(lines).collect(),
    };
    save_curves(&chart, curves.len(), path.as_ref())
}

/// Plots labelled precision–recall curves on one figure, with their average
/// precisions in the legend.
///
/// The curves are drawn as the steps that the average precision sums up.
///
/// ```
/// use metrics::{Figure, plot_pr, precision_recall};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("pr.svg");
/// let curve = precision_recall(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true])?;
/// plot_pr(&path, &Figure::new("Fabric"), &[("SSIM-AE", &curve)])?;
/// # let drawn = std::fs::read_to_string(&path).unwrap();
/// assert!(drawn.contains("SSIM-AE (AP 0.833)"));
/// # Ok::<(), metrics::Error>(())
/// ```
///
/// # Errors
/// As [`plot_roc`].
pub fn plot_pr(
    path: impl AsRef<Path>,
    figure: &Figure<'_>,
    curves: &[(&str, &PrCurve)],
) -> Result<(), Error> {
    let lines = curves.iter().enumerate().map(|(index, (label, curve))| {
        let points = steps(curve.recall(), curve.precision());
        let label = format!("{label} (AP {:.3})", curve.average_precision());
        Line::series(index, thinned(points, figure, 1.0), label)
    });
    let chart = Chart {
        figure,
        x: Axis::rate("Recall", 1.0),
        y: Axis::rate("Precision", 1.0),
        lines: lines.collect(),
    };
    save_curves(&chart, curves.len(), path.as_ref())
}

/// Plots labelled per-region overlap curves on one figure up to a
/// false-positive rate of `limit`, with their normalised areas up to there in
/// the legend.
///
/// ```
/// use metrics::{AU_PRO_LIMIT, Figure, ScoredImage, plot_pro, pro_curve};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("pro.svg");
/// let (scores, labels) = ([0.9, 0.5, 0.2], [true, false, true]);
/// let image = ScoredImage { width: 3, height: 1, scores: &scores, labels: &labels };
/// let curve = pro_curve(&[image])?;
/// plot_pro(&path, &Figure::new("Fabric"), &[("SSIM-AE", &curve)], AU_PRO_LIMIT)?;
/// # let drawn = std::fs::read_to_string(&path).unwrap();
/// assert!(drawn.contains("SSIM-AE (AU-PRO 0.500)"));
/// # Ok::<(), metrics::Error>(())
/// ```
///
/// # Errors
/// [`Error::InvalidLimit`] and as [`plot_roc`].
pub fn plot_pro(
    path: impl AsRef<Path>,
    figure: &Figure<'_>,
    curves: &[(&str, &ProCurve)],
    limit: f64,
) -> Result<(), Error> {
    check_limit(limit)?;
    let mut lines = Vec::with_capacity(curves.len());
    for (index, (label, curve)) in curves.iter().enumerate() {
        let points = up_to(pairs(curve.fpr(), curve.pro()), limit);
        let label = format!("{label} (AU-PRO {:.3})", curve.area(limit)?);
        lines.push(Line::series(index, thinned(points, figure, limit), label));
    }
    let chart = Chart {
        figure,
        x: Axis::rate("False-positive rate", limit),
        y: Axis::rate("Per-region overlap", 1.0),
        lines,
    };
    save_curves(&chart, curves.len(), path.as_ref())
}

fn save_curves(chart: &Chart<'_>, curves: usize, path: &Path) -> Result<(), Error> {
    if curves == 0 {
        return Err(Error::NothingToPlot { path: path.to_owned() });
    }
    save(chart, path)
}

type Point = (f64, f64);

fn pairs(x: &[f64], y: &[f64]) -> impl Iterator<Item = Point> {
    x.iter().copied().zip(y.iter().copied())
}

/// Half-pixel columns over axes from 0 to `end`.
fn thinned(points: impl Iterator<Item = Point>, figure: &Figure<'_>, end: f64) -> Vec<Point> {
    thin(points, figure.width.saturating_mul(2), (0.0, end))
}

/// A horizontal line at each height from the last position to its own.
fn steps(x: &[f64], y: &[f64]) -> impl Iterator<Item = Point> {
    let first = pairs(x, y).take(1);
    let steps = x.windows(2).zip(y.iter().skip(1));
    first.chain(steps.flat_map(|(x, &y)| [(x[0], y), (x[1], y)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_run_at_the_height_of_their_end() {
        let points: Vec<Point> = steps(&[0.0, 0.5, 1.0], &[1.0, 0.8, 0.6]).collect();
        assert_eq!(points, [(0.0, 1.0), (0.0, 0.8), (0.5, 0.8), (0.5, 0.6), (1.0, 0.6)]);
    }
}
