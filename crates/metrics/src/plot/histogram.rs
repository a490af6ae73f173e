use std::path::Path;

use rayon::prelude::*;

use super::Figure;
use super::axis::Axis;
use super::chart::{Chart, Fill, Line};
use super::figure::save;
use crate::Error;
use crate::check::check_scores;

/// How to show a histogram of scores.
///
/// ```
/// use metrics::{HistogramStyle, Scale};
///
/// let style = HistogramStyle { threshold: Some(0.25), ..HistogramStyle::default() };
/// assert_eq!((style.bins, style.scale), (100, Scale::Linear));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HistogramStyle {
    /// The number of bins between the lowest and the highest score.
    pub bins: usize,
    /// The scale of the shares.
    pub scale: Scale,
    /// A threshold to draw in.
    pub threshold: Option<f32>,
}

impl Default for HistogramStyle {
    /// 100 bins on a linear scale, no threshold.
    fn default() -> Self {
        Self { bins: 100, scale: Scale::Linear, threshold: None }
    }
}

/// The scale of an axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// Proportional to the value.
    #[default]
    Linear,
    /// Proportional to the logarithm of the value: shows the few pixels of a
    /// defect beside the many of a good texture.
    Logarithmic,
}

/// Plots histograms of labelled lists of scores on one figure, such as those
/// of good and of defective images, or of defect-free and of defective pixels.
///
/// Each histogram shows the shares of its own list, so that few defective
/// scores are seen beside many good ones.
///
/// ```
/// use metrics::{Figure, HistogramStyle, Scale, plot_histogram};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("scores.svg");
/// let (good, defective) = ([0.1, 0.15, 0.1, 0.2], [0.3, 0.7]);
/// let style = HistogramStyle { scale: Scale::Logarithmic, threshold: Some(0.25), ..Default::default() };
/// plot_histogram(&path, &Figure::new("Fabric"), &[("good", &good), ("defective", &defective)], &style)?;
/// # let drawn = std::fs::read_to_string(&path).unwrap();
/// assert!(drawn.contains("defective (n = 2)") && drawn.contains("threshold 0.2500"));
/// # Ok::<(), metrics::Error>(())
/// ```
///
/// # Errors
/// [`Error::NothingToPlot`] without any score or without bins,
/// [`Error::NonFiniteScore`] with the position of the list as the image,
/// [`Error::InvalidThreshold`] unless the threshold is finite, and as
/// [`plot_roc`](crate::plot_roc).
pub fn plot_histogram(
    path: impl AsRef<Path>,
    figure: &Figure<'_>,
    lists: &[(&str, &[f32])],
    style: &HistogramStyle,
) -> Result<(), Error> {
    let path = path.as_ref();
    for (number, (_, scores)) in lists.iter().enumerate() {
        check_scores(number, scores)?;
    }
    if style.threshold.is_some_and(|threshold| !threshold.is_finite()) {
        return Err(Error::InvalidThreshold);
    }
    let range = score_range(lists, style).filter(|_| style.bins > 0);
    let range = range.ok_or_else(|| Error::NothingToPlot { path: path.to_owned() })?;
    let shares: Vec<Vec<f64>> =
        lists.iter().map(|(_, scores)| shares(scores, style.bins, range)).collect();
    save(&chart(figure, lists, &shares, range, style), path)
}

/// The range of all scores and the threshold, widened if it is a single value.
fn score_range(lists: &[(&str, &[f32])], style: &HistogramStyle) -> Option<(f64, f64)> {
    let all = lists.iter().flat_map(|(_, scores)| scores.iter());
    let (low, high) = all.map(|&score| (score, score)).reduce(join)?;
    let (low, high) = style.threshold.map_or((low, high), |t| join((low, high), (t, t)));
    let (low, high) = (f64::from(low), f64::from(high));
    Some(if low < high { (low, high) } else { (low - 0.5, high + 0.5) })
}

fn join(a: (f32, f32), b: (f32, f32)) -> (f32, f32) {
    (a.0.min(b.0), a.1.max(b.1))
}

