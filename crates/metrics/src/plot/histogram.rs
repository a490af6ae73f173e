use rayon::prelude::*;

use super::axis::Axis;
use super::chart::{Chart, Fill, Line};
use crate::Error;
use crate::check::check_scores;

/// How to show a histogram of scores.
///
/// ```
/// use metrics::{Height, HistogramStyle};
///
/// let style = HistogramStyle { threshold: Some(0.25), ..HistogramStyle::default() };
/// assert_eq!((style.bins, style.height), (100, Height::Share));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HistogramStyle {
    /// The number of bins between the lowest and the highest score.
    pub bins: usize,
    /// The meaning of a bin's height.
    pub height: Height,
    /// A threshold to draw in.
    pub threshold: Option<f32>,
}

impl Default for HistogramStyle {
    /// 100 bins, shares on a linear scale, no threshold.
    fn default() -> Self {
        Self { bins: 100, height: Height::Share, threshold: None }
    }
}

/// The meaning of the height of a histogram's bin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Height {
    /// The number of scores.
    Count,
    /// The share of the scores of its own list, so that few defective scores
    /// are seen beside many good ones.
    #[default]
    Share,
    /// The same on a logarithmic scale: shows the few pixels of a defect beside
    /// the many of a good texture.
    LogarithmicShare,
}

impl Chart {
    /// Histograms of labelled lists of scores, such as those of good and of
    /// defective images, or of defect-free and of defective pixels. A list without
    /// scores keeps its colour from the others, but has no entry in the legend.
    ///
    /// ```
    /// use metrics::{Chart, Figure, Height, HistogramStyle};
    ///
    /// let (good, defective) = ([0.1, 0.15, 0.1, 0.2], [0.3, 0.7]);
    /// let height = Height::LogarithmicShare;
    /// let style = HistogramStyle { height, threshold: Some(0.25), ..Default::default() };
    /// let chart = Chart::histogram(&[("good", &good), ("defective", &defective)], &style)?;
    /// let drawn = chart.to_svg(&Figure::new("Fabric"))?;
    /// assert!(drawn.contains("defective (n = 2)") && drawn.contains("threshold 0.2500"));
    /// # Ok::<(), metrics::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NothingToPlot`] without any score or without bins,
    /// [`Error::NonFiniteScore`] with the position of the list as the image, and
    /// [`Error::InvalidThreshold`] unless the threshold is finite.
    pub fn histogram(lists: &[(&str, &[f32])], style: &HistogramStyle) -> Result<Self, Error> {
        for (number, (_, scores)) in lists.iter().enumerate() {
            check_scores(number, scores)?;
        }
        if style.threshold.is_some_and(|threshold| !threshold.is_finite()) {
            return Err(Error::InvalidThreshold);
        }
        let range = score_range(lists, style).filter(|_| style.bins > 0);
        let range = range.ok_or(Error::NothingToPlot)?;
        let heights: Vec<Vec<f64>> =
            lists.iter().map(|(_, scores)| heights(scores, style, range)).collect();
        let y = height_axis(&heights, style.height);
        let lines = lines(lists, &heights, range, &y, style);
        Ok(Self { x: Axis::linear("Score", range.0..range.1), y, lines })
    }
}

/// The range of all scores and the threshold, widened if it is a single value.
fn score_range(lists: &[(&str, &[f32])], style: &HistogramStyle) -> Option<(f64, f64)> {
    let all = lists.iter().flat_map(|(_, scores)| scores.iter());
    let (low, high) = all.map(|&score| (score, score)).reduce(join)?;
    let (low, high) = style.threshold.map_or((low, high), |t| join((low, high), (t, t)));
    let (low, high) = (f64::from(low), f64::from(high));
    let margin = 0.5_f64.max(0.1 * low.abs());
    Some(if low < high { (low, high) } else { (low - margin, high + margin) })
}

fn join(a: (f32, f32), b: (f32, f32)) -> (f32, f32) {
    (a.0.min(b.0), a.1.max(b.1))
}

/// The height of each bin: a count or a share of the scores.
fn heights(scores: &[f32], style: &HistogramStyle, range: (f64, f64)) -> Vec<f64> {
    let counts = counts(scores, style.bins, range);
    let whole = match style.height {
        Height::Count => 1.0,
        Height::Share | Height::LogarithmicShare => scores.len().max(1) as f64,
    };
    counts.into_iter().map(|count| count as f64 / whole).collect()
}

