//! Metrics of two million pixels, and of a data set of 28.5 million (40 images of
//! 1024×696), 3 % of them defective.

mod data;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use data::{images, labels, scores};
use metrics::{
    AU_PRO_LIMIT, Confusion, Error, Points, RankedImages, RankedScores, RocHistogram, ScoredImage,
    au_pro, image_score, pro_curve,
};

const WIDTH: usize = 1000;
const HEIGHT: usize = 1000;
const IMAGES: usize = 2;

fn ranking(criterion: &mut Criterion) {
    let labels = labels(IMAGES, WIDTH, HEIGHT);
    let scores = scores(&labels);
    let coarse: Vec<f32> = scores.iter().map(|score| (score * 255.0).round() / 255.0).collect();
    let images = images(&scores, &labels, WIDTH, HEIGHT);

    let mut group = criterion.benchmark_group("pixels");
    group.throughput(Throughput::Elements(scores.len() as u64)).sample_size(20);
    group.bench_function("rank", |b| b.iter(|| RankedScores::new(black_box(&scores), &labels)));
    group.bench_function("rank 8-bit", |b| {
        b.iter(|| RankedScores::new(black_box(&coarse), &labels));
    });
    group.bench_function("pro_curve", |b| b.iter(|| pro_curve(black_box(&images))));
    group.bench_function("au_pro", |b| b.iter(|| au_pro(black_box(&images), AU_PRO_LIMIT)));
    group.bench_function("rank images", |b| b.iter(|| RankedImages::new(black_box(&images))));
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
    let labels = labels(IMAGES, WIDTH, HEIGHT);
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
    group.bench_function("precision_recall all", |b| {
        b.iter(|| black_box(&ranked).precision_recall(Points::All));
    });
    group.bench_function("average_precision", |b| {
        b.iter(|| black_box(&ranked).average_precision());
    });
    group.bench_function("f1_max", |b| b.iter(|| black_box(&ranked).f1_max()));
    group.finish();
}

/// From anomaly maps to areas, as an evaluation does it.
fn data_set(criterion: &mut Criterion) {
    const WIDTH: usize = 1024;
    const HEIGHT: usize = 696;
    let labels = labels(40, WIDTH, HEIGHT);
    let scores = scores(&labels);
    let images = images(&scores, &labels, WIDTH, HEIGHT);
    let pixels = || images.iter().map(ScoredImage::pixels);

    let mut group = criterion.benchmark_group("40 images");
    group.throughput(Throughput::Elements(scores.len() as u64)).sample_size(10);
    group.bench_function("roc_auc", |b| {
        b.iter(|| RankedScores::pooled(pixels()).map(|ranked| ranked.roc_auc()));
    });
    group.bench_function("roc corners and area", |b| {
        b.iter(|| RankedScores::pooled(pixels()).map(|ranked| ranked.roc(Points::Corners).auc()));
    });
    group.bench_function("average_precision", |b| {
        b.iter(|| RankedScores::pooled(pixels()).map(|ranked| ranked.average_precision()));
    });
    group.bench_function("au_pro", |b| b.iter(|| au_pro(black_box(&images), AU_PRO_LIMIT)));
    group.bench_function("roc_auc and au_pro", |b| {
        b.iter(|| {
            let ranked = RankedImages::new(black_box(&images))?;
            Ok::<_, Error>((ranked.scores().roc_auc(), ranked.au_pro(AU_PRO_LIMIT)?))
        });
    });
    group.finish();
}

criterion_group!(benches, ranking, reading, data_set);
criterion_main!(benches);
