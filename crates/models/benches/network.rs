//! The network of Table 1 on batches of 16: encoder, decoder, both, and whole training steps.

#[path = "../tests/it/extractors.rs"]
mod extractors;

use candle_core::{DType, Device, Module, Tensor};
use candle_nn::{Optimizer, VarBuilder, VarMap};
use criterion::{Criterion, criterion_group, criterion_main};
use models::{
    Adam, AdamConfig, Architecture, Autoencoder, Elbo, Extractor, FeatureMatching, Objective,
    Result, Schedule, Trainer, TrainingConfig, TrainingImage, loss,
};

const BATCH: usize = 16;

fn forward(criterion: &mut Criterion) -> Result<()> {
    let (architecture, device) = (Architecture::default(), Device::Cpu);
    let varmap = VarMap::new();
    let vb = VarBuilder::from_varmap(&varmap, DType::F32, &device);
    let variable = Autoencoder::new(&architecture, vb)?;
    let model = variable.detached()?;
    let size = architecture.patch_size;
    let patches = Tensor::rand(0f32, 1.0, (BATCH, 1, size, size), &device)?;
    let codes = model.encode(&patches)?.detach();
    let mut group = criterion.benchmark_group("forward");
    group.sample_size(20);
    group.bench_function("encode", |bencher| bencher.iter(|| model.encode(&patches)));
    group.bench_function("decode", |bencher| bencher.iter(|| model.decode(&codes)));
    group.bench_function("reconstruct", |bencher| bencher.iter(|| model.forward(&patches)));
    group.bench_function("reconstruct-variable-weights", |bencher| {
        bencher.iter(|| variable.forward(&patches));
    });
    group.finish();
    let mut adam = Adam::new(varmap.all_vars(), AdamConfig::default())?;
    let mut group = criterion.benchmark_group("ordinary-loop");
    group.sample_size(10);
    group.bench_function("l2", |bencher| {
        bencher.iter(|| -> Result<()> {
            let loss = loss::l2(&variable.forward(&patches)?, &patches)?;
            Ok(adam.backward_step(&loss)?)
        });
    });
    group.finish();
    Ok(())
}

fn trainer(objective: Objective) -> Result<Trainer> {
    let (width, height) = (512, 512);
    let grey = |i: usize| 0.5 + 0.4 * ((i % width + i / width) as f32 * 0.785).sin();
    let pixels = (0..width * height).map(grey).collect();
    let config = TrainingConfig {
        architecture: Architecture { latent: objective.latent(), ..Architecture::default() },
        objective,
        adam: AdamConfig::default(),
        // Longer than any benchmark.
        schedule: Schedule { batch_size: BATCH, patches: 1 << 40, ..Schedule::default() },
    };
    Trainer::new(config, vec![TrainingImage { width, height, pixels, places: None }], &Device::Cpu)
}

fn steps(criterion: &mut Criterion) -> Result<()> {
    let window = ssim::Window::Uniform { size: 11 };
    let params = ssim::Params::new(window, ssim::Border::Valid, ssim::Constants::squared());
    let mut group = criterion.benchmark_group("training-step");
    group.sample_size(10);
    let matching = |extractor| {
        let features = extractors::features(extractor, "", &Device::Cpu);
        Objective::FeatureMatching(FeatureMatching { features, weight: 1.0 })
    };
    for (name, objective) in [
        ("l2", Objective::L2),
        ("ssim", Objective::Ssim(params)),
        ("vae", Objective::Elbo(Elbo::default())),
        ("feature-matching-alexnet", matching(Extractor::Alexnet)),
        ("feature-matching-squeezenet", matching(Extractor::Squeezenet)),
    ] {
        let mut trainer = trainer(objective)?;
        group.bench_function(name, |bencher| bencher.iter(|| trainer.step()));
    }
    group.finish();
    Ok(())
}

fn run(criterion: &mut Criterion) {
    if let Err(error) = forward(criterion).and_then(|()| steps(criterion)) {
        panic!("{error}");
    }
}

criterion_group!(benches, run);
criterion_main!(benches);