/// The number of scores in each bin; both ends of the range belong to it.
fn counts(scores: &[f32], bins: usize, (low, high): (f64, f64)) -> Vec<u64> {
    let per_unit = bins as f64 / (high - low);
    let count = |mut counts: Vec<u64>, &score: &f32| {
        counts[(((f64::from(score) - low) * per_unit) as usize).min(bins - 1)] += 1;
        counts
    };
    let add = |mut sums: Vec<u64>, counts: Vec<u64>| {
        sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        sums
    };
    scores.par_iter().fold(|| vec![0; bins], count).reduce(|| vec![0; bins], add)
}

/// The outlines of the histograms, and the threshold.
fn lines(
    lists: &[(&str, &[f32])],
    heights: &[Vec<f64>],
    range: (f64, f64),
    y: &Axis,
    style: &HistogramStyle,
) -> Vec<Line> {
    let outlines = lists.iter().zip(heights).enumerate();
    let filled = outlines.filter(|(_, ((_, scores), _))| !scores.is_empty());
    let outlines = filled.map(|(index, ((label, scores), heights))| {
        let points = outline(heights, range, y, style.height);
        let label = format!("{label} (n = {})", scores.len());
        Line { fill: Fill::Below, ..Line::series(index, points, label) }
    });
    let threshold = style.threshold.map(|threshold| {
        let x = f64::from(threshold);
        let points = vec![(x, y.range.start), (x, y.range.end)];
        Line::reference(points, Some(format!("threshold {threshold:.4}")))
    });
    outlines.chain(threshold).collect()
}

/// Leaves a tenth free above the highest bin; a logarithmic axis begins a
/// factor of two below the lowest bin that is not empty.
fn height_axis(heights: &[Vec<f64>], height: Height) -> Axis {
    let filled = || heights.iter().flatten().copied().filter(|&height| height > 0.0);
    let highest = filled().fold(0.0, f64::max);
    match height {
        Height::Count => Axis::counts("Count", 1.1 * highest),
        Height::Share => Axis::linear("Share", 0.0..1.1 * highest),
        Height::LogarithmicShare => {
            let lowest = filled().fold(highest, f64::min);
            let range = (lowest / 2.0).log10()..highest.log10() + 0.1;
            Axis::logarithmic("Share (logarithmic)", range)
        }
    }
}

/// The steps along the tops of the bins.
fn outline(heights: &[f64], (low, high): (f64, f64), y: &Axis, height: Height) -> Vec<(f64, f64)> {
    let floor = y.range.start;
    let top = |value: f64| match height {
        Height::Count | Height::Share => value,
        Height::LogarithmicShare => value.log10().max(floor),
    };
    let edge = |bin: usize| low + (high - low) * bin as f64 / heights.len() as f64;
    let tops = heights
        .iter()
        .enumerate()
        .flat_map(|(bin, &value)| [(edge(bin), top(value)), (edge(bin + 1), top(value))]);
    std::iter::once((low, floor)).chain(tops).chain([(high, floor)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_the_range_are_counted() {
        assert_eq!(counts(&[0.0, 0.1, 0.6, 1.0], 2, (0.0, 1.0)), [2, 2]);
        let of = |height| {
            let style = HistogramStyle { bins: 2, height, threshold: None };
            heights(&[0.0, 0.1, 0.6, 1.0], &style, (0.0, 1.0))
        };
        assert_eq!([Height::Count, Height::Share].map(of), [[2.0, 2.0], [0.5, 0.5]]);
    }

    #[test]
    fn counts_have_whole_ticks() {
        let texts = |highest: f64| -> Vec<String> {
            let axis = height_axis(&[vec![highest, 0.0]], Height::Count);
            axis.ticks.into_iter().map(|tick| tick.text).collect()
        };
        assert_eq!(texts(1.0), ["0", "1"]);
        assert_eq!(texts(30.0), ["0", "5", "10", "15", "20", "25", "30"]);
    }

    #[test]
    fn a_single_score_has_a_range() {
        let style = HistogramStyle::default();
        assert_eq!(score_range(&[("one", &[2.0])], &style), Some((1.5, 2.5)));
        assert_eq!(score_range(&[("none", &[])], &style), None);
        // One half is nothing beside it.
        assert!(score_range(&[("large", &[1e30])], &style).is_some_and(|(low, high)| low < high));
        let style = HistogramStyle { threshold: Some(4.0), ..style };
        assert_eq!(score_range(&[("one", &[2.0])], &style), Some((2.0, 4.0)));
    }

    #[test]
    fn empty_bins_end_at_the_bottom_of_a_logarithmic_axis() {
        let shares = [0.75, 0.0, 0.25];
        let y = height_axis(&[shares.to_vec()], Height::LogarithmicShare);
        let outline = outline(&shares, (0.0, 3.0), &y, Height::LogarithmicShare);
        assert!(outline.iter().all(|point| point.1 >= y.range.start && point.1 <= y.range.end));
        assert_eq!(outline[3].1, y.range.start);
    }
}
