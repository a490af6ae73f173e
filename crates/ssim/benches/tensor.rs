//! Loss and gradient of a training batch, through candle's graph; with feature `cuda` on the first CUDA device, too.

use candle_core::{Device, Result, Tensor, Var};
use criterion::{Criterion, criterion_group, criterion_main};
use ssim::{
    Border, Constants, Params, Window,
    tensor::{ssim_loss, ssim_map},
};

const SHAPE: (usize, usize, usize, usize) = (16, 1, 128, 128);

fn batch(criterion: &mut Criterion, name: &str, device: &Device) -> Result<()> {
    let params = Params::new(Window::Uniform { size: 11 }, Border::Valid, Constants::squared());
    let reconstruction = Var::rand(0_f32, 1.0, SHAPE, device)?;
    let target = Tensor::rand(0_f32, 1.0, SHAPE, device)?;
    let mut group = criterion.benchmark_group(name);
    group.bench_function("ssim_loss", |bencher| {
        bencher.iter(|| done(device, ssim_loss(&reconstruction, &target, &params)));
    });
    group.bench_function("ssim_loss/backward", |bencher| {
        let backward = || ssim_loss(&reconstruction, &target, &params)?.backward();
        bencher.iter(|| done(device, backward()));
    });
    group.bench_function("ssim_map", |bencher| {
        bencher.iter(|| done(device, ssim_map(&reconstruction, &target, &params)));
    });
    group.finish();
    Ok(())
}

/// Waits until the device has done what it was told.
fn done<T>(device: &Device, result: Result<T>) -> Result<T> {
    device.synchronize()?;
    result
}

fn run(criterion: &mut Criterion) {
    let mut on_devices = || {
        batch(criterion, "tensor", &Device::Cpu)?;
        #[cfg(feature = "cuda")]
        batch(criterion, "tensor/cuda", &Device::new_cuda(0)?)?;
        Ok::<_, candle_core::Error>(())
    };
    if let Err(error) = on_devices() {
        panic!("{error}");
    }
}

criterion_group!(benches, run);
criterion_main!(benches);
