//! Runs over archives: interrupted, resumed, cut into shards, sparing with files.

use crate::bench::{Bench, number, program};
use crate::images::{defective, save, texture};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// A model and the folder `line` with four images, the second and the fourth of which have a hole.
fn bench() -> Bench {
    let bench = Bench::with_model();
    for (index, name) in ["a", "b", "c", "d"].into_iter().enumerate() {
        let draw = if index % 2 == 0 { texture } else { defective };
        save(&bench.path(&format!("line/{name}.png")), &draw(7 + index as u32));
    }
    bench
}

/// The records of a folder without what depends on the clock.
fn records(bench: &Bench, folder: &str) -> Vec<Value> {
    let text = bench.text(&format!("{folder}/predictions.jsonl"));
    assert!(text.is_empty() || text.ends_with('\n'), "the last record is not whole");
    let timeless = |line: &str| {
        let mut record: Value = serde_json::from_str(line).unwrap();
        record["seconds"].take();
        record
    };
    text.lines().map(timeless).collect()
}

fn field(records: &[Value], name: &str) -> Vec<String> {
    records.iter().map(|record| record[name].as_str().unwrap().to_owned()).collect()
}

fn ids(bench: &Bench, folder: &str) -> Vec<String> {
    field(&records(bench, folder), "id")
}

/// The rows of a table without the columns that differ between runs.
fn rows(bench: &Bench, table: &str, differing: &[&str]) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(bench.path(table)).unwrap();
    let headers = reader.headers().unwrap().clone();
    let cells = |row: csv::StringRecord| {
        let named = headers.iter().zip(row.iter());
        named.filter(|(name, _)| !differing.contains(name)).map(|(_, cell)| cell.into()).collect()
    };
    reader.records().map(|row| cells(row.unwrap())).collect()
}

/// A threshold that two of the images reach, and their names without extension, in order.
fn threshold(bench: &Bench) -> (f64, [String; 2]) {
    bench.run("predict model line --out probe --write none").done();
    let score = |record: &Value| number(record, "score");
    let mut records = records(bench, "probe");
    records.sort_by(|a, b| score(a).total_cmp(&score(b)));
    let (good, least) = (score(&records[1]), score(&records[2]));
    assert!(good < least, "{records:?}");
    let mut names = field(&records[2..], "id");
    names.sort_unstable();
    ((good + least) / 2.0, names.try_into().unwrap())
}

