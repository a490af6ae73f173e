//! Ctrl-C.

use crate::bench::{Bench, program};
use crate::images::write_cloth;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

/// Endless, with an epoch's line of output every two steps.
const ENDLESS: &str = "train --data cloth --set model.patch_size=32 --set model.latent_dim=8 \
    --set training.batch_size=4 --set training.patches_per_epoch=8 --json --quiet";

#[test]
fn an_interrupted_training_goes_on_to_the_same_weights() {
    let bench = Bench::new();
    write_cloth(&bench.path("cloth"));
    // A model from before, of which nothing may be left beside the state of the new one.
    bench.train("model", "");
    let mut child = Command::new(program())
        .args(ENDLESS.split_whitespace())
        .args(["--out", "model", "--patches", "1000000", "--overwrite"])
        .current_dir(bench.path("."))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    let interrupted =
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success() && line.contains("\"epoch\":1"), "{line}");
    stdout.read_to_string(&mut line).unwrap();
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{stderr}");

    assert!(stderr.contains("--resume") && stderr.lines().count() == 1, "{stderr}");
    let patches = stderr.strip_prefix("interrupted after ").unwrap().split(' ').next().unwrap();
    let total = patches.parse::<u64>().unwrap() + 8;
    let message = bench.error("info model");
    assert!(message.contains("not finished"), "{message}");

    bench.run(&format!("train --out model --resume --patches {total} --quiet")).done();
    bench.run(&format!("{ENDLESS} --out whole --patches {total}")).done();
    assert!(bench.bytes("model/model.safetensors") == bench.bytes("whole/model.safetensors"));
    assert_eq!(
        bench.text("model/log.jsonl").lines().count(),
        bench.text("whole/log.jsonl").lines().count()
    );
}
