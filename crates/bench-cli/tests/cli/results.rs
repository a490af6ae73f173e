//! The folder of the results of `bench-cli predict`: who writes there, and what happens to it.

use crate::bench::{Bench, program};
use crate::images::{defective, save, texture};
use crate::watching::{Watch, let_it_look};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

pub const WATCH: &str = "predict model --watch line --out found --poll 0.02 --json --quiet";

/// The ids of the records, in their order.
fn recorded(bench: &Bench) -> Vec<String> {
    let record = |line: &str| serde_json::from_str::<Value>(line).unwrap();
    let text = bench.text("found/predictions.jsonl");
    text.lines().map(|line| record(line)["id"].as_str().unwrap().to_owned()).collect()
}

/// The first column of a table.
fn first_column(bench: &Bench, table: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_path(bench.path(table)).unwrap();
    reader.records().map(|row| row.unwrap()[0].to_owned()).collect()
}

/// The tables have the rows of the records, and no others.
fn expect_whole(bench: &Bench) {
    let text = bench.text("found/predictions.jsonl");
    let records: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let images: Vec<String> =
        records.iter().map(|record| record["image"].as_str().unwrap().to_owned()).collect();
    assert_eq!(first_column(bench, "found/predictions.csv"), images);
    let regions = records.iter().flat_map(|record| {
        let count = record["regions"].as_array().unwrap().len();
        std::iter::repeat_n(record["id"].as_str().unwrap().to_owned(), count)
    });
    assert_eq!(first_column(bench, "found/regions.csv"), regions.collect::<Vec<_>>());
}

/// A failure to write is said once, and tried again until it can. A folder in a map's place does as well as a full disk.
#[test]
fn a_watch_waits_until_results_can_be_written() {
    let bench = Bench::with_model();
    save(&bench.path("line/a.png"), &texture(7));
    let mut watch = Watch::start(&bench, WATCH);
    assert_eq!(watch.next_id(), "a");
    fs::create_dir_all(bench.path("found/b.tiff/in the way")).unwrap();
    save(&bench.path("line/b.png"), &defective(8));
    let mut stderr = BufReader::new(watch.child.stderr.take().unwrap());
    let mut said = String::new();
    stderr.read_line(&mut said).unwrap();
    assert!(said.starts_with("warning: cannot write found/b.tiff: "), "{said}");
    assert!(said.ends_with("waiting until results can be written\n"), "{said}");
    for _ in 0..10 {
        let_it_look();
    }
    fs::remove_dir_all(bench.path("found/b.tiff")).unwrap();
    assert_eq!(watch.next_id(), "b");
    watch.signal("-TERM");
    said.clear();
    stderr.read_line(&mut said).unwrap();
    assert_eq!(said, "interrupted after 2 images\n", "the image was not called unreadable");
    assert_eq!(watch.child.wait().unwrap().code(), Some(143));
    assert_eq!(recorded(&bench), ["a", "b"]);
    expect_whole(&bench);
}

/// Without `--watch`, somebody is there to see the error.
#[test]
fn what_cannot_be_written_ends_a_run() {
    let bench = Bench::with_model();
    for name in ["a", "b", "c"] {
        save(&bench.path(&format!("line/{name}.png")), &texture(7));
    }
    fs::create_dir_all(bench.path("found/b.tiff/in the way")).unwrap();
    fs::write(bench.path("found/report.html"), "of an earlier run").unwrap();
    let run = bench.run("predict model line --out found --quiet");
    assert!(!bench.path("found/report.html").exists(), "it would pass for this run's");
    assert_eq!((run.code, run.stdout.lines().count()), (2, 1), "{}", run.stderr);
    assert!(run.stderr.starts_with("error: cannot write found/b.tiff"), "{}", run.stderr);
    assert_eq!(recorded(&bench), ["a"]);
}

