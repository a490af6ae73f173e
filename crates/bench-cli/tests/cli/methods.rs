//! The methods that need more than a loss and a residual.

use crate::bench::{Bench, number};
use crate::images::write_cloth;

const VAE: &str = "--method vae --set vae.samples=3";

fn bench() -> Bench {
    let bench = Bench::new();
    write_cloth(&bench.path("cloth"));
    bench
}

#[test]
fn a_variational_autoencoder_goes_all_the_way() {
    let bench = bench();
    bench.train("model", VAE);
    let info = bench.run("info model --json").done().last();
    assert_eq!(info["config"]["method"], "vae");
    // Table 1 for patches of 32 pixels, and 8 outputs of the encoder more than a plain network of 8 dimensions.
    let plain = bench.train("plain", "").code;
    let plain_info = bench.run("info plain --json").done().last();
    let more = number(&info, "parameters") - number(&plain_info, "parameters");
    assert_eq!((plain, more), (0, f64::from(8 * (8 * 8 * 32 + 1))));

    let metrics = bench.run("evaluate model --out results --maps --json").done().last();
    assert_eq!(metrics["method"], "vae");
    let (map, _) = bench.map("results/maps/cloth/test/hole/001.tiff");
    assert!(map.iter().all(|&score| score >= 0.0));
    bench.run("predict model cloth/test/hole/001.png --out found").done();
    assert_eq!(bench.map("found/001.tiff").0, map);
    bench.run("calibrate model").done();
}

#[test]
fn a_variational_autoencoder_scores_a_pixel_once_and_for_all() {
    let bench = bench();
    bench.train("model", VAE);
    let map = |options: &str| {
        bench.run(&format!("evaluate model --out results --maps {options}")).done();
        bench.map("results/maps/cloth/test/hole/001.tiff").0
    };
    for averaging in ["reconstruction", "residual"] {
        let averaging = format!("--set inspection.averaging={averaging}");
        let expected = map(&averaging);
        assert_eq!(map(&format!("{averaging} --threads 1")), expected);
        assert_eq!(map(&format!("{averaging} --set inspection.batch_size=1")), expected);
        assert_ne!(map(&format!("{averaging} --set vae.samples=4")), expected);
        assert_ne!(map(&format!("{averaging} --set vae.score=mse")), expected);
    }
}

#[test]
fn a_prolonged_variational_training_equals_an_uninterrupted_one() {
    let bench = bench();
    bench.train("long", &format!("{VAE} --patches 16"));
    bench.train("model", VAE);
    bench.run("train --out model --resume --patches 16").done();
    for file in ["model.safetensors", "checkpoint.safetensors", "calibration.json"] {
        let [model, long] =
            ["model", "long"].map(|folder| bench.bytes(&format!("{folder}/{file}")));
        assert!(model == long, "{file}");
    }
}

#[test]
fn the_demo_shows_the_methods_that_are_wanted() {
    let bench = Bench::new();
    let run = bench.run("demo --patches 8 --methods vae,l2,vae --out out --json").done();
    let methods: Vec<_> = run.json().iter().map(|row| row["method"].to_string()).collect();
    assert_eq!(methods[methods.len() - 2..], ["\"VAE\"", "\"ℓ2-AE\""]);
    assert!(bench.path("out/vae/model.safetensors").exists());
    assert!(!bench.path("out/ssim").exists());
}
