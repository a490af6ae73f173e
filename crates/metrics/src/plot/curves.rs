use super::axis::Axis;
use super::chart::{Chart, Line};
use crate::area::up_to;
use crate::check::check_limit;
use crate::{Error, PrCurve, ProCurve, RocCurve};

impl Chart {
    /// Labelled ROC curves, with their areas in the legend and the line of
    /// chance.
    ///
    /// ```
    /// use metrics::{Chart, Figure, roc};
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("roc.svg");
    /// let curve = roc(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true])?;
    /// Chart::roc(&[("SSIM-AE", &curve)])?.save(&path, &Figure::new("Fabric"))?;
    /// # let drawn = std::fs::read_to_string(&path).unwrap();
    /// assert!(drawn.contains("SSIM-AE (AUC 0.750)"));
    /// # Ok::<(), metrics::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NothingToPlot`] without curves.
    pub fn roc(curves: &[(&str, &RocCurve)]) -> Result<Self, Error> {
        check_any(curves)?;
        let chance = Line::reference(vec![(0.0, 0.0), (1.0, 1.0)], None);
        let lines = curves.iter().enumerate().map(|(index, (label, curve))| {
            let points = pairs(curve.fpr(), curve.tpr()).collect();
            Line::series(index, points, format!("{label} (AUC {:.3})", curve.auc()))
        });
        let lines = std::iter::once(chance).chain(lines).collect();
        let x = Axis::rate("False-positive rate", 1.0);
        Ok(Self { x, y: Axis::rate("True-positive rate", 1.0), lines })
    }

    /// Labelled precision–recall curves, with their average precisions in the
    /// legend.
    ///
    /// The curves are drawn as the steps that the average precision sums up.
    ///
    /// ```
    /// use metrics::{Chart, Figure, precision_recall};
    ///
    /// let curve = precision_recall(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true])?;
    /// let chart = Chart::precision_recall(&[("SSIM-AE", &curve)])?;
    /// assert!(chart.to_svg(&Figure::new("Fabric"))?.contains("SSIM-AE (AP 0.833)"));
    /// # Ok::<(), metrics::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NothingToPlot`] without curves.
    pub fn precision_recall(curves: &[(&str, &PrCurve)]) -> Result<Self, Error> {
        check_any(curves)?;
        let lines = curves.iter().enumerate().map(|(index, (label, curve))| {
            let points = steps(curve.recall(), curve.precision()).collect();
            Line::series(index, points, format!("{label} (AP {:.3})", curve.average_precision()))
        });
        let (x, y) = (Axis::rate("Recall", 1.0), Axis::rate("Precision", 1.0));
        Ok(Self { x, y, lines: lines.collect() })
    }

    /// Labelled per-region overlap curves up to a false-positive rate of
    /// `limit`, with their normalised areas up to there in the legend.
    ///
    /// ```
    /// use metrics::{AU_PRO_LIMIT, Chart, Figure, ScoredImage, pro_curve};
    ///
    /// let (scores, labels) = ([0.9, 0.5, 0.2], [true, false, true]);
    /// let image = ScoredImage { width: 3, height: 1, scores: &scores, labels: &labels };
    /// let curve = pro_curve(&[image])?;
    /// let chart = Chart::pro(&[("SSIM-AE", &curve)], AU_PRO_LIMIT)?;
    /// assert!(chart.to_svg(&Figure::new("Fabric"))?.contains("SSIM-AE (AU-PRO 0.500)"));
    /// # Ok::<(), metrics::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidLimit`] unless the limit is in (0, 1], and
    /// [`Error::NothingToPlot`] without curves.
    pub fn pro(curves: &[(&str, &ProCurve)], limit: f64) -> Result<Self, Error> {
        check_any(curves)?;
        check_limit(limit)?;
        let line = |(index, (label, curve)): (usize, &(&str, &ProCurve))| {
            let points = up_to(pairs(curve.fpr(), curve.pro()), limit).collect();
            let label = format!("{label} (AU-PRO {:.3})", curve.area(limit)?);
            Ok(Line::series(index, points, label))
        };
        let lines = curves.iter().enumerate().map(line).collect::<Result<_, Error>>()?;
        let x = Axis::rate("False-positive rate", limit);
        Ok(Self { x, y: Axis::rate("Per-region overlap", 1.0), lines })
    }
}

fn check_any<T>(curves: &[T]) -> Result<(), Error> {
    if curves.is_empty() { Err(Error::NothingToPlot) } else { Ok(()) }
}

type Point = (f64, f64);

fn pairs(x: &[f64], y: &[f64]) -> impl Iterator<Item = Point> {
    x.iter().copied().zip(y.iter().copied())
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