#[test]
fn a_folder_of_results_is_written_to_by_one_process_at_a_time() {
    let bench = Bench::with_model();
    save(&bench.path("line/a.png"), &texture(7));
    let mut watch = Watch::start(&bench, WATCH);
    assert_eq!(watch.next_id(), "a");
    for arguments in [
        "predict model line --out found",
        "predict model - --out ./found",
        "evaluate model --out found",
        WATCH,
    ] {
        let message = bench.error(arguments);
        assert!(message.contains("found: another process writes to this folder"), "{message}");
    }
    watch.signal("-KILL");
    watch.child.wait().unwrap();
    assert_eq!(recorded(&bench), ["a"]);
    bench.run("predict model line --out found").done();
}

#[test]
fn a_watch_whose_results_are_removed_says_so_and_ends() {
    for gone in ["found", "found/predictions.csv"] {
        let bench = Bench::with_model();
        save(&bench.path("line/a.png"), &texture(7));
        let mut watch = Watch::start(&bench, WATCH);
        assert_eq!(watch.next_id(), "a");
        let path = bench.path(gone);
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
        save(&bench.path("line/b.png"), &texture(8));
        let (code, stdout, stderr) = watch.end();
        assert_eq!((code, &*stdout), (Some(2), ""), "{stderr}");
        let expected = format!("error: {gone}: ");
        assert!(
            stderr.starts_with(&expected) && stderr.contains("removed or replaced"),
            "{stderr}"
        );
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        // Nothing was written to a new folder.
        assert!(!bench.path("found/b.tiff").exists());
    }
}

/// A crash between the tables leaves rows without a record, or parts of files; a power failure may leave records without rows.
#[test]
fn a_restart_mends_what_a_crash_has_left() {
    let bench = Bench::with_model();
    save(&bench.path("line/a.png"), &defective(7));
    let watch =
        "predict model --watch line --out found --poll 0.02 --json --quiet --threshold -100";
    let run = |ids: &[&str]| {
        let mut watch = Watch::start(&bench, watch);
        ids.iter().for_each(|id| assert_eq!(watch.next_id(), *id));
        watch.signal("-TERM");
        let (code, stdout, stderr) = watch.end();
        assert_eq!((code, &*stdout), (Some(143), ""), "{stderr}");
    };
    run(&["a"]);
    expect_whole(&bench);
    let whole = ["predictions.csv", "regions.csv"].map(|name| bench.text(&format!("found/{name}")));
    assert!(whole[1].lines().count() > 1, "{}", whole[1]);

    let append = |name: &str, text: &str| {
        let path = bench.path(&format!("found/{name}"));
        fs::write(&path, bench.text(&format!("found/{name}")) + text).unwrap();
    };
    append("regions.csv", "b,1,5,0,0,2,3,0.5,0.5,1,1\nb,2,5,0,0");
    append("predictions.csv", "line/b.png,b,1,0.5,true,2,0.1\n");
    append("predictions.jsonl", "{\"image\": \"line/b.p");
    fs::write(bench.path("found/.x1Y2z3.part"), "half a map").unwrap();
    save(&bench.path("line/b.png"), &defective(8));
    run(&["b"]);
    assert_eq!(recorded(&bench), ["a", "b"]);
    expect_whole(&bench);
    assert!(!bench.path("found/.x1Y2z3.part").exists());
    assert!(bench.text("found/regions.csv").starts_with(&whole[1]));

    fs::write(bench.path("found/predictions.csv"), "").unwrap();
    fs::remove_file(bench.path("found/regions.csv")).unwrap();
    save(&bench.path("line/c.png"), &defective(9));
    run(&["c"]);
    expect_whole(&bench);
    let now = ["predictions.csv", "regions.csv"].map(|name| bench.text(&format!("found/{name}")));
    assert!(now.iter().zip(&whole).all(|(now, whole)| now.starts_with(whole)));
}