/// The share of the scores in each bin.
fn shares(scores: &[f32], bins: usize, (low, high): (f64, f64)) -> Vec<f64> {
    let per_unit = bins as f64 / (high - low);
    let count = |mut counts: Vec<u64>, &score: &f32| {
        counts[(((f64::from(score) - low) * per_unit) as usize).min(bins - 1)] += 1;
        counts
    };
    let add = |mut sums: Vec<u64>, counts: Vec<u64>| {
        sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        sums
    };
    let counts = scores.par_iter().fold(|| vec![0; bins], count).reduce(|| vec![0; bins], add);
    counts.into_iter().map(|count| count as f64 / scores.len().max(1) as f64).collect()
}

fn chart<'a>(
    figure: &'a Figure<'a>,
    lists: &[(&str, &[f32])],
    shares: &[Vec<f64>],
    range: (f64, f64),
    style: &HistogramStyle,
) -> Chart<'a> {
    let y = share_axis(shares, style.scale);
    let mut lines: Vec<Line> = lists
        .iter()
        .zip(shares)
        .enumerate()
        .map(|(index, ((label, scores), shares))| {
            let points = outline(shares, range, &y, style.scale);
            let label = format!("{label} (n = {})", scores.len());
            Line { fill: Fill::Below, ..Line::series(index, points, label) }
        })
        .collect();
    if let Some(threshold) = style.threshold {
        let x = f64::from(threshold);
        let label = format!("threshold {threshold:.4}");
        let points = vec![(x, y.range.start), (x, y.range.end)];
        lines.push(Line::reference(points, Some(label)));
    }
    Chart { figure, x: Axis::linear("Score", range.0..range.1), y, lines }
}

/// Leaves a tenth free above the highest bin; a logarithmic axis begins a
/// factor of two below the lowest bin that is not empty.
fn share_axis(shares: &[Vec<f64>], scale: Scale) -> Axis<'static> {
    let filled = || shares.iter().flatten().copied().filter(|&share| share > 0.0);
    let highest = filled().fold(0.0, f64::max);
    match scale {
        Scale::Linear => Axis::linear("Share", 0.0..1.1 * highest),
        Scale::Logarithmic => {
            let lowest = filled().fold(highest, f64::min);
            let range = (lowest / 2.0).log10()..highest.log10() + 0.1;
            Axis::with_text("Share (logarithmic)", range, power_of_ten)
        }
    }
}

/// Writes the tick at a logarithm as the number itself.
fn power_of_ten(exponent: f64) -> String {
    format!("{:.1e}", 10_f64.powf(exponent)).replace(".0e", "e")
}

/// The steps along the tops of the bins.
fn outline(shares: &[f64], (low, high): (f64, f64), y: &Axis<'_>, scale: Scale) -> Vec<(f64, f64)> {
    let floor = y.range.start;
    let height = |share: f64| match scale {
        Scale::Linear => share,
        Scale::Logarithmic => share.log10().max(floor),
    };
    let edge = |bin: usize| low + (high - low) * bin as f64 / shares.len() as f64;
    let tops = shares
        .iter()
        .enumerate()
        .flat_map(|(bin, &share)| [(edge(bin), height(share)), (edge(bin + 1), height(share))]);
    std::iter::once((low, floor)).chain(tops).chain([(high, floor)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_count_both_ends() {
        assert_eq!(shares(&[0.0, 0.1, 0.6, 1.0], 2, (0.0, 1.0)), [0.5, 0.5]);
    }

    #[test]
    fn logarithmic_ticks_are_numbers() {
        assert_eq!([-3.0, -0.5, 0.0].map(power_of_ten), ["1e-3", "3.2e-1", "1e0"]);
    }

    #[test]
    fn a_single_score_has_a_range() {
        let style = HistogramStyle::default();
        assert_eq!(score_range(&[("one", &[2.0])], &style), Some((1.5, 2.5)));
        assert_eq!(score_range(&[("none", &[])], &style), None);
        let style = HistogramStyle { threshold: Some(4.0), ..style };
        assert_eq!(score_range(&[("one", &[2.0])], &style), Some((2.0, 4.0)));
    }

    #[test]
    fn empty_bins_end_at_the_bottom_of_a_logarithmic_axis() {
        let shares = [0.75, 0.0, 0.25];
        let y = share_axis(&[shares.to_vec()], Scale::Logarithmic);
        let outline = outline(&shares, (0.0, 3.0), &y, Scale::Logarithmic);
        assert!(outline.iter().all(|point| point.1 >= y.range.start && point.1 <= y.range.end));
        assert_eq!(outline[3].1, y.range.start);
    }
}
