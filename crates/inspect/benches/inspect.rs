//! The steps of an inspection at the size of the paper's nanofibre images.
#![allow(missing_docs, reason = "criterion's macros generate public items")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the benchmark")]

use std::error::Error;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use inspect::{
    Averaging, Blend, Connectivity, Disk, Image, Inspection, Padding, Reconstructor, Residual,
    SampleScore, Sampled, ThresholdRule, Tiling, inspect, label, open, reconstruct, regions,
    residual_map, smooth, threshold, threshold_mask,
};
use ssim::{Border, Constants, Params, Window};

/// Costs nothing, so that only the work around the network is measured.
struct Copy128;

impl Reconstructor for Copy128 {
    fn patch_size(&self) -> usize {
        128
    }

    fn reconstruct(&self, patches: &[f32]) -> Result<Vec<f32>, Box<dyn Error + Send + Sync>> {
        Ok(patches.to_vec())
    }

    fn sample(
        &self,
        patches: &[f32],
        _: &[(usize, usize)],
        samples: usize,
    ) -> Result<Vec<f32>, Box<dyn Error + Send + Sync>> {
        let patches = patches.chunks_exact(128 * 128);
        Ok(patches.flat_map(|patch| patch.repeat(samples)).collect())
    }
}

/// Noise with some texture: a linear congruential generator, blurred along the rows.
fn image(seed: u32) -> Image {
    let mut state = seed;
    let mut previous = 0.5;
    Image::from_fn(1024, 700, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        previous = 0.7 * previous + 0.3 * (state >> 8) as f32 / (1 << 24) as f32;
        previous
    })
}

fn ssim_residual() -> Residual {
    let window = Window::Uniform { size: 11 };
    Residual::Ssim(Params::new(window, Border::Reflect, Constants::squared()))
}

fn pipeline(c: &mut Criterion) {
    let (image, other) = (image(1), image(2));
    let paper = Tiling { batch: 16, ..Inspection::paper(Residual::L2).tiling };
    let hann = Tiling { blend: Blend::Hann, ..paper };
    let mirrored = Tiling { padding: Padding::Mirror { pixels: 64 }, stride: 64, ..hann };
    for (name, tiling) in [("paper", paper), ("hann", hann), ("mirrored/64", mirrored)] {
        c.bench_function(&format!("reconstruct/{name}"), |b| {
            b.iter(|| reconstruct(black_box(&image), &Copy128, &tiling).unwrap());
        });
    }
    for (name, residual) in [("l2", Residual::L2), ("ssim", ssim_residual())] {
        c.bench_function(&format!("residual_map/{name}"), |b| {
            b.iter(|| residual_map(black_box(&image), black_box(&other), &residual).unwrap());
        });
    }
    let score = SampleScore::Probability { variance_floor: 1e-4 };
    let sampled = Residual::Sampled(Sampled { samples: 6, score });
    for (name, residual) in [("ssim", ssim_residual()), ("sampled", sampled)] {
        for averaging in [Averaging::Reconstruction, Averaging::Residual] {
            let inspection = Inspection { tiling: paper, averaging, ..Inspection::paper(residual) };
            c.bench_function(&format!("inspect/{name}/{averaging:?}"), |b| {
                b.iter(|| inspect(black_box(&image), &Copy128, &inspection).unwrap());
            });
        }
    }
}

fn smoothing(c: &mut Criterion) {
    let (scores, mut group) = (image(3), c.benchmark_group("smooth"));
    for sigma in [1.0, 4.0, 12.0, 40.0] {
        group.bench_with_input(BenchmarkId::from_parameter(sigma), &sigma, |b, &sigma| {
            b.iter(|| smooth(black_box(&scores), sigma).unwrap());
        });
    }
}

fn opening(c: &mut Criterion) {
    let (scores, mut group) = (image(3), c.benchmark_group("open"));
    let mask = threshold_mask(&scores, 0.5);
    for diameter in [4, 9, 31] {
        let disk = Disk::with_diameter(diameter);
        group.bench_with_input(BenchmarkId::new("map", diameter), &disk, |b, &disk| {
            b.iter(|| open(black_box(&scores), disk));
        });
        group.bench_with_input(BenchmarkId::new("mask", diameter), &disk, |b, &disk| {
            b.iter(|| open(black_box(&mask), disk));
        });
    }
}

fn decisions(c: &mut Criterion) {
    let good = [image(4), image(5)];
    for rule in [
        ThresholdRule::Max {},
        ThresholdRule::Quantile { q: 0.999 },
        ThresholdRule::MeanSigma { k: 3.0 },
        ThresholdRule::LargestRegion { max_area: 20 },
    ] {
        c.bench_function(&format!("threshold/{rule:?}"), |b| {
            b.iter(|| threshold(black_box(&good), &rule).unwrap());
        });
    }
    let mask = threshold_mask(&good[0], 0.6);
    c.bench_function("label", |b| b.iter(|| label(black_box(&mask), Connectivity::Eight)));
    c.bench_function("regions", |b| {
        b.iter(|| regions(black_box(&mask), &good[0], Connectivity::Eight).unwrap());
    });
}

criterion_group!(benches, pipeline, smoothing, opening, decisions);
criterion_main!(benches);
