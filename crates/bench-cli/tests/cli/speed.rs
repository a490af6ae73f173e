//! `bench`: what it says of the smallest work. How fast that was is no business of a test.

use crate::bench::{Bench, keys, number};
use candle_core::safetensors::load;
use candle_core::{Device, Tensor};
use std::collections::HashMap;

/// Fields of every case.
const COMMON: [&str; 6] = ["case", "device", "median_ms", "min_ms", "runs", "threads"];

/// The smallest work of each case, its options but `--runs`, and its own fields.
const CASES: [(&str, &[&str]); 7] = [
    (
        "train-step --size 32 --batch 2 --latent-dim 3",
        &[
            "batch",
            "gflop_per_s",
            "latent_dim",
            "method",
            "multiply_adds",
            "patch_size",
            "precision",
            "window",
        ],
    ),
    (
        "forward --size 32 --batch 2 --latent-dim 3",
        &["batch", "gflop_per_s", "latent_dim", "multiply_adds", "patch_size"],
    ),
    (
        "inspect --size 40x33 --patch-size 32 --stride 8 --batch 3 --latent-dim 3",
        &[
            "batch",
            "gflop_per_s",
            "height",
            "latent_dim",
            "method",
            "multiply_adds",
            "opening_diameter",
            "patch_size",
            "patches",
            "stride",
            "width",
            "window",
        ],
    ),
    ("ssim --size 30x20 --window uniform:7", &["batch", "height", "pixels", "width", "window"]),
    ("ssim-loss --size 16 --batch 2", &["batch", "height", "pixels", "width", "window"]),
    (
        "roc --size 40x30 --images 2",
        &["defective_pixels", "height", "images", "input_mb", "pixels", "width"],
    ),
    (
        "au-pro --size 40x30 --images 2",
        &["defective_pixels", "height", "images", "input_mb", "pixels", "width"],
    ),
];

fn tensors(bench: &Bench, file: &str) -> HashMap<String, Tensor> {
    load(bench.path(file), &Device::Cpu).unwrap()
}

