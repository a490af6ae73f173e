//! Trainings that are killed (SIGKILL) at random moments.

#![expect(clippy::print_stdout, reason = "the number of kills is what an ignored test says")]

use crate::bench::{Bench, program};
use crate::images::write_cloth;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Sixty steps in thirty epochs, each of which saves its state.
const TRAIN: &str = "train --data cloth --patches 240 --checkpoint-every 0 --json --quiet \
    --set model.patch_size=32 --set model.latent_dim=8 --set training.batch_size=4 \
    --set training.patches_per_epoch=8";
const RESUME: &str = "train --resume --checkpoint-every 0 --json --quiet";

/// The number of kills after which a training is left alone, whatever speed the machine has.
const MOST_KILLS_OF_A_RUN: usize = 15;

#[test]
fn a_training_that_is_killed_again_and_again_ends_as_an_uninterrupted_one() {
    survive("", 8, 1);
}

#[test]
#[ignore = "takes a minute"]
fn trainings_of_all_kinds_survive_sixty_kills() {
    let kinds =
        ["", "--method l2", "--method vae --set vae.samples=2", "--set training.sampling=fixed"];
    for (seed, options) in (2..).zip(kinds) {
        survive(options, 15, seed);
    }
}

/// Trains, with as many kills in as many runs as it takes, and compares each run with an uninterrupted one.
fn survive(options: &str, kills: usize, seed: u64) {
    let bench = Bench::new();
    write_cloth(&bench.path("cloth"));
    bench.run(&format!("{TRAIN} {options} --out whole")).done();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut done, mut runs) = (0, 0);
    while done < kills {
        let model = format!("model{runs}");
        done += train_despite_kills(&bench, &model, options, &mut rng);
        runs += 1;
        expect_same(&bench, &model);
    }
    println!("{done} kills in {runs} runs: {options}");
}

/// How often the training was killed until it ended by itself.
fn train_despite_kills(bench: &Bench, model: &str, options: &str, rng: &mut ChaCha8Rng) -> usize {
    for kills in 0.. {
        let arguments = match bench.path(&format!("{model}/config.toml")).exists() {
            true => format!("{RESUME} --out {model}"),
            false => format!("{TRAIN} {options} --out {model}"),
        };
        let mut child = Command::new(program())
            .args(arguments.split_whitespace())
            .current_dir(bench.path("."))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        if kills < MOST_KILLS_OF_A_RUN {
            std::thread::sleep(Duration::from_millis(u64::from(rng.next_u32() % 200)));
            if child.try_wait().unwrap().is_none() {
                child.kill().unwrap();
                child.wait().unwrap();
                continue;
            }
        }
        let ended = child.wait_with_output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        return kills;
    }
    unreachable!("a training that is not killed ends")
}

/// All but times is the same, to the bit.
fn expect_same(bench: &Bench, model: &str) {
    for file in ["model.safetensors", "calibration.json", "config.toml"] {
        let [killed, whole] =
            [model, "whole"].map(|folder| bench.bytes(&format!("{folder}/{file}")));
        assert!(killed == whole, "{model}/{file}");
    }
    for file in ["log.jsonl", "training.json"] {
        let [killed, whole] = [model, "whole"].map(|folder| timeless(bench, folder, file));
        assert_eq!(killed, whole, "{file}");
    }
    assert_eq!(bench.names(model), bench.names("whole"), "what killed runs leave is removed");
}

/// JSON values without the times, which no two runs share.
fn timeless(bench: &Bench, model: &str, file: &str) -> Vec<Value> {
    let text = bench.text(&format!("{model}/{file}"));
    let values = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
    let timeless = |value: Result<Value, _>| {
        let mut value = value.unwrap();
        let fields = value.as_object_mut().unwrap();
        assert!(fields.remove("seconds").is_some());
        fields.remove("patches_per_second");
        value
    };
    values.map(timeless).collect()
}