#[test]
fn a_resumed_run_does_what_is_missing_and_what_has_changed() {
    let bench = bench();
    bench.run("predict model line --out whole --write map,mask,regions,coco").done();
    let run = |inputs: &str| {
        let options = "--out found --resume --write map,mask,regions,coco --json";
        let run = bench.run(&format!("predict model {inputs} {options}")).done();
        run.json()
            .iter()
            .map(|record| record["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(run("line/a.png line/b.png"), ["a", "b"]);
    // As a run that was killed while it wrote leaves its tables.
    let torn = bench.text("found/predictions.jsonl") + "{\"image\":\"line/c.p";
    fs::write(bench.path("found/predictions.jsonl"), torn).unwrap();
    assert_eq!(run("line"), ["c", "d"]);
    assert_eq!(records(&bench, "found"), records(&bench, "whole"));
    assert_eq!(bench.names("found"), bench.names("whole"));
    for name in ["a.tiff", "d_mask.png", "regions.csv", "coco.json"] {
        assert!(bench.bytes(&format!("found/{name}")) == bench.bytes(&format!("whole/{name}")));
    }

    // The same content in a new file, and other content, which keeps its id and its row.
    fs::write(bench.path("line/a.png"), bench.bytes("line/a.png")).unwrap();
    save(&bench.path("line/b.png"), &texture(20));
    let before = bench.bytes("found/b.tiff");
    assert_eq!(run("line"), ["b"]);
    assert_eq!(ids(&bench, "found"), ["a", "b", "c", "d"]);
    assert!(bench.bytes("found/b.tiff") != before);
    bench.run("predict model line --out whole --write map,mask,regions,coco").done();
    let (found, whole) = (records(&bench, "found"), records(&bench, "whole"));
    assert_eq!(field(&found, "sha256"), field(&whole, "sha256"));
    for table in ["predictions.csv", "regions.csv"] {
        let rows = |folder| rows(&bench, &format!("{folder}/{table}"), &["seconds"]);
        assert_eq!(rows("found"), rows("whole"));
    }
    assert_eq!(bench.json("found/coco.json"), bench.json("whole/coco.json"));
    assert!(run("line").is_empty());
}

#[test]
fn what_was_done_with_other_settings_is_done_again() {
    let bench = bench();
    let (threshold, [first, second]) = threshold(&bench);
    bench.run(&format!("predict model line --out found --threshold {threshold}")).done();
    bench.train("other", "--seed 1");
    let done = |model: &str, options: &str| {
        let run = bench.run(&format!("predict {model} line --out found --resume {options} --json"));
        assert_eq!(run.code, 0, "{}", run.stderr);
        (run.json().len(), run.stderr.lines().next().unwrap_or_default().to_owned())
    };
    let with = |options: &str| format!("--threshold {threshold} {options}");
    let (count, note) = done("model", &with(""));
    assert_eq!((count, &*note), (0, "going on with the records of 4 images"));
    // The default outputs in another order are the same.
    assert_eq!(done("model", &with("--write report,regions,overlay,mask,map")).0, 0);
    assert_eq!(done("model", &with("--threads 1")).0, 0);

    let (count, note) = done("model", &with("--keep defective"));
    assert_eq!(count, 4);
    assert!(note.contains("4 of them are of another model or other options"), "{note}");
    // What it does not keep is removed, and no record says that it is there.
    let names: Vec<String> =
        bench.names("found").into_iter().filter(|name| name.ends_with(".png")).collect();
    let files = |id: &str| [format!("{id}_mask.png"), format!("{id}_overlay.png")];
    assert_eq!(names, [files(&first), files(&second)].concat());
    for record in records(&bench, "found") {
        let files = record["files"].as_array().unwrap().len();
        assert_eq!(files, if record["defective"] == true { 3 } else { 0 }, "{record}");
    }
    assert_eq!(ids(&bench, "found"), ["a", "b", "c", "d"]);

    assert_eq!(done("model", &with("--keep defective --min-area 2")).0, 4);
    assert_eq!(done("other", &with("--keep defective --min-area 2")).0, 4);
    bench.run("calibrate other --rule max --set calibration.min_area=3").done();
    let (count, _) = done("other", &with("--keep defective --min-area 2"));
    assert_eq!(count, 4, "the calibration is another one");
    assert_eq!(done("other", &with("--keep defective --min-area 2")).0, 0);
}

/// Images of the earlier run count for the exit code, too.
#[test]
fn a_resumed_run_tells_of_all_images() {
    let bench = bench();
    let run = |rest: &str| {
        bench.run(&format!("predict model line --out found --threshold -1000 --exit-code {rest}"))
    };
    assert_eq!(run("").code, 1);
    let run = run("--resume");
    assert_eq!((run.code, &*run.stdout), (1, ""), "{}", run.stderr);
    assert!(bench.text("found/report.html").contains("4 of them by an earlier run"));
}

#[test]
fn an_unreadable_image_is_one_record_and_tried_again() {
    let bench = bench();
    fs::write(bench.path("line/b.png"), "no image").unwrap();
    for rest in ["", "--resume"] {
        let run = bench.run(&format!("predict model line --out found {rest}"));
        assert_eq!(run.code, 2, "{}", run.stderr);
        assert_eq!(ids(&bench, "found"), ["a", "c", "d"]);
        let failures = bench.text("found/failures.jsonl");
        let failure: Value = serde_json::from_str(failures.trim_end()).unwrap();
        assert_eq!(failure["image"], "line/b.png");
        assert!(failure["error"].as_str().unwrap().contains("line/b.png"), "{failure}");
        let record = bench.json("found/run.json");
        assert_eq!((&record["finished"], &record["images"]), (&true.into(), &4.into()));
    }
    save(&bench.path("line/b.png"), &texture(20));
    bench.run("predict model line --out found --resume").done();
    assert!(!bench.path("found/failures.jsonl").exists());
    assert_eq!(ids(&bench, "found"), ["a", "c", "d", "b"]);
}

#[test]
fn shards_are_joined_to_the_tables_of_the_whole() {
    let bench = bench();
    save(&bench.path("more/a.png"), &defective(30));
    let write = "--write mask,regions,coco";
    // In an order that is not that of the names.
    bench.run(&format!("predict model line more --out whole {write}")).done();
    for shard in ["3/3", "1/3"] {
        bench.run(&format!("predict model line more --out found {write} --shard {shard}")).done();
    }
    let run = bench.run("merge found --json");
    assert_eq!((run.code, &*run.stderr), (2, "warning: shard 2/3 is missing\n"));
    let merged = run.last();
    assert_eq!(number(&merged, "shards"), 2.0);
    assert_eq!(merged["problems"][0], "shard 2/3 is missing");

    // From a list, as from `find`.
    let list = b"line/a.png\nline/b.png\nline/c.png\nline/d.png\nmore/a.png\n";
    bench.run_with_input(&format!("predict model - --out found {write} --shard 2/3"), list).done();
    let run = bench.run("merge found").done();
    assert!(run.stdout.starts_with("3 of 3 shards, 5 images, "), "{}", run.stdout);
    let (found, whole) = (records(&bench, "found"), records(&bench, "whole"));
    for name in ["image", "sha256", "settings"] {
        assert_eq!(field(&found, name), field(&whole, name));
    }
    for record in &found {
        let id = record["id"].as_str().unwrap();
        assert_eq!(record["files"], serde_json::json!([format!("{id}_mask.png")]));
        assert!(bench.path(&format!("found/{id}_mask.png")).is_file(), "{id}");
        assert!(record.get("position").is_none());
    }
    for table in ["predictions.csv", "regions.csv"] {
        let rows = |folder| rows(&bench, &format!("{folder}/{table}"), &["id", "seconds"]);
        assert_eq!(rows("found"), rows("whole"), "{table}");
    }
    assert_eq!(bench.json("found/coco.json"), bench.json("whole/coco.json"));
    assert!(bench.names("found").iter().all(|name| !name.ends_with(".part")));
}

/// Where a shard begins or ends does not depend on what else is listed, nor in which order.
#[test]
fn shards_cover_every_image_once_in_any_order_of_the_list() {
    let bench = bench();
    let orders = [
        "line/a.png line/b.png line/c.png line/d.png",
        "line/d.png line/c.png line/b.png line/a.png",
    ];
    for (number, count) in [(0, 1), (1, 2), (2, 7)] {
        let mut covered = Vec::new();
        for index in 1..=count {
            let (order, out) = (orders[index % 2], format!("found-{number}"));
            let shard = format!("--write none --shard {index}/{count}");
            bench.run(&format!("predict model {order} --out {out} {shard}")).done();
            let folder = format!("{out}/shard-{index}-of-{count}");
            covered.extend(field(&records(&bench, &folder), "image"));
        }
        covered.sort_unstable();
        assert_eq!(covered, ["line/a.png", "line/b.png", "line/c.png", "line/d.png"]);
        bench.run(&format!("merge found-{number}")).done();
    }
}

#[test]
fn what_is_missing_or_occurs_twice_is_said_when_shards_are_joined() {
    let bench = bench();
    fs::write(bench.path("line/e.png"), "no image").unwrap();
    for shard in ["1/2", "2/2"] {
        bench.run(&format!("predict model line --out found --shard {shard}"));
    }
    let run = bench.run("merge found");
    assert_eq!(run.code, 2);
    assert!(run.stderr.starts_with("warning: shard ") && run.stderr.contains("line/e.png"));
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    assert_eq!(ids(&bench, "found").len(), 4);
    assert!(bench.text("found/failures.jsonl").contains("line/e.png"));
    fs::remove_file(bench.path("line/e.png")).unwrap();

    let problem = |arguments: &str, expected: &str| {
        bench.run(arguments).done();
        let run = bench.run("merge found --json");
        let said = run.last()["problems"].to_string();
        assert!(run.code == 2 && said.contains(expected), "{}: {said}", run.code);
    };
    bench.run("predict model line --out found --shard 1/2 --resume").done();
    problem(
        "predict model line/a.png --out found --shard 2/2 --resume",
        "of a list of 4 images, shard 2/2 of one of 1",
    );
    let twice = "predict model line line --out found --write none --shard";
    bench.run(&format!("{twice} 1/2")).done();
    problem(&format!("{twice} 2/2"), "line/a.png: has 2 records");

    bench.run("predict model line --out found --shard 2/2 --keep defective").done();
    let message = bench.error("merge found");
    assert!(message.contains("shard-2-of-2: has results of another model or other options"));
    bench.run("predict model line --out found --shard 1/3").done();
    assert!(bench.error("merge found").contains("the shards of one run"));
    assert!(bench.error("merge line").contains("expected folders of shards"));
    // The results of a whole run are not replaced by those of some shards.
    bench.run("predict model cloth/test/hole --out whole").done();
    bench.run("predict model cloth/test/hole --out whole --shard 1/2").done();
    let records = bench.text("whole/predictions.jsonl");
    assert!(bench.error("merge whole").contains("a run without shards"));
    assert_eq!(bench.text("whole/predictions.jsonl"), records);
    for shard in ["0/2", "3/2", "2"] {
        let run = bench.run(&format!("predict model line --out found --shard {shard}"));
        assert!(run.code == 2 && run.stderr.contains("I/N"), "{}", run.stderr);
    }
}

#[test]
fn files_of_defective_images_alone_lie_in_subfolders() {
    let bench = bench();
    let (threshold, [first, second]) = threshold(&bench);
    let options = format!("--threshold {threshold} --keep defective --write map,mask");
    let half = format!("{options} --map-format f16");
    bench.run(&format!("predict model line --out found {half} --subfolders input")).done();
    assert_eq!(ids(&bench, "found"), ["line/a", "line/b", "line/c", "line/d"]);
    let files = |id: &str| [format!("{id}.tiff"), format!("{id}_mask.png")];
    assert_eq!(bench.names("found/line"), [files(&first), files(&second)].concat());
    for record in records(&bench, "found") {
        let files = files(record["id"].as_str().unwrap());
        let expected = if record["defective"] == true { &files[..] } else { &[] };
        assert_eq!(record["files"], serde_json::json!(expected));
    }

    bench.run(&format!("predict model line --out hashed {half} --subfolders hash")).done();
    // python3 -c 'import hashlib; print([hashlib.sha256(f"line/{x}.png".encode()).hexdigest()[:2] for x in "abcd"])'
    let hashed = ["b1/a", "d5/b", "24/c", "8f/d"];
    assert_eq!(ids(&bench, "hashed"), hashed);
    let id = hashed.into_iter().find(|id| id.ends_with(&first)).unwrap();
    let stored = format!("found/line/{first}.tiff");
    assert!(bench.bytes(&format!("hashed/{id}.tiff")) == bench.bytes(&stored));

    // 16 of 32 bits, compressed, and within a unit of the last of 11 bits.
    bench.run(&format!("predict model line --out floats {options}")).done();
    assert!(bench.bytes(&stored).len() < bench.bytes(&format!("floats/{first}.tiff")).len());
    let file = fs::File::open(bench.path(&stored)).unwrap();
    let mut decoder = tiff::decoder::Decoder::new(file).unwrap();
    let tiff::decoder::DecodingResult::F16(halves) = decoder.read_image().unwrap() else {
        panic!("not 16-bit floats")
    };
    let (floats, _) = bench.map(&format!("floats/{first}.tiff"));
    assert_eq!(halves.len(), floats.len());
    for (half, float) in halves.iter().zip(floats) {
        assert!((half.to_f32() - float).abs() <= float.abs() / 2048.0 + 3e-8, "{half} of {float}");
    }
    // With subfolders, results might replace images below --out, too.
    let message = bench.error("predict model line --out . --subfolders input");
    assert!(message.contains("in the folder of the results"), "{message}");
}

/// The number of threads decides how much is read and written ahead.
#[test]
fn rows_and_files_are_the_same_for_any_number_of_threads() {
    let bench = bench();
    for threads in [1, 4] {
        bench.run(&format!("predict model line --out found-{threads} --threads {threads}")).done();
    }
    assert_eq!(records(&bench, "found-1"), records(&bench, "found-4"));
    for name in bench.names("found-1") {
        if !["predictions.jsonl", "predictions.csv", "report.html"].contains(&&*name) {
            let bytes = |threads: u32| bench.bytes(&format!("found-{threads}/{name}"));
            assert!(bytes(1) == bytes(4), "{name}");
        }
    }
}

/// Starts a run over many images, and signals it after the first line that it prints.
fn signalled(bench: &Bench, signal: &str) -> (Option<i32>, String) {
    let mut child = Command::new(program())
        .args("predict model many --out found --resume --subfolders hash --json --quiet".split(' '))
        .current_dir(bench.path(""))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut String::new()).unwrap();
    let kill = Command::new("kill").args([signal, &child.id().to_string()]).status();
    assert!(kill.unwrap().success());
    std::io::copy(&mut stdout, &mut std::io::sink()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// All files below a folder.
fn files(folder: &std::path::Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let below = |path: std::path::PathBuf| match path.is_dir() {
        true => files(&path),
        false => vec![path.file_name().unwrap().to_str().unwrap().to_owned()],
    };
    entries.flat_map(below).collect()
}

#[test]
fn an_interrupted_or_killed_run_goes_on_to_the_results_of_a_whole_one() {
    let bench = bench();
    for number in 0..100 {
        save(&bench.path(&format!("many/{number:03}.png")), &defective(number));
    }
    let mut last = 0;
    for (signal, code) in [("-INT", Some(130)), ("-KILL", None), ("-TERM", Some(143))] {
        let (ended, said) = signalled(&bench, signal);
        assert_eq!(ended, code, "{signal}");
        // Whole records, of which all files are there.
        let records = records(&bench, "found");
        assert!((last + 1..100).contains(&records.len()), "{signal}: {} records", records.len());
        last = records.len();
        for file in records.iter().flat_map(|record| record["files"].as_array().unwrap()) {
            assert!(bench.path("found").join(file.as_str().unwrap()).is_file(), "{file}");
        }
        assert_eq!(bench.json("found/run.json")["finished"], false);
        if code.is_some() {
            assert!(said.ends_with("images; the same command with --resume goes on\n"), "{said}");
            assert!(bench.text("found/report.html").contains("interrupted before the end"));
            let is_part = |name: &String| name.ends_with(".part");
            assert!(!files(&bench.path("found")).iter().any(is_part), "{signal}");
        }
    }
    bench.run("predict model many --out found --resume --subfolders hash").done();
    bench.run("predict model many --out whole --subfolders hash").done();
    assert_eq!(records(&bench, "found"), records(&bench, "whole"));
    let names = |folder| {
        let mut names = files(&bench.path(folder));
        names.sort_unstable();
        names
    };
    assert_eq!(names("found"), names("whole"), "a killed run's temporary files are gone");
}
