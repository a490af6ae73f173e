//! Metrics of two million pixels, 3 % of them defective.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use metrics::{Confusion, Points, RankedScores, RocHistogram, ScoredImage, image_score, pro_curve};

const WIDTH: usize = 1000;
const HEIGHT: usize = 1000;
const IMAGES: usize = 2;

/// Rectangles of 30×40 pixels on a coarse grid.
fn labels() -> Vec<bool> {
    let defective = |x: usize, y: usize| x % 200 < 30 && y % 200 < 40;
    (0..IMAGES * WIDTH * HEIGHT).map(|at| defective(at % WIDTH, at / WIDTH % HEIGHT)).collect()
}

/// Noise (xorshift) over several octaves, higher in defects.
fn scores(labels: &[bool]) -> Vec<f32> {
    let mut state = 0x9E37_79B9_u32;
    let noise = labels.iter().map(|&label| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let uniform = (state >> 8) as f32 / (1 << 24) as f32;
        if label { uniform.sqrt() } else { uniform.powi(3) }
    });
    noise.collect()
}

fn ranking(criterion: &mut Criterion) {
    let labels = labels();
    let scores = scores(&labels);
    let coarse: Vec<f32> = scores.iter().map(|score| (score * 255.0).round() / 255.0).collect();
    let images: Vec<_> = scores
        .chunks(WIDTH * HEIGHT)
        .zip(labels.chunks(WIDTH * HEIGHT))
        .map(|(scores, labels)| ScoredImage { width: WIDTH, height: HEIGHT, scores, labels })
        .collect();

    let mut group = criterion.benchmark_group("pixels");
    group.throughput(Throughput::Elements(scores.len() as u64)).sample_size(20);
    group.bench_function("rank", |b| b.iter(|| RankedScores::new(black_box(&scores), &labels)));
    group.bench_function("rank 8-bit", |b| {
        b.iter(|| RankedScores::new(black_box(&coarse), &labels));
    });
    group.bench_function("pro_curve", |b| b.iter(|| pro_curve(black_box(&images))));
    group.bench_function("confusion", |b| {
        b.iter(|| Confusion::at_threshold(black_box(&scores), &labels, 0.5));
    });
    group.bench_function("image_score", |b| b.iter(|| image_score(black_box(&scores))));
    group.bench_function("histogram", |b| {
        b.iter(|| {
            let mut histogram = RocHistogram::new(0.0, 1.0, 1 << 12)?;
            histogram.add(black_box(&scores), &labels)?;
            histogram.auc()
        });
    });
    group.finish();
}

fn reading(criterion: &mut Criterion) {
    let labels = labels();
    let scores = scores(&labels);
    let Ok(ranked) = RankedScores::new(&scores, &labels) else {
        unreachable!("the scores are finite and of both classes");
    };
    let mut group = criterion.benchmark_group("ranked");
    group.throughput(Throughput::Elements(scores.len() as u64)).sample_size(20);
    group.bench_function("roc_auc", |b| b.iter(|| black_box(&ranked).roc_auc()));
    group.bench_function("roc corners", |b| b.iter(|| black_box(&ranked).roc(Points::Corners)));
    group.bench_function("roc all", |b| b.iter(|| black_box(&ranked).roc(Points::All)));
    group.bench_function("precision_recall corners", |b| {
        b.iter(|| black_box(&ranked).precision_recall(Points::Corners));
    });
    group.bench_function("average_precision", |b| {
        b.iter(|| black_box(&ranked).average_precision());
    });
    group.bench_function("f1_max", |b| b.iter(|| black_box(&ranked).f1_max()));
    group.finish();
}

criterion_group!(benches, ranking, reading);
criterion_main!(benches);
