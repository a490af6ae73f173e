//! Results on standard output, everything else on standard error.

use crate::bench::{Bench, program};
use std::process::{Command, Stdio};

#[test]
fn quiet_means_silent_and_json_means_json() {
    let bench = Bench::with_model();
    for command in [
        "train --data cloth --out other --patches 8 --set model.patch_size=32 --set model.latent_dim=8",
        "calibrate model",
        "evaluate model --out results",
        "predict model cloth/test/good --out results",
        "toy model --out toy.png",
        "info model",
        "synthesize plain --good 0 --defective 0 --out fabric",
    ] {
        let run = bench.run(&format!("{command} --json --quiet")).done();
        // Warnings are not silenced.
        assert!(run.stderr.lines().all(|line| line.starts_with("warning: ")), "{}", run.stderr);
        assert!(run.warnings().is_empty(), "{}", run.stderr);
        assert!(!run.json().is_empty(), "{command}: {}", run.stdout);
    }
}

#[test]
fn help_and_version_are_printed() {
    let bench = Bench::new();
    let overview = bench.run("--help").done().stdout;
    assert!(overview.contains("Exit codes"), "{overview}");
    let version = bench.run("--version").done().stdout;
    assert_eq!(version, format!("bench-cli {}\n", env!("CARGO_PKG_VERSION")));
}

/// As `bench-cli info model | head -1` ends.
#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let bench = Bench::with_model();
    let mut child = Command::new(program())
        .args(["info", "model"])
        .current_dir(bench.path("."))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(output.status.code(), Some(0));
}

/// Neither standard output nor standard error is a terminal here; `CLICOLOR_FORCE` asks for colour all the same.
#[test]
fn colour_is_for_terminals_and_not_for_those_who_refuse_it() {
    let escapes = |arguments: &str, variables: &[(&str, &str)]| {
        let mut command = Command::new(program());
        command.args(arguments.split(' ')).env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
        let output = command.envs(variables.iter().copied()).output().unwrap();
        [output.stdout, output.stderr].concat().contains(&0x1b)
    };
    for arguments in ["--help", "train --help", "predict --no-such-option"] {
        assert!(!escapes(arguments, &[]), "{arguments}");
        assert!(escapes(arguments, &[("CLICOLOR_FORCE", "1")]), "{arguments}");
        let refused = [("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")];
        assert!(!escapes(arguments, &refused), "{arguments}");
    }
}

/// Where no terminal is, a progress bar would leave a line for each of its states.
#[test]
fn progress_is_for_terminals() {
    let bench = Bench::with_model();
    let run = bench.train("other", "");
    assert!(run.stderr.contains("training on cpu"), "{}", run.stderr);
    assert!(!run.stderr.contains(['\r', '\u{1b}']), "{:?}", run.stderr);
}

/// A service that nobody watches leaves a log.
#[test]
fn a_log_grows_by_what_is_said() {
    let bench = Bench::with_model();
    let said = || {
        let log = bench.text("log.txt");
        let text = |line: &str| {
            let (time, text) = line.split_once(' ').unwrap();
            assert!(time.len() == 20 && time.ends_with('Z'), "{line}");
            text.to_owned()
        };
        log.lines().map(text).collect::<Vec<_>>()
    };
    bench.run("train --data cloth --out other --patches 8 --set model.patch_size=32 --quiet --log log.txt").done();
    let trained = said();
    assert!(trained.iter().any(|line| line.starts_with("training on cpu")), "{trained:?}");
    let error = bench.error("info nowhere --log log.txt");
    assert_eq!(said(), [trained, vec![error]].concat());
    assert!(
        bench
            .error("info model --log model")
            .contains("cannot write the log model: expected a file")
    );
}
