//! Disks that are full, and folders that cannot be written to.

use crate::bench::{Bench, TINY, program};
use crate::images::write_cloth;
use std::process::Command;

fn bench() -> Bench {
    let bench = Bench::new();
    write_cloth(&bench.path("cloth"));
    bench
}

/// Runs the program where no file can grow beyond some blocks of 512 or 1024 bytes: the system refuses to write more, as it does
/// on a full disk.
fn error_on_a_full_disk(bench: &Bench, arguments: &str) -> String {
    let script = format!("trap '' XFSZ; ulimit -f 64; exec \"$0\" {arguments}");
    let output = Command::new("sh")
        .args(["-c", &script])
        .arg(program())
        .current_dir(bench.path("."))
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    let errors: Vec<&str> = stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "{stderr}");
    errors[0].to_owned()
}

#[test]
fn a_full_disk_keeps_the_last_checkpoint_and_the_training_goes_on_when_there_is_room() {
    let bench = bench();
    bench.train("model", "");
    let files = ["checkpoint.safetensors", "model.safetensors", "log.jsonl", "calibration.json"];
    let bytes = || files.map(|file| bench.bytes(&format!("model/{file}")));
    let (before, names) = (bytes(), bench.names("model"));
    let message = error_on_a_full_disk(
        &bench,
        "train --out model --resume --patches 16 --checkpoint-every 0 --quiet",
    );
    assert!(message.contains("checkpoint.safetensors is the state after 8 patches"), "{message}");
    assert!(message.contains("cannot write model/checkpoint.safetensors: "), "{message}");
    assert!(message.contains("File too large"), "{message}");
    let after = bytes();
    assert!(after[0] == before[0] && after[1] == before[1] && after[3] == before[3]);
    assert_eq!(bench.names("model"), names, "no part of a file is left");

    bench.run("train --out model --resume --patches 16").done();
    bench.train("whole", "--patches 16");
    assert!(bench.bytes("model/model.safetensors") == bench.bytes("whole/model.safetensors"));
}

#[test]
fn a_full_disk_before_the_first_checkpoint() {
    let bench = bench();
    let message =
        error_on_a_full_disk(&bench, &format!("train --data cloth --out model {TINY} --quiet"));
    assert!(message.contains("the training ended without a checkpoint"), "{message}");
    bench.run("train --out model --resume").done();
}

/// Files of a running watch that can grow no more, and then can again. The image in between is neither lost nor called unreadable.
#[cfg(target_os = "linux")]
#[test]
fn a_watch_on_a_full_disk_goes_on_when_there_is_room() {
    use crate::images::{save, texture};
    use crate::watching::let_it_look;
    use std::io::{BufRead, BufReader, Read};
    use std::process::Stdio;
    let bench = Bench::with_model();
    save(&bench.path("line/a.png"), &texture(7));
    let watch = "predict model --watch line --out found --poll 0.02 --write none --json";
    let script = format!("trap '' XFSZ; ulimit -S -f unlimited; exec \"$0\" {watch}");
    let mut child = Command::new("sh")
        .args(["-c", &script])
        .arg(program())
        .current_dir(bench.path("."))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let (mut line, mut said) = (String::new(), String::new());
    stdout.read_line(&mut line).unwrap();
    assert!(line.contains("line/a.png"), "{line}");
    let limit = |bytes: &str| {
        let arguments = [format!("--pid={}", child.id()), format!("--fsize={bytes}:")];
        assert!(Command::new("prlimit").args(arguments).status().unwrap().success());
    };
    let records = bench.bytes("found/predictions.jsonl");
    // Room for a part of the next line.
    limit(&(records.len() + 10).to_string());
    save(&bench.path("line/b.png"), &texture(8));
    stderr.read_line(&mut said).unwrap();
    said.clear();
    stderr.read_line(&mut said).unwrap();
    assert!(said.starts_with("warning: cannot write found/predictions.jsonl: "), "{said}");
    for _ in 0..10 {
        let_it_look();
    }
    assert!(bench.bytes("found/predictions.jsonl") == records, "no part of a line stays");
    limit("unlimited");
    line.clear();
    stdout.read_line(&mut line).unwrap();
    assert!(line.contains("line/b.png"), "{line}");
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    said.clear();
    stderr.read_to_string(&mut said).unwrap();
    assert_eq!(said, "results are written again\ninterrupted after 2 images\n");
    assert_eq!(child.wait().unwrap().code(), Some(143));
    assert_eq!(bench.text("found/predictions.jsonl").lines().count(), 2);
    assert_eq!(bench.text("found/predictions.csv").lines().count(), 3);
}

/// Not even root can write there.
#[cfg(target_os = "linux")]
#[test]
fn a_read_only_folder() {
    let bench = Bench::with_model();
    for arguments in [
        &*format!("train --data cloth --out /sys {TINY} --quiet"),
        &*format!("train --data cloth --out /sys/model {TINY} --quiet"),
        "predict model cloth/test/good --out /sys",
        "evaluate model --out /sys/kernel",
    ] {
        let message = bench.error(arguments);
        assert!(message.contains("cannot") && message.contains("/sys"), "{message}");
    }
}
