//! Signals, several processes at once, and data that changes or vanishes.

use crate::bench::{Bench, program};
use crate::images::write_cloth;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

/// Endless, with an epoch's line of output every two steps.
const ENDLESS: &str = "train --data cloth --set model.patch_size=32 --set model.latent_dim=8 \
    --set training.batch_size=4 --set training.patches_per_epoch=8 --json --quiet";

#[test]
fn an_interrupted_training_goes_on_to_the_same_weights() {
    let bench = Bench::new();
    write_cloth(&bench.path("cloth"));
    // A model from before, of which nothing may be left beside the state of the new one.
    bench.train("model", "");
    let (code, stderr) = signalled(&bench, "-INT", "--out model --patches 1000000 --overwrite");
    assert_eq!(code, Some(130), "{stderr}");

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

#[test]
fn a_training_that_is_asked_to_end_says_so_by_its_exit_code() {
    let bench = Bench::new();
    write_cloth(&bench.path("cloth"));
    let (code, stderr) = signalled(&bench, "-TERM", "--out model --patches 1000000");
    assert!(code == Some(143) && stderr.starts_with("interrupted after"), "{code:?}: {stderr}");
    // The page does not wait for more.
    let page = bench.text("model/report.html");
    assert!(page.contains("model: stopped after") && !page.contains("http-equiv=\"refresh\""));
}

#[test]
fn the_making_of_images_can_be_interrupted() {
    let bench = Bench::new();
    let child = spawn(&bench, "synthesize plain --good 100000 --out fabric --quiet");
    while !bench.path("fabric/train/good/000.png").exists() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert!(
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success()
    );
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        (output.status.code(), &*stderr),
        (Some(130), "interrupted; the same command goes on in fabric\n")
    );
}

#[test]
fn a_folder_is_written_to_by_one_process_at_a_time() {
    let bench = Bench::new();
    write_cloth(&bench.path("cloth"));
    let mut child = spawn(&bench, &format!("{ENDLESS} --out model --patches 1000000"));
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    for arguments in ["train --out model --resume", &format!("{ENDLESS} --out model --overwrite")] {
        let message = bench.error(arguments);
        assert!(message.contains("model: another process writes to this folder"), "{message}");
    }
    let model = Bench::with_model();
    let locked = fs::File::open(model.path("model/.lock")).unwrap();
    locked.lock().unwrap();
    for arguments in ["export model", "export model --out ./model/other.onnx"] {
        let message = model.error(arguments);
        assert!(message.contains("model: another process writes to this folder"), "{message}");
    }
    model.run("export model --out net.onnx").done();
    child.kill().unwrap();
    child.wait().unwrap();
    // The dead process's lock is no obstacle. It left no checkpoint, so that the training begins again.
    bench.run("train --out model --resume --patches 8 --quiet").done();
}

#[test]
fn a_training_goes_on_with_the_same_images_only() {
    let bench = Bench::with_model();
    crate::images::save(&bench.path("cloth/train/good/001.png"), &crate::images::texture(9));
    let message = bench.error("train --out model --resume --patches 16");
    assert!(message.contains("checkpoint.safetensors: expected images of SHA-256"), "{message}");
    fs::rename(bench.path("cloth"), bench.path("moved")).unwrap();
    let message = bench.error("train --out model --resume --patches 16");
    assert!(message.contains("cloth: expected the folder of a data set"), "{message}");
}

#[test]
fn data_that_vanishes_during_a_training_costs_the_threshold_only() {
    let bench = Bench::new();
    write_cloth(&bench.path("cloth"));
    let mut child = spawn(&bench, &format!("{ENDLESS} --out model --patches 400"));
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    fs::rename(bench.path("cloth"), bench.path("moved")).unwrap();
    stdout.read_to_string(&mut line).unwrap();
    let ended = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("the model is trained; `bench-cli calibrate model`"), "{stderr}");
    assert!(stderr.contains("cloth/train/good/000.png"), "{stderr}");

    fs::rename(bench.path("moved"), bench.path("cloth")).unwrap();
    bench.run("calibrate model").done();
    bench.run(&format!("{ENDLESS} --out whole --patches 400")).done();
    for file in ["model.safetensors", "calibration.json"] {
        let [model, whole] =
            ["model", "whole"].map(|folder| bench.bytes(&format!("{folder}/{file}")));
        assert!(model == whole, "{file}");
    }
}

/// Starts the program.
fn spawn(bench: &Bench, arguments: &str) -> Child {
    Command::new(program())
        .args(arguments.split_whitespace())
        .current_dir(bench.path("."))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The exit code and standard error of an endless training that gets a signal after its first epoch.
fn signalled(bench: &Bench, signal: &str, arguments: &str) -> (Option<i32>, String) {
    let mut child = spawn(bench, &format!("{ENDLESS} {arguments}"));
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success() && line.contains("\"epoch\":1"), "{line}");
    stdout.read_to_string(&mut line).unwrap();
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    (child.wait().unwrap().code(), stderr)
}
