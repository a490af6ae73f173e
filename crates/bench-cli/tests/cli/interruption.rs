//! Signals, crashes, and several processes at once.

use crate::bench::{Bench, program};
use crate::images::write_cloth;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

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
}

/// Killed at moments that differ from run to run, saving its state after every step.
#[test]
fn a_training_that_is_killed_again_and_again_goes_on_to_the_same_weights() {
    let bench = Bench::new();
    write_cloth(&bench.path("cloth"));
    let schedule = "--patches 240 --checkpoint-every 0";
    bench.run(&format!("{ENDLESS} --out whole {schedule}")).done();
    let mut kills = 0;
    for round in 0_u64.. {
        let begin_or_go_on = match bench.path("model/config.toml").exists() {
            true => "train --resume --json --quiet",
            false => ENDLESS,
        };
        let mut child = spawn(&bench, &format!("{begin_or_go_on} --out model {schedule}"));
        std::thread::sleep(Duration::from_millis(20 + 37 * round % 160));
        if kills < 12 && child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
            child.wait().unwrap();
            kills += 1;
            continue;
        }
        let ended = child.wait_with_output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        break;
    }
    for file in ["model.safetensors", "calibration.json", "config.toml"] {
        assert!(
            bench.bytes(&format!("model/{file}")) == bench.bytes(&format!("whole/{file}")),
            "{file} after {kills} kills"
        );
    }
    assert_eq!(log(&bench, "model"), log(&bench, "whole"));
    assert_eq!(bench.names("model"), bench.names("whole"), "what killed runs leave is removed");
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

/// The log without the times, which no two runs share.
fn log(bench: &Bench, model: &str) -> Vec<Value> {
    let text = bench.text(&format!("{model}/log.jsonl"));
    let entry = |line| {
        let mut entry: Value = serde_json::from_str(line).unwrap();
        let fields = entry.as_object_mut().unwrap();
        fields.remove("seconds").unwrap();
        fields.remove("patches_per_second").unwrap();
        entry
    };
    text.lines().map(entry).collect()
}
