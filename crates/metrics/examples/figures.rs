//! Plots every kind of figure from two made-up detectors:
//! `cargo run -p metrics --features plot --example figures -- FOLDER`

use std::path::PathBuf;

use metrics::{
    AU_PRO_LIMIT, Chart, Error, Figure, Height, HistogramStyle, LineAxis, LineChart, Points,
    RankedScores, ScoredImage, Series, SeriesStyle, Spacing, f1_max, pro_curve,
};

const SIZE: usize = 256;
const IMAGES: usize = 10;

fn main() -> Result<(), Error> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".to_owned()));
    let labels = labels();
    let (sharp, blunt) = (scores(&labels, 3.0), scores(&labels, 1.2));
    for kind in ["png", "svg"] {
        let path = |name: &str| folder.join(format!("{name}.{kind}"));
        plot_curves(path, &sharp, &blunt, &labels)?;
        plot_histograms(path, &sharp, &labels)?;

        let title = Figure { height: 600, ..Figure::new("A parameter of two detectors") };
        Chart::lines(&parameter(Spacing::Even))?.save(path("lines"), &title)?;
        Chart::lines(&parameter(Spacing::Logarithmic))?.save(path("lines-log"), &title)?;
    }
    Ok(())
}

fn plot_curves(
    path: impl Fn(&str) -> PathBuf,
    sharp: &[f32],
    blunt: &[f32],
    labels: &[bool],
) -> Result<(), Error> {
    let title = Figure::new("Pixel-wise detection of two detectors");
    let ranked = [RankedScores::new(sharp, labels)?, RankedScores::new(blunt, labels)?];

    let curves = ranked.each_ref().map(|ranked| ranked.roc(Points::Corners));
    Chart::roc(&named(&curves))?.save(path("roc"), &title)?;

    let curves = ranked.each_ref().map(|ranked| ranked.precision_recall(Points::Corners));
    Chart::precision_recall(&named(&curves))?.save(path("pr"), &title)?;

    let curves = [pro_curve(&images(sharp, labels))?, pro_curve(&images(blunt, labels))?];
    Chart::pro(&named(&curves), AU_PRO_LIMIT)?.save(path("pro"), &title)
}

fn named<C>([sharp, blunt]: &[C; 2]) -> [(&str, &C); 2] {
    [("sharp detector", sharp), ("blunt detector", blunt)]
}

fn plot_histograms(
    path: impl Fn(&str) -> PathBuf,
    scores: &[f32],
    labels: &[bool],
) -> Result<(), Error> {
    let of_class = |class| -> Vec<f32> {
        let members = scores.iter().zip(labels).filter(|(_, label)| **label == class);
        members.map(|(score, _)| *score).collect()
    };
    let (good, defective) = (of_class(false), of_class(true));
    let lists = [("defect-free pixels", &good[..]), ("defective pixels", &defective[..])];
    let title = Figure { height: 600, ..Figure::new("Scores of the sharp detector") };
    let threshold = f1_max(scores, labels)?.threshold;
    let linear = HistogramStyle { threshold: Some(threshold), ..Default::default() };
    Chart::histogram(&lists, &linear)?.save(path("histogram"), &title)?;
    let logarithmic = HistogramStyle { height: Height::LogarithmicShare, ..linear };
    Chart::histogram(&lists, &logarithmic)?.save(path("histogram-log"), &title)
}

/// Made-up areas over a made-up parameter.
fn parameter(spacing: Spacing) -> LineChart<'static> {
    let sharp = [(50.0, 0.912, 0.012), (100.0, 0.941, 0.006), (200.0, 0.958, 0.004)];
    let more = [(500.0, 0.966, 0.003), (1000.0, 0.961, 0.009)];
    let blunt = [(50.0, 0.874), (100.0, 0.902), (200.0, 0.923), (500.0, 0.931), (1000.0, 0.926)];
    let published = [(50.0, 0.9), (100.0, 0.93), (200.0, 0.95), (500.0, 0.97), (1000.0, 0.97)];
    LineChart {
        x: LineAxis { spacing, ..LineAxis::new("Latent dimension") },
        y: LineAxis::new("ROC-AUC"),
        series: vec![
            Series::new("published", SeriesStyle::Reference, published),
            Series::new(
                "sharp detector (± 1 σ)",
                SeriesStyle::Marked,
                [&sharp[..], &more].concat(),
            ),
            Series::new("blunt detector", SeriesStyle::Marked, blunt),
        ],
    }
}

fn images<'a>(scores: &'a [f32], labels: &'a [bool]) -> Vec<ScoredImage<'a>> {
    let maps = scores.chunks(SIZE * SIZE).zip(labels.chunks(SIZE * SIZE));
    maps.map(|(scores, labels)| ScoredImage { width: SIZE, height: SIZE, scores, labels }).collect()
}

/// A disk and a bar in every image but the first.
fn labels() -> Vec<bool> {
    let inside = |image: usize, x: usize, y: usize| {
        let disk = x.abs_diff(60 + 10 * image).pow(2) + y.abs_diff(80).pow(2) < 150;
        let bar = (140..150).contains(&y) && (50..90 + 5 * image).contains(&x);
        image > 0 && (disk || bar)
    };
    (0..IMAGES * SIZE * SIZE)
        .map(|at| inside(at / (SIZE * SIZE), at % SIZE, at / SIZE % SIZE))
        .collect()
}

/// Exponential noise, `strength` times as strong in defects.
fn scores(labels: &[bool], strength: f32) -> Vec<f32> {
    let mut state = 1_u64;
    let mut uniform = || {
        // Knuth's linear congruential generator; its upper bits are good enough.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32 + 0.5) / (1 << 24) as f32
    };
    let noise = labels.iter().map(|&label| {
        let factor = if label { strength } else { 1.0 };
        -uniform().ln() * 0.05 * factor
    });
    noise.collect()
}
