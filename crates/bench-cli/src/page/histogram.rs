//! Histograms of the scores of good and of defective images and pixels.

use super::chart::{Axis, Chart, Line, Style};
use anyhow::Result;
use detector::{InspectedSample, InspectedSet};
use std::ops::Range;

/// The number of images of each score, with the threshold.
///
/// # Errors
/// If a map is empty.
pub fn of_images(test_set: &InspectedSet) -> Result<Chart> {
    const BINS: usize = 24;
    let (good, defective) = test_set.image_scores()?;
    let good_name = match test_set.held_out_scores.as_slice() {
        [] => "good images",
        _ => "good images, held out from training",
    };
    let range = score_range([&good, &defective].into_iter().flatten().copied(), test_set);
    let bins = [(good_name, good), ("defective images", defective)];
    let bins = bins.map(|(name, scores)| {
        let counts = counts(scores.iter().copied(), BINS, &range);
        (format!("{name}: {}", scores.len()), counts)
    });
    let highest = bins.iter().flat_map(|(_, counts)| counts).copied().max().unwrap_or(0).max(1);
    let mut y = Axis::linear("Images", 0.0..1.05 * highest as f64);
    y.ticks.retain(|(position, _)| position.fract() == 0.0);
    for (position, text) in &mut y.ticks {
        *text = format!("{position:.0}");
    }
    let mut lines = lines(bins, |count| count as f64, 0.0, &range);
    // Many test sets have no good image.
    lines.retain(|line| line.points.iter().any(|&(_, count)| count > 0.0));
    Ok(chart("Largest scores of images", y, range, lines, test_set))
}

/// The share of the pixels of each score, on a logarithmic scale: defects are small.
pub fn of_pixels(test_set: &InspectedSet) -> Chart {
    const BINS: usize = 80;
    let maps = || test_set.samples.iter();
    let range = score_range(maps().flat_map(|i| i.anomaly_map.data()).copied(), test_set);
    let bins = [(false, "defect-free pixels"), (true, "defective pixels")].map(|(class, name)| {
        let scores = maps().flat_map(|sample| of_class(sample, class));
        (name.to_owned(), counts(scores, BINS, &range))
    });
    let [good, defective] = bins.map(|(name, counts)| {
        let total = counts.iter().sum::<u64>().max(1) as f64;
        (name, counts.into_iter().map(|count| count as f64 / total).collect::<Vec<_>>())
    });
    let shares = || good.1.iter().chain(&defective.1).copied().filter(|&share| share > 0.0);
    let floor = shares().fold(1.0, f64::min).log10().floor();
    let y = Axis {
        name: "Share of the pixels",
        range: floor..0.0,
        ticks: (floor as i32..=0).map(|power| (f64::from(power), power_of_ten(power))).collect(),
    };
    let height = |share: f64| if share > 0.0 { share.log10() } else { floor };
    let lines = lines([good, defective], height, floor, &range);
    chart("Scores of pixels", y, range, lines, test_set)
}

fn of_class(sample: &InspectedSample, class: bool) -> impl Iterator<Item = f32> {
    let pixels = sample.anomaly_map.data().iter().zip(sample.mask.data());
    pixels.filter(move |&(_, &defective)| defective == class).map(|(&score, _)| score)
}

fn power_of_ten(power: i32) -> String {
    if power < -3 { format!("1e{power}") } else { format!("{}", 10_f64.powi(power)) }
}

/// From the least to the largest score or the threshold.
fn score_range(scores: impl Iterator<Item = f32>, test_set: &InspectedSet) -> Range<f64> {
    let threshold = f64::from(test_set.threshold);
    let (low, high) = scores
        .map(f64::from)
        .fold((threshold, threshold), |(low, high), score| (low.min(score), high.max(score)));
    if low < high { low..high } else { low - 0.5..low + 0.5 }
}

/// The number of scores in each of `bins` equal parts of the range, whose ends both belong to it.
fn counts(scores: impl Iterator<Item = f32>, bins: usize, range: &Range<f64>) -> Vec<u64> {
    let per_unit = bins as f64 / (range.end - range.start);
    let mut counts = vec![0; bins];
    for score in scores {
        let bin = ((f64::from(score) - range.start) * per_unit) as usize;
        counts[bin.min(bins - 1)] += 1;
    }
    counts
}

/// The steps along the tops of the bins, from the floor and back to it.
fn lines<T: Copy>(
    bins: [(String, Vec<T>); 2],
    height: impl Fn(T) -> f64,
    floor: f64,
    range: &Range<f64>,
) -> Vec<Line> {
    let line = |(colour, (label, values)): (usize, (String, Vec<T>))| {
        let width = (range.end - range.start) / values.len() as f64;
        let edge = |bin: usize| range.start + width * bin as f64;
        let tops = values
            .iter()
            .enumerate()
            .flat_map(|(bin, &value)| [(edge(bin), height(value)), (edge(bin + 1), height(value))]);
        let ends = [(range.start, floor), (range.end, floor)];
        let points = std::iter::once(ends[0]).chain(tops).chain([ends[1]]).collect();
        Line { label, colour, style: Style::Filled, points }
    };
    bins.into_iter().enumerate().map(line).collect()
}

fn chart(
    title: &str,
    y: Axis,
    range: Range<f64>,
    lines: Vec<Line>,
    test_set: &InspectedSet,
) -> Chart {
    let threshold = test_set.threshold;
    let marker = Some((f64::from(threshold), format!("threshold {threshold:.4}")));
    Chart { title: title.to_owned(), x: Axis::linear("Score", range), y, lines, marker }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_the_range_are_counted() {
        assert_eq!(counts([0.0, 0.1, 0.6, 1.0].into_iter(), 2, &(0.0..1.0)), [2, 2]);
    }

    #[test]
    fn an_outline_begins_and_ends_at_the_floor() {
        let bins = [("a".to_owned(), vec![2_u64, 1]), ("b".to_owned(), vec![0, 3])];
        let lines = lines(bins, |count| count as f64, 0.0, &(1.0..2.0));
        let expected = [(1.0, 0.0), (1.0, 2.0), (1.5, 2.0), (1.5, 1.0), (2.0, 1.0), (2.0, 0.0)];
        assert_eq!(lines[0].points, expected);
    }
}
