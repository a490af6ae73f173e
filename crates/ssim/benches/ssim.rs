//! Whole maps at several sizes and windows, and the loss with gradient at the size of a training batch.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ssim::{Border, Components, Constants, Input, Params, Window};
use std::hint::black_box;

fn image(side: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as f32 / 255.0
    };
    (0..side * side).map(|_| next()).collect()
}

fn params(window: Window, border: Border) -> Params {
    Params::new(window, border, Constants::squared())
}

const WINDOWS: [Window; 4] = [
    Window::Uniform { size: 3 },
    Window::Uniform { size: 11 },
    Window::Uniform { size: 63 },
    Window::Gaussian { size: 11, sigma: 1.5 },
];

fn maps(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ssim_map");
    for side in [512, 1024] {
        let (x, y) = (image(side, 1), image(side, 2));
        group.throughput(Throughput::Elements((side * side) as u64));
        for window in WINDOWS {
            let params = params(window, Border::Reflect);
            group.bench_function(BenchmarkId::new(window.to_string(), side), |bencher| {
                bencher.iter(|| ssim::ssim_map(black_box(&x), black_box(&y), side, side, &params));
            });
        }
    }
    group.finish();
}

fn all_components(criterion: &mut Criterion) {
    let side = 1024;
    let (x, y) = (image(side, 1), image(side, 2));
    let params = params(Window::Uniform { size: 11 }, Border::Reflect);
    criterion.bench_function("maps/all", |bencher| {
        bencher.iter(|| {
            ssim::maps(black_box(&x), black_box(&y), side, side, &params, Components::ALL)
        });
    });
}

fn means(criterion: &mut Criterion) {
    let side = 1024;
    let (x, y) = (image(side, 1), image(side, 2));
    let params = params(Window::Uniform { size: 11 }, Border::Valid);
    criterion.bench_function("mean_ssim", |bencher| {
        bencher.iter(|| ssim::mean_ssim(black_box(&x), black_box(&y), side, side, &params));
    });
}

fn gradients(criterion: &mut Criterion) {
    let side = 128;
    let (x, y) = (image(side, 1), image(side, 2));
    let mut group = criterion.benchmark_group("loss_and_gradient");
    for window in WINDOWS {
        let params = params(window, Border::Valid);
        group.bench_function(window.to_string(), |bencher| {
            bencher.iter(|| {
                ssim::loss_and_gradient(
                    black_box(&x),
                    black_box(&y),
                    side,
                    side,
                    &params,
                    Input::First,
                )
            });
        });
    }
    let params = params(Window::Uniform { size: 11 }, Border::Valid);
    let cotangent = vec![1.0; (side - 10) * (side - 10)];
    group.bench_function("ssim_map_gradient", |bencher| {
        bencher.iter(|| {
            ssim::ssim_map_gradient(
                black_box(&x),
                black_box(&y),
                side,
                side,
                &params,
                &cotangent,
                Input::First,
            )
        });
    });
    group.finish();
}

criterion_group!(benches, maps, all_components, means, gradients);
criterion_main!(benches);