fn values(tensors: &HashMap<String, Tensor>, name: &str) -> Vec<f32> {
    tensors[name].flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn layers_are_timed_one_by_one() {
    let bench = Bench::new();
    let arguments = "bench layers --size 32 --batch 2 --latent-dim 3 --runs 1 --threads 1";
    let report = bench.run(&format!("{arguments} --json")).done().last();
    assert!(number(&report, "product_rate") > 0.0, "{report}");
    let layers = report["layers"].as_array().unwrap();
    assert_eq!(layers.len(), 14, "{report}");
    let expected =
        ["forward_ms", "input_gradient_ms", "layer", "multiply_adds", "weight_gradient_ms"];
    assert_eq!(keys(&layers[0]), expected);
    // A heading, and a line each.
    assert_eq!(bench.run(arguments).done().stdout.lines().count(), 15);
}

#[test]
fn every_case_is_one_json_object() {
    let bench = Bench::new();
    for (arguments, own) in CASES {
        let run = bench.run(&format!("bench {arguments} --runs 3 --threads 1 --json")).done();
        let [report] = &run.json()[..] else { panic!("{arguments}: {}", run.stdout) };
        let mut expected = [&COMMON[..], own].concat();
        if cfg!(target_os = "linux") {
            expected.push("peak_rss_mb");
            assert!(number(report, "peak_rss_mb") > 1.0, "{report}");
        }
        expected.sort_unstable();
        assert_eq!(keys(report), expected, "{arguments}");
        assert!(arguments.starts_with(report["case"].as_str().unwrap()));
        let (min, median) = (number(report, "min_ms"), number(report, "median_ms"));
        assert!(0.0 < min && min <= median, "{report}");
        assert_eq!((number(report, "runs"), number(report, "threads")), (3.0, 1.0));
    }
}

#[test]
fn the_size_of_the_work_is_what_was_asked_for() {
    let bench = Bench::new();
    let report = bench.run(&format!("bench {} --runs 1 --json", CASES[2].0)).done().last();
    // Columns at 0 and 8, rows at 0 and 1.
    assert_eq!(number(&report, "patches"), 4.0);
    let work = [number(&report, "width"), number(&report, "height"), number(&report, "stride")];
    assert_eq!(work, [40.0, 33.0, 8.0]);
    let forward = bench.run(&format!("bench {} --runs 1 --json", CASES[1].0)).done().last();
    assert_eq!(number(&report, "multiply_adds"), 2.0 * number(&forward, "multiply_adds"));
    let roc = bench.run(&format!("bench {} --runs 1 --json", CASES[5].0)).done().last();
    assert_eq!(number(&roc, "pixels"), 2400.0);
    assert!((1.0..2400.0).contains(&number(&roc, "defective_pixels")), "{roc}");
}

#[test]
fn a_person_is_told_on_one_line() {
    let bench = Bench::new();
    let run = bench.run("bench ssim --size 20 --runs 2 --threads 1").done();
    assert_eq!((run.stdout.lines().count(), &*run.stderr), (1, ""));
    for words in ["ssim", "median", "ms", "2 runs", "1 thread", "20x20"] {
        assert!(run.stdout.contains(words), "{words}: {}", run.stdout);
    }
}

#[test]
fn the_exchange_is_the_same_for_the_same_seed() {
    let bench = Bench::new();
    for (arguments, _) in CASES {
        let run = |seed: u32, threads: u32, folder: &str| {
            let options = format!("--runs 1 --seed {seed} --threads {threads} --exchange {folder}");
            bench.run(&format!("bench {arguments} {options}")).done();
            ["inputs", "outputs"].map(|name| bench.bytes(&format!("{folder}/{name}.safetensors")))
        };
        let [inputs, outputs] = run(7, 1, "first");
        assert_eq!([inputs.clone(), outputs], run(7, 2, "second"), "{arguments}");
        assert_ne!(inputs, run(8, 2, "third")[0], "{arguments}");
    }
}

/// The batches that the trainer is said to have seen are those whose losses it reports.
#[test]
fn the_exchanged_batches_have_the_exchanged_losses() {
    let bench = Bench::new();
    let step = "bench train-step --method l2 --size 32 --batch 4 --latent-dim 3 --runs 1";
    bench.run(&format!("{step} --exchange out")).done();
    let inputs = tensors(&bench, "out/inputs.safetensors");
    let outputs = tensors(&bench, "out/outputs.safetensors");
    assert_eq!(inputs["batches"].dims(), [12, 1, 32, 32]);
    let (patches, reconstructions) = (&inputs["patches"], &outputs["reconstructions"]);
    let patch_loss = |patch: &Tensor| {
        let is_same = |i: &usize| {
            values(&inputs, "patches")[i * 1024..(i + 1) * 1024]
                == patch.flatten_all().unwrap().to_vec1::<f32>().unwrap()
        };
        let number = (0..4).find(is_same).unwrap();
        let difference =
            (patches.get(number).unwrap() - reconstructions.get(number).unwrap()).unwrap();
        difference.sqr().unwrap().mean_all().unwrap().to_scalar::<f32>().unwrap()
    };
    let batch: Vec<f32> = (0..4).map(|i| patch_loss(&inputs["batches"].get(i).unwrap())).collect();
    // Batches are drawn with replacement, from images whose losses differ by more than sums round.
    assert!(batch.iter().any(|loss| (loss - batch[0]).abs() > 1e-5), "{batch:?}");
    let expected = batch.iter().sum::<f32>() / 4.0;
    assert!((values(&outputs, "losses")[0] - expected).abs() < 1e-6 * expected, "{expected}");
}

/// Latent noise is part of what another program needs.
#[test]
fn a_variational_step_exchanges_its_noise() {
    let bench = Bench::new();
    let step = "bench train-step --method vae --size 32 --batch 4 --latent-dim 3 --runs 1";
    bench.run(&format!("{step} --exchange out")).done();
    let inputs = tensors(&bench, "out/inputs.safetensors");
    assert_eq!((inputs["noise"].dims(), inputs["batches"].dim(0).unwrap()), (&[12, 3][..], 12));
    assert_eq!(inputs["encoder.12.weight"].dims(), [6, 32, 8, 8]);
    let inspection = "bench inspect --size 32 --patch-size 32 --latent-dim 3 --runs 1 --json";
    let work = |method: &str| {
        let report = bench.run(&format!("{inspection} --method {method}")).done().last();
        number(&report, "multiply_adds")
    };
    // One encoder, whose last layer has twice the outputs, and six decoders.
    let head = f64::from(8 * 8 * 32 * 3);
    assert_eq!(work("vae"), 3.5 * work("l2") + head);
}

#[test]
fn a_step_that_matches_features_exchanges_their_weights() {
    let bench = Bench::new();
    let step = "bench train-step --method feature-matching --extractor squeezenet --size 32 --batch 2 --latent-dim 3";
    let run = bench.run(&format!("{step} --runs 1 --json --exchange out")).done();
    assert_eq!(run.last()["extractor"], "squeezenet");
    let inputs = tensors(&bench, "out/inputs.safetensors");
    assert_eq!(inputs["features.3.squeeze.weight"].dims(), [16, 64, 1, 1]);
    let features = &tensors(&bench, "out/outputs.safetensors")["features"];
    assert_eq!(features.dims(), [2, 3, 3, 256]);
}

#[test]
fn wrong_options_are_refused() {
    let bench = Bench::new();
    for arguments in [
        "",
        "rock",
        "roc --window uniform:11",
        "forward --method l2",
        "ssim --size 0x10",
        "ssim --size 10x",
        "forward --batch 0",
        "ssim --runs 0",
        "ssim --runs 3 --seconds 1",
        "ssim-loss --window uniform:8",
    ] {
        let run = bench.run(&format!("bench {arguments}"));
        assert_eq!((run.code, &*run.stdout), (2, ""), "{arguments}");
        assert!(run.stderr.contains("--help"), "{arguments}: {}", run.stderr);
    }
    for (arguments, expected) in [
        ("ssim --size 10", "11"),
        ("forward --size 100", "patch_size"),
        ("inspect --size 100x200", "100"),
        ("inspect --stride 129", "inspection.stride"),
        ("ssim --seconds 0", "--seconds"),
        ("train-step --latent-dim 0", "latent_dim"),
    ] {
        let message = bench.error(&format!("bench {arguments}"));
        assert!(message.contains(expected), "{message}");
    }
}

/// The most threads that a program had at once.
#[cfg(target_os = "linux")]
fn most_threads(arguments: &str) -> usize {
    use std::process::{Command, Stdio};
    let mut child = Command::new(crate::bench::program())
        .args(arguments.split_whitespace())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let (tasks, mut most) = (format!("/proc/{}/task", child.id()), 0);
    while child.try_wait().unwrap().is_none() {
        // None, if it has just ended.
        most = most.max(std::fs::read_dir(&tasks).map_or(0, Iterator::count));
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    assert!(child.wait().unwrap().success());
    most
}

/// The large tensors of a step are also worked on by candle's own threads.
#[test]
#[cfg(target_os = "linux")]
fn no_more_threads_compute_than_are_asked_for() {
    let step = "bench train-step --device cpu --latent-dim 4 --runs 2";
    // Beside the main thread, which waits.
    for threads in [1, 3] {
        let most = most_threads(&format!("{step} --threads {threads}"));
        assert!((2..=2 * threads).contains(&most), "{most} threads with --threads {threads}");
    }
}
