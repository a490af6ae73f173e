//! Curves over the pixels of a whole test set.

use super::exchange::{Exchange, exchange, named};
use super::inputs::{ScoredMap, scored_maps};
use super::report::report;
use super::timing::time;
use crate::args::CurveArgs;
use crate::commands::Context;
use anyhow::Result;
use candle_core::{Device, Tensor};
use detector::records::CurveWork;
use metrics::{AU_PRO_LIMIT, Points, RankedScores, ScoredImage, pro_curve};

/// Places at which the curves of two programs are compared.
const EXCHANGED_POINTS: usize = 1000;

/// The size of a test set.
fn work_of(maps: &[ScoredMap]) -> CurveWork {
    let (width, height) = maps.first().map_or((0, 0), |map| map.scores.size());
    let pixels = maps.len() * width * height;
    let defective = |map: &ScoredMap| map.labels.data().iter().filter(|&&label| label).count();
    CurveWork {
        images: maps.len(),
        width,
        height,
        pixels,
        defective_pixels: maps.iter().map(defective).sum(),
        input_mb: 5e-6 * pixels as f64,
    }
}

/// Times the ROC curve and its area.
///
/// # Errors
/// If the images are too small to hold both classes.
pub fn roc(context: &Context, args: &CurveArgs) -> Result<()> {
    let maps = scored_maps(args.size, args.images, args.run.seed)?;
    let work = || {
        let curve =
            RankedScores::pooled(images(&maps).map(|image| image.pixels()))?.roc(Points::Corners);
        let area = curve.auc();
        anyhow::Ok((curve, area))
    };
    let timing = time(&args.run, work)?;
    report(context, "roc", &describe(args), timing, work_of(&maps))?;
    exchange(&args.run, || {
        let (curve, area) = work()?;
        curve_exchange(&maps, area, |fpr| height_at(curve.fpr(), curve.tpr(), fpr), 1.0)
    })
}

/// Times the PRO curve and its area.
///
/// # Errors
/// If the images are too small to hold both classes.
pub fn au_pro(context: &Context, args: &CurveArgs) -> Result<()> {
    let maps = scored_maps(args.size, args.images, args.run.seed)?;
    let images: Vec<_> = images(&maps).collect();
    let work = || {
        let curve = pro_curve(&images)?;
        let area = curve.area(AU_PRO_LIMIT)?;
        anyhow::Ok((curve, area))
    };
    let timing = time(&args.run, work)?;
    report(context, "au-pro", &describe(args), timing, work_of(&maps))?;
    exchange(&args.run, || {
        let (curve, area) = work()?;
        curve_exchange(&maps, area, |fpr| height_at(curve.fpr(), curve.pro(), fpr), AU_PRO_LIMIT)
    })
}

fn images(maps: &[ScoredMap]) -> impl Iterator<Item = ScoredImage<'_>> {
    maps.iter().map(|ScoredMap { scores, labels }| ScoredImage {
        width: scores.width(),
        height: scores.height(),
        scores: scores.data(),
        labels: labels.data(),
    })
}

fn describe(args: &CurveArgs) -> String {
    format!("{} images of {}", args.images, args.size)
}

/// Scores and labels `(images, height, width)`; the area, and the curve's heights at equally spaced false-positive rates.
fn curve_exchange(
    maps: &[ScoredMap],
    area: f64,
    height_at: impl Fn(f64) -> f64,
    limit: f64,
) -> Result<Exchange> {
    let (width, height) = maps.first().map_or((0, 0), |map| map.scores.size());
    let shape = (maps.len(), height, width);
    let scores: Vec<f32> = maps.iter().flat_map(|map| map.scores.data()).copied().collect();
    let labels = maps.iter().flat_map(|map| map.labels.data());
    let labels: Vec<_> = labels.map(|&label| u8::from(label)).collect();
    // Between the multiples of small fractions, where steps of a curve may lie.
    let rates = (0..EXCHANGED_POINTS).map(|i| limit * (i as f64 + 0.5) / EXCHANGED_POINTS as f64);
    let rates: Vec<f64> = rates.collect();
    let heights: Vec<f64> = rates.iter().map(|&rate| height_at(rate)).collect();
    let device = &Device::Cpu;
    Ok(Exchange {
        inputs: named([
            ("scores", Tensor::from_vec(scores, shape, device)?),
            ("labels", Tensor::from_vec(labels, shape, device)?),
            ("rates", Tensor::new(rates, device)?),
        ]),
        outputs: named([
            ("area", Tensor::new(area, device)?),
            ("heights", Tensor::new(heights, device)?),
        ]),
    })
}

/// The height of a curve at `x`, interpolated linearly. Its `xs` ascend from 0 to 1.
fn height_at(xs: &[f64], ys: &[f64], x: f64) -> f64 {
    let next = xs.partition_point(|&other| other <= x).clamp(1, xs.len() - 1);
    let (x0, x1, y0, y1) = (xs[next - 1], xs[next], ys[next - 1], ys[next]);
    if x1 > x0 { y0 + (y1 - y0) * (x - x0) / (x1 - x0) } else { y1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heights_lie_on_the_lines_between_points() {
        let (xs, ys) = ([0.0, 0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 0.5, 0.75, 1.0]);
        for (x, expected) in [(0.25, 0.5), (0.75, 0.875), (0.0, 0.5), (1.0, 1.0)] {
            assert_eq!(height_at(&xs, &ys, x), expected, "{x}");
        }
    }
}