/// The name of an image in the folder of the results may be a symbolic link to it, or it may be linked from elsewhere.
#[test]
fn links_do_not_lead_results_over_images() {
    let bench = Bench::with_model();
    save(&bench.path("line/c.tiff"), &texture(9));
    let image = bench.bytes("line/c.tiff");
    fs::create_dir(bench.path("found")).unwrap();
    symlink("../line/c.tiff", bench.path("found/c.tiff")).unwrap();
    symlink("found/c.tiff", bench.path("d.tiff")).unwrap();
    symlink("line", bench.path("other")).unwrap();
    for arguments in [
        "found/c.tiff --out found",
        "d.tiff --out ./found",
        "line/c.tiff --out other",
        "other --out line",
    ] {
        let message = bench.error(&format!("predict model {arguments}"));
        assert!(message.contains("the folder of the results"), "{arguments}: {message}");
    }
    assert_eq!(bench.names("line"), ["c.tiff"]);

    // Tables in the place of links, and not of what they lead to.
    fs::remove_file(bench.path("found/c.tiff")).unwrap();
    for table in ["predictions.jsonl", "predictions.csv", "regions.csv"] {
        symlink("../line/c.tiff", bench.path(&format!("found/{table}"))).unwrap();
    }
    let message = bench.error(WATCH);
    assert!(
        message.contains("predictions.jsonl") && message.contains("symbolic link"),
        "{message}"
    );
    bench.run("predict model line --out found").done();
    assert_eq!(recorded(&bench), ["c"]);
    assert!(bench.bytes("line/c.tiff") == image);
}

/// A file that is replaced by one of the same size and time of change, and one whose rights change.
#[test]
fn the_content_decides_whether_an_image_is_another_one() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::with_model();
    // Uncompressed, so that all have the same size.
    let [first, second, third] = [1, 2, 3].map(|seed| {
        let path = bench.path(&format!("{seed}.bmp"));
        save(&path, &texture(seed));
        path
    });
    let at = |place: &std::path::Path, from: &std::path::Path| {
        let temporary = bench.path("temporary.bmp");
        fs::copy(from, &temporary).unwrap();
        let file = fs::File::options().write(true).open(&temporary).unwrap();
        file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000))
            .unwrap();
        fs::rename(&temporary, place).unwrap();
    };
    fs::create_dir(bench.path("line")).unwrap();
    let place = bench.path("line/a.bmp");
    at(&place, &first);
    let mut watch = Watch::start(&bench, WATCH);
    assert_eq!(watch.next_id(), "a");
    at(&place, &second);
    assert_eq!(watch.next_id(), "a-2");
    fs::set_permissions(&place, PermissionsExt::from_mode(0o600)).unwrap();
    for _ in 0..3 {
        let_it_look();
    }
    at(&place, &third);
    assert_eq!(watch.next_id(), "a-3", "other rights are no other image");
    watch.signal("-TERM");
    watch.end();

    // And while no watch runs.
    fs::set_permissions(&place, PermissionsExt::from_mode(0o644)).unwrap();
    save(&bench.path("line/z.bmp"), &texture(5));
    let mut watch = Watch::start(&bench, WATCH);
    assert_eq!(watch.next_id(), "z");
    watch.signal("-TERM");
    watch.end();
    at(&place, &first);
    let mut watch = Watch::start(&bench, WATCH);
    assert_eq!(watch.next_id(), "a-4");
    watch.signal("-TERM");
    watch.end();
    assert_eq!(recorded(&bench), ["a", "a-2", "a-3", "z", "a-4"]);
}

/// As when its terminal was closed.
#[test]
fn nobody_who_reads_messages_is_no_reason_to_panic() {
    let bench = Bench::with_model();
    save(&bench.path("line/a.png"), &texture(7));
    fs::write(bench.path("line/bad.png"), "no image").unwrap();
    save(&bench.path("line/c.png"), &texture(8));
    let mut child = Command::new(program())
        .args(["predict", "model", "line", "--out", "found"])
        .current_dir(bench.path("."))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    assert_eq!(child.wait().unwrap().code(), Some(2));
    assert_eq!(recorded(&bench), ["a", "c"]);
    // An error before the first image.
    let mut child =
        Command::new(program()).arg("info").arg("none").stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(2));
}
