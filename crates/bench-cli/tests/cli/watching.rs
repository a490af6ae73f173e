//! `bench-cli predict` on images that arrive while it runs.

use crate::bench::{Bench, program};
use crate::images::{defective, save, texture};
use crate::results::WATCH;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

/// A running program and what it says.
pub struct Watch {
    pub child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Watch {
    pub fn start(bench: &Bench, arguments: &str) -> Self {
        let mut child = Command::new(program())
            .args(arguments.split_whitespace())
            .current_dir(bench.path("."))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdout }
    }

    /// Waits for the next record.
    fn next(&mut self) -> Value {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    pub fn next_id(&mut self) -> String {
        self.next()["id"].as_str().unwrap().to_owned()
    }

    pub fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Exit code, the rest of standard output, and standard error.
    pub fn end(mut self) -> (Option<i32>, String, String) {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.stdout.read_to_string(&mut stdout).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        (self.child.wait().unwrap().code(), stdout, stderr)
    }
}

/// Long enough for the program to look a few times.
pub fn let_it_look() {
    std::thread::sleep(Duration::from_millis(150));
}

#[test]
fn what_lies_and_arrives_in_a_folder_is_inspected() {
    let bench = Bench::with_model();
    save(&bench.path("line/a.png"), &texture(7));
    save(&bench.path("b.png"), &defective(8));
    let mut watch = Watch::start(&bench, WATCH);
    assert_eq!(watch.next_id(), "a");

    // Half a file, which becomes a whole one.
    let whole = bench.bytes("b.png");
    let mut file = fs::File::create(bench.path("line/b.png")).unwrap();
    file.write_all(&whole[..whole.len() / 2]).unwrap();
    let_it_look();
    file.write_all(&whole[whole.len() / 2..]).unwrap();
    assert_eq!(watch.next_id(), "b");

    // Renamed, as by programs that write to a temporary name first; replaced; deleted.
    fs::write(bench.path("line/c.png.part"), &whole).unwrap();
    let_it_look();
    fs::rename(bench.path("line/c.png.part"), bench.path("line/c.png")).unwrap();
    assert_eq!(watch.next_id(), "c");
    fs::remove_file(bench.path("line/c.png")).unwrap();
    save(&bench.path("line/a.png"), &texture(9));
    assert_eq!(watch.next_id(), "a-2");
    assert_ne!(bench.bytes("found/a.tiff"), bench.bytes("found/a-2.tiff"));

    watch.signal("-TERM");
    let (code, stdout, stderr) = watch.end();
    assert_eq!((code, &*stdout, &*stderr), (Some(143), "", "interrupted after 4 images\n"));
    assert_eq!(bench.text("found/predictions.jsonl").lines().count(), 4);
}

/// Images with a record are left alone, and so are the records.
#[test]
fn another_run_goes_on() {
    let bench = Bench::with_model();
    save(&bench.path("line/a.png"), &texture(7));
    let mut watch = Watch::start(&bench, WATCH);
    assert_eq!(watch.next_id(), "a");
    watch.signal("-TERM");
    assert_eq!(watch.end().0, Some(143));

    save(&bench.path("line/a.tif"), &texture(3));
    save(&bench.path("line/b.png"), &texture(3));
    let mut watch = Watch::start(&bench, WATCH);
    let mut ids = [watch.next_id(), watch.next_id()];
    ids.sort();
    assert_eq!(ids, ["a-2", "b"]);
    watch.signal("-INT");
    assert_eq!(watch.end().0, Some(130));
    assert_eq!(bench.text("found/predictions.jsonl").lines().count(), 3);
    let table = bench.text("found/predictions.csv");
    assert_eq!(table.lines().filter(|line| line.starts_with("image,")).count(), 1);
    assert_eq!(table.lines().count(), 4);
}

/// As long as a name can be: with the endings of results it would be too long, and the watch would wait for ever to write them.
#[test]
fn a_long_name_is_cut_off() {
    let bench = Bench::with_model();
    let long = "n".repeat(251);
    for folder in ["line", "archive"] {
        save(&bench.path(&format!("{folder}/{long}.png")), &texture(7));
    }
    let mut watch = Watch::start(&bench, WATCH);
    let id = "n".repeat(200);
    assert_eq!(watch.next_id(), id);
    save(&bench.path("line/z.png"), &texture(8));
    assert_eq!(watch.next_id(), "z");
    watch.signal("-TERM");
    assert_eq!(watch.end().0, Some(143));
    assert!(bench.path(&format!("found/{id}_overlay.png")).exists());
    let all = "map,mask,overlay,heatmap,reconstruction";
    bench.run(&format!("predict model line archive --out all --write {all}")).done();
    assert!(bench.path(&format!("all/{id}-2_reconstruction.png")).exists());
}

#[test]
fn what_is_no_image_is_reported_once_and_the_rest_inspected() {
    let bench = Bench::with_model();
    fs::create_dir(bench.path("line")).unwrap();
    fs::write(bench.path("line/bad.png"), "no image").unwrap();
    let mut watch = Watch::start(&bench, WATCH);
    let mut stderr = BufReader::new(watch.child.stderr.take().unwrap());
    let mut error = String::new();
    stderr.read_line(&mut error).unwrap();
    assert!(error.starts_with("error: cannot read image line/bad.png: "), "{error}");
    let_it_look();
    save(&bench.path("line/a.png"), &texture(7));
    assert_eq!(watch.next_id(), "a");
    watch.signal("-INT");
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "interrupted after 1 image\n");
    assert_eq!(watch.child.wait().unwrap().code(), Some(130));
}

