//! Loss and gradient of a training batch, through candle's graph.

use candle_core::{Device, Result, Tensor, Var};
use criterion::{Criterion, criterion_group, criterion_main};
use ssim::{
    Border, Constants, Params, Window,
    tensor::{ssim_loss, ssim_map},
};

const SHAPE: (usize, usize, usize, usize) = (16, 1, 128, 128);

fn batch(criterion: &mut Criterion) -> Result<()> {
    let params = Params::new(Window::Uniform { size: 11 }, Border::Valid, Constants::squared());
    let reconstruction = Var::rand(0_f32, 1.0, SHAPE, &Device::Cpu)?;
    let target = Tensor::rand(0_f32, 1.0, SHAPE, &Device::Cpu)?;
    let mut group = criterion.benchmark_group("tensor");
    group.bench_function("ssim_loss", |bencher| {
        bencher.iter(|| ssim_loss(&reconstruction, &target, &params));
    });
    group.bench_function("ssim_loss/backward", |bencher| {
        bencher.iter(|| ssim_loss(&reconstruction, &target, &params)?.backward());
    });
    group.bench_function("ssim_map", |bencher| {
        bencher.iter(|| ssim_map(&reconstruction, &target, &params));
    });
    group.finish();
    Ok(())
}

fn run(criterion: &mut Criterion) {
    if let Err(error) = batch(criterion) {
        panic!("{error}");
    }
}

criterion_group!(benches, run);
criterion_main!(benches);