#[test]
fn a_run_that_is_killed_has_recorded_what_it_has_inspected() {
    let bench = Bench::with_model();
    save(&bench.path("line/a.png"), &texture(7));
    let mut watch = Watch::start(&bench, "predict model - --out found --json --quiet");
    let mut list = watch.child.stdin.take().unwrap();
    writeln!(list, "line/a.png").unwrap();
    let found = watch.next();
    // The list is open: more may come.
    watch.child.kill().unwrap();
    watch.child.wait().unwrap();
    let record: Value = serde_json::from_str(&bench.text("found/predictions.jsonl")).unwrap();
    assert_eq!(record, found);
    assert_eq!(bench.text("found/predictions.csv").lines().count(), 2);

    // A power failure may leave a part of a line, which the next run removes.
    let mut records = fs::OpenOptions::new();
    let mut records = records.append(true).open(bench.path("found/predictions.jsonl")).unwrap();
    records.write_all(br#"{"image": "line/b.p"#).unwrap();
    save(&bench.path("line/b.png"), &texture(8));
    let mut watch = Watch::start(&bench, WATCH);
    assert_eq!(watch.next_id(), "b");
    watch.signal("-INT");
    watch.end();
    let ids: Vec<Value> = bench
        .text("found/predictions.jsonl")
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].clone())
        .collect();
    assert_eq!(ids, ["a", "b"]);
}

#[test]
fn a_signal_ends_a_run_that_waits_for_its_list() {
    let bench = Bench::with_model();
    let mut watch = Watch::start(&bench, "predict model - --out found --quiet");
    while !bench.path("found/predictions.jsonl").exists() {
        assert!(watch.child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(10));
    }
    watch.signal("-TERM");
    let (code, _, stderr) = watch.end();
    let said = "interrupted after 0 images; the same command with --resume goes on\n";
    assert_eq!((code, &*stderr), (Some(143), said));
}

#[test]
fn what_cannot_be_watched_is_refused() {
    let bench = Bench::with_model();
    save(&bench.path("line/a.png"), &texture(7));
    let message = bench.error("predict model --watch line --out ./line");
    assert!(message.contains("line: the folder of the results cannot be watched"), "{message}");
    let message = bench.error("predict model --watch line/a.png --out found");
    assert!(message.contains("line/a.png: expected a folder"), "{message}");
    for arguments in ["line --watch line", "--watch line --poll 0", "line --poll 1", ""] {
        let run = bench.run(&format!("predict model {arguments} --out found"));
        assert!(run.code == 2 && run.stderr.contains("--help"), "{arguments}: {}", run.stderr);
    }
}

/// As on a disk that is full in part: the exit code still tells of the signal.
#[test]
fn a_page_that_cannot_be_written_does_not_hide_the_signal() {
    let bench = Bench::with_model();
    save(&bench.path("line/a.png"), &texture(7));
    fs::create_dir_all(bench.path("found/report.html/in the way")).unwrap();
    let mut watch = Watch::start(&bench, WATCH);
    watch.next_id();
    watch.signal("-TERM");
    let (code, _, stderr) = watch.end();
    assert_eq!(code, Some(143), "{stderr}");
    assert!(stderr.contains("warning: cannot write found/report.html"), "{stderr}");
    assert!(stderr.ends_with("interrupted after 1 image\n"), "{stderr}");
}

/// After a restart, the content of files decides whose entries have changed. What arrives is inspected, and they are not inspected again.
#[test]
fn files_that_were_put_back_are_not_inspected_again() {
    let bench = Bench::with_model();
    save(&bench.path("line/a.png"), &texture(7));
    save(&bench.path("line/b.png"), &texture(8));
    let mut watch = Watch::start(&bench, WATCH);
    let mut ids = [watch.next_id(), watch.next_id()];
    ids.sort();
    assert_eq!(ids, ["a", "b"]);
    watch.signal("-TERM");
    watch.end();
    // The same content and time of change, as by a backup that is put back.
    let copy = |name: &str| {
        let path = bench.path(&format!("line/{name}.png"));
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        let other = bench.path("copy");
        fs::copy(&path, &other).unwrap();
        fs::File::options().write(true).open(&other).unwrap().set_modified(modified).unwrap();
        fs::rename(other, path).unwrap();
    };
    copy("a");
    copy("b");
    save(&bench.path("line/c.png"), &texture(9));
    let mut watch = Watch::start(&bench, WATCH);
    assert_eq!(watch.next_id(), "c");
    for _ in 0..5 {
        let_it_look();
    }
    watch.signal("-TERM");
    assert_eq!(watch.end().1, "", "the others are the same");
}

#[test]
fn the_page_of_a_watch_follows_it() {
    let bench = Bench::with_model();
    save(&bench.path("line/a.png"), &texture(7));
    let mut watch = Watch::start(&bench, WATCH);
    watch.next_id();
    let page = wait_for(|| fs::read_to_string(bench.path("found/report.html")).ok());
    crate::report::assert_alone(&page);
    assert!(page.contains("<meta http-equiv=\"refresh\" content=\"5\">"), "it reloads itself");
    save(&bench.path("line/b.png"), &defective(8));
    watch.next_id();
    watch.signal("-INT");
    watch.end();
    let page = bench.text("found/report.html");
    assert!(!page.contains("http-equiv=\"refresh\"") && page.contains("<title>Watched</title>"));
    assert!(
        page.contains("<strong>line/a.png</strong>")
            && page.contains("<strong>line/b.png</strong>")
    );
    assert!(page.contains("Scores over time") && page.contains("2: "));
}

/// Returns what comes within some seconds.
fn wait_for<T>(mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..400 {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("it did not come");
}
